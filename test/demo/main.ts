// `npm run demo`: the simulated OpusDNS, the real proxy in front of it, and a tour that shows what
// each side sees. Then both stay up for curl until Ctrl-C. With --once it ends after the tour.
// Prints no secret and no token, and reads no credential of the user.

import { parseArgs } from 'node:util'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { narrator } from './narrator.ts'
import { portOrAny } from './ports.ts'
import { startProxyProcess } from './proxy.ts'
import { tour } from './tour.ts'
import { visits } from './visits.ts'

const TOKEN_LIFE = 4
const EVENT_DELAY = 500

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } })
const write = (text: string) => void process.stdout.write(text)
const speaker = narrator({
  write,
  colours: process.stdout.isTTY && !process.env['NO_COLOR'],
})

const asked = Promise.withResolvers<'asked'>()
// npm passes on a Ctrl-C that the terminal has already delivered, so later ones must change nothing.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => asked.resolve('asked'))
// A reader that went away (`npm run demo | head`).
process.stdout.on('error', () => asked.resolve('asked'))

const simulator = await startSimulator({ tokenLife: TOKEN_LIFE, eventDelay: EVENT_DELAY })
const visitors = visits(simulator)
const proxy = await startProxyProcess({
  upstream: simulator.origin,
  client: SEED_CLIENT,
  port: await portOrAny(8080),
  adminPort: await portOrAny(9090),
  onLine(line) {
    const text = visitors.tell(line)
    if (text !== undefined) write(`  ${text}\n`)
  },
})
const died = proxy.ended.then(() => 'died' as const)

speaker.say(
  'opusdns-auth-proxy: your services call it without a key, it attaches the key or a fresh token.',
)
speaker.list('What runs now', [
  `proxy      ${proxy.origin}   (clients talk to this)`,
  `operators  ${proxy.admin}   (health, metrics, status page)`,
  `OpusDNS    ${simulator.origin}  (a simulator; nothing leaves this machine)`,
])

const toured = tour({ narrator: speaker, simulator, proxy: proxy.origin, tokenLife: TOKEN_LIFE })
let end = await Promise.race([toured, asked.promise, died])

if (typeof end === 'number') {
  visitors.begin(end)
  speaker.list('Try it', [
    `curl ${proxy.origin}/v1/dns/example.com`,
    `curl -N '${proxy.origin}/v1/availability/stream?domains=a.com,b.de'`,
    `curl -i -X POST ${proxy.origin}/v1/auth/client_credentials`,
    `curl ${proxy.admin}/readyz`,
    `curl -s ${proxy.admin}/metrics | grep opusdns_proxy_token`,
    `and the status page in a browser: ${proxy.admin}/`,
  ])
  speaker.list('The real thing', [
    'OPUSDNS_API_KEY=opk_... npm start',
    'OPUSDNS_CLIENT_ID=organization_... OPUSDNS_CLIENT_SECRET=... npm start',
    '(better: the secret in a file, named by OPUSDNS_API_KEY_FILE or its twins)',
    'several consumers, each with grants, also without an account:',
    '  docs/consumers.md',
  ])
  if (!values.once) {
    speaker.say('Requests that you send are told here. Ctrl-C ends the demo.')
    end = await Promise.race([asked.promise, died])
  }
}

await Promise.all([proxy.stop(), simulator.close()])
if (end === 'died') {
  process.stderr.write('error: the proxy ended before it was asked to\n')
  process.exit(1)
}
// The tour may still be under way.
process.exit(0)
