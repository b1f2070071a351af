// Rules 18 and 23 to 25: which connections are used again and which are not, what is sent twice and
// what never, who is told when the other side leaves, and who waits for whom.

import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, describe, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import type { RawRequest, Script } from '../support/raw-upstream.ts'
import { seeded } from '../support/seeded.ts'
import { FIVE, HOST, hold, limited } from './limited.ts'
import { exchange } from './odd-upstream.ts'
import { readReply } from './reply-reader.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const SAFE = ['GET', 'HEAD', 'OPTIONS']
const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE']

const { here, port } = limited(
  'upstream: { idle_timeout: 2500ms }\nlimits: { replay_body_size: 1KiB }',
)

let well: Script | undefined
afterEach(() => {
  if (well !== undefined) here().upstream.script = well
  well = undefined
})

/** Has the upstream answer with `script` until the test is over. */
function answering(script: Script): void {
  well ??= here().upstream.script
  here().upstream.script = script
}

/** Requests for `target`, so far. */
const asked = (target: string) => here().upstream.requests.filter((it) => it.target === target)

function request(method: string, target: string, body = ''): string {
  const length = method === 'POST' || body !== '' ? `Content-Length: ${body.length}\r\n` : ''
  return `${method} ${target} HTTP/1.1\r\n${HOST}${length}\r\n${body}`
}

const latest = () => here().upstream.requests.at(-1)?.connection ?? 0

describe('a connection to the upstream', () => {
  test('is used again after a good reply', async () => {
    await here().next()
    const used = latest()
    await here().ask([FIVE])
    expect(latest()).toBe(used)
  })

  test.each([
    ['Connection: close', `${OK}Connection: close\r\n`],
    ['Connection: close in capitals', `${OK}CONNECTION: CLOSE\r\n`],
    ['close among others', `${OK}Connection: x, close\r\nX: 1\r\n`],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n'],
    ['a promise of no time', `${OK}Keep-Alive: timeout=0\r\n`],
    ['a promise of one second', `${OK}Keep-Alive: timeout=1\r\n`],
  ])('is not after %s, though the upstream leaves it open', async (_what, head) => {
    const seen = await here().ask([`${head}Content-Length: 5\r\n\r\nhello`])
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, end: 'open' })
    const used = here().upstream.requests.at(-1)
    await eventually(() => used?.closed === true)
    await here().next()
    expect(latest()).not.toBe(used?.connection)
  })

  test.each([
    ['Keep-Alive: timeout=2\r\n', 2000],
    ['Keep-Alive: timeout=3600\r\n', 3500],
    ['', 3500],
  ])('is left before the upstream would: %j', async (hint, within) => {
    const startedAt = performance.now()
    await here().ask([`${OK}${hint}Content-Length: 5\r\n\r\nhello`])
    const used = here().upstream.requests.at(-1)
    await eventually(() => used?.closed === true)
    expect(performance.now() - startedAt).toBeLessThan(within)
  })
})

describe('an idle connection that dies as a request is written', () => {
  /** Resets connections that were used before, once they are written to. */
  const dying: Script = async (arrived) => {
    await arrived.whole
    const before = here().upstream.requests.filter((it) => it.connection === arrived.connection)
    if (before.length > 1) arrived.socket.resetAndDestroy()
    else arrived.socket.write(arrived.method === 'HEAD' ? FIVE.slice(0, -5) : FIVE)
  }

  test.each(SAFE)('is invisible to %s, which is sent once more, on a new one', async (method) => {
    await here().next()
    answering(dying)
    const target = `/v1/safe/${method}`
    const seen = await exchange(port(), request(method, target), method)
    expect(seen).toMatchObject({ status: 200, whole: true, end: 'open' })
    const [first, second, ...more] = asked(target)
    expect(more).toEqual([])
    expect(second?.connection).toBeGreaterThan(first?.connection ?? Infinity)
  })

  test.each(UNSAFE)('is told to %s, which is sent once', async (method) => {
    await here().next()
    answering(dying)
    const target = `/v1/dns/${method}.example`
    const seen = await exchange(port(), request(method, target, '{}'))
    expect(seen).toMatchObject({ status: 502, whole: true })
    expect(JSON.parse(seen.body)).toMatchObject({ code: 'upstream_terminated' })
    expect(asked(target)).toHaveLength(1)
  })

  test('is told to a purchase as what it is: nobody knows', async () => {
    await here().next()
    answering(dying)
    const before = asked('/v1/domains').length
    const seen = await exchange(port(), request('POST', '/v1/domains', '{}'))
    expect(seen.status).toBe(409)
    expect(asked('/v1/domains')).toHaveLength(before + 1)
  })

  test.each([...SAFE, ...UNSAFE])('harms no %s when it died before', async (method) => {
    answering(async ({ socket, whole, method: verb }) => {
      await whole
      socket.write(verb === 'HEAD' ? FIVE.slice(0, -5) : FIVE)
      setTimeout(() => socket.resetAndDestroy(), 10)
    })
    for (let at = 0; at < 3; at++) {
      const seen = await exchange(port(), request(method, `/v1/dns/${at}`, ''), method, 0)
      expect(seen.status).toBe(200)
      await here().upstream.requests.at(-1)?.gone
    }
  })

  test('is replaced twice at most', async () => {
    answering(({ socket }) => socket.resetAndDestroy())
    const seen = await exchange(port(), request('GET', '/v1/always/reset'))
    expect(seen).toMatchObject({ status: 502, whole: true })
    expect(asked('/v1/always/reset')).toHaveLength(2)
  })
})

describe('a client that leaves', () => {
  const silent: Script = () => undefined
  const head: Script = ({ socket }) => socket.write(`${OK}Content-Length: 100\r\n\r\n`)
  const half: Script = ({ socket }) => socket.write(`${OK}Content-Length: 100\r\n\r\nhalf`)
  const endless: Script = ({ socket }) => {
    const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20)
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`)
    socket.on('close', () => clearInterval(timer))
  }
  const cases: readonly [string, Script, string][] = [
    ['before the reply', silent, request('GET', '/v1/left')],
    ['behind the head', head, request('GET', '/v1/left')],
    ['within the body', half, request('GET', '/v1/left')],
    ['within chunks', endless, request('GET', '/v1/left')],
    ['before the reply to a POST', silent, request('POST', '/v1/left', '{}')],
    ['within its own body', silent, request('POST', '/v1/left', 'x'.repeat(5000)).slice(0, -100)],
  ]
  test.each(
    cases.flatMap(([when, script, bytes]) =>
      ['FIN', 'RST'].map((how) => [when, how, script, bytes] as const),
    ),
  )(
    '%s, by %s, ends its request upstream, whose connection is not used again',
    async (_when, how, script, bytes) => {
      answering(script)
      const before = asked('/v1/left').length
      const client = await hold(port(), bytes)
      await eventually(() => asked('/v1/left').length > before)
      await sleep(30)
      if (how === 'FIN') client.socket.destroy()
      else client.socket.resetAndDestroy()
      const [left, ...more] = asked('/v1/left').slice(before)
      await eventually(() => left?.closed === true, { within: 3000 })
      expect(more).toEqual([])
      if (well !== undefined) here().upstream.script = well
      await here().next()
      expect(latest()).not.toBe(left?.connection)
      await eventually(async () => expect(await here().proxy.metric('inflight_requests')).toBe(0))
    },
  )

  test('disturbs none of forty others, each of whom gets its own answer', async () => {
    const { below } = seeded(23)
    answering(async ({ socket, target, whole }) => {
      await whole
      await sleep(below(80))
      socket.write(`${OK}Content-Length: ${target.length}\r\n\r\n${target}`)
    })
    const others = Array.from({ length: 40 }, async (_, at) => {
      if (at % 2 === 0) {
        const client = await hold(port(), request('GET', `/v1/leaver/${at}`))
        await sleep(10 + at)
        client.socket.resetAndDestroy()
        return 'left'
      }
      const seen = await exchange(port(), request('GET', `/v1/stayer/${at}`))
      return seen.body === `/v1/stayer/${at}` ? 'own' : seen.text
    })
    expect(new Set(await Promise.all(others))).toEqual(new Set(['left', 'own']))
  })
})

describe('an upstream that answers before the body is whole', () => {
  const BODY = '{"detail":"too large for us"}'
  const refusal = (connection: string) =>
    `HTTP/1.1 413 Content Too Large\r\n${connection}Content-Length: ${BODY.length}\r\n\r\n${BODY}`
  const ends: readonly [string, (arrived: RawRequest) => void][] = [
    ['and stays', ({ socket }) => void socket.write(refusal(''))],
    [
      'and says that it closes',
      ({ socket }) => void socket.write(refusal('Connection: close\r\n')),
    ],
    ['and closes', ({ socket }) => void socket.end(refusal('Connection: close\r\n'))],
    ['and closes without a word', ({ socket }) => void socket.end(refusal(''))],
    [
      'and resets',
      ({ socket }) => {
        socket.write(refusal('Connection: close\r\n'))
        setTimeout(() => socket.resetAndDestroy(), 30)
      },
    ],
  ]

  test.each(ends)(
    '%s: the client gets all of it, and its connection closes',
    async (_how, answer) => {
      for (const framing of ['Content-Length: 2000000', 'Transfer-Encoding: chunked']) {
        answering(answer)
        const client = await hold(port(), `POST /v1/early HTTP/1.1\r\n${HOST}${framing}\r\n\r\n`)
        const piece = 'x'.repeat(20_000)
        const chunk = framing.startsWith('T') ? `4e20\r\n${piece}\r\n` : piece
        const timer = setInterval(() => client.socket.writable && client.write(chunk), 20)
        const seen = await client.rest()
        clearInterval(timer)
        expect(seen).toMatchObject({
          status: 413,
          body: BODY,
          whole: true,
          garbage: '',
          end: 'fin',
        })
        expect(seen.text.toLowerCase()).toContain('connection: close')
        const arrived = asked('/v1/early').at(-1)
        expect(arrived?.complete).toBe(false)
        await eventually(() => arrived?.closed === true)
      }
    },
  )

  test('can be read by a client that looks only after all of its body is written', async () => {
    answering(({ socket }) => void socket.write(refusal('')))
    const client = await hold(port())
    client.socket.pause()
    client.write(request('POST', '/v1/early', 'x'.repeat(600_000)))
    await sleep(150)
    client.socket.resume()
    expect(await client.rest()).toMatchObject({ status: 413, body: BODY, whole: true, end: 'fin' })
  })

  test('takes nothing behind that body for a request', async () => {
    answering(({ socket }) => void socket.write(refusal('')))
    const client = await hold(port(), request('POST', '/v1/early', 'x'.repeat(5000)).slice(0, -10))
    await eventually(() => client.text.includes(BODY))
    client.write(`xxxxxxxxxx${request('GET', '/v1/smuggled')}`)
    await client.rest()
    expect(asked('/v1/smuggled')).toEqual([])
  })
})

describe('waiting', () => {
  test('a slow writer of a small body costs no connection upstream', async () => {
    const before = here().upstream.requests.length
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        hold(port(), request('POST', `/v1/slow/${at}`, '{"a":1}').slice(0, -3)),
      ),
    )
    await sleep(100)
    expect(here().upstream.requests.length).toBe(before)
    await here().next()
    for (const client of clients) client.write(':1}')
    await eventually(() => clients.every(({ text }) => text.startsWith('HTTP/1.1 200')))
    expect(asked('/v1/slow/49')[0]?.body.toString()).toBe('{"a":1}')
  })

  test('a slow reader holds the upstream back, and gets every byte', async () => {
    const total = 48 * 1024 * 1024
    let produced = 0
    answering(({ socket }) => {
      const piece = Buffer.alloc(64 * 1024, 'x')
      socket.write(`${OK}Content-Length: ${total}\r\n\r\n`)
      const more = () => {
        while (produced < total && !socket.destroyed) {
          produced += piece.length
          if (!socket.write(piece)) return
        }
      }
      socket.on('drain', more)
      more()
    })
    const client = await hold(port(), request('GET', '/v1/large'))
    client.socket.pause()
    let last = -1
    await eventually(
      () => {
        const still = produced === last
        last = produced
        return still && produced > 0
      },
      { every: 250 },
    )
    expect(produced).toBeLessThan(total)
    client.socket.removeAllListeners('data')
    let received = 0
    client.socket.on('data', (piece) => (received += piece.length))
    client.socket.resume()
    await eventually(() => received > total)
    expect(produced).toBe(total)
  })

  test('an upstream that reads nothing holds the client back', async () => {
    answering(({ socket }) => {
      socket.removeAllListeners('data')
      socket.pause()
    })
    const client = await hold(
      port(),
      `POST /v1/jobs HTTP/1.1\r\n${HOST}Content-Length: 60000000\r\n\r\n`,
    )
    const piece = Buffer.alloc(64 * 1024, 'x')
    let sent = 0
    const more = () => {
      while (sent < 60_000_000 - piece.length) {
        sent += piece.length
        if (!client.socket.write(piece)) return
      }
    }
    client.socket.on('drain', more)
    more()
    let last = -1
    await eventually(
      () => {
        const still = sent === last
        last = sent
        return still
      },
      { every: 250 },
    )
    expect(sent).toBeLessThan(40_000_000)
    client.socket.resetAndDestroy()
  })

  test('two replies on one connection of a client come in the order of their requests', async () => {
    answering(async ({ socket, target, whole }) => {
      await whole
      if (target.endsWith('first')) await sleep(150)
      socket.write(`${OK}Content-Length: ${target.length}\r\n\r\n${target}`)
    })
    const client = await hold(
      port(),
      `${request('GET', '/v1/first')}${request('GET', '/v1/second')}`,
    )
    await eventually(() => client.text.includes('/v1/second'))
    const first = readReply(client.text, 'GET', client.end)
    expect(first).toMatchObject({ body: '/v1/first', whole: true })
    expect(readReply(first.garbage, 'GET', client.end)).toMatchObject({
      body: '/v1/second',
      garbage: '',
    })
  })
})
