// Proxy and simulator for the clients: a gateway with three consumers, over plain HTTP and over TLS with
// the name of the real host.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startSimulator } from '../opusdns/simulator.ts'
import type { RecordedRequest } from '../opusdns/requests.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { SEED_KEY } from '../opusdns/seed.ts'
import { authority } from '../support/certificates.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'

/** Everything that a scenario needs. */
export interface Stage {
  readonly proxy: Gateway
  readonly simulator: Simulator
  /** Address of the plain listener. */
  readonly endpoint: string
  readonly tlsPort: number
  /** PEM file with the private CA. */
  readonly caFile: string
  /** An empty folder. */
  readonly folder: string
  /** Requests that reached the simulator while `work` ran, but for the proxy's own. */
  witnessed(work: () => Promise<unknown>): Promise<readonly RecordedRequest[]>
  /** Texts of the TXT records at a name. */
  texts(name: string): Promise<readonly string[]>
  close(): Promise<void>
}

const WITNESS = 'the suite itself'

const CONSUMERS = {
  acme: 'grants: [acme: [example.com]]',
  dns: 'grants: [dns: { zones: [example.com, example.net] }]',
  read: 'grants: [read]',
}

/** Sets the stage. */
export async function stage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'clients-'))
  const simulator = await startSimulator()
  const ca = authority('clients')
  const leaf = ca.issue({ name: 'api.opusdns.com' })
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, ca.cert)
  writeFileSync(join(folder, 'cert.pem'), leaf.cert)
  writeFileSync(join(folder, 'key.pem'), leaf.key)
  const tls = `{ certificate_file: ${join(folder, 'cert.pem')}, key_file: ${join(folder, 'key.pem')} }`
  const proxy = await gateway({
    base: simulator.origin,
    consumers: CONSUMERS,
    config: `hosts: [api.opusdns.com]\nlisten: ['127.0.0.1:0', { address: '127.0.0.1:0', tls: ${tls} }]\n`,
  })
  const portOf = (at: number) => Number(/:(\d+)$/.exec(proxy.listen[at] ?? '')?.[1])

  return {
    proxy,
    simulator,
    endpoint: `http://127.0.0.1:${portOf(0)}`,
    tlsPort: portOf(1),
    caFile,
    folder,
    async witnessed(work) {
      const before = simulator.requests.length
      await work()
      return simulator.requests
        .slice(before)
        .filter(
          ({ target, rawHeaders }) =>
            !target.includes('introspect') && !rawHeaders.includes(WITNESS),
        )
    },
    async texts(name) {
      const zone = /[^.]+\.[^.]+$/.exec(name)?.[0] ?? name
      const reply = await fetch(`${simulator.origin}/v1/dns/${zone}`, {
        headers: { 'X-Api-Key': SEED_KEY.key, 'User-Agent': WITNESS },
      })
      if (!reply.ok) return []
      const { rrsets } = (await reply.json()) as {
        rrsets: { name: string; type: string; records: { rdata: string }[] }[]
      }
      return rrsets
        .filter((one) => one.type === 'TXT' && one.name === `${name.toLowerCase()}.`)
        .flatMap(({ records }) => records.map(({ rdata }) => rdata.replaceAll('"', '')))
    },
    async close() {
      await proxy.stop()
      await simulator.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
