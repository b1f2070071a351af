// The simulator as a program, for the demo and for containers:
//   node test/opusdns/main.ts --listen 127.0.0.1:8081
// Environment: SIM_API_KEY, SIM_API_KEY_ROLE, SIM_CLIENT_ID, SIM_CLIENT_SECRET (each with a _FILE twin)
// and SIM_TOKEN_LIFE in seconds. Says when it is ready in one JSON line, and ends on SIGTERM or SIGINT.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { SEED_CLIENT, SEED_KEY } from './seed.ts'
import { startSimulator } from './simulator.ts'

const { values } = parseArgs({ options: { listen: { type: 'string', default: '127.0.0.1:0' } } })
const address = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(values.listen)
if (!address) {
  process.stderr.write('--listen takes host:port, for example 127.0.0.1:0 or [::]:8081\n')
  process.exit(1)
}

const tokenLife = Number(setting('SIM_TOKEN_LIFE') ?? 3600)
if (!(tokenLife > 0)) {
  process.stderr.write('SIM_TOKEN_LIFE takes a number of seconds above 0\n')
  process.exit(1)
}

const simulator = await startSimulator({
  listen: { host: address[1] ?? (address[2] || '127.0.0.1'), port: Number(address[3]) },
  apiKeys: [
    { key: setting('SIM_API_KEY') ?? SEED_KEY.key, role: setting('SIM_API_KEY_ROLE') ?? 'admin' },
  ],
  clients: [
    {
      id: setting('SIM_CLIENT_ID') ?? SEED_CLIENT.id,
      secret: setting('SIM_CLIENT_SECRET') ?? SEED_CLIENT.secret,
    },
  ],
  tokenLife,
})
process.stdout.write(`${JSON.stringify({ msg: 'ready', origin: simulator.origin })}\n`)

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void simulator.close())

function setting(name: string): string | undefined {
  const file = process.env[`${name}_FILE`]
  const text = file ? readFileSync(file, 'utf8').trim() : process.env[name]
  return text === '' ? undefined : text
}
