import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OPERATIONS } from './operations.ts'
import { SEED_KEY } from './seed.ts'
import { startSimulator, type Simulator } from './simulator.ts'
import { wire } from './wire.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ eventDelay: 30 })
})
beforeEach(() => simulator.reset())
afterAll(() => simulator.close())

function ask(method: string, path: string, value?: unknown): Promise<Response> {
  const headers = { 'x-api-key': SEED_KEY.key, 'content-type': 'application/json' }
  const init = { method, headers, redirect: 'manual' as const }
  return fetch(
    `${simulator.origin}${path}`,
    value === undefined ? init : { ...init, body: JSON.stringify(value) },
  )
}

async function read(path: string): Promise<any> {
  return (await ask('GET', path)).json()
}

async function records(type: string): Promise<Record<string, string[]>> {
  const zone = await read('/v1/dns/example.com')
  const found = zone.rrsets.filter((rrset: any) => rrset.type === type)
  return Object.fromEntries(
    found.map((rrset: any) => [rrset.name, rrset.records.map((record: any) => record.rdata)]),
  )
}

describe('routing', () => {
  test('redirects a missing or added final slash to an absolute http address of the Host header', async () => {
    const reply = await ask('GET', '/v1/tlds?fields=a%2Cb')
    expect(reply.status).toBe(307)
    expect(reply.headers.get('location')).toBe(`${simulator.origin}/v1/tlds/?fields=a%2Cb`)
    const text =
      'GET /v1/dns/example.com/ HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n'
    expect((await wire(simulator.port, text)).text).toContain(
      '\r\nlocation: http://api.example/v1/dns/example.com\r\n',
    )
  })

  test('decodes the path, %2F too, before it looks for a route', async () => {
    const body = { rrsets: [{ name: 'x', type: 'A', ttl: 60, records: [{ rdata: '192.0.2.1' }] }] }
    expect((await ask('PUT', '/v1/dns/example.com%2Frrsets', body)).status).toBe(204)
    expect(await records('A')).toEqual({ 'x.example.com.': ['192.0.2.1'] })
  })

  test('answers unknown paths and methods as the framework does', async () => {
    const unknown = await ask('GET', '/v1/nothing')
    expect([unknown.status, await unknown.text()]).toEqual([404, '{"detail":"Not Found"}'])
    expect(unknown.headers.get('content-type')).toBe('application/json')
    const method = await ask('DELETE', '/v1/dns')
    expect([method.status, await method.text()]).toEqual([405, '{"detail":"Method Not Allowed"}'])
    const outside = await wire(
      simulator.port,
      'GET //evil/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    expect(outside.text).toMatch(/^HTTP\/1\.1 404 /)
  })

  test('knows every operation of the API', async () => {
    expect(OPERATIONS.flatMap((operation) => operation.methods)).toHaveLength(214 + 2)
    const generic = await read('/v1/contacts')
    expect(generic).toMatchObject({
      results: [],
      pagination: { total_items: 0, has_next_page: false },
    })
    expect((await ask('PATCH', '/v1/contacts/contact_1/link/set_1')).status).toBe(204)
  })

  test('puts a request id and a date on every reply, and no Keep-Alive hint', async () => {
    for (const path of ['/v1/dns', '/v1/nothing', '/v1/tlds']) {
      const { headers } = await ask('GET', path)
      expect(headers.get('x-server-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(headers.get('x-request-id')).toBe(headers.get('x-server-request-id'))
      expect(Math.abs(Date.parse(headers.get('date')!) - Date.now())).toBeLessThan(2000)
      expect(headers.get('server')).toBe('uvicorn')
      expect(headers.get('keep-alive')).toBeNull()
    }
  })

  test('takes a request target of 60 KiB', async () => {
    const names = Array.from(
      { length: 1000 },
      (_, at) => `a-rather-long-domain-name-${at}-with-more-letters.com`,
    )
    const { meta } = await read(
      `/v1/availability?${names.map((name) => `domains=${name}`).join('&')}`,
    )
    expect(meta.total).toBe(1000)
  })
})

describe('zones', () => {
  test('are found by name in any case, with or without the final dot', async () => {
    for (const name of ['example.com', 'EXAMPLE.com.', 'example%2Ecom']) {
      expect(await read(`/v1/dns/${name}`)).toMatchObject({
        name: 'example.com.',
        dnssec_status: 'disabled',
      })
    }
    const missing = await ask('GET', '/v1/dns/www.example.com')
    expect(missing.status).toBe(404)
    expect(missing.headers.get('content-type')).toBe('application/problem+json')
    const text = await missing.text()
    expect(JSON.parse(text)).toMatchObject({
      code: 'ERROR_ZONE_NOT_FOUND',
      detail: 'Zone not found',
    })
    expect(text).not.toContain('dnssec_status')
  })

  test('take single records in and out, whatever the way in which a name is written', async () => {
    const record = { name: '_acme-challenge.www', type: 'TXT', ttl: 60, rdata: '"v1"' }
    const ops = [
      { op: 'upsert', record },
      {
        op: 'upsert',
        record: { ...record, name: '_acme-challenge.www.example.com', rdata: '"v2"' },
      },
      { op: 'upsert', record: { ...record, name: '_acme-challenge.www.example.com.' } },
      { op: 'upsert', record: { ...record, name: '@', rdata: '"apex"' } },
    ]
    expect((await ask('PATCH', '/v1/dns/example.com/records', { ops })).status).toBe(204)
    const name = '_acme-challenge.www.example.com.'
    expect(await records('TXT')).toEqual({ [name]: ['"v2"', '"v1"'], 'example.com.': ['"apex"'] })
    await ask('PATCH', '/v1/dns/example.com./records', {
      ops: [{ op: 'remove', record: ops[1]!.record }],
    })
    expect((await records('TXT'))[name]).toEqual(['"v1"'])
  })

  test('take whole rrsets, and PUT replaces all but the system ones', async () => {
    const rrset = { name: 'www', type: 'A', ttl: 60, records: [{ rdata: '192.0.2.1' }] }
    const ops = [
      { op: 'upsert', rrset },
      { op: 'upsert', rrset: { ...rrset, name: 'api' } },
    ]
    await ask('PATCH', '/v1/dns/example.com/rrsets', { ops })
    expect(Object.keys(await records('A'))).toEqual(['www.example.com.', 'api.example.com.'])
    await ask('PUT', '/v1/dns/example.com/rrsets', { rrsets: [{ ...rrset, name: 'new' }] })
    expect(Object.keys(await records('A'))).toEqual(['new.example.com.'])
    expect(Object.keys(await records('SOA'))).toEqual(['example.com.'])
  })

  test('answer 422 to a bad change, echo it, and change nothing', async () => {
    const reply = await ask('PATCH', '/v1/dns/example.com/records', {
      ops: [{ op: 'upsert', record: { name: 'x' } }],
    })
    expect(reply.status).toBe(422)
    expect(JSON.stringify(await reply.json())).toContain(
      '"input":{"op":"upsert","record":{"name":"x"}}',
    )
    expect((await ask('PUT', '/v1/dns/example.com/rrsets', {})).status).toBe(422)
    expect((await ask('POST', '/v1/dns', { nme: 'x.com' })).status).toBe(422)
    expect(await records('A')).toEqual({})
  })

  test('are created, counted, signed and deleted', async () => {
    const created = await ask('POST', '/v1/dns', { name: 'New.example' })
    expect([created.status, ((await created.json()) as any).zone_name]).toEqual([
      201,
      'new.example.',
    ])
    expect((await ask('POST', '/v1/dns', { name: 'new.example.' })).status).toBe(400)
    expect((await ask('POST', '/v1/dns/new.example/dnssec/enable')).status).toBe(200)
    const summary = { total_zones: 5, zones_by_dnssec: { enabled: 1, disabled: 4 } }
    expect(await read('/v1/dns/summary')).toEqual(summary)
    expect((await ask('DELETE', '/v1/dns/new.example')).status).toBe(204)
    expect((await ask('GET', '/v1/dns/new.example')).status).toBe(404)
  })

  test('are listed in pages', async () => {
    const list = await read('/v1/dns?page=2&page_size=3')
    expect(list.results.map((zone: any) => zone.name)).toEqual(['example.org.'])
    expect(list.pagination).toEqual({
      total_pages: 2,
      total_items: 4,
      current_page: 2,
      page_size: 3,
      has_next_page: false,
      has_previous_page: true,
    })
    expect((await ask('GET', '/v1/dns?page_size=1001')).status).toBe(422)
  })
})

describe('domains', () => {
  const wish = {
    name: 'bought.com',
    renewal_mode: 'renew',
    contacts: {},
    period: { value: 1, unit: 'y' },
  }

  test('are registered once; a second attempt is a conflict', async () => {
    expect((await ask('POST', '/v1/domains', { ...wish, create_zone: true })).status).toBe(201)
    expect((await ask('GET', '/v1/dns/bought.com')).status).toBe(200)
    const again = await ask('POST', '/v1/domains', wish)
    expect([again.status, ((await again.json()) as any).code]).toEqual([409, 'ERROR_DOMAIN_EXISTS'])
    expect((await ask('POST', '/v1/domains', { name: 'x.com' })).status).toBe(422)
    expect(
      simulator.count((request) => request.method === 'POST' && request.target === '/v1/domains'),
    ).toBe(3)
  })

  test('are found by name and by identifier, and show their auth code also in lists', async () => {
    const { results } = await read('/v1/domains?search=example.com')
    expect(results).toHaveLength(1)
    expect(results[0].auth_code).toMatch(/^Auth-/)
    expect(await read(`/v1/domains/${results[0].domain_id}`)).toEqual(
      await read('/v1/domains/Example.com'),
    )
    expect((await ask('GET', '/v1/domains/nobody.com')).status).toBe(404)
  })

  test('are renewed only from the present expiry date', async () => {
    const body = { period: { value: 2, unit: 'y' }, current_expiry_date: '2027-01-01' }
    const renewed = await ask('POST', '/v1/domains/example.com/renew', body)
    expect(await renewed.json()).toMatchObject({
      name: 'example.com',
      new_expiry_date: '2029-01-01T00:00:00.000Z',
    })
    expect((await ask('POST', '/v1/domains/example.com/renew', body)).status).toBe(422)
  })

  test('are checked, also when a client joins the names with commas', async () => {
    const { results } = await read('/v1/domains/check?domains=example.com,free.com')
    expect(results.map((result: any) => [result.domain, result.available])).toEqual([
      ['example.com', false],
      ['free.com', true],
    ])
  })
})

describe('streams and files', () => {
  test.each(['GET', 'POST'])(
    '%s availability comes as events one by one, and ends with done',
    async (method) => {
      const names = ['example.com', 'free-1.com', 'free-2.com']
      const reply =
        method === 'GET'
          ? await ask('GET', `/v1/availability/stream?domains=${names.join('&domains=')}`)
          : await ask('POST', '/v1/availability/stream', { domains: names })
      expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/)
      const pieces: string[] = []
      for await (const piece of reply.body!) pieces.push(Buffer.from(piece).toString())
      expect(pieces.length).toBeGreaterThanOrEqual(3)
      expect(pieces.join('')).toBe(
        'data: {"domain":"example.com","status":"unavailable"}\n\n' +
          'data: {"domain":"free-1.com","status":"available"}\n\n' +
          'data: {"domain":"free-2.com","status":"available"}\n\nevent: done\n\n',
      )
    },
  )

  test('a report is a ZIP of exactly the size that was asked for, with a valid CRC', async () => {
    for (const [query, size] of [
      ['?size=300000', 300_000],
      ['', 185],
      ['?size=200&chunked=1', 200],
    ] as const) {
      const reply = await ask('GET', `/v1/reports/report_1/download${query}`)
      expect(reply.headers.get('content-disposition')).toBe('attachment; filename="report_1.zip"')
      expect(reply.headers.get('content-length')).toBe(
        query.includes('chunked') ? null : String(size),
      )
      const file = Buffer.from(await reply.arrayBuffer())
      expect(file).toHaveLength(size)
      const central = file.readUInt32LE(file.length - 6)
      expect(file.readUInt32LE(central)).toBe(0x02014b50)
      const length = file.readUInt32LE(central + 20)
      const content = file.subarray(40, 40 + length)
      expect(file.readUInt32LE(central + 16)).toBe(crc32(content))
    }
    expect((await ask('GET', '/v1/reports/report_pending/download')).status).toBe(409)
    expect((await ask('GET', '/v1/reports/report_1/download?size=1')).status).toBe(422)
  })

  test('an upload is counted and hashed, and only its first MiB is kept', async () => {
    const body = Buffer.alloc(3 * 1024 * 1024, 'abc')
    const sha256 = createHash('sha256').update(body).digest('hex')
    for (const method of ['POST', 'PUT']) {
      const headers = { 'x-api-key': SEED_KEY.key }
      const reply = await fetch(`${simulator.origin}/v1/simulator/upload`, {
        method,
        headers,
        body,
      })
      expect(await reply.json()).toEqual({ bytes: body.length, sha256 })
    }
    expect(simulator.requests[0]).toMatchObject({
      bytes: body.length,
      sha256,
      status: 200,
      outcome: 'answered',
    })
    expect(simulator.requests[0]!.body).toEqual(body.subarray(0, 1024 * 1024))
  })

  test('a batch of jobs is accepted and found again', async () => {
    const commands = [
      { command: 'domain_create', payload: {} },
      { command: 'dns_zone_create', payload: {} },
    ]
    const reply = await ask('POST', '/v1/jobs', { commands })
    const batch = (await reply.json()) as any
    expect([reply.status, batch.total_commands, batch.jobs_created]).toEqual([201, 2, 2])
    expect(await read(batch.status_url)).toMatchObject({ total: 2 })
    expect((await ask('POST', '/v1/jobs', { commands: [] })).status).toBe(400)
  })
})
