// One secret in each kind of place, for a proxy that is a process of its own; what the proxy logs in
// with is a canary too. The stubs are those of the contract's tests.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { awsAsk } from './aws-moto.ts'
import { awsStub } from './aws-stub.ts'
import { AZURE_TOKEN, azureStub } from './azure-stub.ts'
import { authority } from './certificates.ts'
import { gcpStub } from './gcp-stub.ts'
import { startKubernetesStub } from './kubernetes-stub.ts'
import { CONNECT_TOKEN, startConnectStub } from './onepassword-stub.ts'
import { vaultFront } from './vault-front.ts'
import { stubWorld } from './vault-world.ts'

/** How a place fails: with a text of its own that quotes secrets, or with what is no answer at all. */
export type Spoilt = 'error' | 'garbage'

/** One secret in one place. */
export interface CanaryPlace {
  /** As the configuration names it; for `exec` the words. */
  readonly reference: string
  /** What stands under `secrets`, as JSON. */
  readonly secrets?: object
  readonly env: Readonly<Record<string, string>>
  readonly nodeArgs?: readonly string[]
  /** What the proxy logs in with, and what it is handed out for that; ask when all is over. */
  logins(): readonly string[]
  /** Stores it, and mends what `spoil` broke. */
  set(text: string): void | Promise<void>
  /** Breaks the place; whatever it says holds `text`. Absent where nothing can break. */
  spoil?(how: Spoilt, text: string): void | Promise<void>
  /** What the place saw of the process that it is: its environment and arguments. */
  seen?(): string
  /** How often a network place was asked. */
  asked?(): number
  end?(): void | Promise<void>
}

/** Variables of other places, that no child and no page may see. */
const STRAY: Readonly<Record<string, string>> = {
  VAULT_TOKEN: 'hvs.stray-canary/vault+token=',
  AWS_SECRET_ACCESS_KEY: 'stray-canary/aws+secret=',
  OP_CONNECT_TOKEN: 'stray-canary.op.connect',
  AZURE_CLIENT_SECRET: 'stray-canary~azure~secret',
}

const folders: string[] = []

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'canary-'))
  folders.push(path)
  return path
}

/** Removes what all places have left on disk. */
export function removeFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
}

/** Kinds of places, each with how it is opened. */
export const CANARY_PLACES: Readonly<
  Record<string, (first: string) => CanaryPlace | Promise<CanaryPlace>>
> = {
  env: (first) => ({
    reference: 'env:CANARY_KEY',
    env: { ...STRAY, CANARY_KEY: first },
    logins: () => Object.values(STRAY),
    set() {},
  }),

  file: () => jsonFile((path) => ({ reference: `file:${path}#deep.key`, env: STRAY })),

  systemd: () =>
    jsonFile((path) => ({
      reference: 'systemd:key#deep.key',
      env: { ...STRAY, CREDENTIALS_DIRECTORY: join(path, '..') },
    })),

  exec() {
    const here = folder()
    const [tool, seen] = [join(here, 'tool'), join(here, 'seen')]
    const write = (body: string) =>
      writeFileSync(
        tool,
        `#!/bin/sh\n{ env; tr '\\0' ' ' < /proc/$$/cmdline; } >> '${seen}'\n${body}\n`,
        { mode: 0o700 },
      )
    const quoted = join(here, 'text')
    return {
      reference: `exec:${tool} --quiet`,
      env: STRAY,
      logins: () => Object.values(STRAY),
      set(text) {
        writeFileSync(quoted, text, { mode: 0o600 })
        write(`cat '${quoted}'`)
      },
      spoil(how, text) {
        writeFileSync(quoted, text, { mode: 0o600 })
        write(how === 'error' ? `cat '${quoted}' >&2; exit 3` : `cat '${quoted}'; echo; echo x`)
      },
      seen: () => readFileSync(seen, 'utf8'),
    }
  },

  'vault, by a token': () => vault('token'),
  'vault, by AppRole': () => vault('approle'),
  'aws-sm': () => aws('aws-sm:opusdns#api_key'),
  'aws-ssm': () => aws('aws-ssm:/opusdns'),

  async gcp() {
    const stub = await gcpStub()
    const path = join(folder(), 'account.json')
    writeFileSync(path, stub.keyFile, { mode: 0o600 })
    const { private_key: key } = JSON.parse(stub.keyFile) as { private_key: string }
    return {
      reference: 'gcp:projects/p/secrets/opusdns',
      secrets: { gcp: { endpoint: stub.endpoint } },
      env: { GOOGLE_APPLICATION_CREDENTIALS: path },
      // One line of the PEM, for a part is enough to tell.
      logins: () => key.split('\n').slice(3, 5),
      set(text) {
        stub.fail(undefined)
        stub.set('projects/p/secrets/opusdns/versions/latest', text)
      },
      spoil: (how, text) => stub.fail(how, text),
      asked: () => stub.asked(),
      end: () => stub.close(),
    }
  },

  azure: azurePlace,

  async op() {
    const stub = await startConnectStub()
    return {
      reference: 'op://Infra/OpusDNS/credential',
      env: { OP_CONNECT_HOST: stub.address, OP_CONNECT_TOKEN: CONNECT_TOKEN },
      logins: () => [CONNECT_TOKEN],
      set(text) {
        stub.mood('well')
        stub.set(text)
      },
      spoil: (how, text) => stub.mood(how, text),
      asked: () => stub.requests.length,
      end: () => stub.silence(),
    }
  },

  async k8s() {
    const stub = await startKubernetesStub()
    return {
      reference: 'k8s:opusdns#api_key',
      secrets: { kubernetes: { address: stub.address, service_account: stub.serviceAccount } },
      env: {},
      logins: () => [readFileSync(join(stub.serviceAccount, 'token'), 'utf8')],
      set(text) {
        stub.mood('well')
        stub.set(text)
      },
      spoil: (how, text) => stub.mood(how, text),
      asked: () => stub.requests.length,
      end: () => stub.close(),
    }
  },
}

/** A secret in Azure Key Vault, by the managed identity; every name that is looked up is this machine. */
export async function azurePlace(): Promise<CanaryPlace> {
  const here = folder()
  const ca = authority('azure stub')
  const stub = await azureStub(ca.issue({ name: 'opusdns.localhost' }))
  writeFileSync(join(here, 'ca.pem'), ca.cert)
  // Not every resolver obeys RFC 6761 section 6.3; and nobody else is asked from here.
  writeFileSync(
    join(here, 'names.mjs'),
    `import dns from 'node:dns'
     import { syncBuiltinESMExports } from 'node:module'
     const { lookup } = dns
     dns.lookup = (name, ...rest) => lookup('127.0.0.1', ...rest)
     syncBuiltinESMExports()`,
  )
  return {
    reference: `azure:${stub.vault}/secrets/opusdns`,
    env: {
      ...stub.variables,
      AZURE_CLIENT_SECRET: STRAY['AZURE_CLIENT_SECRET'] ?? '',
      NODE_EXTRA_CA_CERTS: join(here, 'ca.pem'),
    },
    nodeArgs: ['--import', join(here, 'names.mjs')],
    logins: () => [
      AZURE_TOKEN,
      stub.variables['IDENTITY_HEADER'] ?? '',
      STRAY['AZURE_CLIENT_SECRET'] ?? '',
    ],
    set(text) {
      stub.fail(undefined)
      stub.set('opusdns', text)
    },
    spoil: (how, text) => stub.fail(how, text),
    asked: () => stub.asked(),
    end: () => stub.close(),
  }
}

/** A file of JSON. Half of it is what a parser likes to quote. */
function jsonFile(place: (path: string) => Pick<CanaryPlace, 'reference' | 'env'>): CanaryPlace {
  const path = join(folder(), 'credentials', 'key')
  mkdirSync(join(path, '..'))
  const write = (text: string) => writeFileSync(path, text, { mode: 0o600 })
  return {
    ...place(path),
    logins: () => Object.values(STRAY),
    set: (text) => write(JSON.stringify({ deep: { key: text } })),
    spoil(how, text) {
      write(
        how === 'error' ? `{"deep":{"key":"${text}"` : JSON.stringify({ deep: { other: text } }),
      )
    },
  }
}

async function vault(method: 'token' | 'approle'): Promise<CanaryPlace> {
  const world = await stubWorld()
  const front = await vaultFront(world.address)
  await world.ask('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } })
  const logins: string[] = []
  const env: Record<string, string> = { VAULT_ADDR: front.address }
  let auth: object | undefined
  if (method === 'token') {
    const made = await world.ask('POST', 'auth/token/create', { policies: ['root'], ttl: '300s' })
    env['VAULT_TOKEN'] = made.auth.client_token
  } else {
    const secret_id = join(folder(), 'secret-id')
    await world.ask('POST', 'sys/auth/approle', { type: 'approle' })
    await world.ask('POST', 'auth/approle/role/proxy', { token_policies: ['root'] })
    const role = await world.ask('GET', 'auth/approle/role/proxy/role-id')
    const made = await world.ask('POST', 'auth/approle/role/proxy/secret-id', {})
    logins.push(made.data['secret_id'] ?? '')
    writeFileSync(secret_id, made.data['secret_id'] ?? '', { mode: 0o600 })
    auth = { method, role_id: role.data['role_id'], secret_id: `file:${secret_id}` }
  }
  return {
    reference: 'vault:secret/data/opusdns#api_key',
    secrets: { vault: auth === undefined ? {} : { auth } },
    env,
    logins: () => [...logins, ...front.tokens],
    async set(text) {
      front.treat('pass')
      await world.ask('POST', 'secret/data/opusdns', { data: { api_key: text } })
    },
    spoil: (how, text) => front.treat(how, text),
    asked: () => front.requests.length,
    async end() {
      await front.shut()
      await world.end()
    },
  }
}

async function aws(reference: string): Promise<CanaryPlace> {
  const stub = await awsStub()
  const env = {
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+canary=',
    AWS_SESSION_TOKEN: 'IQoJb3JpZ2luX2VjEcanary//session+token==',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  return {
    reference,
    secrets: {
      aws: { region: 'eu-central-1', endpoint: stub.endpoint, ssm_endpoint: stub.endpoint },
    },
    env,
    logins: () => [env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN],
    async set(text) {
      stub.fail(undefined)
      const ask = (target: Parameters<typeof awsAsk>[1], body: object) =>
        awsAsk(stub.endpoint, target, body)
      if (reference.startsWith('aws-ssm')) {
        await ask('AmazonSSM.PutParameter', { Name: '/opusdns', Value: text })
        return
      }
      const SecretString = JSON.stringify({ api_key: text })
      await ask('secretsmanager.CreateSecret', { Name: 'opusdns', SecretString })
    },
    spoil: (how, text) => stub.fail(how, text),
    asked: () => stub.asked(),
    end: () => stub.close(),
  }
}
