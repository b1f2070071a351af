// How long this proxy takes from its start to its ready line, and how much memory it holds while
// nobody asks for anything.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

import { ours } from './contenders/ours.ts'
import { CAN_MEASURE, memoryOf } from './cpu.ts'
import { end, freePort, launch } from './process.ts'
import { median } from './rounds.ts'

const STARTS = 5
const REST = 2000

/** Milliseconds and bytes. */
export interface Start {
  readonly ready: number
  readonly idleMemory: number | undefined
}

/** Starts the proxy some times and takes medians; the memory is the last one's, after a rest. */
export async function measureStart(upstreamPort: number, key: string): Promise<Start> {
  const times: number[] = []
  let idleMemory: number | undefined
  for (let round = 1; round <= STARTS; round += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'))
    const [port, sparePort] = [await freePort(), await freePort()]
    const command = ours.prepare({ port, sparePort, upstreamPort, folder, key })
    const began = performance.now()
    const child = launch(command, 'proxy', 'pipe')
    if (child.stdout === null) throw new Error('no pipe')
    let ready = false
    for await (const line of createInterface(child.stdout)) {
      ready = line.includes('"msg":"ready"')
      if (ready) break
    }
    if (!ready) throw new Error('the proxy ended before it was ready')
    times.push(performance.now() - began)
    if (round === STARTS && CAN_MEASURE && child.pid !== undefined) {
      await sleep(REST)
      idleMemory = memoryOf(child.pid)
    }
    await end(child)
    rmSync(folder, { recursive: true })
  }
  return { ready: median(times), idleMemory }
}
