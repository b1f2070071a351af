// What a configuration may say about who consumers are, and what is refused at the start.

import { describe, expect, test } from 'vitest'

import { z } from '../../src/base/schema.ts'
import { newConsumerKey } from '../../src/consumers/consumer-key.ts'
import { identificationProblems, identificationShape } from '../../src/consumers/options.ts'
import { resolveListeners } from '../../src/config/listeners.ts'
import { consumersOf, testKey } from './support.ts'
import type { Written } from './support.ts'

const schema = z.strictObject(identificationShape)
const SHA = 'ab'.repeat(32)
const NOW = Date.UTC(2026, 10, 23)
const place = (path: readonly PropertyKey[]) => path.join('.')

function report(written: Readonly<Record<string, Written>>) {
  const { problems, warnings } = identificationProblems(consumersOf(written), place, NOW)
  for (const one of [...problems, ...warnings]) expect(one.remedy).not.toBe('')
  return {
    problems: problems.map((one) => `${one.place} ${one.fault}`),
    warnings: warnings.map((one) => `${one.place} ${one.fault}`),
  }
}

describe('a consumer', () => {
  test('is nobody by default', () => {
    expect(schema.parse({})).toEqual({
      keys: [],
      mtls: [],
      networks: [],
      sockets: [],
      anonymous: false,
    })
  })

  test.each([
    ['2027-01-31', Date.UTC(2027, 0, 31)],
    ['2027-01-31T12:00:00Z', Date.UTC(2027, 0, 31, 12)],
    ['2027-01-31T12:00:00+02:00', Date.UTC(2027, 0, 31, 10)],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
  ])('has a key that ends at %s', (expires, moment) => {
    const { keys } = schema.parse({ keys: [{ id: 'k7x2abcd', sha256: SHA, expires }] })
    expect(keys).toEqual([{ id: 'k7x2abcd', sha256: SHA, expiresAt: moment }])
  })

  test.each<[string, unknown]>([
    ['a date that is none', { keys: [{ id: 'k7x2abcd', sha256: SHA, expires: '2027-02-29' }] }],
    ['a local time', { keys: [{ id: 'k7x2abcd', sha256: SHA, expires: '2027-01-31T12:00:00' }] }],
    [
      'an hour that is none',
      { keys: [{ id: 'k7x2abcd', sha256: SHA, expires: '2027-01-31T24:00:00Z' }] },
    ],
    ['a short digest', { keys: [{ id: 'k7x2abcd', sha256: 'abc' }] }],
    ['the key in place of its digest', { keys: [{ id: 'k7x2abcd', sha256: 'opxk_k7x2abcd_x' }] }],
    ['the key written out', { keys: ['opxk_k7x2abcd_x'] }],
    ['an id of another form', { keys: [{ id: 'K7X2ABCD', sha256: SHA }] }],
    ['a field too many', { keys: [{ id: 'k7x2abcd', sha256: SHA, secret: 'x' }] }],
    ['a network with bits behind its prefix', { networks: ['10.1.2.3/16'] }],
    ['a name of a certificate without its kind', { mtls: ['certbot'] }],
    ['a relative socket', { sockets: ['run/x.sock'] }],
    ['another kind of anonymous', { anonymous: 'yes' }],
  ])('with %s is refused, and the value is not quoted', (_, written) => {
    const parsed = schema.safeParse(written)
    expect(parsed.success).toBe(false)
    expect(JSON.stringify(parsed.error?.issues)).not.toContain('opxk_k7x2abcd_x')
  })
})

describe('consumers together', () => {
  test('may not share what identifies them', () => {
    const one: Written = {
      keys: [{ id: 'k7x2abcd', sha256: SHA }],
      mtls: ['spiffe://corp/a', 'DNS:A.corp'],
      networks: ['10.1.0.0/16', '2001:db8::/32'],
      sockets: ['/run/a.sock'],
      anonymous: true,
    }
    const other: Written = {
      ...one,
      mtls: ['URI:spiffe://corp/a', 'DNS:a.corp'],
      networks: ['10.1.0.0/16', '2001:DB8:0::/32'],
    }
    const { problems } = report({ a: one, b: other })
    expect(problems.map((text) => text.split(' ')[0])).toEqual([
      'b.keys.0.id',
      'b.mtls.0',
      'b.mtls.1',
      'b.networks.0',
      'b.networks.1',
      'b.sockets.0',
      'b.anonymous',
    ])
    expect(problems[0]).toContain('is the same as a.keys.0.id')
  })

  test('may have networks within networks, and several keys', () => {
    const keys = [testKey('2027-01-31').entry, testKey().entry]
    expect(
      report({ a: { keys, networks: ['10.0.0.0/8'] }, b: { networks: ['10.1.0.0/16'] } }),
    ).toEqual({ problems: [], warnings: [] })
  })

  test('may not share a key within one of them either', () => {
    const { id } = newConsumerKey()
    const keys = [
      { id, sha256: SHA },
      { id, sha256: 'cd'.repeat(32) },
    ]
    expect(report({ a: { keys } }).problems).toHaveLength(1)
  })

  test('are warned of a key that has expired', () => {
    const { problems, warnings } = report({ a: { keys: [testKey('2026-11-23').entry] } })
    expect(problems).toEqual([])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^a\.keys\.0\.expires is past/)
  })
})

describe('listeners and consumers', () => {
  const tls = { certificate_file: 'c.pem', key_file: 'k.pem' }
  function faults(
    listen: unknown,
    written: Readonly<Record<string, Written>> | undefined,
    { anonymous = false, admin }: { anonymous?: boolean; admin?: unknown } = {},
  ) {
    const consumers = written && consumersOf(written)
    const placeOf = (path: readonly PropertyKey[]) => path.join('.')
    return resolveListeners(
      { listen, admin, anonymous, consumers, allConsumers: true },
      placeOf,
    ).problems.map((one) => `${one.place} ${one.fault}`)
  }

  test('off loopback are fine once callers are told apart, and not before', () => {
    expect(faults(['0.0.0.0:80'], undefined)).toHaveLength(1)
    expect(faults(['0.0.0.0:80'], { a: { keys: [testKey().entry] } })).toEqual([])
    expect(faults(['0.0.0.0:80'], { a: { networks: ['10.0.0.0/8'] } })).toEqual([])
  })

  test('off loopback are not fine where no consumer can be identified', () => {
    // Anonymous holds on loopback listeners alone.
    const open = ['0.0.0.0:80', '127.0.0.1:81', 'unix:/run/a.sock']
    for (const one of [{}, { anonymous: true }, { sockets: ['/run/a.sock'] }]) {
      const [fault, ...more] = faults(open, { a: one })
      expect(fault).toMatch(/^listen\.0 is open to other machines, and no consumer/)
      expect(more).toEqual([])
    }
    const secure = { address: '0.0.0.0:443', tls: { ...tls, client_ca_file: 'ca.pem' } }
    expect(faults([secure], { a: { mtls: ['CN=a'] } })).toEqual([])
    expect(faults([secure, '0.0.0.0:80'], { a: { mtls: ['CN=a'] } })).toHaveLength(1)
  })

  test('off loopback are not fine where a network of all the world is a consumer', () => {
    const world = {
      a: { networks: ['0.0.0.0/0', '::/0', '10.0.0.0/8', '128.0.0.0/1', 'fc00::/7'] },
    }
    expect(faults(['0.0.0.0:80'], world).map((text) => text.split(' ')[0])).toEqual([
      'consumers.a.networks.0',
      'consumers.a.networks.1',
      'consumers.a.networks.3',
    ])
    expect(faults(['127.0.0.1:80'], world)).toEqual([])
    expect(faults(['0.0.0.0:80'], world, { anonymous: true })).toEqual([])
  })

  test('a socket or certificate that no listener can see is refused', () => {
    const consumers = { a: { sockets: ['/run/a.sock'], mtls: ['CN=a'] } }
    expect(faults(['127.0.0.1:80'], consumers).map((text) => text.split(' ')[0])).toEqual([
      'consumers.a.sockets.0',
      'consumers.a.mtls',
    ])
    const secure = { address: '127.0.0.1:443', tls: { ...tls, client_ca_file: 'ca.pem' } }
    expect(faults(['unix:/run/a.sock', secure], consumers)).toEqual([])
  })

  test('client_certificate needs a CA, and operators are not asked for one', () => {
    const without = { address: '127.0.0.1:443', tls: { ...tls, client_certificate: 'optional' } }
    expect(faults([without], undefined)[0]).toMatch(/^listen\.0\.tls\.client_certificate /)
    const admin = { address: '127.0.0.1:9090', tls: { ...tls, client_ca_file: 'ca.pem' } }
    expect(faults(['127.0.0.1:80'], undefined, { admin })[0]).toMatch(
      /^admin\.listen\.tls\.client_ca_file /,
    )
  })
})
