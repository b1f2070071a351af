// The canary of all sources of secrets: the whole program against each kind of place, through a
// rotation, through outages in which the place quotes secrets, through reloads, and by the commands.
// Neither the key of OpusDNS nor what the proxy logs in with may appear in anything that comes out.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { readyz } from '../support/admin-pages.ts'
import { CANARY_PLACES, azurePlace, removeFolders } from '../support/canary-places.ts'
import { KEY, leaks } from '../support/canary.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT, runCommand, startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'

/** What the key is replaced by. */
const NEXT = 'opk_NextCanary0123456789~+/=?&'
/** What `exec:` hands on, and what a shell sets by itself. */
const OF_A_SHELL = new Set(['PATH', 'HOME', 'PWD', 'OLDPWD', 'SHLVL', '_'])
/** Each SDK is compiled once, and not for each process. */
const COMPILED = join(ROOT, 'node_modules/.cache/compile')
const SOON = { within: 20_000, every: 50 }

afterAll(removeFolders)

/** Sends what succeeds and what the proxy refuses itself, and reads the operators' pages. */
async function collect(proxy: RunningProxy, label: string, texts: Record<string, string>) {
  const requests = ['/v1/dns', '/v1/dns/example.com?a=b', '/v1/%2e%2e/x', '/elsewhere']
  const pages = ['/metrics', '/readyz', '/livez', '/']
  const addresses = [
    ...requests.map((path) => proxy.origin + path),
    ...pages.map((path) => proxy.adminOrigin + path),
  ]
  await Promise.all(
    addresses.map(async (address, at) => {
      const reply = await fetch(address)
      const head = [...reply.headers].flat().join('\n')
      texts[`${label} ${at} ${new URL(address).pathname}`] =
        `${reply.status}\n${head}\n${await reply.text()}`
    }),
  )
}

async function reload(proxy: RunningProxy): Promise<string> {
  const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
  return `${reply.status} ${await reply.text()}`
}

const PLACES = Object.entries(CANARY_PLACES)

describe('no secret comes out of a proxy whose key is in a place of the kind', () => {
  // First, for the SDK takes its time to give up.
  test.concurrent('azure, by a client secret that gets no token', { timeout: 60_000 }, async () => {
    const place = await azurePlace()
    try {
      const secret = place.env['AZURE_CLIENT_SECRET'] ?? ''
      expect(secret).toContain('canary')
      const id = '00000000-0000-0000-0000-000000000001'
      const program = {
        env: {
          ...place.env,
          NODE_COMPILE_CACHE: COMPILED,
          OPUSDNS_PROXY_LOG_LEVEL: 'trace',
          // Every name is this machine, where nobody answers for Microsoft.
          AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
          AZURE_CLIENT_ID: id,
          AZURE_TENANT_ID: id,
        },
        nodeArgs: place.nodeArgs ?? [],
        config: JSON.stringify({ credential: { api_key: place.reference } }),
        keep: true,
      }
      const texts: Record<string, string> = {}
      const doctor = runCommand({ ...program, args: ['doctor', '--json'] })
      const proxy = await startRunningProxy(program)
      await eventually(() => proxy.logLines('secret cannot be read').length > 0, SOON)
      await collect(proxy, 'no login', texts)
      expect(texts['no login 0 /v1/dns']).toMatch(/^503\n/)
      const { stdout, stderr } = await doctor
      expect(stdout).toContain('no Azure login was had')
      await proxy.stop()
      Object.assign(texts, { stdout, stderr, log: proxy.stdout(), errors: proxy.stderr() })
      expect(leaks(texts, [secret])).toEqual([])
    } finally {
      await place.end?.()
    }
  })

  test.concurrent.each(PLACES)('%s', { timeout: 60_000 }, async (_, open) => {
    const simulator = await startSimulator({ apiKeys: [{ key: KEY }, { key: NEXT }] })
    const place = await open(KEY)
    try {
      await place.set(KEY)
      const credential = {
        api_key: { from: place.reference, lifetime: '1s', timeout: '8s' },
      }
      const config = JSON.stringify({ credential, secrets: place.secrets ?? {} })
      const program = {
        env: {
          NODE_COMPILE_CACHE: COMPILED,
          OPUSDNS_API_BASE: simulator.origin,
          OPUSDNS_PROXY_LOG_LEVEL: 'trace',
          ...place.env,
        },
        nodeArgs: place.nodeArgs ?? [],
        config,
        keep: true,
      }
      const proxy = await startRunningProxy(program)
      const texts: Record<string, string> = {}
      const uses = (key: string) =>
        eventually(async () => {
          const reply = await fetch(`${proxy.origin}/v1/dns`)
          const newest = simulator.requests.findLast(({ target }) => target === '/v1/dns')
          const sent = headerValues(newest?.rawHeaders ?? [], 'x-api-key')
          expect([reply.status, ...sent]).toEqual([200, key])
        }, SOON)
      const command = async (...args: string[]) => {
        const { code, stdout, stderr } = await runCommand({ ...program, args })
        expect(code, args.join(' ')).not.toBeNull()
        expect(stdout + stderr).not.toBe('')
        texts[args.join(' ')] = stdout + stderr
      }

      await uses(KEY)
      await collect(proxy, 'well', texts)
      const now = place.spoil === undefined ? KEY : NEXT
      await place.set(now)
      await uses(now)
      await collect(proxy, 'rotated', texts)

      const everything = [KEY, NEXT, ...place.logins()]
      for (const how of ['error', 'garbage'] as const) {
        await place.spoil?.(how, everything.join(' '))
        const asked = place.asked?.() ?? -1
        texts[`reload while ${how}`] = await reload(proxy)
        if (place.spoil !== undefined) {
          await eventually(async () => {
            const { checks } = await readyz(proxy)
            expect(checks['secrets']?.warnings).toHaveLength(1)
          }, SOON)
          expect(place.asked?.() ?? 0).toBeGreaterThan(asked)
        }
        await collect(proxy, how, texts)
        expect(texts[`${how} 0 /v1/dns`]).toMatch(/^200\n/)
        // The last good value is held, but a command has none.
        if (how === 'error') await Promise.all([command('check'), command('doctor', '--json')])
      }
      await place.set(now)
      await uses(now)

      const pasted = { ...credential, previous_api_key: now, [KEY]: place.logins()[0] }
      writeFileSync(join(proxy.cwd, 'proxy.yaml'), JSON.stringify({ credential: pasted }))
      texts['reload of a bad file'] = await reload(proxy)
      expect(texts['reload of a bad file']).toMatch(/^422 /)
      writeFileSync(join(proxy.cwd, 'proxy.yaml'), `credential: { api_key: "${now}`)
      texts['reload of a broken file'] = await reload(proxy)
      expect(texts['reload of a broken file']).toMatch(/^422 /)
      simulator.apiKeys.splice(0)
      await collect(proxy, 'revoked', texts)
      texts['cmdline'] = readFileSync(`/proc/${proxy.pid}/cmdline`, 'latin1')
      texts['a command it starts'] = place.seen?.() ?? ''

      proxy.kill('SIGTERM')
      await proxy.exited
      Object.assign(texts, { stdout: proxy.stdout(), stderr: proxy.stderr() })

      // Proof that there was something to leak, and somewhere for it.
      for (const secret of everything) expect(secret.length).toBeGreaterThan(15)
      expect(texts['cmdline']).toContain('src/main.ts')
      if (place.seen !== undefined) {
        const names = [...place.seen().matchAll(/^(\w+)=/gm)].map(([, name = '']) => name)
        expect(names).toContain('PATH')
        expect([...new Set(names)].filter((name) => !OF_A_SHELL.has(name))).toEqual([])
      }
      expect(proxy.logLines('request').length).toBeGreaterThan(10)
      expect(leaks(texts, [...everything, ...place.logins()])).toEqual([])
    } finally {
      await simulator.close()
      await place.end?.()
    }
  })
})
