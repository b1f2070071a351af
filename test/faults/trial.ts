// Runs one fault from its cause to the next request, and judges it.

import { setTimeout as sleep } from 'node:timers/promises'

import { ask } from './answer.ts'
import { bench } from './bench.ts'
import type { OwnedBench } from './bench.ts'
import type { Fault, Measured, Verdict } from './fault.ts'

/** No fault takes longer; one that does hangs. */
const DEADLINE = 60_000

let counted = 0

/** Runs `fault` on a bench of its own; never rejects, and leaves nothing behind. */
export async function trial(fault: Fault): Promise<Verdict> {
  const stage = bench()
  const wrong: string[] = []
  let measured: Measured | undefined
  let next = 'not asked'
  try {
    measured = await inTime(fault.run(stage))
    wrong.push(...judge(fault, measured, stage))
    await stage.heal()
    const { words, fine } = await nextRequest(stage.port, fault.recovers ?? 0)
    next = words
    if (!fine) wrong.push(`next request: ${words}`)
    wrong.push(...stage.doubled())
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : 'unknown error')
  }
  try {
    await inTime(stage.close())
  } catch (error) {
    wrong.push(`cannot be ended: ${error instanceof Error ? error.message : 'unknown error'}`)
  }
  return { fault, measured, next, wrong }
}

/** A verdict as one line. */
export function lineOf({ fault, measured, next, wrong }: Verdict): string {
  const told =
    measured === undefined
      ? 'nothing'
      : `${measured.answer} in ${measured.ms.toFixed(0)} ms${measured.note === undefined ? '' : ` (${measured.note})`}`
  return [
    wrong.length === 0 ? 'ok  ' : 'FAIL',
    fault.family.padEnd(8),
    `${fault.name}:`,
    `expected ${fault.expected};`,
    `measured ${told};`,
    `next request ${next}`,
    ...wrong.map((text) => `\n       ${text}`),
  ].join(' ')
}

function judge(fault: Fault, measured: Measured, stage: OwnedBench): string[] {
  const [least, most] = fault.takes ?? [0, 5000]
  const wrong = [...(measured.wrong ?? [])]
  if (measured.answer !== fault.expected) wrong.push(`answered ${measured.answer}`)
  if (measured.ms < least || measured.ms > most) {
    wrong.push(`took ${measured.ms.toFixed(0)} ms, not ${least} to ${most}`)
  }
  if (fault.sent !== undefined && stage.sent() !== fault.sent) {
    wrong.push(`reached the upstream ${stage.sent()} times, not ${fault.sent}`)
  }
  return wrong
}

/** Sends a request that no other looks like, until it is answered as it should or time is up. */
async function nextRequest(
  port: number,
  recovers: number,
): Promise<{ words: string; fine: boolean }> {
  const startedAt = performance.now()
  for (;;) {
    const path = `/v1/dns?next=${++counted}`
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const { answer, reply } = await ask(port, { path })
    const ms = performance.now() - startedAt
    // An upstream made of bytes answers with the target; the simulator with its zones.
    const foreign = /"target":"([^"]*)"/.exec(reply?.text ?? '')?.[1] ?? path
    const own = foreign === path && /^\{.*\}$/s.test(reply?.text ?? '')
    const words = `${answer}${own ? '' : ' with a foreign reply'} in ${ms.toFixed(0)} ms`
    if (answer === '200' && own) return { words, fine: true }
    if (ms >= recovers) return { words, fine: false }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(50)
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`not over within ${DEADLINE} ms`)), DEADLINE)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
