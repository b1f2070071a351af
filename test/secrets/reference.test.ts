import { describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { secretReference } from '../../src/secrets/options.ts'
import { referenceText, secretSource } from '../../src/secrets/reference.ts'

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
  ])('%j is refused, and not quoted', (written) => {
    const parsed = secretReference.safeParse(written)
    expect(parsed.success).toBe(false)
    expect(JSON.stringify(parsed.error?.issues)).not.toMatch(/canary/i)
  })

  test('is shown without the arguments of a command, for they may hold a secret', () => {
    expect(referenceText(secretReference.parse('exec:/bin/tool --token canary'))).toBe(
      'exec:/bin/tool …',
    )
    expect(referenceText(secretReference.parse('file:/run/k'))).toBe('file:/run/k')
  })

  test.each(['env:K', 'file:/run/k', 'exec:/bin/tool'])('%s builds its source', (written) => {
    const reference = secretReference.parse(written)
    const deps = { clock: systemClock, captured: new Map(), environment: {} }
    const source = secretSource(reference, deps)
    expect(`${source.kind}:`).toBe(written.slice(0, written.indexOf(':') + 1))
    expect(source.reference).toBe(written)
  })
})
