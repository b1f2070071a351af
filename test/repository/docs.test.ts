import { describe, expect, test } from 'vitest'

import { FAULTS } from '../../src/base/fault.ts'
import { metrics } from '../../src/observe/metrics.ts'
import { textOf } from './tree.ts'

describe('the documents', () => {
  test('list every error with its status and source', () => {
    // The formatter pads the cells of a table.
    const text = textOf('docs/errors.md').replaceAll(/ +\|/g, ' |')
    for (const [code, { status, source }] of Object.entries(FAULTS)) {
      expect(text).toContain(`| \`${code}\` | ${status} | ${source} |`)
    }
    expect(text.match(/^\| `/gm)).toHaveLength(Object.keys(FAULTS).length)
  })

  test('list every metric of our own, and no other', async () => {
    const exposed = await metrics({
      version: '0',
      node: '0',
      tokenExpiry: () => new Map(),
      secretsFailing: () => [{ credential: 'default', secret: 'current', failing: false }],
      serving: () => new Map(),
      connections: () => new Map(),
      upstreamLimits: () => new Map(),
      logLost: () => 0,
    }).text()
    const names = [...exposed.matchAll(/^# TYPE (opusdns_proxy_\w+)/gm)].map((match) => match[1])
    const listed = [...textOf('docs/metrics.md').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1])
    expect(names.length).toBeGreaterThan(10)
    expect(new Set(listed)).toEqual(new Set(names))
  })
})
