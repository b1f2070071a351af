import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SEED_CLIENT, SEED_KEY } from './seed.ts'
import { startSimulator, type Simulator } from './simulator.ts'
import { wire } from './wire.ts'

let now = Date.UTC(2026, 10, 23)
let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ now: () => now })
})
beforeEach(() => simulator.reset())
afterAll(() => simulator.close())

const GET = `GET /v1/dns/summary HTTP/1.1\r\nHost: x\r\nX-Api-Key: ${SEED_KEY.key}\r\n\r\n`
const COMPLETE = /^HTTP\/1\.1 200 OK\r\n[^]*"disabled":4\}\}$/
const FORM = `grant_type=client_credentials&client_id=${SEED_CLIENT.id}&client_secret=${SEED_CLIENT.secret}`

function ask(path = '/v1/dns/summary'): Promise<Response> {
  return fetch(`${simulator.origin}${path}`, { headers: { 'x-api-key': SEED_KEY.key } })
}

function mint(): Promise<Response> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const init = { method: 'POST', headers, body: FORM, redirect: 'manual' as const }
  return fetch(`${simulator.origin}/v1/auth/token`, init)
}

async function grant(): Promise<Record<string, unknown>> {
  return (await (await mint()).json()) as Record<string, unknown>
}

describe('switches', () => {
  test('that are assigned stay until they are cleared', async () => {
    simulator.faults.status = 503
    simulator.faults.retryAfter = 7
    for (let turn = 0; turn < 3; turn++) {
      const reply = await ask()
      expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '7'])
    }
    expect((await mint()).status).toBe(200)
    simulator.faults.clear()
    expect((await ask()).status).toBe(200)
  })

  test('that are added meet the next n requests of their kind and path, and no others', async () => {
    simulator.faults.add({ status: 500 }, { times: 2, path: '/v1/domains' })
    simulator.faults.add({ tokenStatus: 429, retryAfter: 3 }, { times: 1 })
    expect((await ask()).status).toBe(200)
    const statuses = []
    for (let turn = 0; turn < 3; turn++) statuses.push((await ask('/v1/domains')).status)
    expect(statuses).toEqual([500, 500, 200])
    const limited = await mint()
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '3'])
    expect((await mint()).status).toBe(200)
  })

  test('end with reset, like records and counters', async () => {
    simulator.faults.hang = true
    simulator.faults.add({ tokenHang: true })
    simulator.reset()
    expect([(await ask()).status, (await mint()).status]).toEqual([200, 200])
    expect([simulator.requests.length, simulator.tokenRequests]).toEqual([2, 1])
  })
})

describe('the token endpoint under faults', () => {
  test('has a bad body for every taste', async () => {
    const bodies: Record<string, string> = {}
    for (const name of ['html', 'empty', 'truncated', 'huge', 'garbage', '{"my":"own"}']) {
      simulator.faults.tokenBody = name
      const reply = await mint()
      expect(reply.status).toBe(200)
      bodies[name] = await reply.text()
    }
    expect(bodies['html']).toContain('<h1>')
    expect(bodies['empty']).toBe('')
    expect(bodies['truncated']).toMatch(/^\{"access_token":"[^}]*$/)
    expect(bodies['huge']!.length).toBeGreaterThan(1024 * 1024)
    expect(() => JSON.parse(bodies['garbage']!)).toThrow(SyntaxError)
    expect(bodies['{"my":"own"}']).toBe('{"my":"own"}')
  })

  test('redirects to a trap that would give a good token', async () => {
    simulator.faults.tokenBody = 'redirect'
    const reply = await mint()
    expect([reply.status, reply.headers.get('location')]).toEqual([307, '/__elsewhere'])
    expect((await fetch(`${simulator.origin}/__elsewhere`, { method: 'POST' })).status).toBe(200)
    expect(simulator.count((request) => request.target === '/__elsewhere')).toBe(1)
  })

  test('misnames the type or puts a line break into the token', async () => {
    simulator.faults.tokenBody = 'wrong-type'
    expect((await grant())['token_type']).toBe('mac')
    simulator.faults.tokenBody = 'bad-token'
    expect((await grant())['access_token']).toContain('\r\n')
  })

  test.each(['3600', 0, -1, 1e99, null, 1.5])('says expires_in %j', async (value) => {
    simulator.faults.expiresIn = value
    expect((await grant())['expires_in']).toBe(value)
  })

  test('leaves expires_in out', async () => {
    simulator.faults.expiresIn = 'missing'
    expect(await grant()).not.toHaveProperty('expires_in')
  })

  test('hands out the same nearly expired token until it is over', async () => {
    simulator.faults.tokenBody = 'near-expired-same'
    const first = await grant()
    now += 1500
    const second = await grant()
    expect([first['expires_in'], second['expires_in']]).toEqual([2, 0.5])
    expect(second['access_token']).toBe(first['access_token'])
    now += 500
    expect((await grant())['access_token']).not.toBe(first['access_token'])
  })

  test('gives opaque and short-lived tokens', async () => {
    simulator.faults.tokenOpaque = true
    simulator.faults.tokenLife = 0.25
    const { access_token: token, expires_in: life } = await grant()
    expect([String(token).includes('.'), life]).toEqual([false, 0.25])
    const headers = { authorization: `Bearer ${String(token)}` }
    expect((await fetch(`${simulator.origin}/v1/dns`, { headers })).status).toBe(200)
    now += 250
    expect((await fetch(`${simulator.origin}/v1/dns`, { headers })).status).toBe(401)
  })

  test('hangs and resets, and counts those requests too', async () => {
    const text = `POST /v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: ${FORM.length}\r\n\r\n${FORM}`
    simulator.faults.tokenHang = true
    expect(await wire(simulator.port, text, 100)).toEqual({ text: '', end: 'quiet' })
    simulator.faults.clear()
    simulator.faults.tokenReset = true
    expect(await wire(simulator.port, text)).toEqual({ text: '', end: 'reset' })
    expect(simulator.tokenRequests).toBe(2)
  })
})

describe('the API under faults', () => {
  test('is whole without them', async () => {
    expect(await wire(simulator.port, GET, 100)).toEqual({
      text: expect.stringMatching(COMPLETE),
      end: 'quiet',
    })
  })

  test('hangs, and its record stays open until the client goes', async () => {
    simulator.faults.hang = true
    expect(await wire(simulator.port, GET, 100)).toEqual({ text: '', end: 'quiet' })
    await expect.poll(() => simulator.requests[0]!.outcome).toBe('aborted')
  })

  test('is late', async () => {
    simulator.faults.delay = 120
    const before = performance.now()
    expect((await ask()).status).toBe(200)
    expect(performance.now() - before).toBeGreaterThanOrEqual(115)
  })

  test('resets before the reply, after the body was read or as soon as the head is in', async () => {
    const post = GET.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\nbody')
    simulator.faults.reset = true
    expect(await wire(simulator.port, post)).toEqual({ text: '', end: 'reset' })
    simulator.faults.reset = 'head'
    expect(await wire(simulator.port, post.slice(0, -4))).toEqual({ text: '', end: 'reset' })
    expect(simulator.requests.map((request) => request.body.toString())).toEqual(['body', ''])
  })

  test('resets in the middle of the head', async () => {
    simulator.faults.resetMidHead = true
    const { text, end } = await wire(simulator.port, GET)
    expect(end).toBe('reset')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text).not.toContain('\r\n\r\n')
  })

  test.each(['fin', 'reset'] as const)(
    'cuts a sized and a chunked body short with %s',
    async (end) => {
      simulator.faults.truncate = end
      const sized = await wire(simulator.port, GET)
      const [head = '', body = ''] = sized.text.split('\r\n\r\n')
      expect(sized.end).toBe(end)
      expect(body).toHaveLength(Math.floor(Number(/content-length: (\d+)/.exec(head)![1]) / 2))
      const target = '/v1/availability/stream?domains=a.com,b.com'
      const chunked = await wire(simulator.port, GET.replace('/v1/dns/summary', target))
      expect(chunked.end).toBe(end)
      expect(chunked.text).toContain('transfer-encoding: chunked')
      expect(chunked.text).not.toContain('\r\n0\r\n\r\n')
    },
  )

  test('stops a body after n bytes without ending it', async () => {
    simulator.faults.hangBodyAfter = 1000
    const target = '/v1/reports/r/download?size=100000'
    const { text, end } = await wire(simulator.port, GET.replace('/v1/dns/summary', target), 150)
    expect([end, text.split('\r\n\r\n')[1]!.length]).toEqual(['quiet', 1000])
  })

  test('answers 401 to every token while keys stay good', async () => {
    const headers = { authorization: `Bearer ${String((await grant())['access_token'])}` }
    simulator.faults.rejectAllTokens = true
    expect((await fetch(`${simulator.origin}/v1/dns`, { headers })).status).toBe(401)
    expect((await ask()).status).toBe(200)
    simulator.faults.rejectAllTokens = undefined
    expect((await fetch(`${simulator.origin}/v1/dns`, { headers })).status).toBe(200)
  })

  test('closes connections after a reply, or resets those that are used again', async () => {
    simulator.faults.closeIdle = true
    expect(await wire(simulator.port, GET)).toEqual({
      text: expect.stringMatching(COMPLETE),
      end: 'fin',
    })
    simulator.faults.clear()
    simulator.faults.resetReused = true
    const twice = await wire(simulator.port, GET + GET)
    expect(twice.end).toBe('reset')
    expect(simulator.requests).toHaveLength(3)
  })

  test('sends bodies, headers and raw bytes of the test’s own', async () => {
    simulator.faults.add({ body: 'mine', headers: { 'set-cookie': 'a=b' } }, { times: 1 })
    const reply = await ask()
    expect([reply.status, reply.headers.get('set-cookie'), await reply.text()]).toEqual([
      200,
      'a=b',
      'mine',
    ])
    simulator.faults.raw = 'HTTP/1.1 abc\n\n'
    expect(await wire(simulator.port, GET)).toEqual({ text: 'HTTP/1.1 abc\n\n', end: 'fin' })
  })

  test('has a clock that is off', async () => {
    simulator.faults.dateSkew = -3600
    for (const reply of [await ask(), await mint()]) {
      expect(Date.parse(reply.headers.get('date')!)).toBe(Math.floor(now / 1000) * 1000 - 3_600_000)
    }
  })
})
