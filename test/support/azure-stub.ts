// A stub of Azure Key Vault's REST interface (Get Secret, with its challenge) over TLS, and of the
// identity endpoint of App Service, written from their documentation. The vault is a name below
// `localhost`, so that the SDK's check of the challenge stays on.

import dns from 'node:dns'
import { createServer as createPlainServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'

import type { Failure } from '../contracts/secret-source.ts'
import { authority } from './certificates.ts'

const HOST = 'opusdns.localhost'
/** What the identity endpoint hands out. */
export const AZURE_TOKEN = 'eyJ0.from-the-identity-endpoint'
const IDENTITY_HEADER = 'identity-header-canary'

/** A running stub. */
export interface AzureStub {
  /** Origin of the vault. */
  readonly vault: string
  /** Variables with which the SDK finds the identity endpoint. */
  readonly variables: Readonly<Record<string, string>>
  asked(): number
  /** How many requests carried a token. */
  tokens(): number
  set(name: string, stored: string, version?: string): void
  /** Answers reads with this failure from now on; `undefined` mends it. */
  fail(how: Exclude<Failure, 'unreachable'> | undefined, canary?: string): void
  /** Answers reads with this status from now on. */
  refuse(status: number, code: string, message: string): void
  /** Names this resource in the challenge. */
  challenge(resource: string): void
  close(): Promise<void>
}

type Answer = readonly [status: number, body: unknown]

/** Lets this process trust a new CA, and find names below `localhost`; returns the CA and the way back. */
export function localVaults() {
  const ca = authority('azure stub')
  const before = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...before, ca.cert])
  const { lookup } = dns
  // RFC 6761 section 6.3, which not every resolver obeys.
  dns.lookup = ((name: string, ...rest: unknown[]) =>
    Reflect.apply(lookup, dns, [name === HOST ? '127.0.0.1' : name, ...rest])) as typeof lookup
  return {
    ca,
    undo() {
      dns.lookup = lookup
      tls.setDefaultCACertificates(before)
    },
  }
}

/** Starts a stub on free ports of loopback. */
export async function azureStub(certificate: {
  readonly cert: string
  readonly key: string
}): Promise<AzureStub> {
  const stored = new Map<string, string>()
  let asked = 0
  let tokens = 0
  let resource = 'https://localhost'
  let failure: { how: Failure; canary: string } | undefined
  let refusal: Answer | undefined

  const server = createServer(certificate, (request, response) => {
    asked++
    if (failure?.how === 'hang') return
    if (failure?.how === 'garbage') {
      response.end(`<html>${failure.canary}`)
      return
    }
    const { authorization } = request.headers
    if (authorization !== undefined) tokens++
    if (authorization !== `Bearer ${AZURE_TOKEN}`) {
      const tenant = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001'
      const challenge = `Bearer authorization="${tenant}", resource="${resource}"`
      response.setHeader('www-authenticate', challenge)
    }
    const [status, body] = verdict(request)
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    response.end(JSON.stringify(body))
  })

  function verdict(request: IncomingMessage): Answer {
    if (request.headers.authorization !== `Bearer ${AZURE_TOKEN}`) {
      return error(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.')
    }
    if (failure !== undefined) return failed(failure.how, failure.canary)
    if (refusal !== undefined) return refusal
    const url = new URL(request.url ?? '/', 'https://stub')
    const [, place, name = '', version = ''] = url.pathname.split('/')
    const value = stored.get(`${name}/${version}`)
    if (request.method !== 'GET' || place !== 'secrets' || !url.searchParams.has('api-version')) {
      return error(400, 'BadParameter', 'The request URI contains an invalid name')
    }
    if (value === undefined) return error(404, 'SecretNotFound', `${name} was not found`)
    const id = `https://${HOST}/secrets/${name}/4387e9f3d6e14c459867679a90fd0f79`
    return [200, { value, id, attributes: { enabled: true, created: 1_700_000_000 } }]
  }

  const identity = createPlainServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://stub')
    const good =
      request.headers['x-identity-header'] === IDENTITY_HEADER &&
      url.searchParams.get('resource') === 'https://localhost'
    response.writeHead(good ? 200 : 400, { 'content-type': 'application/json' })
    const until = String(Math.round(Date.now() / 1000) + 86_400)
    response.end(
      JSON.stringify({
        access_token: AZURE_TOKEN,
        expires_on: until,
        resource: 'https://localhost',
        token_type: 'Bearer',
      }),
    )
  })

  const port = await listening(server)
  const identityPort = await listening(identity)
  return {
    vault: `https://${HOST}:${port}`,
    variables: {
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
      IDENTITY_ENDPOINT: `http://127.0.0.1:${identityPort}/msi/token`,
      IDENTITY_HEADER,
    },
    asked: () => asked,
    tokens: () => tokens,
    set: (name, value, version = '') => void stored.set(`${name}/${version}`, value),
    fail(how, canary = '') {
      failure = how === undefined ? undefined : { how, canary }
    },
    refuse: (status, code, message) => void (refusal = error(status, code, message)),
    challenge: (named) => void (resource = named),
    close: async () => void (await Promise.all([closed(server), closed(identity)])),
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function closed(server: Server): Promise<void> {
  return new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function failed(how: Failure, canary: string): Answer {
  if (how === 'denied') return error(403, 'Forbidden', canary)
  if (how === 'error') return error(500, canary, canary)
  return error(404, 'SecretNotFound', canary)
}

function error(status: number, code: string, message: string): Answer {
  return [status, { error: { code, message } }]
}
