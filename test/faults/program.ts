// What the faults of the process share: the real program before a simulator, and a steady stream of
// requests through it.

import { setTimeout as sleep } from 'node:timers/promises'

import { SEED_KEY } from '../opusdns/seed.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import type { ProgramOptions, RunningProxy } from '../support/program.ts'
import { ask, tally } from './answer.ts'
import type { Bench } from './bench.ts'

const CHANGE =
  '{"ops":[{"op":"upsert","record":{"name":"www","type":"A","ttl":60,"rdata":"192.0.2.1"}}]}'

/** The environment of a program with the seed key. */
export function environment(simulator: Simulator): Record<string, string> {
  return { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key }
}

/** The program with the seed key, before a simulator. */
export async function running(bench: Bench, options: ProgramOptions = {}) {
  const simulator = await bench.simulator()
  const env = { ...environment(simulator), ...options.env }
  const proxy = await bench.program({ ...options, env })
  return { simulator, proxy, port: portOf(proxy) }
}

/** The port of the first listener. */
export function portOf({ origin }: Pick<RunningProxy, 'origin'>): number {
  return Number(new URL(origin).port)
}

/** `count` requests one behind the other, as a tally. */
export async function several(port: number, count: number): Promise<string> {
  const answers: string[] = []
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let at = 0; at < count; at++) answers.push((await ask(port)).answer)
  return tally(answers)
}

/** Requests that go on until they are stopped. */
export interface Stream {
  /** Stops it, and tells all answers. */
  stop(): Promise<string[]>
}

/** Sends reads and changes (each change with an id of its own) over 8 lines, until it is stopped. */
export function stream(port: number): Stream {
  const answers: string[] = []
  let going = true
  let sent = 0
  async function worker(): Promise<void> {
    while (going) {
      const change = sent++ % 2 === 0
      // oxlint-disable-next-line no-await-in-loop -- a worker sends one request at a time
      const { answer } = await ask(
        port,
        change
          ? {
              method: 'PATCH',
              path: '/v1/dns/example.com/records',
              headers: [
                'Content-Type',
                'application/json',
                'X-Request-Id',
                `stream-${port}-${sent}`,
              ],
              body: CHANGE,
            }
          : {},
      )
      answers.push(answer === '204' ? '200' : answer)
      // oxlint-disable-next-line no-await-in-loop -- a bounded load
      await sleep(5)
    }
  }
  const workers = Promise.all(Array.from({ length: 8 }, worker))
  return {
    async stop() {
      going = false
      await workers
      return answers
    },
  }
}
