// What a write would make of a zone, and what is said about what cannot be foretold.

import { describe, expect, test } from 'vitest'

import { operationOf } from '../../src/opusdns/operations.ts'
import { zoneDifference } from '../../src/opusdns/zone-difference.ts'
import { rrsetsShown } from '../../src/opusdns/zone-shown.ts'
import { zoneWrite } from '../../src/opusdns/zone-write.ts'

const shown = (name: string, type: string, ttl: number, rdata: string[], more: object = {}) => ({
  name,
  type,
  ttl,
  records: rdata.map((one) => ({ rdata: one })),
  ...more,
})
const ZONE = rrsetsShown({
  name: 'example.com.',
  rrsets: [
    shown('example.com.', 'SOA', 3600, ['soa'], { protected: true }),
    shown('example.com.', 'NS', 3600, ['ns1.opusdns.com.', 'ns2.opusdns.net.']),
    shown('@', 'MX', 300, ['10 mx.'], {
      protected: true,
      protected_reason: 'EMAIL_FORWARD',
    }),
    shown('www', 'A', 300, ['192.0.2.1', '192.0.2.2']),
    shown('txt.example.com.', 'TXT', 60, ['"value"']),
  ],
})

function difference(
  method: string,
  path: string,
  body: unknown,
  zone: typeof ZONE | 'absent' = ZONE,
) {
  const bytes = Buffer.from(JSON.stringify(body))
  const write = zoneWrite(operationOf(method, path), path, bytes, 'application/json', undefined)
  const { changes, warnings, zone_action } = zoneDifference(
    write,
    zone === 'absent' ? undefined : zone,
  )
  return {
    changes: changes.map(
      ({ action, name, type, ttl, rdata }) => `${action} ${name} ${type} ${ttl} ${rdata}`,
    ),
    warnings,
    zone_action,
  }
}
const records = (...ops: object[]) => difference('PATCH', '/v1/dns/example.com/records', { ops })
const rrsets = (...ops: object[]) => difference('PATCH', '/v1/dns/example.com/rrsets', { ops })
const one = (op: string, name: string, type: string, rdata: string, ttl = 300) => ({
  op,
  record: { name, type, ttl, rdata },
})
const set = (op: string, name: string, type: string, rdata: string[], ttl = 300) => ({
  op,
  rrset: { name, type, ttl, records: rdata.map((text) => ({ rdata: text })) },
})

describe('single records', () => {
  test('are added beside those that are there, and taken away alone', () => {
    expect(records(one('upsert', 'www', 'a', '192.0.2.3')).changes).toEqual([
      'create www.example.com. A 300 192.0.2.3',
    ])
    expect(records(one('remove', 'WWW', 'A', '192.0.2.1', 60)).changes).toEqual([
      'delete www.example.com. A 300 192.0.2.1',
    ])
  })

  test('with another TTL change that of all their set', () => {
    expect(records(one('upsert', 'www', 'A', '192.0.2.1', 60)).changes).toEqual([
      'change www.example.com. A 60 192.0.2.2',
      'change www.example.com. A 60 192.0.2.1',
    ])
  })

  test('that are there as they are change nothing, nor does an upsert that is taken back', () => {
    expect(records(one('upsert', 'www', 'A', '192.0.2.1')).changes).toEqual([])
    expect(
      records(one('upsert', 'x', 'A', '192.0.2.1'), one('remove', 'x', 'A', '192.0.2.1')).changes,
    ).toEqual([])
  })

  test('that only differ in quotes, or are not there, are told of', () => {
    expect(records(one('upsert', 'txt', 'TXT', 'value', 60)).warnings[0]).toContain(
      'written differently',
    )
    expect(records(one('remove', 'www', 'A', '192.0.2.9')).warnings[0]).toContain(
      'nothing is removed',
    )
    expect(records(one('remove', 'nope', 'A', '192.0.2.9')).warnings[0]).toContain('There is no A')
  })
})

describe('what the API requires', () => {
  test('and is left out is told, for OpusDNS would refuse it', () => {
    const bare = { op: 'upsert', record: { name: 'x', type: 'A' } }
    expect(records(bare).warnings).toEqual([
      'A at x.example.com. is set to no records, which removes it.',
      'The API requires ttl, which is left out: OpusDNS may refuse the request.',
      'The API requires rdata, which is left out: OpusDNS may refuse the request.',
    ])
    const without = { op: 'remove', rrset: { name: 'www', type: 'A', ttl: 60 } }
    expect(rrsets(without).warnings).toEqual([
      'The API requires records, which is left out: OpusDNS may refuse the request.',
    ])
    const replace = (body: object) => difference('PUT', '/v1/dns/example.com/rrsets', body).warnings
    expect(replace({})).toEqual([
      'The API requires rrsets, which is left out: OpusDNS may refuse the request.',
    ])
    expect(replace({ rrsets: [] })).toEqual([])
  })
})

test('thousands of changes to one record set cost each as much as one', () => {
  const took = (count: number) => {
    const ops = Array.from({ length: count }, (_, at) => one('upsert', 'many', 'TXT', `"${at}"`))
    const begun = process.cpuUsage()
    expect(records(...ops).changes).toHaveLength(count)
    const { user } = process.cpuUsage(begun)
    return user
  }
  took(1000)
  // When each looked at all before it, sixteen times as many took more than a hundred times as long.
  const few = Math.max(took(1000), 1000)
  expect(took(16_000) / few).toBeLessThan(64)
})

describe('record sets', () => {
  test('are replaced as a whole, and removed as a whole', () => {
    expect(rrsets(set('upsert', 'www', 'A', ['192.0.2.2', '192.0.2.3'])).changes).toEqual([
      'delete www.example.com. A 300 192.0.2.1',
      'create www.example.com. A 300 192.0.2.3',
    ])
    expect(rrsets(set('remove', 'www', 'A', [])).changes).toHaveLength(2)
  })

  test('that are protected stay, and the answer says why', () => {
    const { changes, warnings } = rrsets(
      set('upsert', '@', 'NS', ['ns.other.example.']),
      set('remove', 'example.com.', 'MX', []),
    )
    expect(changes).toEqual([])
    expect(warnings).toEqual([
      'NS at example.com. is protected (system records): OpusDNS refuses to change it.',
      'MX at example.com. is protected (EMAIL_FORWARD): OpusDNS refuses to change it.',
    ])
  })

  test('below the zone cut may be NS, and an alias beside others is told of', () => {
    expect(rrsets(set('upsert', 'sub', 'NS', ['ns.other.example.'])).warnings).toEqual([])
    expect(rrsets(set('upsert', 'www', 'CNAME', ['example.net.'])).warnings[0]).toContain(
      'CNAME at www',
    )
    expect(rrsets(set('upsert', '@', 'CNAME', ['example.net.'])).warnings[0]).toContain(
      'CNAME at ex',
    )
  })

  test('at names of two readings, or outside of the zone, are told of', () => {
    const twofold = rrsets(set('upsert', 'a.example.com', 'A', ['192.0.2.1']))
    expect(twofold.changes).toEqual(['create a.example.com. A 300 192.0.2.1'])
    expect(twofold.warnings[0]).toContain('a.example.com.example.com')
    const outside = rrsets(set('upsert', 'a.example.org.', 'A', ['192.0.2.1']))
    expect(outside.changes).toEqual([])
    expect(outside.warnings[0]).toContain('outside of the zone')
  })
})

describe('a whole zone', () => {
  const PUT = (list: object[]) => difference('PUT', '/v1/dns/example.com/rrsets', { rrsets: list })
  const { rrset: www } = set('upsert', 'www', 'A', ['192.0.2.1', '192.0.2.2'])

  test('that is replaced keeps what is protected', () => {
    expect(PUT([www]).changes).toEqual(['delete txt.example.com. TXT 60 "value"'])
    expect(PUT([]).changes).toHaveLength(3)
  })

  test('that is created again, or deleted', () => {
    const body = { name: 'EXAMPLE.com.', rrsets: [www], dnssec_status: 'enabled' }
    const created = difference('POST', '/v1/dns', body, 'absent')
    expect(created.zone_action).toBe('create')
    expect(created.changes).toHaveLength(2)
    expect(created.warnings.join(' ')).toContain('DNSSEC')
    expect(difference('POST', '/v1/dns', body)).toMatchObject({ zone_action: null, changes: [] })
    const deleted = difference('DELETE', '/v1/dns/example.com', {})
    expect(deleted.zone_action).toBe('delete')
    expect(deleted.changes).toHaveLength(7)
  })
})

test('a reply that is no zone is none', () => {
  for (const value of [
    null,
    [],
    {},
    { name: 1 },
    { name: 'a.', rrsets: 1 },
    { name: 'a.', rrsets: [1] },
  ]) {
    expect(rrsetsShown(value)).toBeUndefined()
  }
})
