// The one error class of the program, and the table of everything that it can say.
// The public text (`title`, `detail`) reaches clients and must never quote a cause, for a cause may
// carry a secret; `cause` and `context` are for the log.

/** Who is at fault: this proxy, its policy, the token endpoint (or secrets source), or the upstream. */
export type FaultSource = 'proxy' | 'policy' | 'token' | 'upstream'

interface FaultKind {
  /** HTTP status of the answer. */
  readonly status: number
  /** RFC 9457 `title`: the same for every occurrence. */
  readonly title: string
  /** RFC 9209 section 2.3 error type, shown in `Proxy-Status`. */
  readonly proxyStatus: string
  readonly source: FaultSource
}

const kind = (
  source: FaultSource,
  status: number,
  title: string,
  proxyStatus: string,
): FaultKind => ({ source, status, title, proxyStatus })

/** Every fault by its stable code. Codes are an interface: add, never rename. */
export const FAULTS = {
  // What the caller sent cannot be accepted.
  bad_request: kind('proxy', 400, 'The request is malformed', 'http_request_error'),
  path_not_canonical: kind('proxy', 400, 'The path is not canonical', 'http_request_error'),
  host_not_allowed: kind('proxy', 421, 'The Host is not one of ours', 'http_request_error'),
  not_found: kind('proxy', 404, 'There is nothing here', 'http_request_error'),
  method_not_allowed: kind('proxy', 405, 'The method is not allowed', 'http_request_error'),
  request_timeout: kind('proxy', 408, 'The request came too slowly', 'http_request_error'),
  content_too_large: kind('proxy', 413, 'The request body is too large', 'http_request_error'),
  uri_too_long: kind('proxy', 414, 'The request target is too long', 'http_request_error'),
  unsupported_media_type: kind(
    'proxy',
    415,
    'The media type is not supported',
    'http_request_error',
  ),
  body_not_understood: kind('proxy', 400, 'The body cannot be judged', 'http_request_error'),
  expectation_failed: kind('proxy', 417, 'The expectation cannot be met', 'http_request_error'),
  header_too_large: kind('proxy', 431, 'The request head is too large', 'http_request_error'),
  version_not_supported: kind(
    'proxy',
    505,
    'The HTTP version is not supported',
    'http_request_error',
  ),
  loop_detected: kind('proxy', 508, 'The request came back to this proxy', 'proxy_loop_detected'),
  invalid_token: kind('proxy', 401, 'The local token is unknown or expired', 'http_request_denied'),
  unidentified: kind('proxy', 401, 'The caller is not identified', 'http_request_denied'),
  invalid_consumer_key: kind('proxy', 401, 'The consumer key is not valid', 'http_request_denied'),
  identity_conflict: kind(
    'proxy',
    401,
    'The credentials name different consumers',
    'http_request_denied',
  ),
  unsupported_grant_type: kind(
    'proxy',
    400,
    'The grant type is not supported',
    'http_request_error',
  ),
  // What policy does not let pass.
  blocked_by_default: kind(
    'policy',
    403,
    'The operation is blocked by default',
    'http_request_denied',
  ),
  not_granted: kind('policy', 403, 'No grant covers the request', 'http_request_denied'),
  purchase_not_granted: kind('policy', 403, 'The consumer may not buy this', 'http_request_denied'),
  budget_exceeded: kind('policy', 403, 'The budget does not cover this', 'http_request_denied'),
  dry_run_unsupported: kind('policy', 422, 'The operation has no dry run', 'http_request_denied'),
  rate_limited: kind('policy', 429, 'The consumer asks too much', 'http_request_denied'),
  not_visible: kind('policy', 404, 'There is nothing here for you', 'http_request_denied'),
  cross_origin_refused: kind(
    'policy',
    403,
    'Browsers may not call this proxy',
    'http_request_denied',
  ),
  // The credential cannot be had. Never forwarded bare.
  secret_unavailable: kind('token', 503, 'The secret cannot be read', 'proxy_configuration_error'),
  token_unavailable: kind(
    'token',
    503,
    'No token can be had at the moment',
    'destination_unavailable',
  ),
  credential_rejected: kind(
    'token',
    503,
    'OpusDNS rejects the credential',
    'proxy_configuration_error',
  ),
  // The upstream did not answer, or not in a way that could be passed on.
  upstream_unreachable: kind(
    'upstream',
    502,
    'The upstream cannot be reached',
    'destination_unavailable',
  ),
  upstream_dns: kind('upstream', 502, 'The upstream name cannot be resolved', 'dns_error'),
  upstream_refused: kind(
    'upstream',
    502,
    'The upstream refused the connection',
    'connection_refused',
  ),
  upstream_tls: kind(
    'upstream',
    502,
    'The upstream certificate is not trusted',
    'tls_certificate_error',
  ),
  upstream_terminated: kind(
    'upstream',
    502,
    'The upstream broke the connection',
    'connection_terminated',
  ),
  upstream_protocol: kind(
    'upstream',
    502,
    'The upstream answer is not HTTP',
    'http_protocol_error',
  ),
  upstream_head_too_large: kind(
    'upstream',
    502,
    'The upstream head is too large',
    'http_response_header_section_size',
  ),
  upstream_connect_timeout: kind(
    'upstream',
    504,
    'The upstream did not accept in time',
    'connection_timeout',
  ),
  upstream_busy: kind(
    'upstream',
    503,
    'All connections to the upstream are busy',
    'connection_limit_reached',
  ),
  upstream_rate_limited: kind(
    'upstream',
    429,
    'The upstream asks for fewer requests',
    'destination_unavailable',
  ),
  upstream_timeout: kind(
    'upstream',
    504,
    'The upstream did not answer in time',
    'http_response_timeout',
  ),
  total_timeout: kind('upstream', 504, 'The exchange took too long', 'http_response_timeout'),
  outcome_unknown: kind(
    'upstream',
    409,
    'Nobody knows whether the purchase happened',
    'http_response_incomplete',
  ),
  // A reply that had to be read, and could not.
  list_too_large: kind(
    'policy',
    422,
    'The list is too large to be filtered',
    'http_request_denied',
  ),
  list_incomplete: kind(
    'upstream',
    503,
    'The list could not be read whole',
    'http_response_incomplete',
  ),
  reply_not_readable: kind(
    'upstream',
    502,
    'The upstream answer cannot be judged',
    'http_protocol_error',
  ),
  // This proxy itself.
  audit_unavailable: kind('proxy', 503, 'The audit log cannot be written', 'proxy_internal_error'),
  ledger_unavailable: kind(
    'proxy',
    503,
    'The ledger of purchases cannot be used',
    'proxy_internal_error',
  ),
  overloaded: kind('proxy', 503, 'The proxy has no room for more', 'connection_limit_reached'),
  internal: kind('proxy', 500, 'The proxy failed', 'proxy_internal_error'),
  config_invalid: kind('proxy', 500, 'The configuration is not valid', 'proxy_configuration_error'),
} as const satisfies Record<string, FaultKind>

/** A stable name of a fault: in the body (`code`), the log, and the metrics. */
export type FaultCode = keyof typeof FAULTS

/** One thing wrong with what an operator wrote: where, what, and how to mend it. */
export interface Problem {
  /** Where: a key path in the file, an environment variable, or an option. */
  readonly place: string
  /** What is wrong. Never quotes a value that may be secret. */
  readonly fault: string
  /** What to do about it. */
  readonly remedy: string
}

/** See `Fault`. */
export interface FaultOptions {
  /** What happened this time, for the client. Fixed words and safe facts only, never a cause's text. */
  readonly detail: string
  /** The error behind it, for the log only. */
  readonly cause?: unknown
  /** Seconds for `Retry-After`; whole, at least 1. */
  readonly retryAfter?: number
  /** Further header fields of the answer, a flat list. */
  readonly fields?: readonly string[]
  /** Name of the option whose bound was reached; a label of the metric `limit_hits_total`. */
  readonly limit?: string
  /** For `config_invalid`: everything that is wrong. */
  readonly problems?: readonly Problem[]
}

/** A failure with a stable code, a text for the client, and a cause for the log. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly retryAfter: number | undefined
  readonly fields: readonly string[]
  readonly limit: string | undefined
  readonly problems: readonly Problem[]

  constructor(code: FaultCode, options: FaultOptions) {
    super(options.detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfter = options.retryAfter
    this.fields = options.fields ?? []
    this.limit = options.limit
    this.problems = options.problems ?? []
  }

  get status(): number {
    return FAULTS[this.code].status
  }

  get title(): string {
    return FAULTS[this.code].title
  }

  get source(): FaultSource {
    return FAULTS[this.code].source
  }

  /** RFC 9209 error type. */
  get proxyStatus(): string {
    return FAULTS[this.code].proxyStatus
  }

  /** `error` itself when it is a Fault, else an `internal` one that hides it behind a fixed text. */
  static from(error: unknown): Fault {
    if (error instanceof Fault) return error
    return new Fault('internal', { detail: 'The proxy failed; its log says more.', cause: error })
  }
}

/** The `code` of a system or library error (`ECONNREFUSED`, `UND_ERR_SOCKET`), or ''. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
