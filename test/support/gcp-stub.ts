// A stub of Google Secret Manager's REST interface (AccessSecretVersion) and of the metadata server of
// Google Compute Engine, written from their documentation. It checks the signature of the tokens that a
// service account signs by itself.

import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { crc32c } from '../../src/secrets/gcp-checksum.ts'
import type { Failure } from '../contracts/secret-source.ts'

/** A running stub. */
export interface GcpStub {
  readonly endpoint: string
  /** Host and port, for `GCE_METADATA_HOST`. */
  readonly host: string
  /** A key file of a service account that the stub knows. */
  readonly keyFile: string
  asked(): number
  /** Of which kind the logins were. */
  readonly logins: Set<'key' | 'metadata'>
  set(name: string, stored: string): void
  /** Answers reads with this failure from now on; `undefined` mends it. */
  fail(how: Exclude<Failure, 'unreachable'> | undefined, canary?: string): void
  /** Answers reads with this status and `google.rpc` code from now on. */
  refuse(status: number, code: string, message: string): void
  /** Sends what is stored with the checksum of something else, or without one. */
  checksum(which: 'right' | 'wrong' | 'none'): void
  close(): Promise<void>
}

type Answer = readonly [status: number, body: unknown]

const TOKEN = 'ya29.from-the-metadata-server'

/** Starts a stub on a free port of loopback. */
export async function gcpStub(): Promise<GcpStub> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stored = new Map<string, Buffer>()
  const logins = new Set<'key' | 'metadata'>()
  let asked = 0
  let failure: { how: Failure; canary: string } | undefined
  let refusal: Answer | undefined
  let checksum = 'right'

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub')
    if (url.pathname.startsWith('/computeMetadata/')) metadata(url.pathname, request, response)
    else api(url.pathname, request, response)
  })

  function metadata(path: string, request: IncomingMessage, response: ServerResponse): void {
    const found = request.headers['metadata-flavor'] === 'Google' && path.endsWith('/token')
    const known = found || path.endsWith('/instance') || path.endsWith('/instance/')
    response.writeHead(known ? 200 : 404, {
      'metadata-flavor': 'Google',
      'content-type': 'application/json',
    })
    response.end(
      found
        ? JSON.stringify({ access_token: TOKEN, expires_in: 3599, token_type: 'Bearer' })
        : '{}',
    )
  }

  function api(path: string, request: IncomingMessage, response: ServerResponse): void {
    asked++
    if (failure?.how === 'hang') return
    if (failure?.how === 'garbage') {
      response.end(`<html>${failure.canary}`)
      return
    }
    const [status, body] = verdict(path, request)
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' })
    response.end(JSON.stringify(body))
  }

  function verdict(path: string, request: IncomingMessage): Answer {
    const login = loginOf(request.headers.authorization ?? '')
    if (login === undefined)
      return error(401, 'UNAUTHENTICATED', 'Request had invalid credentials.')
    logins.add(login)
    if (failure !== undefined) return failed(failure.how, failure.canary)
    if (refusal !== undefined) return refusal
    const name = /^\/v1\/(.+):access$/.exec(path)?.[1] ?? ''
    const data = stored.get(name)
    if (request.method !== 'GET' || data === undefined) {
      return error(404, 'NOT_FOUND', `Secret [${name}] not found or has no versions.`)
    }
    const sum = crc32c(checksum === 'right' ? data : Buffer.from('something else'))
    const payload = {
      data: data.toString('base64'),
      ...(checksum === 'none' ? {} : { dataCrc32c: String(sum) }),
    }
    return [200, { name: name.replace('latest', '7'), payload }]
  }

  function loginOf(header: string): 'key' | 'metadata' | undefined {
    const token = header.replace(/^Bearer /, '')
    if (token === TOKEN) return 'metadata'
    const [head = '', claims = '', signature = ''] = token.split('.')
    const signed = Buffer.from(`${head}.${claims}`)
    const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
    const good = verify('sha256', signed, key, Buffer.from(signature, 'base64url'))
    return good ? 'key' : undefined
  }

  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoint: `http://${host}`,
    host,
    keyFile: JSON.stringify({
      type: 'service_account',
      project_id: 'p',
      private_key_id: '1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: 'proxy@p.iam.gserviceaccount.com',
      client_id: '1',
    }),
    asked: () => asked,
    logins,
    set: (name, text) => void stored.set(name, Buffer.from(text)),
    fail(how, canary = '') {
      failure = how === undefined ? undefined : { how, canary }
    },
    refuse: (status, code, message) => void (refusal = error(status, code, message)),
    checksum: (which) => void (checksum = which),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function failed(how: Failure, canary: string): Answer {
  if (how === 'denied') return error(403, 'PERMISSION_DENIED', canary)
  if (how === 'error') return error(500, 'INTERNAL', canary)
  return error(404, 'NOT_FOUND', canary)
}

function error(code: number, status: string, message: string): Answer {
  return [code, { error: { code, message, status } }]
}
