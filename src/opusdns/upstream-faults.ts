// What went wrong between us and OpusDNS, in the proxy's own words.

import { Fault, errorCode } from '../base/fault.ts'
import type { FaultCode } from '../base/fault.ts'

const BY_CODE: Readonly<Record<string, FaultCode>> = {
  ECONNREFUSED: 'upstream_refused',
  ENOTFOUND: 'upstream_dns',
  EAI_AGAIN: 'upstream_dns',
  EAI_FAIL: 'upstream_dns',
  EAI_NODATA: 'upstream_dns',
  EHOSTUNREACH: 'upstream_unreachable',
  ENETUNREACH: 'upstream_unreachable',
  EADDRNOTAVAIL: 'upstream_unreachable',
  EMFILE: 'upstream_unreachable',
  ECONNRESET: 'upstream_terminated',
  EPIPE: 'upstream_terminated',
  ETIMEDOUT: 'upstream_connect_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'upstream_connect_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  UND_ERR_BODY_TIMEOUT: 'upstream_timeout',
  UND_ERR_ABORTED: 'upstream_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'upstream_head_too_large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream_protocol',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'upstream_protocol',
  UND_ERR_INVALID_ARG: 'bad_request',
  UND_ERR_SOCKET: 'upstream_terminated',
  UND_ERR_CLOSED: 'upstream_terminated',
  UND_ERR_DESTROYED: 'upstream_terminated',
}

/** The certificate verdicts of OpenSSL that Node reports as `code`, and the handshake's own errors. */
const TLS_CODE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|EPROTO|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA)/

const DETAILS: Partial<Record<FaultCode, string>> = {
  bad_request: 'The request head cannot be forwarded.',
  upstream_refused: 'OpusDNS refused the connection. Check OPUSDNS_API_BASE, then try again.',
  upstream_dns: 'The name of the OpusDNS API cannot be resolved. Check DNS and OPUSDNS_API_BASE.',
  upstream_unreachable: 'OpusDNS cannot be reached from here. Check the network.',
  upstream_tls:
    'The certificate of the upstream is not trusted. Check the base URL; a private CA goes into upstream.ca_file.',
  upstream_terminated: 'OpusDNS broke the connection before it answered.',
  upstream_protocol: 'The upstream answered with something that is not valid HTTP/1.1.',
  upstream_head_too_large: 'The head of the upstream answer is larger than limits.header_size.',
  upstream_connect_timeout: 'OpusDNS did not accept a connection in time.',
  upstream_timeout: 'OpusDNS did not answer in time.',
}

function codeOf(error: unknown): string {
  // Happy eyeballs reports one error for each address that it tried.
  if (error instanceof AggregateError && errorCode(error) === '') return codeOf(error.errors[0])
  return errorCode(error)
}

/** Names a connection error (of Node or undici) as a Fault of source `upstream`; keeps it as cause. */
export function upstreamFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const code = codeOf(error)
  let name = BY_CODE[code]
  if (code === 'HPE_HEADER_OVERFLOW') name = 'upstream_head_too_large'
  if (name === undefined && code.startsWith('HPE_')) name = 'upstream_protocol'
  if (name === undefined && TLS_CODE.test(code)) name = 'upstream_tls'
  // "bad response" is undici's word for an answer that nobody asked for, or an unexpected 1xx.
  if (
    error instanceof Error &&
    (error.name === 'HTTPParserError' || /^bad (?:response|upgrade)/.test(error.message))
  ) {
    name = 'upstream_protocol'
  }
  name ??= 'upstream_unreachable'
  return new Fault(name, { detail: DETAILS[name] ?? 'The upstream failed.', cause: error })
}

/** True when `fault` means that the connection ended under us, the one case worth a second try. */
export function connectionDied(fault: Fault): boolean {
  return fault.code === 'upstream_terminated'
}
