// `doctor` by its findings: against the simulator and real TLS, in good and in failing cases; and that
// it says the secret in none.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import type { ApiKey } from '../opusdns/callers.ts'
import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator, SimulatorOptions } from '../opusdns/simulator.ts'
import { KEY, SECRET, leaks, startCanarySimulator, tokensSent } from '../support/canary.ts'
import { authority } from '../support/certificates.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { doctor, folder, say } from './doctor-run.ts'

const DAY = 86_400_000
const PAIR = { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret }
const NARROW: ApiKey = { key: 'opk_narrow', role: 'dns_manager' }

async function simulated(options: SimulatorOptions = { apiKeys: [NARROW] }): Promise<Simulator> {
  const simulator = await startSimulator(options)
  onTestFinished(() => simulator.close())
  return simulator
}

describe('doctor, when all is well', () => {
  test('looks at everything, asks twice, changes nothing, and ends with 0', async () => {
    const simulator = await simulated({
      apiKeys: [{ ...NARROW, expiresOn: new Date(Date.now() + 100 * DAY).toISOString() }],
    })
    const { code, lines, of, outcomes } = await doctor({
      OPUSDNS_API_BASE: simulator.origin.replace('127.0.0.1', 'localhost'),
      OPUSDNS_API_KEY: NARROW.key,
      OPUSDNS_PROXY_LISTEN: '127.0.0.1:1',
    })
    expect(outcomes()).toEqual({
      configuration: 'ok',
      'secret:credential.api_key': 'ok',
      'listener:127.0.0.1:1': 'ok',
      'listener:127.0.0.1:0': 'ok',
      dns: 'ok',
      tcp: expect.stringMatching(/ok|warn/),
      tls: 'skip',
      http: 'ok',
      clock: 'ok',
      credential: 'ok',
    })
    expect(code).toBe(0)
    expect(of('dns').saw).toContain('127.0.0.1')
    expect(of('secret:credential.api_key').saw).toMatch(/fingerprint [0-9a-f]{12}/)
    expect(of('credential').saw).toContain('Role dns_manager')
    for (const line of lines) {
      expect(Object.keys(line)).toEqual(['check', 'outcome', 'did', 'saw', 'remedy', 'ms'])
    }
    expect(simulator.requests.map(({ method }) => method)).toEqual(['GET', 'GET'])
    expect(simulator.tokenRequests).toBe(0)
  })

  test('looks at each credential, and the way to each host', async () => {
    const main = await simulated()
    const other = await simulated({ apiKeys: [{ key: 'opk_other', role: 'dns_manager' }] })
    const config = (key: string) => `
credentials:
  second: { base: '${other.origin}', credential: { api_key: env:SECOND } }
  twin: { credential: { api_key: env:${key} } }
`
    const env = {
      OPUSDNS_API_BASE: main.origin,
      OPUSDNS_API_KEY: NARROW.key,
      SECOND: 'opk_other',
      TWIN: NARROW.key,
    }
    const well = await doctor(env, { config: config('TWIN') })
    expect(well.code).toBe(0)
    expect(well.outcomes()).toMatchObject({
      'secret:credential.api_key': 'ok',
      'secret:credentials.second.credential.api_key': 'ok',
      'secret:credentials.twin.credential.api_key': 'ok',
      http: 'ok',
      [`http:${other.origin}`]: 'ok',
      credential: 'ok',
      'credential:second': 'ok',
      'credential:twin': 'ok',
    })
    expect(other.requests.length).toBe(2)
    const wrong = await doctor(env, { config: config('SECOND') })
    expect(wrong.code).toBe(2)
    expect(wrong.outcomes()).toMatchObject({ credential: 'ok', 'credential:twin': 'fail' })
  })

  test('tells a person for each what it did, what it saw and what to do, and sums up', async () => {
    const simulator = await simulated({})
    const env = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key }
    const { code, out, err } = await say([], { env })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(
      /warn {2}credential.*\n {6}did: asked .*\n {6}saw: .*Role admin.*\n {6}do: {2}.*narrower role/,
    )
    expect(out).toMatch(/\nsummary: \d+ ok, \d+ warn, 0 fail, 2 skip, in \d+\.\d s\n$/)
  })

  test('of OAuth asks for one token, and shows its life and fingerprint', async () => {
    const simulator = await simulated({})
    const { code, of } = await doctor({ OPUSDNS_API_BASE: simulator.origin, ...PAIR })
    expect(code).toBe(0)
    expect(of('token')).toMatchObject({ outcome: 'ok' })
    expect(of('token').saw).toMatch(/a life of 3600 s, fingerprint [0-9a-f]{12}, by the current/)
    expect(of('token').did).toContain('the only effect')
    expect(simulator.tokenRequests).toBe(1)
  })
})

describe('doctor, when something is wrong', () => {
  test('tells every problem of the configuration, and skips what needs one', async () => {
    const { code, lines, outcomes } = await doctor(
      { OPUSDNS_API_KEY: NARROW.key },
      { config: 'listne: x\nlog: { level: loud }\n' },
    )
    expect(code).toBe(1)
    const problems = lines.filter(({ check }) => check === 'configuration')
    expect(problems.map(({ saw }) => saw.replace(/ .*/, ''))).toEqual(['listne', 'log.level'])
    for (const { outcome, remedy } of problems) expect([outcome, remedy]).not.toContain(null)
    expect(outcomes()).toMatchObject({ dns: 'skip', http: 'skip', credential: 'skip' })
  })

  test('warns of what is odd in the configuration, with 0', async () => {
    const simulator = await simulated()
    const { code, lines } = await doctor({
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_API_KEY: NARROW.key,
      OPUSDNS_PROXY_LISTN: 'x',
    })
    expect(code).toBe(0)
    expect(lines).toContainEqual(
      expect.objectContaining({
        check: 'configuration',
        outcome: 'warn',
        saw: expect.stringContaining('OPUSDNS_PROXY_LISTN'),
      }),
    )
  })

  test.each([
    ['a key that is unknown', 'opk_unknown', 'fail', 2, /401/],
    ['a key whose role is broad', 'opk_broad', 'warn', 0, /Role owner/],
    ['a key that expires soon', 'opk_soon', 'warn', 0, /Expires on/],
    ['a key that was revoked', 'opk_revoked', 'fail', 2, /401/],
  ])('of %s says so', async (_what, key, outcome, exit, saw) => {
    const simulator = await simulated({
      apiKeys: [
        { key: 'opk_broad', role: 'owner' },
        { ...NARROW, key: 'opk_soon', expiresOn: new Date(Date.now() + 20 * DAY).toISOString() },
        { ...NARROW, key: 'opk_revoked', status: 'revoked' },
      ],
    })
    const { code, of } = await doctor({ OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: key })
    expect(of('credential').saw).toMatch(saw)
    expect([of('credential').outcome, code]).toEqual([outcome, exit])
    expect(of('credential').remedy).not.toBeNull()
  })

  test('tries the previous secret, and key, when the current one is refused', async () => {
    const simulator = await simulated({ apiKeys: [NARROW], clients: [SEED_CLIENT] })
    const files = {
      wrong: 'opk_wrong',
      'right-key': NARROW.key,
      'right-secret': SEED_CLIENT.secret,
    }
    const cwd = folder()
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(cwd, name), text, { mode: 0o600 })
    }
    const at = (name: string) => `"file:${join(cwd, name)}"`
    const env = { OPUSDNS_API_BASE: simulator.origin }
    const [oauth, key] = await Promise.all([
      doctor(env, {
        config: `credential: { client_id: ${SEED_CLIENT.id}, client_secret: ${at('wrong')}, previous_client_secret: ${at('right-secret')} }`,
      }),
      doctor(env, {
        config: `credential: { api_key: ${at('wrong')}, previous_api_key: ${at('right-key')} }`,
      }),
    ])
    expect([oauth.code, oauth.of('token').outcome]).toEqual([0, 'warn'])
    expect(oauth.of('token').saw).toContain('by the previous secret')
    expect([key.code, key.of('credential').outcome]).toEqual([0, 'warn'])
    expect(key.of('credential').saw).toMatch(/\. It is the previous key\.$/)
    expect(simulator.tokenRequests).toBe(2)
  })

  test.each([
    [10, 'warn', 0],
    [-10, 'warn', 0],
    [3600, 'fail', 1],
    [-90, 'fail', 1],
  ])('of a clock that is %d s off says %s, with %d', async (dateSkew, outcome, exit) => {
    const simulator = await simulated()
    simulator.faults.dateSkew = dateSkew
    const { code, of } = await doctor({
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_API_KEY: NARROW.key,
    })
    expect([of('clock').outcome, code]).toEqual([outcome, exit])
    expect(of('clock').saw).toContain(dateSkew > 0 ? 'behind' : 'ahead')
  })

  test('names the first step on the way that fails, and skips those after it', async () => {
    const simulator = await simulated()
    simulator.faults.status = 503
    const key = { OPUSDNS_API_KEY: NARROW.key }
    const [broken, nobody] = await Promise.all([
      doctor({ ...key, OPUSDNS_API_BASE: simulator.origin }),
      doctor({ ...PAIR, OPUSDNS_API_BASE: 'http://127.0.0.1:1' }),
    ])
    expect(broken.outcomes()).toMatchObject({ tcp: 'ok', http: 'fail', credential: 'skip' })
    expect(broken.of('credential').saw).toContain('see http')
    expect(nobody.outcomes()).toMatchObject({
      tcp: 'fail',
      http: 'skip',
      clock: 'skip',
      token: 'skip',
      credential: 'skip',
    })
    expect(nobody.of('tcp').saw).toContain('ECONNREFUSED')
    expect([broken.code, nobody.code]).toEqual([2, 2])
  })

  test('tells who may read and write the files of secrets', async () => {
    const simulator = await simulated()
    const cwd = folder()
    const [open, shut] = [join(cwd, 'open'), join(cwd, 'shut')]
    for (const path of [open, shut]) writeFileSync(path, NARROW.key, { mode: 0o600 })
    chmodSync(open, 0o666)
    const env = { OPUSDNS_API_BASE: simulator.origin }
    const run = (path: string) => doctor({ ...env, OPUSDNS_API_KEY_FILE: path }, { cwd })
    const [wide, tight, none] = await Promise.all([run(open), run(shut), run(join(cwd, 'absent'))])
    expect(wide.of(`permissions:${open}`)).toMatchObject({
      outcome: 'warn',
      saw: expect.stringContaining('mode 0666'),
      remedy: expect.stringMatching(/chmod 0600.*chmod go-w/),
    })
    expect(tight.of(`permissions:${shut}`).outcome).toBe('ok')
    expect(tight.of('secret:credential.api_key').saw).toContain('written within the last day')
    expect(none.of('secret:credential.api_key')).toMatchObject({ outcome: 'fail' })
    expect(none.of('credential')).toMatchObject({ outcome: 'skip' })
    expect([wide.code, tight.code, none.code]).toEqual([0, 0, 1])
  })
})

describe('doctor and TLS', () => {
  const ours = authority('doctor test CA')
  const HOUR = 3_600_000

  async function upstreamOf(leaf: Parameters<typeof ours.issue>[0]) {
    const upstream = await rawUpstream(undefined, { tls: ours.issue(leaf) })
    onTestFinished(() => upstream.close())
    return upstream
  }

  test.each([
    [
      'that is good',
      {},
      true,
      'warn',
      /trusted; TLSv1\.[23]; certificate for DNS:localhost; issued by doctor test CA/,
    ],
    ['of a CA that is not configured', {}, false, 'fail', /UNABLE_TO.*issued by doctor test CA/],
    [
      'for another name',
      { name: 'api.opusdns.com' },
      true,
      'fail',
      /ALTNAME.*DNS:api\.opusdns\.com/,
    ],
    ['that is over', { notAfter: new Date(Date.now() - HOUR) }, true, 'fail', /CERT_HAS_EXPIRED/],
  ] as const)(
    'sees a certificate %s, and goes no further with a bad one',
    async (_what, leaf, ca, outcome, saw) => {
      const upstream = await upstreamOf(leaf)
      const cwd = folder()
      writeFileSync(join(cwd, 'ca.pem'), ours.cert)
      const { code, of } = await doctor(
        { OPUSDNS_API_BASE: upstream.origin, OPUSDNS_API_KEY: NARROW.key },
        { cwd, config: ca ? `upstream: { ca_file: ${cwd}/ca.pem }` : '{}' },
      )
      // The good one lives for a day, which is a warning.
      expect(of('tls').outcome).toBe(outcome)
      expect(of('tls').saw).toMatch(saw)
      if (outcome === 'fail') {
        expect(code).toBe(2)
        expect([of('http').outcome, of('credential').outcome]).toEqual(['skip', 'skip'])
      }
    },
  )

  test('judges the certificates of its own listeners', async () => {
    const simulator = await simulated()
    const long = { notAfter: new Date(Date.now() + 90 * DAY) }
    const [good, other, over] = [
      ours.issue(long),
      ours.issue(long),
      ours.issue({ notAfter: new Date(Date.now() - HOUR) }),
    ]
    const cwd = folder()
    const write = (name: string, text: string) => {
      writeFileSync(join(cwd, name), text, { mode: 0o600 })
      return join(cwd, name)
    }
    const cert = write('good.pem', good.cert)
    const key = write('good.key', good.key)
    const entry = (port: number, certificate: string, secret: string) =>
      `  - { address: '127.0.0.1:${port}', tls: { certificate_file: ${certificate}, key_file: ${secret} } }\n`
    const { code, of } = await doctor(
      { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: NARROW.key, OPUSDNS_PROXY_LISTEN: '' },
      {
        cwd,
        config: `listen:\n${entry(2, cert, key)}${entry(3, cert, write('other.key', other.key))}${entry(4, write('over.pem', over.cert), write('over.key', over.key))}`,
      },
    )
    expect(code).toBe(1)
    expect(of('certificate:127.0.0.1:2').outcome).toBe('ok')
    expect(of('certificate:127.0.0.1:3')).toMatchObject({
      outcome: 'fail',
      saw: expect.stringContaining('does not belong'),
    })
    expect(of('certificate:127.0.0.1:4').outcome).toBe('fail')
    expect(of(`permissions:${key}`).outcome).toBe('ok')
  })
})

test('with a canary as the credential, doctor says it in no case and in neither form', async () => {
  const [good, skewed, garbling, refusing] = await Promise.all([
    startCanarySimulator(),
    startCanarySimulator(),
    startCanarySimulator(),
    startCanarySimulator(),
  ])
  skewed.faults.dateSkew = 3600
  const canary = 'opaqueTokenCanary0123456789abcdefXYZ'
  garbling.faults.tokenBody = `{"access_token":"${canary}","token_type":"${canary}","expires_in":60}`
  garbling.faults.body = JSON.stringify({ role: KEY, status: SECRET, expires_at: KEY })
  refusing.faults.status = 500
  const pair = { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SECRET }
  const key = { OPUSDNS_API_KEY: KEY }
  const cwd = folder()
  writeFileSync(join(cwd, 'wide'), KEY, { mode: 0o644 })
  writeFileSync(join(cwd, 'json'), JSON.stringify({ a: { b: SECRET } }), { mode: 0o600 })
  const at = (base: string) => ({ OPUSDNS_API_BASE: base })
  const cases: [Record<string, string>, string?][] = [
    [{ ...at(good.origin), ...key }],
    [{ ...at(good.origin), ...pair }],
    [{ ...at(good.origin), OPUSDNS_API_KEY: `${KEY}x` }],
    [{ ...at(good.origin), ...pair, OPUSDNS_CLIENT_SECRET: `${SECRET}x` }],
    [{ ...at(good.origin), ...key, ...pair }],
    [{ ...at(good.origin), OPUSDNS_API_KEY: `${KEY}\u0007` }],
    [{ ...at(good.origin), OPUSDNS_API_KEY_FILE: join(cwd, 'wide') }],
    [at(good.origin), `credential: { api_key: "${KEY}" }`],
    [at(good.origin), `credential: { api_key: "file:${join(cwd, 'json')}#a" }`],
    [
      at(good.origin),
      `credential: { api_key: { exec: ["/bin/sh", "-c", "echo '${KEY}' >&2; exit 3"] } }`,
    ],
    [
      at(good.origin),
      `credential: { client_id: ${SEED_CLIENT.id}, client_secret: "file:${join(cwd, 'json')}#a.b" }`,
    ],
    [at(good.origin), `${SECRET}: ${KEY}\n  : [`],
    [{ ...at(skewed.origin), ...pair }],
    [{ ...at(garbling.origin), ...pair }],
    [{ ...at(garbling.origin), ...key }],
    [{ ...at(refusing.origin), ...key }],
    [{ ...at('http://127.0.0.1:1'), ...pair }],
  ]
  const texts: Record<string, string> = {}
  for (const [index, [env, config]] of cases.entries()) {
    for (const args of [[], ['--json']]) {
      const { code, out, err } = await say(args, { env, config })
      expect(out.length).toBeGreaterThan(200)
      expect([0, 1, 2]).toContain(code)
      texts[`case ${index} ${args.join(' ')}`] = out + err
    }
  }
  const tokens = [good, skewed, garbling].flatMap((simulator) => tokensSent(simulator))
  expect(tokens.filter((token) => token.length > 20).length).toBeGreaterThan(2)
  expect(Object.keys(texts)).toHaveLength(cases.length * 2)
  expect(leaks(texts, [KEY, SECRET, canary, ...tokens])).toEqual([])
})

test('an upstream that shows the credential as its role, or names it, is not quoted', async () => {
  const simulator = await simulated({})
  const secret = 'LooksLikeARole_0123456789'
  simulator.clients.push({ ...SEED_CLIENT, secret })
  simulator.faults.body = JSON.stringify({ role: `x ${secret}`, status: secret })
  const env = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: secret }
  const texts = {
    text: (await say([], { env })).out,
    json: (await say(['--json'], { env })).out,
  }
  expect(texts.text).toContain('OpusDNS accepts')
  expect(leaks(texts, [secret])).toEqual([])
})
