// One question to a vendor's server, and its whole reply. What goes wrong is told by a code alone:
// texts, causes and bytes of a failed exchange may quote a secret, and are dropped here.

import type { ClientRequest, IncomingHttpHeaders, request as SendRequest } from 'node:http'
import type { request as SendTlsRequest } from 'node:https'
import { createRequire } from 'node:module'
import type { getCACertificates as GetCaCertificates } from 'node:tls'

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'

/** Longest reply that is read, in bytes: a secret of 64 KiB in JSON, and what vendors put around it. */
export const MAX_REPLY_BYTES = 256 * 1024

/** See `askVendor`. */
export interface VendorQuestion {
  /** `https:`, or `http:` to this machine. */
  readonly url: string | URL
  readonly method: 'GET' | 'POST' | 'PUT' | 'LIST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Certificates in PEM that are trusted beside the usual ones. */
  readonly ca?: string | undefined
  /** True lets `http:` go to another machine. Default false. */
  readonly plainHttp?: boolean
  /** Milliseconds for all of it, from the look-up of the name to the last byte of the reply. */
  readonly timeout: number
}

/** A whole reply, whatever its status. */
export interface VendorReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** At most `MAX_REPLY_BYTES`. May hold a secret. */
  readonly body: Buffer
}

/** No whole reply came. Carries a code and nothing else: no cause, no text from outside. */
export class VendorFailure extends Error {
  override readonly name = 'VendorFailure'
  /**
   * `TIMEOUT`, `REPLY_TOO_LARGE`, `PLAIN_HTTP` (`http:` to another machine), or the code of Node.js
   * (`ECONNREFUSED`, `SELF_SIGNED_CERT_IN_CHAIN`; `FAILED` where it has none).
   */
  readonly code: string

  constructor(code: string) {
    super(`The server gave no whole reply (${code}).`)
    this.code = code
  }
}

// As src/server/node-http.ts says: an `import` would load far more, and this only when it is needed.
const require = createRequire(import.meta.url)

/**
 * Asks once, on a connection of its own, and resolves with the whole reply. Redirects are not
 * followed: a 3xx is a reply like any other. TLS is always verified. Rejects with a `VendorFailure`
 * when there is no whole reply within `timeout` or `MAX_REPLY_BYTES`.
 */
export function askVendor(question: VendorQuestion, clock: Clock): Promise<VendorReply> {
  return new Promise((resolve, reject) => {
    let request: ClientRequest | undefined
    const cancel = clock.after(question.timeout, () => fail('TIMEOUT'))

    // Events of a destroyed request come after the first outcome, and change nothing.
    function fail(code: string): void {
      cancel()
      reject(new VendorFailure(code))
      request?.destroy()
    }
    const broken = (error: unknown) => fail(errorCode(error) || 'FAILED')

    try {
      request = opened(question)
      request.on('error', broken)
      // Not among the options: those reach the socket, and NODE_DEBUG=net prints them.
      for (const [name, value] of Object.entries(question.headers ?? {})) {
        request.setHeader(name, value)
      }
    } catch (error) {
      broken(error)
      return
    }
    request.on('close', () => fail('ECONNRESET'))
    request.on('response', (reply) => {
      const chunks: Buffer[] = []
      let length = 0
      reply.on('error', broken)
      reply.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > MAX_REPLY_BYTES) fail('REPLY_TOO_LARGE')
        else chunks.push(chunk)
      })
      reply.on('end', () => {
        cancel()
        const { statusCode = 0, headers } = reply
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks) })
        // The server may leave its half open.
        request?.destroy()
      })
    })
    request.end(question.body)
  })
}

/** True when `url` is `https:`, or `http:` to a loopback address: secrets go nowhere in the open. */
export function isPrivateWay(url: URL): boolean {
  if (url.protocol === 'https:') return true
  if (url.protocol !== 'http:') return false
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
}

function opened(question: VendorQuestion): ClientRequest {
  const url = new URL(question.url)
  if (!isPrivateWay(url) && question.plainHttp !== true) throw new VendorFailure('PLAIN_HTTP')
  const options = {
    method: question.method,
    agent: false,
  } as const
  if (url.protocol === 'http:') {
    return (require('node:http') as { request: typeof SendRequest }).request(url, options)
  }
  const https = require('node:https') as { request: typeof SendTlsRequest }
  // Explicit, for NODE_TLS_REJECT_UNAUTHORIZED would change the default.
  return https.request(url, { ...options, rejectUnauthorized: true, ...trust(question.ca) })
}

function trust(ca: string | undefined): { ca?: string[] } {
  if (ca === undefined) return {}
  const tls = require('node:tls') as { getCACertificates: typeof GetCaCertificates }
  return { ca: [...tls.getCACertificates('default'), ca] }
}
