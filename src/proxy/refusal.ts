// Answers with a problem of our own: RFC 9457 `application/problem+json`, in the words that the real
// clients read, and marked with `Proxy-Status` so that nobody takes it for an answer of OpusDNS.

import { Fault } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'
import type { Exchange } from './exchange.ts'
import { METHODS } from './methods.ts'

/** Our name in `Proxy-Status` (RFC 9209). */
const NAME = 'opusdns-auth-proxy'

/**
 * The body of a problem. `message` and `error_code` double `detail` and `code`, for the Go client and
 * certbot read those; `detail` is always a string (opusdns/API.md section 6.7).
 */
export function problemBody(fault: Fault, id: string): string {
  return JSON.stringify({
    type: `urn:opusdns-auth-proxy:problem:${fault.code}`,
    title: fault.title,
    status: fault.status,
    detail: fault.message,
    code: fault.code,
    message: fault.message,
    error_code: fault.code,
    request_id: id,
  })
}

/** Header fields of a problem, as a flat list. */
export function problemFields(fault: Fault, id: string, length: number): string[] {
  const fields = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(length),
    'Cache-Control',
    'no-store',
    'Proxy-Status',
    `${NAME}; error=${fault.proxyStatus}; details="${fault.code}"`,
    'X-Request-Id',
    id,
  ]
  if (fault.retryAfter !== undefined) fields.push('Retry-After', String(fault.retryAfter))
  fields.push(...fault.fields)
  if (fault.status === 401) {
    // RFC 6750 section 3.1: no error for a request that showed nothing.
    const shown = fault.code !== 'unidentified'
    fields.push('WWW-Authenticate', shown ? 'Bearer error="invalid_token"' : 'Bearer')
  }
  if (fault.code === 'method_not_allowed') {
    fields.push('Allow', [...METHODS].join(', '))
  }
  return fields
}

/** After these it is not sure that what follows on the connection is what it seems to be. */
const UNSURE: ReadonlySet<FaultCode> = new Set([
  'bad_request',
  'path_not_canonical',
  'version_not_supported',
])

/**
 * Answers `exchange` with `error` and ends it. A request whose body was not read closes the
 * connection, so that nothing behind it is taken for a new request. Once a head was sent, the only
 * honest answer left is to break the connection.
 */
export function refuse(exchange: Exchange, error: unknown): void {
  const { request, response } = exchange
  const fault = Fault.from(error)
  exchange.fault = fault
  exchange.source = fault.source
  if (exchange.closed) return
  if (response.headersSent) {
    breakOff(exchange)
    return
  }
  const body = Buffer.from(problemBody(fault, exchange.id))
  const fields = problemFields(fault, exchange.id, body.length)
  const unread = !request.complete && !hasNoBody(exchange)
  // Node.js closes by itself after a reply to `Expect` that was not a 100.
  if (unread || UNSURE.has(fault.code) || request.headers.expect !== undefined) {
    exchange.closeAfterReply()
    fields.push('Connection', 'close')
  }
  // A reply head that could not be written may have left its reason phrase behind.
  response.statusMessage = ''
  response.writeHead(fault.status, fields)
  response.end(request.method === 'HEAD' ? undefined : body)
  // Read on, bounded by the connection's own limits, so that the client can read the answer
  // instead of a reset.
  if (unread) request.resume()
}

/** Ends a reply that cannot be completed so that the client sees a broken one, never a clean end. */
export function breakOff(exchange: Exchange): void {
  // A plain destroy() or end() of a reply that ends with the connection would look complete.
  // (A unix socket knows no reset.)
  if (exchange.socket.remoteAddress === undefined) exchange.socket.destroy()
  else exchange.socket.resetAndDestroy()
}

function hasNoBody(exchange: Exchange): boolean {
  const { headers } = exchange.request
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
}
