import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

import { loadSettings } from '../../src/config/load.ts'
import { ledgerShelf } from '../../src/server/ledger-shelf.ts'
import { log } from '../../src/observe/log.ts'
import { manualClock } from '../support/manual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'opusdns-shelf-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a ledger that cannot be opened is told with its path', async () => {
  const path = join(folder, 'missing/ledger.db')
  const text = `
ledger: file:${path}
consumers:
  a: { anonymous: true, grants: [read], budget: { purchases: 1, per: day } }
`
  const { settings } = await loadSettings({
    env: { OPUSDNS_API_KEY: 'opk_a' },
    file: { path: 'p', text },
  })
  const clock = manualClock()
  const shelf = ledgerShelf({
    clock,
    log: log({ level: 'silent' }, { write: () => undefined }, clock),
  })
  await expect(shelf.open(settings)).rejects.toMatchObject({
    code: 'config_invalid',
    problems: [
      {
        place: 'ledger',
        fault: `file:${path} is not there, or its folder is not`,
        remedy: 'make the folder; serve makes the file',
      },
    ],
  })
})
