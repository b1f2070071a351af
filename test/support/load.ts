// A steady stream of requests, sent on schedule whether or not earlier ones were answered, so that a
// slow answer shows as a slow answer and does not slow the questions.

import { setTimeout as sleep } from 'node:timers/promises'

import type { Answer, Ask, HttpClient } from './http-client.ts'

/** See `steadyLoad`. */
export interface LoadOptions {
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
  /** The request number `at`, counted from 0. */
  readonly ask: (at: number) => Ask
}

/** One request of a load. */
export interface Sample {
  /** Wall clock when it was sent, milliseconds. */
  readonly at: number
  readonly ms: number
  /** 0 when no answer came. */
  readonly status: number
}

/** What came of a load. */
export interface LoadResult {
  /** In the order they were sent. */
  readonly samples: readonly Sample[]
  /** Count by status; `0` is a broken connection. */
  readonly counts: Readonly<Record<string, number>>
  /** Texts of the errors of broken connections, each once. */
  readonly errors: readonly string[]
}

/** Sends the load and resolves when the last answer is in. */
export async function steadyLoad(client: HttpClient, options: LoadOptions): Promise<LoadResult> {
  const { rate, seconds, ask } = options
  const startedAt = performance.now()
  const running: Promise<Sample>[] = []
  const errors = new Set<string>()
  const total = Math.round(rate * seconds)
  while (running.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * rate))
    while (running.length < due) running.push(one(client, ask(running.length), errors))
    // oxlint-disable-next-line no-await-in-loop -- the schedule
    await sleep(5)
  }
  const samples = await Promise.all(running)
  return { samples, counts: countBy(samples), errors: [...errors] }
}

/** Sends all of `asks` at once and resolves when the last answer is in. */
export async function burst(client: HttpClient, asks: readonly Ask[]): Promise<LoadResult> {
  const errors = new Set<string>()
  const samples = await Promise.all(asks.map((ask) => one(client, ask, errors)))
  return { samples, counts: countBy(samples), errors: [...errors] }
}

/** The latency that `share` (0 to 1) of the samples do not exceed, in milliseconds. */
export function percentile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

async function one(client: HttpClient, ask: Ask, errors: Set<string>): Promise<Sample> {
  const at = Date.now()
  const startedAt = performance.now()
  let answer: Answer | undefined
  try {
    answer = await client.send(ask)
  } catch (error) {
    errors.add(error instanceof Error ? error.message : 'unknown')
  }
  return { at, ms: performance.now() - startedAt, status: answer?.status ?? 0 }
}

function countBy(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of samples) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
