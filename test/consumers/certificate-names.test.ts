// The names of client certificates, with the tricks by which one name was made to look like another
// (CVE-2021-44531, 44532, 44533, CVE-2022-21824).

import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'

import { certificateNames, parseCertificateName } from '../../src/consumers/certificate-names.ts'
import { authority } from '../support/certificates.ts'
import type { LeafOptions } from '../support/certificates.ts'

const ca = authority('names test CA')
const namesOf = (options: LeafOptions) =>
  certificateNames(new X509Certificate(ca.issue({ commonNames: [], ...options }).cert))

describe('the names of a certificate', () => {
  test('are its alternative names, of URIs the one, and the parts of its subject', () => {
    expect(
      namesOf({
        commonNames: ['certbot'],
        organizations: ['Corp, Inc.'],
        units: ['infra'],
        alternatives: [
          ['dns', 'CertBot.corp'],
          ['dns', 'b.corp'],
          ['uri', 'spiffe://corp/certbot'],
          ['email', 'certbot@corp.example'],
          ['ip', '\x0a\x01\x02\x03'],
          ['ip', '\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01'],
        ],
      }),
    ).toEqual([
      'DNS:certbot.corp',
      'DNS:b.corp',
      'email:certbot@corp.example',
      'IP:10.1.2.3',
      'IP:2001:db8::1',
      'URI:spiffe://corp/certbot',
      'CN=certbot',
      'OU=infra',
      'O=Corp, Inc.',
    ])
    expect(namesOf({ alternatives: [] })).toEqual([])
  })

  const GOOD = new Set([
    'DNS:certbot.corp',
    'URI:spiffe://corp/certbot',
    'CN=certbot',
    'OU=certbot',
  ])
  test.each<[string, LeafOptions]>([
    ['a comma in a DNS name', { alternatives: [['dns', 'evil, DNS:certbot.corp']] }],
    ['a comma in a URI', { alternatives: [['uri', 'x://evil, DNS:certbot.corp']] }],
    ['a comma in an e-mail address', { alternatives: [['email', 'x@y, DNS:certbot.corp']] }],
    ['a quote', { alternatives: [['dns', '", DNS:certbot.corp, DNS:"']] }],
    ['an escaped quote', { alternatives: [['dns', '\\", DNS:certbot.corp']] }],
    ['a newline', { alternatives: [['dns', 'evil\nDNS:certbot.corp']] }],
    ['a zero byte', { alternatives: [['dns', 'certbot.corp\0.evil.example']] }],
    ['a zero byte in a URI', { alternatives: [['uri', 'spiffe://corp/certbot\0/evil']] }],
    ['a DNS name that is a URI', { alternatives: [['dns', 'spiffe://corp/certbot']] }],
    ['a URI that is a DNS name', { alternatives: [['uri', 'certbot.corp']] }],
    ['a trailing dot', { alternatives: [['dns', 'certbot.corp.']] }],
    ['a wildcard', { alternatives: [['dns', '*.corp']] }],
    ['capitals in a URI', { alternatives: [['uri', 'spiffe://corp/Certbot']] }],
    ['a path with more', { alternatives: [['uri', 'spiffe://corp/certbot/x']] }],
    [
      'two URIs',
      {
        alternatives: [
          ['uri', 'spiffe://corp/certbot'],
          ['uri', 'spiffe://corp/b'],
        ],
      },
    ],
    [
      'two URIs, one quoted',
      {
        alternatives: [
          ['uri', 'spiffe://corp/certbot'],
          ['uri', 'a,b'],
        ],
      },
    ],
    ['a CA with a SPIFFE id', { ca: true, alternatives: [['uri', 'spiffe://corp/certbot']] }],
    ['two units', { units: ['certbot', 'evil'], alternatives: [] }],
    ['a unit that is a common name', { units: ['evil\nCN=certbot'], alternatives: [] }],
    ['two common names', { commonNames: ['certbot', 'evil'], alternatives: [] }],
    ['a newline in a common name', { commonNames: ['evil\nCN=certbot'], alternatives: [] }],
    ['a slash in a common name', { commonNames: ['evil/CN=certbot'], alternatives: [] }],
    ['a zero byte in a common name', { commonNames: ['certbot\0evil'], alternatives: [] }],
    ['a space behind a common name', { commonNames: ['certbot '], alternatives: [] }],
  ])('with %s are not those of another', (_, options) => {
    const names = namesOf(options)
    expect(names.filter((name) => GOOD.has(name))).toEqual([])
  })

  test('beside one that had to be escaped are still there', () => {
    const names = namesOf({
      alternatives: [
        ['dns', 'a,b'],
        ['dns', 'certbot.corp'],
      ],
    })
    expect(names).toContain('DNS:certbot.corp')
  })
})

describe('a name in the configuration', () => {
  test.each([
    ['spiffe://corp/certbot', 'URI:spiffe://corp/certbot'],
    ['URI:https://corp/x', 'URI:https://corp/x'],
    ['DNS:CertBot.corp', 'DNS:certbot.corp'],
    ['CN=Cert Bot', 'CN=Cert Bot'],
    ['OU=infra', 'OU=infra'],
    ['O=Corp, Inc.', 'O=Corp, Inc.'],
    ['email:certbot@corp.example', 'email:certbot@corp.example'],
    ['IP:10.1.2.3', 'IP:10.1.2.3'],
    ['IP:2001:DB8:0::1', 'IP:2001:db8::1'],
  ])('%s is read', (text, name) => {
    expect(parseCertificateName(text)).toEqual({ name })
  })

  test.each([
    '',
    'certbot',
    'CN=',
    'DNS:',
    'DNS:a b',
    'DNS:a,b',
    'CN="x"',
    'URI:x',
    'CN=a\nb',
    'IP:10.1',
    'email:x',
    'ST=x',
  ])('%j is refused', (text) => {
    expect(parseCertificateName(text)).toHaveProperty('fault')
  })
})
