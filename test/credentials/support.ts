// Real secrets and a real token endpoint client, over a source and an upstream that a test scripts.

import { Fault } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Attachment } from '../../src/credentials/credential.ts'
import type { CredentialEvent } from '../../src/credentials/events.ts'
import { oauth } from '../../src/credentials/oauth.ts'
import { tokenEndpoint } from '../../src/credentials/token-endpoint.ts'
import type { Answer, Question } from '../../src/opusdns/question.ts'
import { liveSecret } from '../../src/secrets/live-secret.ts'
import type { LiveSecret } from '../../src/secrets/live-secret.ts'
import { manualClock } from '../support/manual-clock.ts'
import type { ManualClock } from '../support/manual-clock.ts'

/** A secret in a place that the test writes to; `undefined` cannot be read. */
export interface Place {
  readonly live: LiveSecret
  write(text: string | undefined): void
  /** How often it was read. */
  reads(): number
}

export function place(clock: ManualClock, text: string | undefined): Place {
  let value = text
  let changed = () => {}
  let reads = 0
  const live = liveSecret(
    {
      kind: 'env',
      reference: 'env:TEST',
      async read() {
        reads++
        if (value === undefined) throw new Fault('secret_unavailable', { detail: 'not there' })
        return Secret.of(value)
      },
      watch(callback) {
        changed = callback
        return () => {}
      },
    },
    { clock, random: () => 0.5, observe: () => {} },
  )
  return {
    live,
    write(next) {
      value = next
      changed()
    },
    reads: () => reads,
  }
}

/** What a scripted upstream does with one question. */
export type Reply = Answer | Fault | Promise<Answer>

export function answer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers, body: Buffer.from(text) }
}

export const token = (access_token: string, expires_in: unknown = 3600) =>
  answer(200, { access_token, token_type: 'Bearer', expires_in })

export const wrongSecret = () =>
  answer(401, {
    type: 'invalid-organization-credentials',
    title: 'Authentication Error',
    status: 401,
    code: 'ERROR_INVALID_ORGANIZATION_CREDENTIALS',
    detail: 'Invalid client secret',
  })

export const down = () =>
  new Fault('upstream_refused', { detail: 'OpusDNS refused the connection.' })

/** Settles `reply` after `ms` of `clock`. */
export function later(clock: ManualClock, ms: number, reply: Answer | Fault): Promise<Answer> {
  return new Promise((resolve, reject) => {
    clock.after(ms, () => (reply instanceof Fault ? reject(reply) : resolve(reply)))
  })
}

/** An upstream whose `ask` answers what `script` says; keeps what it was asked. */
export function asked(script: (question: Question, count: number) => Reply) {
  const questions: Question[] = []
  return {
    questions,
    async ask(question: Question): Promise<Answer> {
      questions.push(question)
      const reply = await script(question, questions.length)
      if (reply instanceof Fault) throw reply
      return reply
    },
  }
}

/** The one header that an attachment adds. */
export function header(attachment: Attachment): string {
  const headers: string[] = []
  attachment.attach(headers)
  return headers.join(': ')
}

export const clientSecretOf = (question: Question) =>
  new URLSearchParams(question.body ?? '').get('client_secret') ?? ''

/** An OAuth credential over a scripted token endpoint. */
export function oauthRig(
  script: (question: Question, count: number) => Reply,
  options: {
    secret?: string | undefined
    previous?: string
    random?: () => number
    /** Milliseconds by which timers come too early, as those of Node.js do. Default 0. */
    early?: number
    observe?: (event: CredentialEvent) => void
  } = {},
) {
  const clock = manualClock()
  const current = place(clock, 'secret' in options ? options.secret : 'secret-1')
  const previous = options.previous === undefined ? undefined : place(clock, options.previous)
  const { early = 0 } = options
  const timers = {
    ...clock,
    after: (ms: number, run: () => void) => clock.after(ms > early ? ms - early : ms, run),
  }
  const upstream = asked(script)
  const events: CredentialEvent[] = []
  const credential = oauth(
    { name: 'main' },
    {
      clientId: 'organization_01h45ytscbebyvny4gc8cr8ma2',
      current: current.live,
      previous: previous?.live,
      mint: tokenEndpoint({ encoding: 'form' }, upstream, timers),
      clock: timers,
      random: options.random ?? (() => 0.5),
      observe(event) {
        events.push(event)
        options.observe?.(event)
      },
    },
  )
  return {
    clock,
    current,
    previous,
    credential,
    events,
    questions: upstream.questions,
    mints: () => upstream.questions.length,
    /** The header that a request would get at once, or the word 'waits'. */
    now() {
      const got = credential.obtain()
      if (!(got instanceof Promise)) return header(got)
      got.catch(() => {})
      return 'waits'
    },
  }
}

/** How a promise stands: its value, its Fault code, or 'pending'. */
export async function outcome(
  promise: Promise<Attachment | undefined> | Attachment,
): Promise<string> {
  try {
    const first = await Promise.race([
      promise,
      new Promise<'pending'>((r) => setImmediate(r, 'pending')),
    ])
    if (first === undefined) return 'none'
    return first === 'pending' ? first : header(first)
  } catch (error) {
    return error instanceof Fault ? `${error.code} ${error.retryAfter}` : 'not a fault'
  }
}

/** An unsigned likeness of the API's RS256 tokens. */
export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`
}
