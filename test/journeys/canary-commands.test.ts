// The canary of the commands: whether they work or fail, and whatever a token endpoint answers, what
// they print holds neither the secret nor a token.

import { describe, expect, test } from 'vitest'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { KEY, SECRET, leaks, startCanarySimulator, tokensSent } from '../support/canary.ts'
import { eventually } from '../support/eventually.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'

describe('with a canary as the credential', () => {
  test('a token that its endpoint garbles is quoted nowhere', async () => {
    const simulator = await startCanarySimulator()
    const canary = 'opaqueTokenCanary0123456789abcdefXYZ'
    const bodies = [
      `{"access_token":"${canary}","token_type":"Bearer","expires_in":`,
      `access_token=${canary}&token_type=Bearer`,
      `"${canary}"`,
      `{"access_token":["${canary}"],"token_type":"Bearer","expires_in":60}`,
      `{"access_token":"${canary}","token_type":"${canary}","expires_in":60}`,
      `{"error":"${canary}","error_description":"${canary}"}`,
    ]
    const texts: Record<string, string> = {}
    const env = {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_PROXY_LOG_LEVEL: 'trace',
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SECRET,
    }
    for (const body of bodies) {
      simulator.faults.tokenBody = body
      const said = await runCommand({ args: ['token'], env })
      texts[body] = said.stdout + said.stderr
      expect(said.code).toBe(2)
    }
    const proxy = await startRunningProxy({ env })
    texts['reply'] = await (await fetch(`${proxy.origin}/v1/dns`)).text()
    for (const path of ['/metrics', '/readyz', '/']) {
      texts[path] = await (await fetch(proxy.adminOrigin + path)).text()
    }
    await eventually(() => proxy.logLines('request').length === 1)
    Object.assign(texts, { stdout: proxy.stdout(), stderr: proxy.stderr() })
    expect(leaks(texts, [canary, SECRET])).toEqual([])
  })

  test('no command says it, whether it works or fails', async () => {
    const simulator = await startCanarySimulator()
    const texts: Record<string, string> = {}
    const key = { OPUSDNS_API_KEY: KEY }
    const pair = { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SECRET }
    const base = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_PROXY_LOG_LEVEL: 'trace' }
    const cases: [string[], Record<string, string>, string?][] = [
      [['check'], key],
      [['check'], pair],
      [['check'], { ...key, ...pair }],
      [['check'], { OPUSDNS_API_KEY: `${KEY}\u0007` }],
      [['check'], { ...pair, OPUSDNS_CLIENT_ID: SECRET }],
      [['check'], {}, `credential: { api_key: "${KEY}" }`],
      [['check'], {}, `credential: { client_id: x, client_secret: "env:${SECRET}" }`],
      [['check'], {}, `${SECRET}: ${KEY}\n  : [`],
      [['token'], key],
      [['token'], pair],
      [['token'], { ...pair, OPUSDNS_CLIENT_SECRET: `${SECRET}x` }],
      [['token'], { ...pair, OPUSDNS_API_BASE: 'http://127.0.0.1:1' }],
      [['healthcheck'], { ...key, OPUSDNS_PROXY_ADMIN: '127.0.0.1:1' }],
      [['healthcheck'], { ...pair, ...key, OPUSDNS_PROXY_ADMIN: '127.0.0.1:1' }],
      [['version'], { ...key, ...pair }],
      [['serve'], { ...key, ...pair }],
      [['serve'], pair, 'nonsense: true'],
      [['serve'], { ...key, OPUSDNS_PROXY_LISTEN: '0.0.0.0:0' }],
      [['serve', '--nonsense'], key],
      [['nonsense'], pair],
    ]
    await Promise.all(
      cases.map(async ([args, env, config], at) => {
        const more = config === undefined ? {} : { config }
        const said = await runCommand({ args, env: { ...base, ...env }, ...more })
        expect(said.code, `${args.join(' ')} ${at}`).not.toBeNull()
        expect(said.stdout.length + said.stderr.length).toBeGreaterThan(0)
        texts[`case ${at}: ${args.join(' ')}`] = said.stdout + said.stderr
      }),
    )
    // The endpoint answers a wrong secret, so that the case with the `x` shows the true one as a part.
    expect(leaks(texts, [KEY, SECRET, ...tokensSent(simulator)])).toEqual([])
  })
})
