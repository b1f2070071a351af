import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-start-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const config = `
audit: { to: 'file:${folder}/audit.jsonl' }
ledger: file:${folder}/ledger.db
consumers: { shop: { anonymous: true, grants: [read], budget: { purchases: 5, per: month } } }
`
  return { folder, config }
}

// SQLite removes the files beside the ledger when the last who uses it closes it.
describe('a start that fails leaves nothing open', () => {
  test('when somebody else listens on its address', async () => {
    const { folder, config } = place()
    const upstream = await rawUpstream()
    onTestFinished(() => upstream.close())
    const other = createServer()
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const listen = `127.0.0.1:${port}`
    const started = localProxy({ base: upstream.origin, config, listen })
    await expect(started).rejects.toMatchObject({ code: 'config_invalid' })
    expect(readdirSync(folder)).toEqual(['audit.jsonl', 'ledger.db'])
    const records = readFileSync(join(folder, 'audit.jsonl'), 'utf8').trimEnd().split('\n')
    expect(records.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'begun',
      'stopped',
    ])
  })

  test('when its audit log cannot be opened', async () => {
    const { folder, config } = place()
    mkdirSync(join(folder, 'audit.jsonl'))
    const upstream = await rawUpstream()
    onTestFinished(() => upstream.close())
    const started = localProxy({ base: upstream.origin, config })
    await expect(started).rejects.toMatchObject({ code: 'config_invalid' })
    expect(readdirSync(folder)).toEqual(['audit.jsonl', 'ledger.db'])
    expect(readdirSync(join(folder, 'audit.jsonl'))).toEqual([])
  })
})
