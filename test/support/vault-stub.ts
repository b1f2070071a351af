// A stub of Vault and OpenBao, written from their HTTP API documentation and mended where OpenBao
// 2.7.2 answered otherwise (test/secrets/vault.test.ts runs one suite against both). It has what the
// suite needs: KV versions 1 and 2, policies without globs, tokens with a TTL, AppRole, JWT (ES256),
// Kubernetes (a real TokenReview request), namespaces, sealing.

import { createVerify, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = Readonly<Record<string, unknown>>

interface Token {
  readonly policies: readonly string[]
  readonly namespace: string
  readonly ttl: number
  readonly renewable: boolean
  readonly last: number
  end: number
}

interface Version {
  readonly data: Json
  readonly created: string
  deletion: string
  destroyed: boolean
}

interface Role {
  readonly kind: string
  readonly fields: Json
  readonly roleId: string
  readonly secretIds: Set<string>
}

/** Everything of one namespace. */
interface Space {
  readonly mounts: Map<string, 1 | 2>
  readonly auths: Map<string, { kind: string; config: Json; roles: Map<string, Role> }>
  readonly policies: Map<string, Json>
  readonly values: Map<string, Json>
  readonly versions: Map<string, Version[]>
}

class Refusal extends Error {
  readonly status: number
  readonly body: unknown

  constructor(status: number, ...errors: readonly string[]) {
    super('refused')
    this.status = status
    this.body = { errors }
  }
}

const DENIED = () => new Refusal(403, 'permission denied')
/** Seconds of a lease that nobody named: 32 days. */
const SYSTEM_TTL = 2_764_800

const space = (): Space => ({
  mounts: new Map(),
  auths: new Map(),
  policies: new Map(),
  values: new Map(),
  versions: new Map(),
})

/** Opens one, unsealed, with `root` as its root token and `key` as its unseal key. */
export async function vaultStub(): Promise<{ address: string; end(): Promise<void> }> {
  const spaces = new Map([['', space()]])
  const tokens = new Map<string, Token>()
  const root = { policies: ['root'], namespace: '', ttl: 0, renewable: false }
  tokens.set('root', { ...root, last: Infinity, end: Infinity })
  let sealed = false

  function newToken(namespace: string, fields: Json, policies: unknown) {
    const ttl = seconds(fields['token_ttl'] ?? fields['ttl']) || SYSTEM_TTL
    const most = seconds(fields['token_max_ttl'] ?? fields['explicit_max_ttl']) || SYSTEM_TTL
    const renewable = fields['renewable'] !== false && fields['token_type'] !== 'batch'
    const name = `s.${randomUUID()}`
    const now = Date.now()
    tokens.set(name, {
      policies: ['default', ...listed(policies)],
      namespace,
      ttl,
      renewable,
      last: now + most * 1000,
      end: now + ttl * 1000,
    })
    return { client_token: name, lease_duration: ttl, renewable, token_type: 'service' }
  }

  async function answer(
    method: string,
    url: URL,
    headers: NodeJS.Dict<string | string[]>,
    body: Json,
  ) {
    const path = decodeURIComponent(url.pathname.replace('/v1/', ''))
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = path.split('/')
    if (path === 'sys/unseal') {
      sealed = body['key'] !== 'key'
      return { sealed }
    }
    if (sealed) throw new Refusal(503, 'Vault is sealed')
    const namespace = String(headers['x-vault-namespace'] ?? '').replace(/\/$/, '')
    const here = spaces.get(namespace)
    if (here === undefined) throw new Refusal(404, 'namespace not found')
    const name = String(headers['x-vault-token'] ?? '')

    if (first === 'auth' && third === 'login') return login(here, namespace, second, body)

    const token = tokens.get(name)
    if (token === undefined || token.end <= Date.now()) throw DENIED()
    if (path === 'auth/token/lookup-self') {
      const ttl = token.end === Infinity ? 0 : Math.ceil((token.end - Date.now()) / 1000)
      return { data: { ttl, renewable: token.renewable, id: name, creation_ttl: token.ttl } }
    }
    if (path === 'auth/token/renew-self') {
      if (!token.renewable) throw new Refusal(400, 'lease is not renewable')
      token.end = Math.min(token.last, Date.now() + token.ttl * 1000)
      const left = Math.round((token.end - Date.now()) / 1000)
      return { auth: { client_token: name, lease_duration: left, renewable: true } }
    }
    if (!token.policies.includes('root')) {
      const may = token.policies.some((policy) => {
        const rule = here.policies.get(policy)?.[path] as Json | undefined
        return listed(rule?.['capabilities']).includes('read') && method === 'GET'
      })
      if (!may || token.namespace !== namespace) throw DENIED()
    }

    switch (`${first}/${second}`) {
      case 'sys/seal':
        sealed = true
        return undefined
      case 'sys/namespaces':
        spaces.set(third, space())
        return { data: { path: `${third}/` } }
      case 'sys/mounts': {
        const { version } = (body['options'] ?? {}) as Json
        here.mounts.set(third, version === '2' ? 2 : 1)
        return undefined
      }
      case 'sys/auth':
        here.auths.set(third, { kind: String(body['type']), config: {}, roles: new Map() })
        return undefined
      case 'sys/policies':
        here.policies.set(fourth, (JSON.parse(String(body['policy'])) as { path: Json }).path)
        return undefined
      case 'auth/token':
        if (third === 'revoke') tokens.delete(String(body['token']))
        return third === 'create'
          ? { auth: newToken(namespace, body, body['policies']) }
          : undefined
    }
    if (first === 'auth') {
      const auth = here.auths.get(second)
      if (auth === undefined)
        throw new Refusal(404, `no handler for route "${path}". route entry not found.`)
      if (third === 'config') {
        if (auth.kind === 'kubernetes' && body['kubernetes_ca_cert'] === undefined) {
          throw new Refusal(
            400,
            'kubernetes_ca_cert must be given when disable_local_ca_jwt is true',
          )
        }
        auth.config = body
      }
      if (third !== 'role') return undefined
      if (fifth === 'role-id') return { data: { role_id: auth.roles.get(fourth)?.roleId } }
      if (fifth === 'secret-id') {
        const role = auth.roles.get(fourth)
        if (role?.fields['bind_secret_id'] === false) {
          throw new Refusal(400, 'bind_secret_id is not set on the role')
        }
        const secret = randomUUID()
        role?.secretIds.add(secret)
        return { data: { secret_id: secret } }
      }
      const role = {
        kind: auth.kind,
        fields: body,
        roleId: randomUUID(),
        secretIds: new Set<string>(),
      }
      auth.roles.set(fourth, role)
      return undefined
    }
    const engine = here.mounts.get(first)
    if (engine === undefined) {
      throw new Refusal(404, `no handler for route "${path}". route entry not found.`)
    }
    return engine === 1 ? plain(here, method, path, body) : versioned(here, method, path, url, body)
  }

  async function login(here: Space, namespace: string, mount: string, body: Json) {
    const auth = here.auths.get(mount)
    if (auth === undefined) throw DENIED()
    if (auth.kind === 'approle') {
      const role = [...auth.roles.values()].find((it) => it.roleId === body['role_id'])
      const free = role?.fields['bind_secret_id'] === false
      if (role === undefined || (!free && !role.secretIds.has(String(body['secret_id'])))) {
        throw new Refusal(400, 'invalid role or secret ID')
      }
      return { auth: newToken(namespace, role.fields, role.fields['token_policies']) }
    }
    const role = auth.roles.get(String(body['role']))
    if (role === undefined)
      throw new Refusal(400, `role "${String(body['role'])}" could not be found`)
    const jwt = String(body['jwt'])
    if (auth.kind === 'kubernetes') await reviewed(auth.config, role, jwt)
    else verified(auth.config, role, jwt)
    return { auth: newToken(namespace, role.fields, role.fields['token_policies']) }
  }

  const server = createServer((asked, reply) => {
    const chunks: Buffer[] = []
    asked.on('data', (chunk: Buffer) => chunks.push(chunk))
    asked.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const body = (text === '' ? {} : JSON.parse(text)) as Json
      const url = new URL(asked.url ?? '/', 'http://stub')
      answer(asked.method ?? 'GET', url, asked.headers, body).then(
        (found) => {
          if (found === undefined) return reply.writeHead(204).end()
          const rest = { lease_id: '', renewable: false, lease_duration: 0, data: null, auth: null }
          return reply.end(JSON.stringify({ request_id: randomUUID(), ...rest, ...found }))
        },
        (error: unknown) => {
          const { status, body: said } =
            error instanceof Refusal ? error : new Refusal(500, String(error))
          reply.writeHead(status).end(JSON.stringify(said))
        },
      )
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    end: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

/** Version 1 of the KV engine. */
function plain(here: Space, method: string, path: string, body: Json) {
  if (method === 'POST') return void here.values.set(path, body)
  if (method === 'DELETE') return void here.values.delete(path)
  const data = here.values.get(path)
  if (data === undefined) throw new Refusal(404)
  return { data, lease_duration: seconds(data['ttl']) || SYSTEM_TTL }
}

/** Version 2. */
function versioned(here: Space, method: string, path: string, url: URL, body: Json) {
  const [mount = '', verb = '', ...rest] = path.split('/')
  const key = `${mount}/${rest.join('/')}`
  const kept = here.versions.get(key) ?? []
  if (verb === 'metadata' && method === 'DELETE') return void here.versions.delete(key)
  if (verb === 'destroy') {
    for (const number of body['versions'] as number[]) {
      const version = kept[number - 1]
      if (version !== undefined) version.destroyed = true
    }
    return undefined
  }
  if (verb !== 'data') {
    throw Object.assign(new Refusal(404), {
      body: {
        data: null,
        warnings: [
          'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use.',
        ],
      },
    })
  }
  const now = new Date().toISOString()
  if (method === 'POST') {
    kept.push({ data: body['data'] as Json, created: now, deletion: '', destroyed: false })
    here.versions.set(key, kept)
    return { data: { version: kept.length, created_time: now } }
  }
  const asked = Number(url.searchParams.get('version') ?? 0)
  const number = asked === 0 ? kept.length : asked
  const version = kept[number - 1]
  if (version === undefined) throw new Refusal(404)
  if (method === 'DELETE') return void (version.deletion = now)
  const gone = version.destroyed || version.deletion !== ''
  const data = {
    data: gone ? null : version.data,
    metadata: {
      created_time: version.created,
      custom_metadata: null,
      deletion_time: version.deletion,
      destroyed: version.destroyed,
      version: number,
    },
  }
  if (gone) throw Object.assign(new Refusal(404), { body: { data } })
  return { data }
}

function verified(config: Json, role: Role, jwt: string): void {
  const [head = '', claims = '', signature = ''] = jwt.split('.')
  const keys = listed(config['jwt_validation_pubkeys'])
  const good = keys.some((key) =>
    createVerify('sha256')
      .update(`${head}.${claims}`)
      .verify({ key, dsaEncoding: 'ieee-p1363' }, signature, 'base64url'),
  )
  const said = good ? (JSON.parse(Buffer.from(claims, 'base64url').toString()) as Json) : {}
  const fits = listed(role.fields['bound_audiences']).includes(String(said['aud']))
  if (!good || !fits || Number(said['exp']) * 1000 < Date.now()) {
    throw new Refusal(400, `error validating token: ${jwt}`)
  }
}

/** Asks the cluster, as the Kubernetes auth method does. */
async function reviewed(config: Json, role: Role, jwt: string): Promise<void> {
  const reply = await fetch(
    `${String(config['kubernetes_host'])}/apis/authentication.k8s.io/v1/tokenreviews`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${String(config['token_reviewer_jwt'])}` },
      body: JSON.stringify({ spec: { token: jwt } }),
    },
  )
  const { status } = (await reply.json()) as {
    status: { authenticated?: boolean; user?: { username: string } }
  }
  const [namespace = '', account = ''] = status.user?.username.split(':').slice(2) ?? []
  const fits =
    listed(role.fields['bound_service_account_names']).includes(account) &&
    listed(role.fields['bound_service_account_namespaces']).includes(namespace)
  if (status.authenticated !== true || !fits) throw DENIED()
}

function seconds(text: unknown): number {
  return typeof text === 'string' ? Number(text.replace(/s$/, '')) : 0
}

function listed(it: unknown): string[] {
  if (Array.isArray(it)) return it.map(String)
  return typeof it === 'string' ? it.split(',') : []
}
