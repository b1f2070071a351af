// The attack: a configuration file of thousands of unknown keys. For each of them the schema was written
// out anew, so that the refusal took seconds and grew with every key.

import { expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { loadSettings } from '../../src/config/load.ts'
import { parseYaml } from '../../src/config/yaml.ts'

test('thousands of unknown keys are all named in the time of a few', async () => {
  const text = Array.from({ length: 2_000 }, (_, at) => `k${at}: 1`).join('\n')
  // By this machine's own measure: reading the text alone.
  const before = performance.now()
  await parseYaml(text, 'proxy.yaml')
  const began = performance.now()
  const refused = await loadSettings({ env: {}, file: { path: 'proxy.yaml', text } }).catch(
    (error: unknown) => error,
  )
  expect(refused).toBeInstanceOf(Fault)
  expect((refused as Fault).problems?.length).toBeGreaterThanOrEqual(2_000)
  // It was 23 times as long; now it is twice.
  expect(performance.now() - began).toBeLessThan(8 * (began - before) + 300)
})
