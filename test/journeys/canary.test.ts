// The canary: whatever is configured, whatever breaks and whatever is asked, the secret and the token
// never appear in anything that leaves the program, in no encoding. Echoes of the upstream aside.

import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { TOKEN_BODIES, type Switches } from '../opusdns/faults.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { KEY, SECRET, leaks, startCanarySimulator, tokensSent } from '../support/canary.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient } from '../support/http-client.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const API_FAULTS: readonly Switches[] = [
  { status: 500 },
  { status: 401 },
  { status: 403 },
  { status: 429, retryAfter: 1 },
  { reset: true },
  { reset: 'head' },
  { resetMidHead: true },
  { truncate: 'reset' },
  { truncate: 'fin' },
  { raw: 'garbage\r\n\r\n' },
  { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde' },
  { rejectAllTokens: true },
  { hang: true },
]
// In this order, for a token that came has to expire before the endpoint is asked again. A terminal
// answer rests for 15 s, so it comes last.
const TOKEN_FAULTS: readonly Switches[] = [
  ...[422, 429, 500].map((tokenStatus) => ({ tokenStatus })),
  { tokenReset: true },
  // Half of a JSON reply with the token in it is among them: parsers like to quote such a thing.
  ...TOKEN_BODIES.filter((tokenBody) => tokenBody !== 'near-expired-same').map((tokenBody) => ({
    tokenBody,
  })),
  { expiresIn: 'soon', tokenLife: 2 },
  { tokenBody: 'near-expired-same' },
  { tokenStatus: 401 },
]

const REQUESTS = [
  { path: '/v1/dns' },
  { path: '/v1/dns/example.com?token=query-value' },
  { path: '/v1/dns', headers: { Authorization: 'Bearer placeholder', 'X-Api-Key': 'placeholder' } },
  { path: '/v1/domains', method: 'POST', body: '{"name":"a.example"}' },
  { path: '/v1/auth/client_credentials' },
  { path: '/v1/auth/token', method: 'POST', body: 'grant_type=nonsense' },
  { path: '/v1/%2e%2e/x' },
  { path: '/elsewhere' },
  { path: '/v1/dns', headers: { Host: 'evil.example' } },
  { path: '/metrics' },
] as const

/** Sends all requests of the list, collecting heads and bodies of the answers. */
async function collect(proxy: RunningProxy, label: string, texts: Record<string, string>) {
  const client = httpClient(proxy.origin)
  const answers = await Promise.allSettled(REQUESTS.map((request) => client.send(request)))
  for (const [at, answer] of answers.entries()) {
    texts[`${label} answer ${at}`] =
      answer.status === 'fulfilled'
        ? `${answer.value.status} ${answer.value.rawHeaders.join('\n')}\n${answer.value.body.toString('latin1')}`
        : String(answer.reason)
  }
  client.close()
  await pages(proxy, label, texts)
}

async function pages(proxy: RunningProxy, label: string, texts: Record<string, string>) {
  for (const path of ['/metrics', '/readyz', '/livez', '/']) {
    texts[`${label} ${path}`] = await (await fetch(proxy.adminOrigin + path)).text()
  }
}

function outputs(proxy: RunningProxy): Record<string, string> {
  return {
    stdout: proxy.stdout(),
    stderr: proxy.stderr(),
    cmdline: readFileSync(`/proc/${proxy.pid}/cmdline`, 'latin1'),
  }
}

describe('the search itself', () => {
  test('finds a secret in every encoding', () => {
    const forms = [
      SECRET,
      encodeURIComponent(SECRET),
      Buffer.from(SECRET).toString('base64'),
      Buffer.from(`id:${SECRET}`).toString('base64'),
      Buffer.from(`a${SECRET}zz`).toString('base64url'),
      Buffer.from(SECRET).toString('hex'),
      JSON.stringify({ a: SECRET }),
      new URLSearchParams({ a: SECRET }).toString(),
    ]
    for (const form of forms)
      expect(leaks({ here: `..${form}..` }, [SECRET]), form).toEqual(['here'])
    expect(leaks({ here: 'nothing of the kind' }, [SECRET, KEY])).toEqual([])
  })
})

describe('with a canary as the credential', () => {
  test.each([
    ['an API key', 'trace'],
    ['an API key', 'info'],
    ['an OAuth secret', 'trace'],
    ['an OAuth secret', 'debug'],
    ['an OAuth secret', 'warn'],
  ])('%s stays inside at level %s, through every fault of the API', async (kind, level) => {
    const simulator = await startCanarySimulator()
    const env = {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_PROXY_LOG_LEVEL: level,
      ...(kind === 'an API key'
        ? { OPUSDNS_API_KEY: KEY }
        : { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SECRET }),
    }
    const proxy = await startRunningProxy({ env, config: 'upstream: { head_timeout: 300ms }' })
    const texts: Record<string, string> = {}
    await collect(proxy, 'no fault', texts)
    for (const fault of API_FAULTS) {
      Object.assign(simulator.faults, fault)
      await collect(proxy, JSON.stringify(fault), texts)
      simulator.faults.clear()
    }
    const exit = proxy.exited
    Object.assign(texts, outputs(proxy))
    proxy.kill('SIGTERM')
    await exit
    Object.assign(texts, {
      'stdout at the end': proxy.stdout(),
      'stderr at the end': proxy.stderr(),
    })
    // Proof that there was something to leak.
    const tokens = tokensSent(simulator)
    const keys = simulator.count(({ rawHeaders }) => rawHeaders.includes(KEY))
    expect(kind === 'an API key' ? keys : tokens.length).toBeGreaterThan(0)
    expect(texts['no fault answer 0']).toMatch(/^200 /)
    expect(leaks(texts, [KEY, SECRET, ...tokens])).toEqual([])
  })

  test('an OAuth secret and its tokens stay inside through every fault of the token endpoint', async () => {
    const simulator = await startCanarySimulator()
    const texts: Record<string, string> = {}
    simulator.faults.tokenStatus = 500
    const proxy = await startRunningProxy({
      env: {
        OPUSDNS_API_BASE: simulator.origin,
        OPUSDNS_PROXY_LOG_LEVEL: 'trace',
        OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
        OPUSDNS_CLIENT_SECRET: SECRET,
      },
    })
    for (const fault of TOKEN_FAULTS) {
      simulator.faults.clear()
      Object.assign(simulator.faults, fault)
      const before = simulator.tokenRequests
      const label = JSON.stringify(fault)
      // Requests that find no token make the proxy ask for one.
      await eventually(async () => {
        await collect(proxy, label, texts)
        return simulator.tokenRequests > before
      })
      await collect(proxy, `after ${label}`, texts)
    }
    // Tokens that reached a header. Those of refused replies are the matter of canary-commands.test.ts.
    const tokens = tokensSent(simulator)
    expect(tokens.length).toBeGreaterThan(0)
    Object.assign(texts, outputs(proxy))
    expect(leaks(texts, [SECRET, ...tokens])).toEqual([])
  })
})

describe('a proxy that has read its secret', () => {
  test('has it in no argument of its process', async () => {
    const simulator = await startCanarySimulator()
    const proxy = await startRunningProxy({
      env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: KEY },
    })
    const report = outputs(proxy)['cmdline']
    expect(report).toContain('src/main.ts')
    expect(leaks({ report: report ?? '' }, [KEY])).toEqual([])
  })
})
