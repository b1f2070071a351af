import { describe, expect, test } from 'vitest'

import { networkLookup, networkText, parseNetwork } from '../../src/consumers/networks.ts'
import type { Network } from '../../src/consumers/networks.ts'

const network = (text: string): Network => {
  const parsed = parseNetwork(text)
  if (typeof parsed === 'string') throw new Error(`${text} ${parsed}`)
  return parsed
}

describe('a network', () => {
  test.each([
    ['10.1.0.0/16', '10.1.0.0/16'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['fd00:1:2:3:4:5:6:7/128', 'fd00:1:2:3:4:5:6:7/128'],
    ['::/0', '::/0'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304/128'],
  ])('%s is %s', (text, canonical) => {
    expect(networkText(network(text))).toBe(canonical)
  })

  test.each([
    ['10.1.2.3/16', 'write 10.1.0.0/16'],
    ['2001:db8::1/32', 'write 2001:db8::/32'],
    ['::ffff:10.1.0.0/112', 'write it as IPv4'],
    ['10.1.0.0/33', '0 to 32'],
    ['10.1.0.0/', '0 to 32'],
    ['10.1.0.0/-1', '0 to 32'],
    ['10.1.0.0/1e1', '0 to 32'],
    ['::/129', '0 to 128'],
    ['10.1.0.0/16/8', 'is no network'],
    ['10.1', 'is no network'],
    ['010.1.0.0/16', 'is no network'],
    ['fe80::1%eth0', 'is no network'],
    ['corp.example', 'is no network'],
    ['', 'is no network'],
  ])('%j is refused, and says how to write it', (text, told) => {
    expect(parseNetwork(text)).toContain(told)
  })
})

describe('the network of a peer', () => {
  const lookup = networkLookup(
    ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', 'fe80::/64', '::/0'].map(
      (text) => [network(text), text] as const,
    ),
  )
  test.each([
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.4', '10.1.0.0/16'],
    ['10.2.0.0', '10.0.0.0/8'],
    ['10.255.255.255', '10.0.0.0/8'],
    ['11.0.0.0', undefined],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:10.1.2.4', '10.1.0.0/16'],
    // `::/0` is all of IPv6, and nothing of IPv4.
    ['::ffff:192.0.2.1', undefined],
    ['2001:db8::1', '::/0'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['', undefined],
    ['10.1.2.3, 10.9.9.9', undefined],
  ])('%j is in %j', (address, expected) => {
    expect(lookup(address)).toBe(expected)
  })

  test('is found whatever the order in which networks are written', () => {
    const texts = ['10.1.2.3', '10.1.0.0/16', '10.0.0.0/8', '0.0.0.0/0']
    for (const order of [texts, texts.toReversed()]) {
      const found = networkLookup(order.map((text) => [network(text), text] as const))
      expect(found('10.1.2.3')).toBe('10.1.2.3')
      expect(found('10.1.2.9')).toBe('10.1.0.0/16')
      expect(found('192.0.2.1')).toBe('0.0.0.0/0')
    }
  })
})
