import { describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { referenceText } from '../../src/secrets/reference-options.ts'
import { secretReference } from '../../src/secrets/options.ts'
import { secretSources } from '../../src/secrets/reference.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'

const exec = { kind: 'exec', timeout: 10_000, lifetime: 300_000 }

describe('a reference to a secret', () => {
  test.each([
    ['env:OPUSDNS_API_KEY', { kind: 'env', name: 'OPUSDNS_API_KEY' }],
    ['file:/run/my secrets/k', { kind: 'file', path: '/run/my secrets/k' }],
    ['exec:/bin/tool', { ...exec, argv: ['/bin/tool'] }],
    ['exec:/bin/tool  read a', { ...exec, argv: ['/bin/tool', 'read', 'a'] }],
    [{ exec: ['/bin/tool', 'a b', ''] }, { ...exec, argv: ['/bin/tool', 'a b', ''] }],
    [
      { exec: ['/bin/tool'], timeout: '1s', lifetime: '1h' },
      { kind: 'exec', argv: ['/bin/tool'], timeout: 1000, lifetime: 3_600_000 },
    ],
  ])('%j is understood', (written, expected) => {
    expect(secretReference.parse(written)).toEqual(expected)
  })

  test.each([
    'opk_canary',
    'opk_canary:/x',
    'env:',
    'env:opk_canary',
    'env:Zm9vYmFyCanary',
    'env:A B',
    'file:canary',
    'file:',
    'exec:canary',
    'ENV:CANARY',
    '',
    7,
    null,
    ['opk_canary'],
    { exec: [] },
    { exec: ['canary'] },
    { exec: '/bin/tool canary' },
    { exec: ['/bin/tool'], timeout: '9m' },
    { exec: ['/bin/tool'], shell: true },
    { vault: 'canary' },
    'vault:canary',
    'azure:canary',
    'gcp:canary',
    'op:canary',
    'k8s:canary',
    { from: 'canary' },
  ])('%j is refused, and not quoted', (written) => {
    const parsed = secretReference.safeParse(written)
    expect(parsed.success).toBe(false)
    expect(JSON.stringify(parsed.error?.issues)).not.toMatch(/canary/i)
  })

  test.each([
    ['vault:secret/data/canary', 'vault: references', '#field'],
    ['vault://canary/opusdns#key', 'vault: references', 'two in a row'],
    ['vault:canary/../other#key', 'vault: references', '#field'],
    ['k8s:canary', 'k8s: references', '#key'],
    ['file:canary', 'file: references', 'an absolute path'],
    ['op://canary/item', 'op: references', '//vault/item/field'],
    ['gcp:canary', 'gcp: references', 'projects/…/secrets/…'],
    ['valt:secret/data/canary#key', 'did you mean vault:', 'vault:secret/data/opusdns#api_key'],
    ['fil:/run/canary', 'did you mean file:', 'file:/run'],
    ['opk_canary', 'is not a reference to a secret', 'env:NAME'],
  ])('%s is refused with the form of its kind', (written, fault, form) => {
    for (const one of [written, { from: written }]) {
      const [issue] = secretReference.safeParse(one).error?.issues ?? []
      const branches = issue?.code === 'invalid_union' ? issue.errors.flat() : []
      const message = branches.find(({ code }) => code === 'custom')?.message ?? ''
      expect(message).toContain(fault)
      expect(message).toContain(form)
      expect(message).not.toContain('canary')
      expect(message.split('; ')).toHaveLength(2)
    }
  })

  test('is shown without the arguments of a command, for they may hold a secret', () => {
    expect(referenceText(secretReference.parse('exec:/bin/tool --token canary'))).toBe(
      'exec:/bin/tool …',
    )
    expect(referenceText(secretReference.parse('file:/run/k'))).toBe('file:/run/k')
  })

  test.each([
    'env:K',
    'env:K#a.b',
    'file:/run/k',
    'file:/run/k#key',
    'exec:/bin/tool',
    'systemd:opusdns',
    'vault:secret/data/opusdns#api_key',
    'vault:secret/data/opusdns?version=3#api_key',
    'aws-sm:prod/opusdns#key',
    'aws-sm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf',
    'aws-ssm:/prod/opusdns',
    'gcp:projects/p/secrets/s/versions/latest',
    'azure:https://v.vault.azure.net/secrets/opusdns',
    'op://Infra/OpusDNS/credential',
    'k8s:dns/opusdns#api_key',
    'k8s:opusdns#api_key',
  ])('%s builds its source', (written) => {
    const reference = secretReference.parse(written)
    const vendors = secretsOptions.parse(undefined)
    const deps = { clock: systemClock, captured: new Map(), environment: {}, vendors }
    const source = secretSources(deps)(reference)
    expect(`${source.kind}:`).toBe(written.slice(0, written.indexOf(':') + 1))
    expect(source.reference).toBe(written)
  })
})
