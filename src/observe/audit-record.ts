// What an audit record says, and how it is written: by hand, for it is made for every request. Nothing
// here may hold a credential, a query, or the data of a DNS record.

/** What was decided about one request. All texts are plain: they are escaped and cut here. */
export interface AuditDecision {
  /** Id of the request, as in its log line; a caller may have chosen it. */
  readonly id: string
  readonly consumer: string
  /** How it was identified, such as `key:k7x2`, `network:10.1.0.0/16` or `anonymous`. Never the key. */
  readonly by: string
  readonly method: string
  /** Template of the operation, or `unknown`. */
  readonly operation: string
  /** Classes of the operation, and of all commands in its body. */
  readonly classes: readonly string[]
  /** Canonical path, without the query. */
  readonly path: string
  /** Zones that are touched, each once. The first 100 are written, and how many there are. */
  readonly zones: readonly string[]
  /** Names that are touched, as `zones`. */
  readonly names: readonly string[]
  /** What would be written, such as `upsert TXT www.example.com`; as `zones`. */
  readonly changes: readonly string[]
  /** True when nothing is written, but what it would change is told. */
  readonly dryRun: boolean
  /** `reported` would have been a denial, but passes in report mode. */
  readonly decision: 'allow' | 'deny' | 'reported'
  /** The grant that allows it, as its owner wrote it. */
  readonly grant: string | undefined
  /** Why it is denied: a code. */
  readonly reason: string | undefined
  /** SHA-256 (hex) of the body, where it is held whole by now; what was judged always is. */
  readonly bodySha256: string | undefined
}

/** How a request ended. */
export interface AuditOutcome {
  /** Status that the client got; 499 when it left before. */
  readonly status: number
  /** Which part answered. */
  readonly source: string
  /** Code of the fault. */
  readonly code: string | undefined
  /** Request id of the upstream. */
  readonly upstreamId: string | undefined
  /** Times that the request was sent upstream: with 0, nothing happened there. */
  readonly attempts: number
  /** False when the client did not get a whole reply. */
  readonly complete: boolean
  /** SHA-256 (hex) of a body that was streamed; `undefined` when the decision has it, or not all came. */
  readonly bodySha256: string | undefined
}

const LISTED = 100
const TEXT_UNITS = 300
const PATH_UNITS = 1000

/** Texts that JSON writes as they are: the usual case. */
const PLAIN = /^[\w\-./:{}*,@ ]*$/

function text(value: string, units = TEXT_UNITS): string {
  const bounded = value.length > units ? `${value.slice(0, units)}…` : value
  return PLAIN.test(bounded) ? `"${bounded}"` : JSON.stringify(bounded)
}

function list(key: string, values: readonly string[]): string {
  if (values.length === 0) return ''
  const listed = values.slice(0, LISTED).map((value) => text(value))
  const count = values.length > LISTED ? `,"${key}_count":${values.length}` : ''
  return `,"${key}":[${listed.join(',')}]${count}`
}

function optional(key: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${key}":${text(value)}`
}

/** The fields of a decision, without braces. `ahead`: written before the request is forwarded. */
export function decisionFields(it: AuditDecision, ahead: boolean): string {
  return (
    `"event":"decision",${ahead ? '"ahead":true,' : ''}"id":${text(it.id)},` +
    `"consumer":${text(it.consumer)},"by":${text(it.by)},"method":${text(it.method)},` +
    `"operation":${text(it.operation)},"classes":[${it.classes.map((one) => text(one)).join(',')}],` +
    `"path":${text(it.path, PATH_UNITS)}${list('zones', it.zones)}${list('names', it.names)}${list('changes', it.changes)},` +
    `"decision":"${it.decision}"${optional('grant', it.grant)}${optional('reason', it.reason)}` +
    optional('body_sha256', it.bodySha256) +
    (it.dryRun ? ',"dry_run":true' : '')
  )
}

/** The fields of an outcome alone, without braces. `of`: `seq` of its decision. */
export function outcomeFields(it: AuditOutcome, id: string, of: number): string {
  return `"event":"outcome","of":${of},"id":${text(id)},${endFields(it)}`
}

/** The fields that say how a request ended, without braces. */
export function endFields(it: AuditOutcome): string {
  return (
    `"status":${it.status},"source":${text(it.source)}${optional('code', it.code)}` +
    `${optional('upstream_id', it.upstreamId)},"attempts":${it.attempts}` +
    (it.complete ? '' : ',"complete":false') +
    optional('body_sha256', it.bodySha256)
  )
}
