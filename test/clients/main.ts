// `npm run clients`: the real clients, installed from their registries and unmodified, through the
// proxy against the simulator. What is not at hand is skipped, with the reason.
//   --strict   a client that is skipped counts as a failure

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { CERTBOT } from './certbot.ts'
import { GO_CLIENT } from './go-client.ts'
import { OCTODNS } from './octodns.ts'
import { lackOf } from './scenario.ts'
import type { Scenario } from './scenario.ts'
import { stage } from './stage.ts'
import { toolbox } from './toolbox.ts'
import type { Toolbox } from './toolbox.ts'

const SELF = fileURLToPath(import.meta.url)
const CACHE = join(SELF, '../../../node_modules/.cache/clients')
const INSIDE = 'CLIENTS_NAMESPACE'
// Public resolvers, which certbot's plugin asks, are this machine in a network of its own.
const NAMESPACE =
  'ip link set lo up && ip addr add 8.8.8.8/32 dev lo && ip addr add 1.1.1.1/32 dev lo'

const { values } = parseArgs({ options: { strict: { type: 'boolean', default: false } } })
const say = (line: string) => void process.stdout.write(`${line}\n`)

const handed = process.env[INSIDE]
const inside = handed !== undefined
const tools = inside ? (JSON.parse(handed) as Toolbox) : await toolbox(CACHE)
if (
  !inside &&
  spawnSync('unshare', ['-n', 'sh', '-c', NAMESPACE], { stdio: 'ignore' }).status === 0
) {
  const script = `${NAMESPACE} && exec "$0" "$@"`
  const args = ['-n', 'sh', '-c', script, process.execPath, SELF, ...process.argv.slice(2)]
  const env = { ...process.env, [INSIDE]: JSON.stringify(tools) }
  process.exit(spawnSync('unshare', args, { stdio: 'inherit', env }).status ?? 1)
}

const counts = { passed: 0, failed: 0, skipped: 0 }

async function play(scenario: Scenario): Promise<void> {
  const lack = lackOf(scenario, tools, inside)
  if (lack !== undefined) {
    counts.skipped += 1
    say(`skipped  ${scenario.title}: ${lack}`)
    return
  }
  const set = await stage()
  try {
    const said = await scenario.play(set, (name) => {
      const tool = tools[name]
      return 'path' in tool ? tool.path : ''
    })
    counts.passed += 1
    say(`passed   ${scenario.title}\n           ${said}`)
  } catch (error) {
    counts.failed += 1
    say(`FAILED   ${scenario.title}\n${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await set.close()
  }
}

// One after the other: each has the stage for itself.
let last = Promise.resolve()
for (const scenario of [...CERTBOT, ...GO_CLIENT, ...OCTODNS]) {
  last = last.then(() => play(scenario))
}
await last
const { passed, failed, skipped } = counts
say(`clients: ${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed > 0 || (values.strict && skipped > 0) ? 1 : 0)
