// Asks OpusDNS about the credential itself: is it good, what may it do, how long does it last.
// Reads the reply tolerantly, for a trial must not fail over a field that nobody needs.

import { Fault } from '../base/fault.ts'
import type { Answer } from '../opusdns/question.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import type { Attachment, Credential } from './credential.ts'
import type { ProbeOutcome } from './events.ts'

const PATH = '/v1/auth/client_credentials/introspect'
const DEADLINE = 10_000
const MAX_BYTES = 65_536

/** What OpusDNS says about a credential. */
export interface KeyFacts {
  readonly outcome: ProbeOutcome
  /** Absent when OpusDNS did not say. At most 64 visible characters. */
  readonly role?: string
  /** Wall-clock milliseconds; absent when it never expires, or OpusDNS did not say. */
  readonly expiresOn?: number
  /** `active`, `expired` or `revoked`. */
  readonly status?: string
  /** One sentence in our own words. */
  readonly detail: string
}

/** A credential that is told what a trial has shown of its value; `rejected` stands for a 401. */
export type Triable = Credential & {
  tried?(attachment: Attachment, outcome: ProbeOutcome): void
}

/**
 * Tries `credential` on the API. Never rejects; settles within 35 s. A 401 to an API key is
 * reported to the credential, and its answer, another key, is tried once. For OAuth the minted token
 * is the trial, and a 401 here is not reported: it would cost a token for nothing.
 */
export async function introspect(
  credential: Triable,
  upstream: Pick<Upstream, 'ask'>,
): Promise<KeyFacts> {
  try {
    const first = await credential.obtain()
    let used = first
    let answer = await askAbout(first, upstream)
    if (answer.status === 401 && credential.kind === 'api_key') {
      const second = await credential.reject(first, 'trial')
      if (second !== undefined) {
        used = second
        answer = await askAbout(second, upstream)
      }
    }
    // A role or status that quotes the credential would go into the log.
    const facts = factsOf({ ...answer, body: used.echo.redact(answer.body) })
    // A 403 leaves open whether the value is good.
    const open = facts.outcome === 'rejected' && answer.status !== 401
    credential.tried?.(used, open ? 'unknown' : facts.outcome)
    // Requests that fail as well show that this refusal is meant.
    const lenient = credential.kind === 'oauth' && !credential.status().refused
    if (facts.outcome === 'rejected' && lenient) {
      return { ...facts, outcome: 'unknown' }
    }
    return facts
  } catch (error) {
    return unanswered(error)
  }
}

function askAbout(attachment: Attachment, upstream: Pick<Upstream, 'ask'>): Promise<Answer> {
  const headers = ['accept', 'application/json', 'user-agent', 'opusdns-auth-proxy']
  attachment.attach(headers)
  return upstream.ask({
    method: 'GET',
    path: PATH,
    headers,
    deadline: DEADLINE,
    maxBytes: MAX_BYTES,
  })
}

function factsOf({ status, body }: Answer): KeyFacts {
  if (status === 401)
    return { outcome: 'rejected', detail: 'OpusDNS answered 401 to the credential.' }
  if (status === 403) {
    const detail =
      'OpusDNS answered 403: the role of the key is too narrow, or the IP restrictions of the organisation do not list this address.'
    return { outcome: 'rejected', detail }
  }
  if (status === 429 || status >= 500) {
    return { outcome: 'unreachable', detail: `OpusDNS answered ${status} to the trial.` }
  }
  if (status < 200 || status > 299) {
    return { outcome: 'unknown', detail: `OpusDNS answered ${status} to the trial.` }
  }
  const reply = jsonObject(body)
  const role = roleName(reply['role'])
  const expiresOn = apiTime(reply['expires_at'])
  const keyStatus = roleName(reply['status'])
  return {
    outcome: 'accepted',
    ...(role === undefined ? {} : { role }),
    ...(expiresOn === undefined ? {} : { expiresOn }),
    ...(keyStatus === undefined ? {} : { status: keyStatus }),
    detail: 'OpusDNS accepts the credential.',
  }
}

function unanswered(error: unknown): KeyFacts {
  if (!(error instanceof Fault)) return { outcome: 'unreachable', detail: 'The trial failed.' }
  const outcome = error.code === 'credential_rejected' ? 'rejected' : 'unreachable'
  return { outcome, detail: error.message }
}

/** A name that the API chose, if it is fit for a log line and a status page. */
function roleName(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w .:@/-]{1,64}$/.test(value) ? value : undefined
}

/** Wall milliseconds of an API datetime; before September 2026 these came without a zone, in UTC. */
function apiTime(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(value))
    return undefined
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(value)
  const ms = Date.parse(zoned ? value : `${value}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

function jsonObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Not the reply that we know; the status alone has to do.
  }
  return {}
}
