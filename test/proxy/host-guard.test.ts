import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'

import { hostGuard } from '../../src/proxy/host-guard.ts'

const on = (localAddress: string | undefined) => ({ localAddress }) as Socket
const LOOPBACK = on('127.0.0.1')

describe('the Host guard', () => {
  const guard = hostGuard({ hosts: ['Gateway.Internal', '[fd00::1]'] })

  test.each([
    'localhost',
    'LocalHost:1',
    '127.0.0.1:65535',
    '[::1]',
    '[::1]:8080',
    'gateway.internal',
    'GATEWAY.internal:80',
    '[fd00::1]:80',
  ])('lets %s pass, each time', (host) => {
    expect(guard(host, LOOPBACK)).toBe(true)
    expect(guard(host, LOOPBACK)).toBe(true)
  })

  test.each([
    '',
    'evil.example',
    'localhost.evil.example',
    'evil-localhost',
    'gateway.internal.',
    'localhost:0',
    'localhost:65536',
    'localhost:',
    'localhost:http',
    'localhost:1:2',
    'user@localhost',
    'localhost/',
    'localhost ',
    ' localhost',
    'localhost,evil',
    '[::1',
    '127.0.0.2',
    '0.0.0.0',
    '[::2]',
    '2130706433',
  ])('lets "%s" not pass', (host) => {
    expect(guard(host, LOOPBACK)).toBe(false)
  })

  test('lets the address pass that the caller connected to, and no other', () => {
    expect(guard('192.0.2.7:8080', on('192.0.2.7'))).toBe(true)
    expect(guard('192.0.2.7', on('::ffff:192.0.2.7'))).toBe(true)
    expect(guard('[2001:db8::7]:80', on('2001:db8::7'))).toBe(true)
    expect(guard('192.0.2.8', on('192.0.2.7'))).toBe(false)
    // What passed on one address must not be remembered for another.
    expect(guard('192.0.2.7:8080', LOOPBACK)).toBe(false)
  })

  test('lets any valid name pass on a unix socket, which has no address', () => {
    expect(guard('any.name', on(undefined))).toBe(true)
    expect(guard('any.name', LOOPBACK)).toBe(false)
    expect(guard('no name', on(undefined))).toBe(false)
  })

  test('lets any valid name pass where it is told to, and nothing else', () => {
    const open = hostGuard({ hosts: [], any: true })
    for (const host of ['any.name', 'ANY.name:8080', '[2001:db8::1]:80', 'localhost']) {
      expect(open(host, LOOPBACK)).toBe(true)
      expect(open(host, LOOPBACK)).toBe(true)
    }
    for (const host of ['', 'no name', 'a:0', 'a:65536', 'user@a', 'a,b', '[::1']) {
      expect(open(host, LOOPBACK)).toBe(false)
    }
  })
})
