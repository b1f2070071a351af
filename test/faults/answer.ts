// What a client was answered, in a few words that can be compared: `200`, `502 upstream_refused`,
// `200 cut`, `nothing`.

import { setTimeout as sleep } from 'node:timers/promises'

import { errorCode } from '../../src/base/fault.ts'
import { send } from '../support/wire-client.ts'
import type { Reply, Sending } from '../support/wire-client.ts'

/** An answer with the time it took. */
export interface Timed {
  readonly answer: string
  readonly ms: number
  /** Undefined when nothing came. */
  readonly reply: Reply | undefined
}

const PATIENCE = 20_000

/** Sends one request on a connection of its own, and says what came of it. Never rejects. */
export async function ask(port: number, sending: Sending = {}): Promise<Timed> {
  const startedAt = performance.now()
  const controller = new AbortController()
  const silence = sleep(PATIENCE, 'silence' as const, { signal: controller.signal })
  silence.catch(() => undefined)
  const outcome = await Promise.race([
    send(port, sending).catch((error: unknown) => nothing(error)),
    silence,
  ])
  controller.abort()
  const ms = performance.now() - startedAt
  if (typeof outcome === 'string') return { answer: outcome, ms, reply: undefined }
  return { answer: answerOf(outcome), ms, reply: outcome }
}

/** The answer in words. */
export function answerOf(reply: Reply): string {
  const words = [String(reply.status)]
  const code = /"code":"([a-z_]+)"/.exec(reply.text)?.[1]
  if (code !== undefined) words.push(code)
  if (!reply.complete) words.push('cut')
  return words.join(' ')
}

/** The first answer in the bytes of a connection; `nothing` when there is none. */
export function answerIn(bytes: string): string {
  const [found = 'nothing'] = answersIn(bytes)
  return found
}

/** All answers in the bytes of a connection; only those with a length, and problems, are understood. */
export function answersIn(bytes: string): string[] {
  return bytes
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((part) => part !== '')
    .map((part) => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(part)?.[1] ?? 'garbage'
      const code = /"code":"([a-z_]+)"/.exec(part)?.[1]
      return code === undefined ? status : `${status} ${code}`
    })
}

/** Counts by answer, the most frequent first: `40 × 200, 2 × 503 overloaded`. */
export function tally(answers: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1)
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([answer, count]) => `${count} × ${answer}`)
    .join(', ')
}

function nothing(error: unknown): string {
  const code = errorCode(error)
  return code === '' ? 'nothing' : `nothing (${code})`
}
