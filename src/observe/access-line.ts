// The log line of one request, written out by hand: it is made for every request, and the log
// library takes four times as long for it. Same form as all other lines.

/** What an access line says. Free texts are escaped; nothing here may hold a query or a credential. */
export interface AccessRecord {
  readonly level: 'info' | 'warn'
  /** Wall-clock milliseconds. */
  readonly time: number
  readonly id: string
  readonly method: string
  readonly operation: string
  readonly path: string
  readonly status: number
  readonly source: string
  readonly consumer: string
  /** Milliseconds from the request head to the end of the reply. */
  readonly ms: number
  /** Milliseconds until the upstream's head; `undefined` if it never came. */
  readonly upstreamMs: number | undefined
  readonly upstreamId: string | undefined
  /** Times that the request was sent upstream. */
  readonly attempts: number
  /** Code of the fault and of its cause. */
  readonly code: string | undefined
  readonly cause: string | undefined
  /** False when the client did not get a whole reply. */
  readonly complete: boolean
}

/** Texts that JSON writes as they are: the usual case. */
const PLAIN = /^[\w\-./:{}*,@ ]*$/

function text(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)
}

function hundredths(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100
}

/** The line, with its newline. */
export function accessLine(it: AccessRecord): string {
  let line =
    `{"level":"${it.level}","time":${it.time},"id":${text(it.id)},"method":"${it.method}",` +
    `"operation":"${it.operation}","path":${text(it.path)},"status":${it.status},` +
    `"source":"${it.source}","consumer":${text(it.consumer)},"ms":${hundredths(it.ms)}`
  if (it.upstreamMs !== undefined) line += `,"upstream_ms":${hundredths(it.upstreamMs)}`
  if (it.upstreamId !== undefined) line += `,"upstream_id":${text(it.upstreamId)}`
  if (it.attempts > 1) line += `,"attempts":${it.attempts}`
  if (it.code !== undefined) line += `,"code":"${it.code}"`
  if (it.cause !== undefined) line += `,"cause":${text(it.cause)}`
  if (!it.complete) line += ',"complete":false'
  return `${line},"msg":"request"}\n`
}
