import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { connectionBounds, descriptorsLeft } from '../../src/server/descriptors.ts'

describe('descriptors', () => {
  test('are those of the limit that are not open yet', () => {
    const folder = mkdtempSync(join(tmpdir(), 'descriptors-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const files = { limits: join(folder, 'limits'), open: join(folder, 'fd') }
    mkdirSync(files.open)
    for (const name of ['0', '1', '2']) writeFileSync(join(files.open, name), '')
    const row = (soft: string) =>
      `Max open files            ${soft}                 2048                 files     \n`
    writeFileSync(files.limits, `Limit  Soft Limit\n${row('1024')}`)
    expect(descriptorsLeft(files)).toBe(1021)
    writeFileSync(files.limits, row('unlimited'))
    expect(descriptorsLeft(files)).toBe(Infinity)
    expect(descriptorsLeft({ limits: join(folder, 'none'), open: files.open })).toBe(Infinity)
  })

  const wanted = { connections: 16_384, listeners: 2, upstream: 128 }

  test.each([
    [Infinity, { connections: 16_384, surplus: 1024 }],
    [1_000_000, { connections: 16_384, surplus: 1024 }],
    [1000, { connections: 188, surplus: 62 }],
    [40, { connections: 8, surplus: 2 }],
    [3, { connections: 3, surplus: 1 }],
  ])('suffice: of %d, each listener gets %o', (left, bounds) => {
    expect(connectionBounds({ ...wanted, left })).toEqual(bounds)
    if (left < 10) return
    const { connections, surplus } = connectionBounds({ ...wanted, left })
    expect((connections + surplus) * wanted.listeners).toBeLessThan(left)
  })

  test('that abound lower nothing', () => {
    expect(connectionBounds({ ...wanted, connections: 10, left: 100_000 }).connections).toBe(10)
  })
})
