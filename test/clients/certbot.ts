// certbot with its OpusDNS plugin, against an ACME server (pebble) that believes every challenge. The
// plugin itself waits until public resolvers show the record.

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { RecordedRequest } from '../opusdns/requests.ts'
import { authority } from '../support/certificates.ts'
import { nameServer } from './name-server.ts'
import { runClient } from './programs.ts'
import { must } from './scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const ACME_PORT = 14_000
const PUBLIC_RESOLVERS = ['8.8.8.8', '1.1.1.1']

async function withPebble<Result>(
  { folder }: Stage,
  path: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { cert, key } = authority('pebble').issue()
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${ACME_PORT}`,
      managementListenAddress: '127.0.0.1:15000',
      certificate: file('pebble.pem', cert),
      privateKey: file('pebble.key', key),
      httpPort: 5002,
      tlsPort: 5001,
      keyAlgorithm: 'ecdsa',
      retryAfter: { authz: 1, order: 1 },
      profiles: { default: { description: 'usual', validityPeriod: 7_776_000 } },
    },
  }
  const args = ['-config', file('pebble.json', JSON.stringify(config))]
  const env = { PEBBLE_VA_ALWAYS_VALID: '1', PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' }
  const pebble = spawn(path, args, { env, stdio: 'ignore' })
  try {
    await sleep(1000)
    return await work()
  } finally {
    pebble.kill()
  }
}

async function certonly(stage: Stage, consumer: string, names: readonly string[], certbot: string) {
  const { folder, endpoint, proxy } = stage
  const ini = join(folder, `${consumer}.ini`)
  const key = proxy.keys[consumer] ?? ''
  writeFileSync(ini, `dns_opusdns_api_endpoint = ${endpoint}\ndns_opusdns_api_key = ${key}\n`, {
    mode: 0o600,
  })
  const folders = ['config', 'work', 'logs'].flatMap((kind) => [
    `--${kind}-dir`,
    join(folder, `certbot-${kind}`),
  ])
  return runClient(
    certbot,
    [
      'certonly',
      '--non-interactive',
      '--agree-tos',
      '--register-unsafely-without-email',
      '--no-verify-ssl',
      '--server',
      `https://127.0.0.1:${ACME_PORT}/dir`,
      '--authenticator',
      'dns-opusdns',
      '--dns-opusdns-credentials',
      ini,
      '--dns-opusdns-propagation-seconds',
      '0',
      ...folders,
      ...names.flatMap((name) => ['-d', name]),
    ],
    {},
  )
}

/** A certificate for two names, by a consumer that may set what they need. */
function issued(consumer: string): Scenario {
  return {
    title: `certbot (${consumer}): a certificate for www.example.com and *.example.com`,
    needs: ['certbot', 'pebble'],
    resolvers: true,
    async play(stage, path) {
      const server = await nameServer(PUBLIC_RESOLVERS, (name) => stage.texts(name))
      try {
        return await withPebble(stage, path('pebble'), async () => {
          let said = ''
          const names = ['www.example.com', '*.example.com']
          const seen = await stage.witnessed(async () => {
            const ended = await certonly(stage, consumer, names, path('certbot'))
            must(ended.code === 0, 'certbot failed', ended.said)
            said = ended.said
          })
          const writes = seen.filter(({ method }) => method === 'PATCH')
          must(writes.length === 4, `two records set and removed, but ${writes.length} writes`)
          must(
            (await stage.texts('_acme-challenge.www.example.com')).length === 0,
            'a challenge was left behind',
          )
          return /Successfully received certificate\./.exec(said)?.[0] ?? said
        })
      } finally {
        server.close()
      }
    },
  }
}

/** A certificate that a consumer may not have; `check` looks at what reached OpusDNS all the same. */
function refused(
  what: string,
  {
    consumer,
    name,
    says,
  }: { readonly consumer: string; readonly name: string; readonly says: RegExp },
  check: (seen: readonly RecordedRequest[]) => void,
): Scenario {
  return {
    title: `certbot (${consumer}): ${what}`,
    needs: ['certbot', 'pebble'],
    resolvers: true,
    play: (stage, path) =>
      withPebble(stage, path('pebble'), async () => {
        let said = ''
        const seen = await stage.witnessed(async () => {
          const ended = await certonly(stage, consumer, [name], path('certbot'))
          must(ended.code === 1, 'certbot did not fail', ended.said)
          said = ended.said
        })
        check(seen)
        return says.exec(said)?.[0] ?? said.slice(-300)
      }),
  }
}

/** Scenarios of certbot. */
export const CERTBOT: readonly Scenario[] = [
  issued('acme'),
  issued('dns'),
  refused(
    'reads the zone, and writes nothing',
    { consumer: 'read', name: 'www.example.com', says: /No grant covers[^\n]*/ },
    (seen) =>
      must(seen.length > 0 && seen.every(({ method }) => method === 'GET'), 'it did not only read'),
  ),
  refused(
    'no certificate for another zone',
    { consumer: 'acme', name: 'www.example.org', says: /(?:Error|error|zone)[^\n]*/ },
    (seen) => must(seen.length === 0, `${seen.length} requests reached OpusDNS`),
  ),
]
