// The way to OpusDNS is encrypted, and its certificate is verified whatever the environment says.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { authority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'
import { send } from '../support/wire-client.ts'

const HOUR = 3_600_000
const ours = authority('opusdns-auth-proxy test CA')
const stranger = authority('another test CA')

const upstreams: RawUpstream[] = []
async function serving(tls: Certificate): Promise<RawUpstream> {
  const upstream = await rawUpstream(undefined, { tls })
  upstreams.push(upstream)
  return upstream
}
afterAll(() => Promise.all(upstreams.map((upstream) => upstream.close())))

function proxyOf(upstream: RawUpstream, env: Record<string, string> = {}): Promise<RunningProxy> {
  return startRunningProxy({
    env: { OPUSDNS_API_BASE: upstream.origin, OPUSDNS_API_KEY: SEED_KEY.key, ...env },
    files: { 'ca.pem': ours.cert },
    config: env['NO_CA'] ? '{}' : 'upstream: { ca_file: ca.pem }',
  })
}

const portOf = ({ origin }: RunningProxy) => Number(new URL(origin).port)

describe('TLS to the upstream', () => {
  let good: RawUpstream

  beforeAll(async () => {
    good = await serving(ours.issue())
  })

  test('works with a certificate of the CA that upstream.ca_file names', async () => {
    const proxy = await proxyOf(good)
    expect(await send(portOf(proxy))).toMatchObject({ status: 200, text: '{}' })
    expect(good.requests.at(-1)?.fields).toContain(SEED_KEY.key)
    expect(good.requests.at(-1)?.fields).toContain(`localhost:${good.port}`)
  })

  test.each([
    ['an unknown CA', () => good, { NO_CA: '1' }],
    ['another CA', () => serving(stranger.issue()), {}],
    ['another host', () => serving(ours.issue({ name: 'api.opusdns.com' })), {}],
    [
      'a time that is over',
      () => serving(ours.issue({ notAfter: new Date(Date.now() - HOUR) })),
      {},
    ],
    [
      'a time to come',
      () =>
        serving(
          ours.issue({
            notBefore: new Date(Date.now() + HOUR),
            notAfter: new Date(Date.now() + 2 * HOUR),
          }),
        ),
      {},
    ],
  ] as const)('with a certificate of %s: 502, and nothing is sent', async (_what, from, env) => {
    const upstream = await from()
    const before = upstream.requests.length
    // The variable that switches verification off in other programs has no say here.
    const proxy = await proxyOf(upstream, { ...env, NODE_TLS_REJECT_UNAUTHORIZED: '0' })
    for (const method of ['GET', 'POST']) {
      const reply = await send(portOf(proxy), { method, path: '/v1/domains', body: '{}' })
      // Nothing was sent, so that no purchase is in doubt either.
      expect(reply.status).toBe(502)
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'upstream_tls' })
    }
    expect(upstream.requests.length).toBe(before)
    expect(proxy.stdout()).not.toContain(SEED_KEY.key)
  })

  test('is not spoken to a server that speaks plain HTTP: 502', async () => {
    const plain = await startSimulator()
    const proxy = await startRunningProxy({
      env: { OPUSDNS_API_BASE: `https://localhost:${plain.port}`, OPUSDNS_API_KEY: SEED_KEY.key },
    })
    expect((await send(portOf(proxy))).status).toBe(502)
    expect(plain.requests).toEqual([])
    await plain.close()
  })
})

describe('plain http', () => {
  test.each(['http://api.opusdns.com', 'http://192.0.2.1', 'http://localhost.example:8080'])(
    'to another machine (%s) is refused at the start',
    async (base) => {
      const { code, stderr } = await runCommand({
        env: { OPUSDNS_API_BASE: base, OPUSDNS_API_KEY: SEED_KEY.key },
      })
      expect(code).toBe(1)
      expect(stderr).toContain('OPUSDNS_API_BASE')
      expect(stderr).toContain('plain http')
    },
  )
})

describe('upstream.ca_file', () => {
  test.each([
    ['is not there', {}],
    ['holds no certificate', { 'ca.pem': 'nothing of the kind\n' }],
  ])('that %s ends the start with its name', async (_what, files) => {
    const { code, stderr } = await runCommand({
      env: { OPUSDNS_API_KEY: SEED_KEY.key },
      files,
      config: 'upstream: { ca_file: ca.pem }',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('ca.pem')
  })
})
