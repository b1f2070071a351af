// Purchases under a budget, against the simulator.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient } from '../support/http-client.ts'
import type { Answer, HttpClient } from '../support/http-client.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'

const JSON_BODY = { 'Content-Type': 'application/json' }
const GRANTS = `[{ class: [read, write, destructive, billable, bulk, identity] }]`

let simulator: Simulator
let folder: string
let proxy: LocalProxy | undefined
const clients: HttpClient[] = []
let names = 0

beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  folder = mkdtempSync(join(tmpdir(), 'opusdns-purchases-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await proxy?.stop()
  proxy = undefined
  rmSync(folder, { recursive: true })
})

const config = (budget: string, mode = 'enforce', unpriced = '[]') => `
unpriced: ${unpriced}
ledger: file:${folder}/ledger.db
upstream: { head_timeout: 1s }
consumers:
  shop: { anonymous: true, mode: ${mode}, grants: ${GRANTS}${budget === '' ? '' : `, budget: ${budget}`} }
`

function clientOf(origin: string): HttpClient {
  const client = httpClient(origin)
  clients.push(client)
  return client
}

/** A proxy in this process with this budget. */
async function shop(budget: string, mode?: string, unpriced?: string): Promise<HttpClient> {
  proxy = await localProxy({ base: simulator.origin, config: config(budget, mode, unpriced) })
  return clientOf(`http://127.0.0.1:${proxy.port}`)
}

function order(more: object = {}): string {
  const name = `shop-${(names += 1)}.example`
  const period = { unit: 'y', value: 1 }
  return JSON.stringify({ name, renewal_mode: 'expire', contacts: {}, period, ...more })
}
const post = (client: HttpClient, path: string, body: string): Promise<Answer> =>
  client.send({ method: 'POST', path, headers: JSON_BODY, body })
const create = (client: HttpClient, more?: object) => post(client, '/v1/domains', order(more))
const bought = () => simulator.count(({ method }) => method === 'POST')
const codeOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { code: string }).code
const detailOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { detail: string }).detail

/** What became of the purchases, from the metrics. */
const outcome = (name: string) =>
  eventually(async () => {
    const count = (await proxy?.metric('purchases_total', { outcome: name })) ?? 0
    return count > 0 && count
  })
const left = () => proxy?.metric('budget_left', { consumer: 'shop' })

describe('a budget', () => {
  test('of 5 lets exactly 5 of 50 purchases at once reach OpusDNS', async () => {
    const client = await shop('{ purchases: 5, per: month }')
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(client)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(bought()).toBe(5)
    const refused = answers.filter(({ status }) => status === 403)
    expect(refused).toHaveLength(45)
    expect(new Set(refused.map(codeOf))).toEqual(new Set(['budget_exceeded']))
    expect(detailOf(refused[0] as Answer)).toMatch(
      /^The budget has 0 of 5 purchases left until \d{4}-\d\d-01T00:00:00Z, and this needs 1\. \(opusdns-auth-proxy, consumer shop;/,
    )
    expect(await outcome('spent')).toBe(5)
    expect(await outcome('refused')).toBe(45)
    expect(await left()).toBe(0)
  })

  test('is asked for where a consumer buys without one, and nothing is sent', async () => {
    const client = await shop('')
    const answer = await create(client)
    expect([answer.status, codeOf(answer)]).toEqual([403, 'purchase_not_granted'])
    expect((await client.get('/v1/domains')).status).toBe(200)
    expect(bought()).toBe(0)
  })

  test('counts every command of a batch, whenever it is to run', async () => {
    const client = await shop('{ purchases: 3, per: month }')
    const batch = (count: number) =>
      post(
        client,
        '/v1/jobs',
        JSON.stringify({
          paused: true,
          commands: Array.from({ length: count }, () => ({
            command: 'domain_create',
            payload: JSON.parse(order()) as unknown,
          })),
        }),
      )
    expect((await batch(4)).status).toBe(403)
    expect((await batch(2)).status).toBe(201)
    await outcome('spent')
    expect(await left()).toBe(1)
    expect((await batch(2)).status).toBe(403)
    expect((await create(client)).status).toBe(201)
  })

  describe('for what may have a price', () => {
    const zone = () => JSON.stringify({ name: `zone-${(names += 1)}.example` })
    const zones = (count: number) => {
      const command = () => ({ command: 'dns_zone_create', payload: JSON.parse(zone()) as unknown })
      return JSON.stringify({ commands: Array.from({ length: count }, command) })
    }
    const host = () => JSON.stringify({ hostname: `host-${(names += 1)}.example` })
    const redirects = JSON.stringify({ protocol: 'http', redirects: [] })
    const MESSAGES = '/v1/ai-concierge/conversations/c/messages'
    const WAYS: readonly (readonly [operation: string, path: string, body: string])[] = [
      ['POST /v1/dns', '/v1/dns', zone()],
      ['POST /v1/dns', '/v1/jobs', zones(1)],
      ['POST /v1/domain-forwards', '/v1/domain-forwards', host()],
      ['POST /v1/domain-forwards/{hostname}', '/v1/domain-forwards/a.example', redirects],
      ['POST /v1/email-forwards', '/v1/email-forwards', host()],
      ['POST /v1/ai-concierge/conversations/{conversation_id}/messages', MESSAGES, '{}'],
      ['POST /v1/organizations', '/v1/organizations', '{}'],
    ]

    test.each(WAYS)(
      'is needed by %s at %s, and both remedies are told',
      async (name, path, body) => {
        const client = await shop('')
        const answer = await post(client, path, body)
        expect([answer.status, codeOf(answer)]).toEqual([403, 'purchase_not_granted'])
        expect(detailOf(answer)).toMatch(
          /^This may cost something, and the consumer has no budget\./,
        )
        expect(detailOf(answer)).toContain(`list ${name} under unpriced`)
        expect(bought()).toBe(0)
      },
    )

    test('counts each of them, in a job too', async () => {
      const client = await shop("{ purchases: 3, per: month, amount: '50.00' }")
      expect((await post(client, '/v1/jobs', zones(4))).status).toBe(403)
      expect((await post(client, '/v1/dns', zone())).status).toBe(201)
      await outcome('spent')
      expect(await left()).toBe(2)
      expect((await post(client, '/v1/jobs', zones(2))).status).toBe(201)
      expect(codeOf(await post(client, '/v1/dns', zone()))).toBe('budget_exceeded')
      expect(bought()).toBe(2)
      expect(proxy?.lines.find(({ msg }) => msg === 'purchase')?.['what']).toEqual([
        expect.stringMatching(/^POST \/v1\/dns zone-\d+\.example$/),
      ])
    })

    test('is not needed where it is listed as unpriced; what else is bought counts', async () => {
      const client = await shop('', 'enforce', "['POST /v1/dns']")
      expect((await post(client, '/v1/dns', zone())).status).toBe(201)
      expect((await post(client, '/v1/jobs', zones(3))).status).toBe(201)
      expect((await post(client, '/v1/domain-forwards', host())).status).toBe(403)
      const payload = JSON.parse(order()) as unknown
      const mixed = JSON.parse(zones(1)) as { commands: unknown[] }
      mixed.commands.push({ command: 'domain_create', payload })
      const refused = await post(client, '/v1/jobs', JSON.stringify(mixed))
      expect(codeOf(refused)).toBe('purchase_not_granted')
      expect(detailOf(refused)).toMatch(/^This is a purchase, and the consumer has no budget\. \(/)
      expect(bought()).toBe(2)
    })
  })

  test('is asked for when the renewal of a service is switched on, and not when off', async () => {
    const client = await shop('{ purchases: 0, per: month }')
    const patch = (path: string, body: object) =>
      client.send({ method: 'PATCH', path, headers: JSON_BODY, body: JSON.stringify(body) })
    for (const path of ['/v1/vanity-nameserver-sets/s', '/v1/whitelabel-branding']) {
      const refused = await patch(path, { renewal_mode: 'renew' })
      expect([refused.status, codeOf(refused)]).toEqual([403, 'budget_exceeded'])
      expect((await patch(path, { renewal_mode: 'expire' })).status).not.toBe(403)
      expect((await patch(path, { renewal_mode: 'RENEW' })).status).toBe(400)
    }
  })

  test.each([
    ['a renewal mode', { renewal_mode: 'renew' }, { renewal_mode: null }],
    ['a registrant', { contacts: { registrant: 'c' } }, { contacts: { admin: 'c' } }],
  ])('counts %s of a template that an instance need not replace', async (_n, template, more) => {
    const client = await shop('{ purchases: 0, per: month }')
    for (const spelling of ['command', 'type']) {
      const payload = { template, instances: [{ name: 'a.example', ...more }] }
      const commands = [{ [spelling]: 'domain_update_bulk', payload }]
      const answer = await post(client, '/v1/jobs', JSON.stringify({ commands }))
      expect([answer.status, codeOf(answer)]).toEqual([403, 'budget_exceeded'])
    }
    expect(bought()).toBe(0)
  })

  test('does not let a job be resumed or tried again, unless it says so', async () => {
    const client = await shop('{ purchases: 2, per: month }')
    for (const path of [
      '/v1/jobs/b/resume',
      '/v1/jobs/b/retry',
      '/v1/job/j/resume',
      '/v1/job/j/retry',
    ]) {
      const answer = await post(client, path, '')
      expect([answer.status, codeOf(answer)]).toEqual([403, 'purchase_not_granted'])
    }
    expect(bought()).toBe(0)
  })

  test('with an amount holds to the cent what prices are named', async () => {
    const client = await shop("{ purchases: 9, amount: '25.00', per: month }")
    expect(codeOf(await create(client))).toBe('purchase_not_granted')
    expect((await create(client, { expected_price: '24.99' })).status).toBe(201)
    const over = await create(client, { expected_price: '0.02' })
    expect(codeOf(over)).toBe('budget_exceeded')
    expect(detailOf(over)).toContain('0.01 of 25.00')
    expect((await create(client, { expected_price: '0.01' })).status).toBe(201)
    expect(bought()).toBe(2)
  })

  test('counts the standard price of each year where none is named', async () => {
    const client = await shop(
      "{ purchases: 9, amount: '50.00', standard_price: '20.00', per: month }",
    )
    const years = (value: number) => create(client, { period: { unit: 'y', value } })
    expect((await years(3)).status).toBe(403)
    expect((await years(2)).status).toBe(201)
    expect((await years(1)).status).toBe(403)
  })

  test('is used up in report mode too, so that the log says what enforcing it would deny', async () => {
    const client = await shop('{ purchases: 2, per: month }', 'report')
    for (let count = 1; count <= 3; count += 1) expect((await create(client)).status).toBe(201)
    expect(await outcome('spent')).toBe(2)
    expect(await outcome('would_be_refused')).toBe(1)
    expect(proxy?.lines.filter(({ msg }) => msg === 'would be denied')).toHaveLength(1)
    expect(await left()).toBe(0)
  })

  test('is only told in report mode when it is exceeded', async () => {
    const client = await shop('{ purchases: 0, per: month }', 'report')
    expect((await create(client)).status).toBe(201)
    expect(proxy?.lines.find(({ msg }) => msg === 'would be denied')).toMatchObject({
      consumer: 'shop',
      operation: 'POST /v1/domains',
      missing: expect.stringMatching(/0 of 0 purchases left.*needs 1/),
    })
    const denied = { consumer: 'shop', decision: 'deny', mode: 'report' }
    await eventually(async () => (await proxy?.metric('policy_decisions_total', denied)) === 1)
    expect(await outcome('would_be_refused')).toBe(1)
    expect(bought()).toBe(1)
  })

  test('is no matter where consumers are not told apart, and no ledger is made', async () => {
    proxy = await localProxy({ base: simulator.origin, config: `ledger: file:${folder}/l.db` })
    const client = clientOf(`http://127.0.0.1:${proxy.port}`)
    expect((await create(client)).status).toBe(201)
    expect(() => statSync(`${folder}/l.db`)).toThrow('ENOENT')
  })
})

describe('a ledger that cannot be used', () => {
  /** Takes the table away from a proxy that runs. */
  function spoil(): void {
    const database = new DatabaseSync(`${folder}/ledger.db`)
    database.exec('DROP TABLE orders')
    database.close()
  }

  test('stops purchases, and nothing else', async () => {
    const client = await shop('{ purchases: 5, per: month }')
    spoil()
    const answer = await create(client)
    expect([answer.status, codeOf(answer)]).toEqual([503, 'ledger_unavailable'])
    expect(bought()).toBe(0)
    expect((await client.get('/v1/domains')).status).toBe(200)
    const ready = await fetch(`${proxy?.adminOrigin}/readyz`)
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      {
        checks: {
          ledger: { warnings: [expect.stringContaining('LEDGER_ERR_SQLITE_ERROR')] },
        },
      },
    ])
    expect((await proxy?.accessLine(({ code }) => code === 'ledger_unavailable'))?.['cause']).toBe(
      'LEDGER_ERR_SQLITE_ERROR',
    )
  })

  test('stops nothing in report mode', async () => {
    const client = await shop('{ purchases: 5, per: month }', 'report')
    spoil()
    expect((await create(client)).status).toBe(201)
    expect(proxy?.lines.some(({ msg }) => msg === 'ledger failed')).toBe(true)
  })
})

describe('what became of a purchase', () => {
  test.each([
    ['a refusal', { status: 422 }],
    ['a rate limit', { status: 429 }],
    ['a name that is taken', {}],
  ])('is nothing after %s, and the budget has it back', async (_name, faults) => {
    const client = await shop('{ purchases: 1, per: month }')
    Object.assign(simulator.faults, faults)
    const refused = await create(client, { name: 'taken.example' })
    expect(refused.status).toBeGreaterThanOrEqual(400)
    await outcome('released')
    simulator.faults.clear()
    expect((await create(client)).status).toBe(201)
    expect(bought()).toBe(2)
  })

  test.each([
    ['a server error', { status: 500 }],
    ['a gateway error', { status: 502 }],
    ['a broken connection', { reset: true }],
    ['no answer in time', { hang: true }],
    ['a broken head', { raw: 'HTTP/1.1 2O1 Created\r\n\r\n' }],
  ])('is unknown after %s, and counts', async (_name, faults) => {
    const client = await shop('{ purchases: 1, per: month }')
    Object.assign(simulator.faults, faults)
    await create(client)
    expect(await outcome('unknown')).toBe(1)
    simulator.faults.clear()
    const refused = await create(client)
    expect(codeOf(refused)).toBe('budget_exceeded')
    expect(detailOf(refused)).toContain('The outcome of 1 is unknown')
    expect(bought()).toBe(1)
    expect(proxy?.lines.find(({ msg }) => msg === 'purchase')).toMatchObject({
      level: 'warn',
      outcome: 'unknown',
      consumer: 'shop',
    })
  })

  test('is known by its head, also when the rest of the reply is lost', async () => {
    const client = await shop('{ purchases: 2, per: month }')
    simulator.faults.truncate = 'reset'
    await expect(create(client)).rejects.toThrow(/aborted|ECONNRESET/)
    expect(await outcome('spent')).toBe(1)
  })

  test('is unknown when the client leaves before the answer', async () => {
    const client = await shop('{ purchases: 1, per: month }')
    simulator.faults.hang = true
    const leaves = create(client)
    const gone = expect(leaves).rejects.toThrow(/socket hang up|aborted/)
    await eventually(() => bought() === 1)
    client.close()
    await gone
    expect(await outcome('unknown')).toBe(1)
  })

  test('is nothing when OpusDNS was never reached', async () => {
    proxy = await localProxy({
      base: 'http://127.0.0.1:9',
      config: config('{ purchases: 1, per: month }'),
    })
    const client = clientOf(`http://127.0.0.1:${proxy.port}`)
    expect((await create(client)).status).toBe(502)
    expect(await outcome('released')).toBe(1)
    expect(await left()).toBe(1)
  })

  test('is nothing when OpusDNS refuses the credential', async () => {
    const client = await shop('{ purchases: 1, per: month }')
    simulator.faults.status = 401
    await create(client)
    expect(await outcome('released')).toBe(1)
  })
})
