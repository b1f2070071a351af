// Who asks: in which order the proxy believes what a request shows, and what it never passes over.

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import type { FaultCode } from '../../src/base/fault.ts'
import { identifiedBy } from '../../src/consumers/caller.ts'
import { openIdentity } from '../../src/consumers/identity.ts'
import { newConsumerKey } from '../../src/consumers/consumer-key.ts'
import { issuedTokens } from '../../src/store/issued-tokens.ts'
import { manualClock } from '../support/manual-clock.ts'
import { bare, fromPeer, gateway, testKey, throughSocket } from './support.ts'

const STRANGER = fromPeer('203.0.113.9')
const KEY = testKey()
const OTHER = testKey()
const CONSUMERS = {
  certbot: { keys: [KEY.entry], networks: ['10.1.0.0/16'], sockets: ['/run/certbot.sock'] },
  billing: { keys: [OTHER.entry], networks: ['10.1.2.0/24', '2001:db8::/32'] },
  local: { anonymous: true },
}

/** The code with which `run` is refused. */
function refusal(run: () => unknown): FaultCode | 'none' {
  try {
    run()
    return 'none'
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    expect(error.status).toBe(401)
    expect(inspect(error)).not.toMatch(/opx[kt]_\w{8}/)
    return error.code
  }
}

describe('a consumer key', () => {
  test.each([
    ['X-Api-Key', { apiKey: KEY.text }],
    ['a bearer', { authorization: `Bearer ${KEY.text}` }],
    ['a bearer in small letters', { authorization: `bearer  ${KEY.text}` }],
    ['both', { apiKey: KEY.text, authorization: `Bearer ${KEY.text}` }],
    ['beside a placeholder', { apiKey: 'dummy', authorization: `Bearer ${KEY.text}` }],
  ])('in %s names its consumer', (_, shown) => {
    const { identify } = gateway(CONSUMERS)
    expect(identify({ ...bare(STRANGER), ...shown })).toMatchObject({
      consumer: 'certbot',
      by: 'key',
      which: KEY.id,
    })
  })

  test('decides where socket or network would name somebody else', () => {
    const { identify } = gateway(CONSUMERS)
    for (const socket of [throughSocket('/run/certbot.sock'), fromPeer('10.1.0.1')]) {
      expect(identify({ ...bare(socket), apiKey: OTHER.text }).consumer).toBe('billing')
    }
  })

  test.each([
    ['unknown', newConsumerKey().key.reveal()],
    // The right id, and the secret of another key.
    ['of a known id', testKey().text],
    [
      'with a letter changed',
      KEY.text.slice(0, 20) + (KEY.text[20] === 'a' ? 'b' : 'a') + KEY.text.slice(21),
    ],
    ['cut', KEY.text.slice(0, -1)],
    ['with more behind it', `${KEY.text}a`],
    ['in capitals', `opxk_${KEY.text.slice(5).toUpperCase()}`],
    ['of nothing but the prefix', 'opxk_'],
  ])('that is %s is refused, even where socket or network would do', (_, text) => {
    const { identify } = gateway(CONSUMERS)
    for (const socket of [
      STRANGER,
      fromPeer('10.1.0.1'),
      throughSocket('/run/certbot.sock'),
      fromPeer('127.0.0.1', { local: true }),
    ]) {
      const call = bare(socket)
      expect(refusal(() => identify({ ...call, apiKey: text }))).toBe('invalid_consumer_key')
      expect(refusal(() => identify({ ...call, authorization: `Bearer ${text}` }))).toBe(
        'invalid_consumer_key',
      )
      // One good key beside it does not help.
      expect(
        refusal(() => identify({ ...call, apiKey: KEY.text, authorization: `Bearer ${text}` })),
      ).toBe('invalid_consumer_key')
    }
  })

  test('is good until its moment, and several live at once', async () => {
    const [old, next] = [testKey('2026-11-23T01:00:00Z'), testKey('2026-11-24')]
    const { identify, clock } = gateway({ a: { keys: [old.entry, next.entry] } })
    const as = (text: string) => identify({ ...bare(STRANGER), apiKey: text }).consumer
    await clock.advance(3_599_999)
    expect([as(old.text), as(next.text)]).toEqual(['a', 'a'])
    await clock.advance(1)
    expect(refusal(() => as(old.text))).toBe('invalid_consumer_key')
    expect(as(next.text)).toBe('a')
    await clock.advance(23 * 3_600_000)
    expect(refusal(() => as(next.text))).toBe('invalid_consumer_key')
  })

  test('of one consumer beside that of another names nobody', () => {
    const { identify } = gateway(CONSUMERS)
    const both = { apiKey: KEY.text, authorization: `Bearer ${OTHER.text}` }
    expect(refusal(() => identify({ ...bare(STRANGER), ...both }))).toBe('identity_conflict')
  })

  test('in HTTP Basic is a placeholder like any other', () => {
    const { identify } = gateway(CONSUMERS)
    const authorization = `Basic ${btoa(`certbot:${KEY.text}`)}`
    expect(refusal(() => identify({ ...bare(STRANGER), authorization }))).toBe('unidentified')
  })
})

describe('a request with a placeholder, or with nothing', () => {
  const { identify } = gateway(CONSUMERS)
  const who = (socket: Parameters<typeof bare>[0]) =>
    ['', 'dummy', 'opk_x_y_z', 'OPXK_abcdefgh_x'].map((apiKey) => {
      const caller = identify({ ...bare(socket), apiKey: apiKey || undefined })
      return `${caller.consumer} by ${identifiedBy(caller)}`
    })

  test.each([
    ['the socket', throughSocket('/run/certbot.sock'), 'certbot by socket:/run/certbot.sock'],
    ['another socket', throughSocket('/run/other.sock'), 'local by anonymous'],
    ['a network', fromPeer('10.1.7.7'), 'certbot by network:10.1.0.0/16'],
    ['the longer of two prefixes', fromPeer('10.1.2.3'), 'billing by network:10.1.2.0/24'],
    [
      'an IPv4 network, from an IPv6 socket',
      fromPeer('::ffff:10.1.2.3'),
      'billing by network:10.1.2.0/24',
    ],
    ['an IPv6 network', fromPeer('2001:db8::1'), 'billing by network:2001:db8::/32'],
    ['loopback', fromPeer('127.0.0.1', { local: true }), 'local by anonymous'],
    ['IPv6 loopback', fromPeer('::1', { local: true }), 'local by anonymous'],
    ['mapped loopback', fromPeer('::ffff:127.0.0.1', { local: true }), 'local by anonymous'],
  ])('is known by %s', (_, socket, expected) => {
    expect(new Set(who(socket))).toEqual(new Set([expected]))
  })

  test.each([
    ['a stranger', STRANGER],
    ['a neighbour of a network', fromPeer('10.2.0.1')],
    ['a loopback peer of a listener that others reach', fromPeer('127.0.0.1')],
    ['a peer of a loopback listener that is none', fromPeer('10.9.0.1', { local: true })],
    ['a mapped address that only looks like ours', fromPeer('::ffff:a01:203')],
    ['a peer that is gone', fromPeer('')],
    ['a connection of no listener', {}],
  ])('from %s is refused', (_, socket) => {
    expect(refusal(() => identify(bare(socket)))).toBe('unidentified')
    expect(refusal(() => identify({ ...bare(socket), apiKey: 'dummy' }))).toBe('unidentified')
  })
})

describe('through a trusted hop', () => {
  const HOP = fromPeer('10.9.0.1')
  const built = gateway({ ...CONSUMERS, hops: { networks: ['10.9.0.0/24'] } }, [
    '10.9.0.0/24',
    '127.0.0.1',
    'fd00::9',
  ])
  const who = (socket: Parameters<typeof bare>[0], forwardedFor?: string) =>
    identifiedBy(built.identify({ ...bare(socket), forwardedFor }))

  test.each([
    ['10.1.7.7', '10.1.0.0/16'],
    [' 10.1.2.3 ', '10.1.2.0/24'],
    ['10.1.2.3:4711', '10.1.2.0/24'],
    ['2001:db8::1', '2001:db8::/32'],
    ['[2001:DB8::1]:443', '2001:db8::/32'],
    ['[2001:db8::1]', '2001:db8::/32'],
    ['::ffff:10.1.2.3', '10.1.2.0/24'],
    // The nearest hop that we trust saw it; what is on the left of it the caller may have written.
    ['10.1.2.3, 10.1.7.7', '10.1.0.0/16'],
    ['10.1.2.3,10.9.0.7 , 10.9.0.1', '10.1.2.0/24'],
    ['garbage, 10.1.7.7, fd00::9', '10.1.0.0/16'],
  ])('a request is known by the network of the address that %j tells', (field, network) => {
    expect(who(HOP, field)).toBe(`forwarded:${network}`)
    // Each request of a connection comes from somewhere else.
    expect(who(HOP, '10.1.2.9')).toBe('forwarded:10.1.2.0/24')
  })

  test.each([
    undefined,
    '',
    ',',
    'unknown',
    '10.1.7.7, ',
    '10.1.7.7, unknown',
    '10.1.7.7, 10.1.2',
    '10.1.7.7, 10.1.2.3.4',
    '10.1.7.7, 010.1.2.3',
    '10.1.7.7;10.1.2.3',
    'for=10.1.7.7',
    '_hidden',
    '203.0.113.9',
    '10.1.7.7, 203.0.113.9',
    // The hops themselves are no consumers, nor is whoever calls from their machines.
    '10.9.0.7',
    '127.0.0.1',
    '10.9.0.7, 10.9.0.1',
  ])('a request of which it tells %j is nobody', (field) => {
    expect(refusal(() => who(HOP, field))).toBe('unidentified')
  })

  test('nobody is anonymous, also when the hop is on this machine', () => {
    const local = fromPeer('127.0.0.1', { local: true })
    expect(refusal(() => who(local))).toBe('unidentified')
    expect(refusal(() => who(local, '127.0.0.1'))).toBe('unidentified')
    expect(who(local, '10.1.2.3')).toBe('forwarded:10.1.2.0/24')
  })

  test('a key decides as ever', () => {
    const call = { ...bare(HOP), forwardedFor: '10.1.2.3', apiKey: KEY.text }
    expect(identifiedBy(built.identify(call))).toBe(`key:${KEY.id}`)
  })

  test('a token that the network gave is worth nothing from another', () => {
    const through = (forwardedFor: string) => ({ ...bare(HOP), forwardedFor })
    const admitted = built.admit({ ...through('10.1.2.3'), clientId: 'x', clientSecret: 'y' })
    const { token } = built.tokens.issue(admitted)
    const shown = { authorization: `Bearer ${token}` }
    expect(built.identify({ ...through('10.1.2.9'), ...shown }).consumer).toBe('billing')
    expect(refusal(() => built.identify({ ...through('10.1.7.7'), ...shown }))).toBe(
      'invalid_token',
    )
  })

  test('the field is believed of nobody else', () => {
    for (const socket of [STRANGER, fromPeer('10.10.0.1'), throughSocket('/run/other.sock')]) {
      const call = { ...bare(socket), forwardedFor: '10.1.2.3' }
      const { identify } = gateway({ certbot: CONSUMERS.certbot }, ['10.9.0.0/24'])
      expect(refusal(() => identify(call))).toBe('unidentified')
    }
    expect(who(fromPeer('10.1.7.7'), '10.1.2.3')).toBe('network:10.1.0.0/16')
  })
})

describe('a token', () => {
  const login = (text: string, clientId: string, socket = STRANGER) => ({
    ...bare(socket),
    clientId,
    clientSecret: text,
  })
  const bearer = (token: string, socket = STRANGER) => ({
    ...bare(socket),
    authorization: `Bearer ${token}`,
  })

  test.each(['certbot', KEY.id, 'organization_01h45ytscbebyvny4gc8cr8ma2'])(
    'is had with the client id %s, and names the consumer',
    (id) => {
      const { admit, identify, tokens } = gateway(CONSUMERS)
      const { token } = tokens.issue(admit(login(KEY.text, id)))
      expect(identify(bearer(token))).toMatchObject({
        consumer: 'certbot',
        by: 'token',
        which: KEY.id,
      })
      expect(identify({ ...bare(STRANGER), apiKey: token }).consumer).toBe('certbot')
      const both = { ...bearer(token), apiKey: OTHER.text }
      expect(refusal(() => identify(both))).toBe('identity_conflict')
    },
  )

  test.each([
    ['the id of another', KEY.text, 'billing', 'invalid_consumer_key'],
    ['no such id', KEY.text, 'organization_x', 'invalid_consumer_key'],
    ['a wrong key', newConsumerKey().key.reveal(), 'certbot', 'invalid_consumer_key'],
    ['a placeholder', 'secret', 'certbot', 'unidentified'],
  ])('is not had with %s', (_, text, id, code) => {
    const { admit } = gateway(CONSUMERS)
    expect(refusal(() => admit(login(text, id)))).toBe(code)
  })

  test('is not had with a wrong key where the network would do', () => {
    const { admit } = gateway(CONSUMERS)
    const wrong = newConsumerKey().key.reveal()
    const near = fromPeer('10.1.0.1')
    expect(refusal(() => admit(login(wrong, 'certbot', near)))).toBe('invalid_consumer_key')
    const shown = { ...login('dummy', 'certbot', near), apiKey: wrong }
    expect(refusal(() => admit(shown))).toBe('invalid_consumer_key')
  })

  test('ends with its key: when that expires, is removed, or is another under its id', async () => {
    const [short, long] = [testKey('2026-11-23T00:10:00Z'), testKey()]
    const written = { a: { keys: [short.entry, long.entry] } }
    const { admit, identify, tokens, clock, reload } = gateway(written)
    const brief = tokens.issue(admit(login(short.text, 'a')))
    expect(brief.expiresIn).toBe(600)
    const { token } = tokens.issue(admit(login(long.text, 'a')))
    expect(identify(bearer(brief.token)).which).toBe(short.id)
    await clock.advance(600_001)
    expect(refusal(() => identify(bearer(brief.token)))).toBe('invalid_token')

    expect(reload(written).identify(bearer(token)).consumer).toBe('a')
    expect(reload({ b: { keys: [long.entry] } }).identify(bearer(token)).consumer).toBe('b')
    const without = reload({ a: { keys: [] } })
    expect(refusal(() => without.identify(bearer(token)))).toBe('invalid_token')
    const replaced = { id: long.id, sha256: testKey().entry.sha256 }
    const other = reload({ a: { keys: [replaced] } })
    expect(refusal(() => other.identify(bearer(token)))).toBe('invalid_token')
    expect(refusal(() => openIdentity(tokens).identify(bearer(token)))).toBe('invalid_token')
  })

  test('ends with its key when the wall clock jumps over that moment', () => {
    const short = testKey('2026-11-23T00:10:00Z')
    const { admit, identify, tokens, clock } = gateway({ a: { keys: [short.entry] } })
    const { token } = tokens.issue(admit(login(short.text, 'a')))
    clock.jumpWall(600_000)
    expect(refusal(() => identify(bearer(token)))).toBe('invalid_token')
  })

  test('that the network gave is worth nothing from elsewhere', () => {
    const { admit, identify, tokens } = gateway(CONSUMERS)
    const near = fromPeer('10.1.0.1')
    const { token } = tokens.issue(admit(login('dummy', 'whoever', near)))
    expect(identify(bearer(token, near))).toEqual({
      consumer: 'certbot',
      by: 'network',
      which: '10.1.0.0/16',
    })
    expect(identify(bearer(token, fromPeer('10.1.9.9'))).consumer).toBe('certbot')
    for (const socket of [STRANGER, fromPeer('10.1.2.3'), throughSocket('/run/x.sock')]) {
      expect(refusal(() => identify(bearer(token, socket)))).toBe('invalid_token')
    }
  })

  test('that nobody issued is refused, even where the network would do', () => {
    const { identify } = gateway(CONSUMERS)
    expect(refusal(() => identify(bearer('opxt_forged', fromPeer('10.1.0.1'))))).toBe(
      'invalid_token',
    )
  })
})

describe('without consumers', () => {
  const tokens = issuedTokens({ life: 60_000, max: 10 }, manualClock())
  const { identify, admit } = openIdentity(tokens)

  test('everybody is anonymous, with any placeholder', () => {
    for (const authorization of [undefined, 'Bearer dummy', 'Basic eDp5', `Bearer ${KEY.text}`]) {
      expect(identify({ ...bare(STRANGER), authorization })).toEqual({
        consumer: 'anonymous',
        by: 'anonymous',
      })
    }
  })

  test('a token must be one of ours', () => {
    const call = { ...bare(STRANGER), clientId: 'x', clientSecret: 'y' }
    const { token } = tokens.issue(admit(call))
    expect(identify({ ...call, authorization: `Bearer ${token}` }).consumer).toBe('anonymous')
    expect(refusal(() => identify({ ...call, authorization: 'Bearer opxt_x' }))).toBe(
      'invalid_token',
    )
  })
})
