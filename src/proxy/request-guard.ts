// Guard: what can be refused on sight, before anybody asks who sent it. The form of the target, the
// name that we are called by, browsers, methods.

import { Fault } from '../base/fault.ts'
import { canonicalTarget } from '../opusdns/canonical-path.ts'
import type { Exchange } from './exchange.ts'
import type { HostGuard } from './host-guard.ts'
import { METHODS } from './methods.ts'
import { readRequestHead } from './request-head.ts'
import type { RequestHead } from './request-head.ts'
import { shownTarget } from './shown-target.ts'

/** See `requestGuard`. */
export interface RequestGuardOptions {
  /** Longest target, path and query, in bytes. */
  readonly targetSize: number
  /** Our name in `Via`. */
  readonly pseudonym: string
}

/**
 * Builds the guard: it reads the head of a request, fills in path and query of the exchange, and
 * throws a Fault for what must not go further; then the path is only to be shown (see shown-target.ts).
 */
export function requestGuard(
  options: RequestGuardOptions,
  hostAllowed: HostGuard,
): (exchange: Exchange) => RequestHead {
  return function guard(exchange) {
    try {
      return judge(exchange)
    } catch (error) {
      // Or the records would not say what was tried.
      exchange.path ||= shownTarget(exchange.request.url ?? '')
      throw error
    }
  }

  function judge(exchange: Exchange): RequestHead {
    const { request } = exchange
    if (request.httpVersionMajor !== 1) {
      throw new Fault('version_not_supported', { detail: 'This proxy speaks HTTP/1.1.' })
    }
    const head = readRequestHead(request, options.pseudonym)
    let target = request.url ?? ''
    if (target.length > options.targetSize) {
      throw new Fault('uri_too_long', {
        detail: `The target is longer than limits.target_size (${options.targetSize} bytes).`,
        limit: 'target_size',
      })
    }
    let { host } = head
    const absolute = /^https?:\/\/([^/?#]*)/i.exec(target)
    if (absolute !== null) {
      // RFC 9112 section 3.2.2: the authority of an absolute-form target wins over Host.
      host = absolute[1] ?? ''
      target = target.slice(absolute[0].length)
      if (!target.startsWith('/')) target = `/${target}`
    }
    if (!hostAllowed(host, exchange.socket)) {
      throw new Fault('host_not_allowed', {
        detail: 'The Host field names another server. List the names that callers use under hosts.',
      })
    }
    if (head.crossOrigin) {
      throw new Fault('cross_origin_refused', {
        detail: 'A web page of another site sent this request. Browsers have no business here.',
      })
    }
    const method = request.method ?? ''
    if (!METHODS.has(method)) {
      throw new Fault('method_not_allowed', { detail: 'The OpusDNS API has no such method.' })
    }
    if (method === 'OPTIONS' && target === '*') {
      throw new Fault('method_not_allowed', { detail: 'OPTIONS is answered for paths under /v1/.' })
    }
    const canonical = canonicalTarget(target)
    if ('refused' in canonical) {
      throw new Fault('path_not_canonical', { detail: canonical.refused })
    }
    exchange.path = canonical.path
    exchange.query = canonical.query
    return head
  }
}
