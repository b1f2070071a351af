// What a crowd of slow clients costs the others: the p99 of a modest load, alone and beside them.

import { fileURLToPath } from 'node:url'

import { ours } from './contenders/ours.ts'
import { CAN_MEASURE, memoryOf } from './cpu.ts'
import type { Load } from './load.ts'
import { answering, end, freePort, launch } from './process.ts'
import { median } from './rounds.ts'

const CLIENT = fileURLToPath(new URL('./crowd-client.ts', import.meta.url))
const ARRIVAL_LIMIT = 60_000

/** See `measureCrowd`. */
export interface CrowdOptions {
  /** Slow connections. */
  readonly size: number
  readonly rounds: number
  readonly seconds: number
  readonly upstreamPort: number
  readonly key: string
  readonly folder: string
  readonly load: (port: number, seconds: number) => Promise<Load>
}

/** Milliseconds: medians over rounds. */
export interface Crowd {
  readonly size: number
  readonly alone: number
  readonly beside: number
  readonly failures: number
  /** Bytes beside the crowd. */
  readonly memory: number | undefined
}

/** Measures alone, lets the crowd in, measures again. */
export async function measureCrowd(options: CrowdOptions): Promise<Crowd> {
  const { upstreamPort, key, folder, size, seconds } = options
  const [port, sparePort] = [await freePort(), await freePort()]
  const proxy = launch(
    ours.prepare({ port, sparePort, upstreamPort, folder, key }),
    'proxy',
    'ignore',
  )
  try {
    await answering(port)
    await options.load(port, 3)
    const alone = await series(options, port)
    const args = [CLIENT, String(port), String(size)]
    const crowd = launch({ program: process.execPath, args }, 'others', 'pipe')
    try {
      await new Promise<void>((resolve, reject) => {
        crowd.stdout?.once('data', () => resolve())
        setTimeout(() => reject(new Error('the crowd did not come')), ARRIVAL_LIMIT).unref()
      })
      await options.load(port, seconds)
      const beside = await series(options, port)
      const memory = CAN_MEASURE && proxy.pid !== undefined ? memoryOf(proxy.pid) : undefined
      return {
        size,
        alone: median(alone.map(({ p99 }) => p99)),
        beside: median(beside.map(({ p99 }) => p99)),
        failures: beside.reduce((sum, it) => sum + it.failures, 0),
        memory,
      }
    } finally {
      await end(crowd)
    }
  } finally {
    await end(proxy)
  }
}

async function series({ load, rounds, seconds }: CrowdOptions, port: number): Promise<Load[]> {
  const loads: Load[] = []
  for (let round = 0; round < rounds; round += 1) loads.push(await load(port, seconds))
  return loads
}
