// Faults of the process and of the machine it runs on: clocks, signals, descriptors, disks. Each with
// the real program as a child process.

import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { eventually } from '../support/eventually.ts'
import { ask, tally } from './answer.ts'
import type { Bench } from './bench.ts'
import type { Fault, Measured } from './fault.ts'
import { environment, portOf, running, several, stream } from './program.ts'
import { closedPort } from './upstream-connections.ts'

const preload = (name: string) => ['--import', join(import.meta.dirname, name)]
const HOUR = 3_600_000

function clockJumps(by: number): Fault['run'] {
  return async (bench) => {
    const simulator = await bench.simulator()
    const proxy = await bench.program({
      env: {
        OPUSDNS_API_BASE: simulator.origin,
        OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
        OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
        JUMP_MS: String(by),
      },
      nodeArgs: preload('clock-jump.ts'),
    })
    const port = portOf(proxy)
    await ask(port)
    proxy.kill('SIGUSR2')
    await eventually(() => proxy.stderr().includes('the clock says'))
    const startedAt = performance.now()
    const answer = await several(port, 20)
    const { tokenRequests } = simulator
    const wrong = tokenRequests > 2 ? [`${tokenRequests} token requests`] : []
    return {
      answer,
      ms: performance.now() - startedAt,
      wrong,
      note: `${tokenRequests} token requests`,
    }
  }
}

/** Kills it under load and starts it again on its port; what was under way fails visibly. */
async function killed(bench: Bench): Promise<Measured> {
  const listen = await closedPort()
  const simulator = await bench.simulator()
  simulator.faults.delay = 20
  const env = { ...environment(simulator), OPUSDNS_PROXY_LISTEN: `127.0.0.1:${listen}` }
  const first = await bench.program({ env })
  const load = stream(listen)
  await sleep(500)
  const startedAt = performance.now()
  first.kill('SIGKILL')
  await first.exited
  await bench.program({ env })
  const ms = performance.now() - startedAt
  await sleep(500)
  const answers = await load.stop()
  const odd = answers.filter((it) => it !== '200' && !it.startsWith('nothing') && it !== '200 cut')
  return {
    answer: odd.length === 0 ? '200 or nothing' : tally(odd),
    ms,
    note: tally(answers),
    wrong: answers.at(-1) === '200' ? [] : ['the load did not recover'],
  }
}

async function terminated(bench: Bench): Promise<Measured> {
  const { simulator, proxy, port } = await running(bench)
  simulator.faults.delay = 300
  const calls = Array.from({ length: 30 }, () => ask(port))
  await eventually(
    () => simulator.requests.filter(({ target }) => target === '/v1/dns').length >= 30,
  )
  const startedAt = performance.now()
  proxy.kill('SIGTERM')
  const answers = await Promise.all(calls)
  const { code } = await proxy.exited
  const ms = performance.now() - startedAt
  await bench.program({ env: environment(simulator) })
  return {
    answer: tally(answers.map(({ answer }) => answer)),
    ms,
    wrong: code === 0 ? [] : [`exit code ${code}`],
  }
}

function signalled(signal: NodeJS.Signals, times: number): Fault['run'] {
  return async (bench) => {
    const { proxy, port } = await running(bench)
    const load = stream(port)
    const startedAt = performance.now()
    for (let at = 0; at < times; at++) {
      proxy.kill(signal)
      // oxlint-disable-next-line no-await-in-loop -- one behind the other
      await sleep(5)
    }
    await sleep(300)
    const answers = await load.stop()
    const ms = performance.now() - startedAt
    const failed = answers.filter((answer) => answer !== '200')
    const wrong = /Debugger|inspector/i.test(proxy.stderr()) ? ['the inspector listens'] : []
    return {
      answer: failed.length === 0 ? 'all 200' : tally(failed),
      ms,
      wrong,
      note: `${answers.length} requests`,
    }
  }
}

/** More connections than descriptors: the proxy bounds its connections below, and says so. */
async function fewDescriptors(bench: Bench): Promise<Measured> {
  const { proxy, port } = await running(bench, {
    under: ['/bin/sh', '-c', 'ulimit -n 80; exec "$@"', 'sh'],
  })
  await ask(port)
  const held: Socket[] = []
  bench.ends(() => held.forEach((socket) => socket.destroy()))
  for (let at = 0; at < 150; at++) {
    held.push(connect(port, '127.0.0.1').on('error', () => undefined))
  }
  await sleep(500)
  const before = proxy.cpuSeconds()
  await sleep(1000)
  const busy = proxy.cpuSeconds() - before
  const { answer, ms } = await ask(port)
  bench.heals(async () => {
    for (const socket of held) socket.destroy()
    await sleep(100)
  })
  return {
    answer,
    ms,
    wrong: busy < 0.4 ? [] : [`${busy.toFixed(2)} s of CPU in a second of waiting`],
    note: `${busy.toFixed(2)} s of CPU in a second without descriptors`,
  }
}

async function diskFull(bench: Bench): Promise<Measured> {
  const port = await closedPort()
  const simulator = await bench.simulator()
  bench.launch({
    env: { ...environment(simulator), OPUSDNS_PROXY_LISTEN: `127.0.0.1:${port}` },
    under: ['/bin/sh', '-c', 'exec "$@" >/dev/full 2>&1', 'sh'],
  })
  bench.serves(port)
  await eventually(async () => (await ask(port)).answer === '200')
  const startedAt = performance.now()
  return { answer: await several(port, 50), ms: performance.now() - startedAt }
}

/** The reader of stdout stalls, or goes: requests do not notice, and the process still ends. */
function logReader(how: 'stalls' | 'goes'): Fault['run'] {
  return async (bench) => {
    const { simulator, proxy, port } = await running(bench)
    const { stdout } = proxy.child.process
    if (how === 'stalls') stdout.pause()
    else stdout.destroy()
    const startedAt = performance.now()
    // More than a pipe holds.
    const answers = await Promise.all(Array.from({ length: 8 }, () => several(port, 50)))
    const ms = performance.now() - startedAt
    proxy.kill('SIGTERM')
    const ended = await Promise.race([
      new Promise((resolve) => proxy.child.process.once('exit', (code) => resolve(`exit ${code}`))),
      sleep(5000, 'no end'),
    ])
    stdout.resume()
    await bench.program({ env: environment(simulator) })
    const wrong = ended === 'exit 0' ? [] : [String(ended)]
    return { answer: new Set(answers).size === 1 ? (answers[0] ?? '') : tally(answers), ms, wrong }
  }
}

async function uncaught(bench: Bench): Promise<Measured> {
  const { simulator, proxy, port } = await running(bench, { nodeArgs: preload('uncaught.ts') })
  simulator.faults.delay = 300
  const call = ask(port)
  await eventually(() => simulator.requests.some(({ target }) => target === '/v1/dns'))
  const startedAt = performance.now()
  proxy.kill('SIGUSR2')
  const { answer } = await call
  const { code } = await proxy.exited
  const ms = performance.now() - startedAt
  await bench.program({ env: environment(simulator) })
  const wrong = code === 70 ? [] : [`exit code ${code}`]
  if (!proxy.stdout().includes('uncaught error')) wrong.push('no line in the log')
  return { answer, ms, wrong }
}

const process_ = { family: 'process', takes: [0, 15_000] } as const

/** See the head of this file. */
export const PROCESS: readonly Fault[] = [
  {
    ...process_,
    quick: true,
    name: 'the wall clock jumps two hours ahead',
    expected: '20 × 200',
    run: clockJumps(2 * HOUR),
  },
  {
    ...process_,
    quick: true,
    name: 'the wall clock jumps two days back',
    expected: '20 × 200',
    run: clockJumps(-48 * HOUR),
  },
  {
    ...process_,
    name: 'kill -9 under load, and started again',
    expected: '200 or nothing',
    run: killed,
  },
  {
    ...process_,
    quick: true,
    name: 'SIGTERM with 30 requests under way',
    expected: '30 × 200',
    run: terminated,
  },
  {
    ...process_,
    quick: true,
    name: '100 × SIGHUP under load',
    expected: 'all 200',
    run: signalled('SIGHUP', 100),
  },
  { ...process_, quick: true, name: 'SIGUSR1', expected: 'all 200', run: signalled('SIGUSR1', 1) },
  {
    ...process_,
    name: 'more connections than descriptors',
    expected: '503 overloaded',
    run: fewDescriptors,
  },
  {
    ...process_,
    quick: true,
    name: 'the disk of the log is full',
    expected: '50 × 200',
    run: diskFull,
  },
  {
    ...process_,
    name: 'the reader of the log stalls',
    expected: '50 × 200',
    run: logReader('stalls'),
  },
  { ...process_, name: 'the reader of the log goes', expected: '50 × 200', run: logReader('goes') },
  {
    ...process_,
    quick: true,
    name: 'an error that nobody catches',
    expected: '200',
    run: uncaught,
  },
]
