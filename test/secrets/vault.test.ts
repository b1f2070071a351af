// Secrets from a Vault: one suite against the stub, and against a real OpenBao or Vault where
// OPUSDNS_TEST_VAULT names its program.

import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { parseReference } from '../../src/secrets/reference-options.ts'
import type { ReferenceOf } from '../../src/secrets/reference-options.ts'
import { secretSources } from '../../src/secrets/reference.ts'
import { vaultOptions } from '../../src/secrets/vault-options.ts'
import { REFUSAL_PAUSE_MS } from '../../src/secrets/vault-session.ts'
import { vaultSources } from '../../src/secrets/vault.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'
import { secretSourceContract } from '../contracts/secret-source.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock } from '../support/manual-clock.ts'
import { vaultFront } from '../support/vault-front.ts'
import type { VaultFront } from '../support/vault-front.ts'
import { realWorld, stubWorld } from '../support/vault-world.ts'
import type { VaultWorld } from '../support/vault-world.ts'

const PROGRAM = process.env['OPUSDNS_TEST_VAULT']
const WORLDS = [
  { against: 'a stub from the API documentation', open: stubWorld, runs: true },
  {
    against: 'a real server (OPUSDNS_TEST_VAULT)',
    open: () => realWorld(PROGRAM ?? ''),
    runs: PROGRAM !== undefined,
  },
]

const UNUSED = (): never => {
  throw new Error('asked for a secret that is not needed')
}

interface BuildOptions {
  readonly auth?: Readonly<Record<string, unknown>>
  readonly namespace?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly clock?: ReturnType<typeof manualClock>
}

/** A builder of sources that share settings, as those of one proxy do. */
function builder(address: string, options: BuildOptions = {}) {
  const { auth, namespace, environment = { VAULT_TOKEN: 'root' } } = options
  const clock = options.clock ?? manualClock()
  const settings = secretsOptions.parse({ vault: { address, auth, namespace } })
  const source = secretSources({ clock, environment, captured: new Map(), vendors: settings })
  return (text: string) => {
    const reference = parseReference(text, { timeout: 4000, lifetime: 300_000 })
    if (reference?.kind !== 'vault') throw new Error('no reference')
    return source(reference)
  }
}

const value = async (source: { read(): Promise<{ reveal(): string }> }) =>
  (await source.read()).reveal()

async function detail(source: { read(): Promise<unknown> }): Promise<string> {
  const outcome: unknown = await source.read().catch((error: unknown) => error)
  if (!(outcome instanceof Fault)) throw new Error(`no Fault: ${inspect(outcome)}`)
  expect(inspect(outcome, { depth: 9, showHidden: true })).not.toContain('canary')
  return outcome.message
}

describe.each(WORLDS)('a vault: reference, against $against', ({ against, open, runs }) => {
  let world: VaultWorld
  let front: VaultFront
  let folder: string
  let count = 0
  /** Names of this test's own mounts. */
  let v1: string
  let v2: string

  beforeAll(async () => {
    if (!runs) return
    world = await open()
  }, 40_000)
  afterAll(async () => {
    await world?.end()
  })

  async function fresh(): Promise<{ v1: string; v2: string }> {
    const names = { v1: `one${++count}`, v2: `two${count}` }
    await world.ask('POST', `sys/mounts/${names.v1}`, { type: 'kv', options: { version: '1' } })
    await world.ask('POST', `sys/mounts/${names.v2}`, { type: 'kv', options: { version: '2' } })
    // The real engine upgrades itself in the background after it was mounted.
    await eventually(() => world.ask('POST', `${names.v2}/data/warm`, { data: { a: 'b' } }))
    return names
  }

  const store = (path: string, data: unknown, namespace?: string) =>
    world.ask('POST', path, data, namespace)
  const policy = (name: string, ...paths: readonly string[]) =>
    world.ask('POST', `sys/policies/acl/${name}`, {
      policy: JSON.stringify({
        path: Object.fromEntries(paths.map((path) => [path, { capabilities: ['read'] }])),
      }),
    })
  const written = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  /** A role that may read `v1/key`, as the options of a login. */
  async function approle(fields: Readonly<Record<string, unknown>> = {}, path = `${v1}/key`) {
    const mount = `app${count}`
    await policy(`read${count}`, path)
    await world.ask('POST', `sys/auth/${mount}`, { type: 'approle' })
    const role = { token_policies: [`read${count}`], token_ttl: '60s', ...fields }
    await world.ask('POST', `auth/${mount}/role/proxy`, role)
    const { data } = await world.ask('GET', `auth/${mount}/role/proxy/role-id`)
    if (fields['bind_secret_id'] === false)
      return { method: 'approle', mount, role_id: data['role_id'] }
    const secret = await world.ask('POST', `auth/${mount}/role/proxy/secret-id`, {})
    const file = written('secret-id', secret.data['secret_id'] ?? '')
    const role_id = data['role_id'] ?? ''
    return { method: 'approle', mount, role_id, secret_id: `file:${file}` }
  }
  const asked = (end: string) => front.requests.filter((request) => request.endsWith(end)).length

  describe.runIf(runs)('with KV, tokens and logins', { timeout: 30_000 }, () => {
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'vault-test-'))
      ;({ v1, v2 } = await fresh())
      front = await vaultFront(world.address)
    })
    afterEach(async () => {
      await front.shut()
      rmSync(folder, { recursive: true, force: true })
    })

    test('reads a field of version 1 and of version 2 of the engine', async () => {
      await store(`${v1}/a/key`, { api_key: 'opk_one', other: 'x' })
      await store(`${v2}/data/a/key`, { data: { api_key: 'opk_two', other: 'x' } })
      const source = builder(front.address)
      expect(await value(source(`vault:${v1}/a/key#api_key`))).toBe('opk_one')
      expect(await value(source(`vault:${v2}/data/a/key#api_key`))).toBe('opk_two')
    })

    test('takes a secret of version 1 with fields named data and metadata as it is', async () => {
      await store(`${v1}/key`, { data: { key: 'inner' }, metadata: { version: 1 }, key: 'outer' })
      expect(await value(builder(front.address)(`vault:${v1}/key#key`))).toBe('outer')
    })

    test('follows the newest version unless one is pinned', async () => {
      await store(`${v2}/data/key`, { data: { k: 'old' } })
      await store(`${v2}/data/key`, { data: { k: 'new' } })
      const source = builder(front.address)
      expect(await value(source(`vault:${v2}/data/key#k`))).toBe('new')
      expect(await value(source(`vault:${v2}/data/key?version=1#k`))).toBe('old')
      expect(await detail(source(`vault:${v2}/data/key?version=7#k`))).toContain(
        'whether that version exists',
      )
    })

    test('says which of the mistakes with a path it is', async () => {
      await store(`${v1}/key`, { k: 'x' })
      await store(`${v2}/data/key`, { data: { k: 'x' } })
      const source = builder(front.address)
      const of = (text: string) => detail(source(`vault:${text}`))
      expect(await of(`${v2}/key#k`)).toContain('paths have data/ in them')
      expect(await of(`${v1}/data/key#k`)).toContain('and not for version 1')
      expect(await of(`${v1}/absent#k`)).toContain('is not there (HTTP 404): check the path')
      expect(await of('nomount/key#k')).toContain('is below no mount')
      expect(await of(`${v1}/key?version=1#k`)).toContain('leave out ?version')
      expect(await of(`${v1}/key#absent`)).toContain('has no field absent: check the name behind #')
      await world.ask('DELETE', `${v2}/data/key`)
      expect(await of(`${v2}/data/key#k`)).toContain('was deleted or destroyed')
      await store(`${v2}/data/key`, { data: { k: 'x' } })
      await store(`${v2}/destroy/key`, { versions: [2] })
      expect(await of(`${v2}/data/key#k`)).toContain('was deleted or destroyed')
    })

    test('says that a server is sealed, and reads again once it is not', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const source = builder(front.address)(`vault:${v1}/key#k`)
      await world.seal()
      try {
        expect(await detail(source)).toContain('sealed or under maintenance (HTTP 503): unseal it')
      } finally {
        await world.unseal()
      }
      expect(await eventually(() => value(source))).toBe('x')
    })

    test('reads in a namespace, from the options or from VAULT_NAMESPACE', async () => {
      const team = `team${count}`
      await world.ask('POST', `sys/namespaces/${team}`, {})
      const kv = { type: 'kv', options: { version: '1' } }
      await world.ask('POST', `sys/mounts/${v1}`, kv, team)
      await store(`${v1}/key`, { k: 'outside' })
      await store(`${v1}/key`, { k: 'inside' }, team)
      const text = `vault:${v1}/key#k`
      expect(await value(builder(front.address)(text))).toBe('outside')
      expect(await value(builder(front.address, { namespace: team })(text))).toBe('inside')
      const environment = { VAULT_TOKEN: 'root', VAULT_NAMESPACE: team }
      expect(await value(builder(front.address, { environment })(text))).toBe('inside')
      expect(await detail(builder(front.address, { namespace: 'nowhere' })(text))).toContain(
        'is in a namespace that does not exist',
      )
    })

    test('shares one login among all references, and those that ask at once', async () => {
      await store(`${v1}/key`, { a: 'x', b: 'y' })
      const source = builder(front.address, { auth: await approle() })
      const sources = ['a', 'b', 'a'].map((field) => source(`vault:${v1}/key#${field}`))
      expect(await Promise.all(sources.map(value))).toEqual(['x', 'y', 'x'])
      expect(asked('login')).toBe(1)
    })

    test('says that a login was refused, without what the server said', async () => {
      const auth = await approle()
      const { secret_id = '' } = auth
      writeFileSync(secret_id.slice('file:'.length), 'wrong-canary')
      const text = `vault:${v1}/key#k`
      expect(await detail(builder(front.address, { auth })(text))).toContain(
        'cannot log in (HTTP 4',
      )
      rmSync(secret_id.slice('file:'.length))
      expect(await detail(builder(front.address, { auth })(text))).toContain(
        `cannot log in: ${secret_id} cannot be read (ENOENT)`,
      )
    })

    test('logs in with a role that needs no secret id', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const auth = await approle({
        bind_secret_id: false,
        token_bound_cidrs: ['127.0.0.0/8'],
      })
      expect(await value(builder(front.address, { auth })(`vault:${v1}/key#k`))).toBe('x')
    })

    test('renews its token at two thirds of its life while somebody watches', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const clock = manualClock()
      const source = builder(front.address, { auth: await approle(), clock })(`vault:${v1}/key#k`)
      const end = source.watch?.(() => {})
      await source.read()
      await clock.advance(39_000)
      expect(asked('renew-self')).toBe(0)
      await clock.advance(1500)
      await eventually(() => asked('renew-self') === 1)
      await eventually(async () => {
        await clock.advance(5000)
        return asked('renew-self') >= 2
      })
      expect(asked('login')).toBe(1)
      expect(await value(source)).toBe('x')
      end?.()
      await source.read()
      const before = asked('renew-self')
      await clock.advance(600_000)
      expect(asked('renew-self')).toBe(before)
    })

    test('logs in anew when its token cannot be renewed', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const clock = manualClock()
      const auth = await approle({ token_type: 'batch' })
      const source = builder(front.address, { auth, clock })(`vault:${v1}/key#k`)
      await source.read()
      await clock.advance(41_000)
      expect(await value(source)).toBe('x')
      expect(asked('login')).toBe(2)
    })

    test('logs in anew, once, when its token was revoked', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const source = builder(front.address, { auth: await approle() })(`vault:${v1}/key#k`)
      await source.read()
      await world.ask('POST', 'auth/token/revoke', { token: [...front.tokens].at(-1) })
      expect(await value(source)).toBe('x')
      expect(asked('login')).toBe(2)
    })

    test('makes no flood of tokens when a policy denies', async () => {
      const clock = manualClock()
      const auth = await approle({}, `${v1}/other`)
      const source = builder(front.address, { auth, clock })(`vault:${v1}/key#k`)
      for (let time = 0; time < 4; time++) {
        expect(await detail(source)).toContain('is not permitted (HTTP 403)')
      }
      expect(asked('login')).toBe(2)
      await clock.advance(REFUSAL_PAUSE_MS)
      await detail(source)
      expect(asked('login')).toBe(3)
    })

    test('takes the new token out of the file when the old one was revoked', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const token = async () =>
        (await world.ask('POST', 'auth/token/create', { ttl: '300s', policies: ['root'] })).auth
          .client_token
      const [old, next] = [await token(), await token()]
      const file = written('token', `${old}\n`)
      const auth = { method: 'token', token: `file:${file}` }
      const source = builder(front.address, { auth })(`vault:${v1}/key#k`)
      expect(await value(source)).toBe('x')
      await world.ask('POST', 'auth/token/revoke', { token: old })
      expect(await detail(source)).toContain('see that the token is valid')
      writeFileSync(file, next)
      const again = builder(front.address, { auth })(`vault:${v1}/key#k`)
      expect(await value(again)).toBe('x')
      await world.ask('POST', 'auth/token/revoke', { token: next })
      writeFileSync(file, await token())
      expect(await value(again)).toBe('x')
    })

    test('renews a token that was handed to it', async () => {
      await store(`${v1}/key`, { k: 'x' })
      const { auth } = await world.ask('POST', 'auth/token/create', {
        ttl: '90s',
        policies: ['root'],
      })
      const environment = { VAULT_TOKEN: auth.client_token }
      const clock = manualClock()
      const source = builder(front.address, { environment, clock })(`vault:${v1}/key#k`)
      const end = source.watch?.(() => {})
      await source.read()
      await clock.advance(61_000)
      await eventually(() => asked('renew-self') === 1)
      end?.()
      expect(await value(source)).toBe('x')
    })

    test('reads earlier than its lifetime when the lease is shorter', async () => {
      await store(`${v1}/key`, { k: 'x', ttl: '30s' })
      const clock = manualClock()
      const source = builder(front.address, { clock })(`vault:${v1}/key#k`)
      let told = 0
      const end = source.watch?.(() => told++)
      await source.read()
      await clock.advance(19_900)
      expect(told).toBe(0)
      await clock.advance(200)
      expect(told).toBe(1)
      end?.()
    })

    test('logs in with a JWT, and refuses a forged one', async () => {
      await store(`${v1}/key`, { k: 'x' })
      await policy(`read${count}`, `${v1}/key`)
      const mount = `jwt${count}`
      const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const pem = keys.publicKey.export({ type: 'spki', format: 'pem' })
      await world.ask('POST', `sys/auth/${mount}`, { type: 'jwt' })
      await world.ask('POST', `auth/${mount}/config`, { jwt_validation_pubkeys: [pem] })
      await world.ask('POST', `auth/${mount}/role/proxy`, {
        role_type: 'jwt',
        user_claim: 'sub',
        bound_audiences: ['vault'],
        token_policies: [`read${count}`],
        token_ttl: '60s',
      })
      const seconds = Math.floor(Date.now() / 1000)
      const claims = { sub: 'proxy', aud: 'vault', iat: seconds, exp: seconds + 300 }
      const encoded = (it: unknown) => Buffer.from(JSON.stringify(it)).toString('base64url')
      const signed = `${encoded({ alg: 'ES256', typ: 'JWT' })}.${encoded(claims)}`
      const signature = sign('sha256', Buffer.from(signed), {
        key: keys.privateKey,
        dsaEncoding: 'ieee-p1363',
      })
      const file = written('jwt', `${signed}.${signature.toString('base64url')}\n`)
      const auth = { method: 'jwt', mount, role: 'proxy', token_file: file }
      expect(await value(builder(front.address, { auth })(`vault:${v1}/key#k`))).toBe('x')
      writeFileSync(file, `${signed}.${Buffer.alloc(64, 7).toString('base64url')}`)
      expect(await detail(builder(front.address, { auth })(`vault:${v1}/key#k`))).toContain(
        'cannot log in (HTTP 40',
      )
    })

    test("logs in with a pod's service account, which the server has reviewed", async () => {
      await store(`${v1}/key`, { k: 'x' })
      await policy(`read${count}`, `${v1}/key`)
      const jwt = serviceAccountToken()
      const cluster = createServer((question, reply) => {
        const chunks: Buffer[] = []
        question.on('data', (chunk: Buffer) => chunks.push(chunk))
        question.on('end', () => {
          const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as {
            spec: { token: string }
          }
          const user = {
            username: 'system:serviceaccount:dns:proxy',
            uid: 'u-1',
            groups: ['system:serviceaccounts'],
          }
          const status = { authenticated: spec.token === jwt, user }
          reply.writeHead(201, { 'content-type': 'application/json' })
          const kind = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1' }
          reply.end(JSON.stringify({ ...kind, status }))
        })
      })
      await new Promise<void>((resolve) => void cluster.listen(0, '127.0.0.1', resolve))
      const host = `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`
      const mount = `k8s${count}`
      await world.ask('POST', `sys/auth/${mount}`, { type: 'kubernetes' })
      await world.ask('POST', `auth/${mount}/config`, {
        kubernetes_host: host,
        token_reviewer_jwt: jwt,
        disable_local_ca_jwt: true,
        kubernetes_ca_cert: authority('cluster').cert,
      })
      await world.ask('POST', `auth/${mount}/role/proxy`, {
        bound_service_account_names: ['proxy'],
        bound_service_account_namespaces: ['dns'],
        token_policies: [`read${count}`],
        token_ttl: '60s',
      })
      const auth = { method: 'kubernetes', mount, role: 'proxy', token_file: written('sa', jwt) }
      expect(await value(builder(front.address, { auth })(`vault:${v1}/key#k`))).toBe('x')
      await new Promise<void>((resolve) => void cluster.close(() => resolve()))
    })
  })

  describe.runIf(runs)('as every source', () => {
    secretSourceContract({
      kind: 'vault',
      against: `${against}, AppRole and version 2 of the engine`,
      failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
      extracts: ['base64'],
      async start() {
        const names = await fresh()
        const path = `${names.v2}/data/opusdns`
        const before = await vaultFront(world.address)
        const may = (...paths: readonly string[]) => policy(`contract${count}`, ...paths)
        const mount = `contract${count}`
        const role = { token_policies: [mount], bind_secret_id: true }
        await world.ask('POST', `sys/auth/${mount}`, { type: 'approle' })
        await world.ask('POST', `auth/${mount}/role/proxy`, role)
        const { data } = await world.ask('GET', `auth/${mount}/role/proxy/role-id`)
        const secret = await world.ask('POST', `auth/${mount}/role/proxy/secret-id`, {})
        const home = mkdtempSync(join(tmpdir(), 'vault-contract-'))
        writeFileSync(join(home, 'id'), secret.data['secret_id'] ?? '', { mode: 0o600 })
        await may(path)
        return {
          source({ clock, timeout, lifetime, extract }) {
            const settings = secretsOptions.parse({
              vault: {
                address: before.address,
                auth: {
                  method: 'approle',
                  mount,
                  role_id: data['role_id'],
                  secret_id: `file:${join(home, 'id')}`,
                },
              },
            })
            const deps = { clock, environment: {}, captured: new Map(), vendors: settings }
            const field = { field: 'api_key', ...extract }
            return secretSources(deps)({ kind: 'vault', path, timeout, lifetime, extract: field })
          },
          async set(stored) {
            await before.open()
            await may(path)
            await store(path, { data: { api_key: stored } })
          },
          async fail(how, canary) {
            if (how === 'missing') await world.ask('DELETE', `${names.v2}/metadata/opusdns`)
            if (how === 'denied') await may()
            if (how === 'unreachable') await before.shut()
            if (how === 'garbage' || how === 'error' || how === 'hang') before.treat(how, canary)
          },
          asked: () => before.requests.length,
          async end() {
            await before.shut()
            rmSync(home, { recursive: true, force: true })
          },
        }
      },
    })
  })
})

describe('without a server that it may ask, a vault: reference says so', () => {
  const reference: ReferenceOf<'vault'> = {
    kind: 'vault',
    path: 'secret/data/a',
    extract: { field: 'k' },
    timeout: 1000,
    lifetime: 1000,
  }
  const with_ = (environment: Readonly<Record<string, string>>, written: unknown = {}) =>
    detail(
      vaultSources(vaultOptions.parse(written), {
        clock: manualClock(),
        environment,
        secret: UNUSED,
      })(reference),
    )

  test('when none is configured', async () => {
    expect(await with_({ VAULT_TOKEN: 't' })).toContain('set secrets.vault.address or VAULT_ADDR')
  })

  test('when VAULT_ADDR is plain http to another machine', async () => {
    expect(await with_({ VAULT_TOKEN: 't', VAULT_ADDR: 'http://vault.example:8200' })).toContain(
      'would travel over plain http to another machine',
    )
  })

  test('when the environment has no token', async () => {
    expect(await with_({ VAULT_ADDR: 'http://127.0.0.1:1' })).toContain('set VAULT_TOKEN')
  })

  test('when the file of authorities cannot be read', async () => {
    const environment = { VAULT_TOKEN: 't', VAULT_ADDR: 'https://127.0.0.1:1' }
    expect(await with_({ ...environment, VAULT_CACERT: '/nowhere/ca.pem' })).toContain('ENOENT')
  })

  test("and BAO_ADDR, OpenBao's own name, comes before VAULT_ADDR", async () => {
    const environment = { VAULT_TOKEN: 't', VAULT_ADDR: 'http://evil.example' }
    expect(await with_({ ...environment, BAO_ADDR: 'http://127.0.0.1:1' })).toMatch(
      /cannot be asked for \(ECONNREFUSED\): .+ \(server http:\/\/127\.0\.0\.1:1\)\.$/,
    )
  })

  test('and what is no address is not shown, for it may be a token in the wrong variable', async () => {
    const said = await with_({ VAULT_TOKEN: 't', VAULT_ADDR: 'https://hvs.canary@vault.example' })
    expect(said).toContain('has a server address that is no origin')
    expect(said).not.toContain('canary')
  })
})

test('a vault: reference trusts the authority in ca_file, and without it asks nobody', async () => {
  const ours = authority('ours')
  let tokens = 0
  const server = createTlsServer(ours.issue(), (asked, reply) => {
    if (asked.headers['x-vault-token'] !== undefined) tokens++
    const data = asked.url?.includes('lookup') === true ? { ttl: 0 } : { k: 'x' }
    reply.end(JSON.stringify({ lease_duration: 0, data }))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'vault-ca-'))
  const ca_file = join(folder, 'ca.pem')
  writeFileSync(ca_file, ours.cert)
  const address = `https://localhost:${(server.address() as AddressInfo).port}`
  const source = (written: unknown) =>
    vaultSources(vaultOptions.parse(written), {
      clock: manualClock(),
      environment: { VAULT_TOKEN: 't' },
      secret: UNUSED,
    })({ kind: 'vault', path: 'a/b', extract: { field: 'k' }, timeout: 4000, lifetime: 1000 })
  expect(await detail(source({ address }))).toContain('for a certificate, secrets.vault.ca_file')
  expect(tokens).toBe(0)
  expect(await value(source({ address, ca_file }))).toBe('x')
  server.close()
  rmSync(folder, { recursive: true })
})

describe('secrets.vault', () => {
  const problems = (written: unknown) =>
    vaultOptions.safeParse(written).error?.issues.map((issue) => issue.message) ?? []

  test.each([
    'http://vault.example:8200',
    'https://vault.example/v1',
    'https://u:p@vault.example',
    'x',
  ])('takes no address such as %s', (address) => {
    expect(problems({ address })).toHaveLength(1)
  })

  test.each(['https://vault.example:8200', 'https://vault.example/', 'http://127.0.0.1:8200'])(
    'takes the address %s',
    (address) => {
      expect(problems({ address })).toEqual([])
    },
  )

  test('takes no login that would itself need a vault', () => {
    const secret_id = 'vault:secret/data/a#b'
    expect(problems({ auth: { method: 'approle', role_id: 'r', secret_id } })[0]).toContain(
      'is not on this machine',
    )
  })
})

/** An unsigned token as a cluster makes them; its own TokenReview judges it. */
function serviceAccountToken(): string {
  const encoded = (it: unknown) => Buffer.from(JSON.stringify(it)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: 'kubernetes/serviceaccount',
    sub: 'system:serviceaccount:dns:proxy',
    'kubernetes.io': { namespace: 'dns', serviceaccount: { name: 'proxy', uid: 'u-1' } },
    iat: now,
    nbf: now,
    exp: now + 600,
  }
  return `${encoded({ alg: 'ES256', typ: 'JWT' })}.${encoded(claims)}.${Buffer.alloc(64, 1).toString('base64url')}`
}
