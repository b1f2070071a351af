// octodns, whose host is hard-coded: it reaches the proxy through a TLS listener that carries the name.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { runClient } from './programs.ts'
import { must } from './scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import { tunnelTo } from './tunnel.ts'

async function sync(stage: Stage, path: string, consumer: string, address: string) {
  const folder = join(stage.folder, `octodns-${consumer}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'example.net.yaml'),
    `---\nwww:\n  ttl: 300\n  type: A\n  value: ${address}\n`,
  )
  writeFileSync(
    join(folder, 'config.yaml'),
    [
      'providers:',
      `  zones: { class: octodns.provider.yaml.YamlProvider, directory: ${folder}, default_ttl: 300 }`,
      '  opusdns:',
      '    class: octodns_opusdns.OpusDNSProvider',
      `    client_id: ${consumer}`,
      `    client_secret: ${stage.proxy.keys[consumer] ?? ''}`,
      'zones:',
      '  example.net.: { sources: [zones], targets: [opusdns] }',
      '',
    ].join('\n'),
  )
  const tunnel = await tunnelTo(stage.tlsPort)
  try {
    return await runClient(
      path,
      ['--config-file', join(folder, 'config.yaml'), '--doit', '--force'],
      {
        HTTPS_PROXY: tunnel.origin,
        REQUESTS_CA_BUNDLE: stage.caFile,
      },
    )
  } finally {
    tunnel.close()
  }
}

/** A zone that a consumer may not bring up to date: it only reads. */
function refused(consumer: string, what: string, says: RegExp): Scenario {
  return {
    title: `octodns (${consumer}): ${what}`,
    needs: ['octodnsSync'],
    async play(stage, path) {
      let said = ''
      const seen = await stage.witnessed(async () => {
        const ended = await sync(stage, path('octodnsSync'), consumer, '192.0.2.8')
        must(ended.code === 1, 'octodns-sync did not fail', ended.said)
        said = ended.said
      })
      must(seen.length > 0 && seen.every(({ method }) => method === 'GET'), 'it did not only read')
      return says.exec(said)?.[0]?.trim() ?? said.slice(-300)
    },
  }
}

/** Scenarios of octodns. */
export const OCTODNS: readonly Scenario[] = [
  {
    title: 'octodns (dns): brings a zone up to date',
    needs: ['octodnsSync'],
    async play(stage, path) {
      const seen = await stage.witnessed(async () => {
        const ended = await sync(stage, path('octodnsSync'), 'dns', '192.0.2.7')
        must(ended.code === 0, 'octodns-sync failed', ended.said)
      })
      const writes = seen.filter(({ method }) => method !== 'GET')
      must(
        writes.length > 0 &&
          writes.every(({ target }) => /^\/v1\/dns\/example\.net\.?\//.test(target)),
        `unexpected writes: ${writes.map(({ method, target }) => `${method} ${target}`).join(', ')}`,
      )
      must(
        seen.every(({ rawHeaders }) => !rawHeaders.includes('dns')),
        'the name of the consumer reached OpusDNS',
      )
      return `${writes.length} writes`
    },
  },
  refused('acme', 'sees no zone of others, and makes none', /[^\n]*\b40[34]\b[^\n]*/),
  refused('read', 'reads, and may not write', /[^\n]*\b403\b[^\n]*/),
]
