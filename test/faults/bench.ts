// The stage of one fault: starts its parts, ends them, repairs them for the next request, and knows
// whether an unsafe request reached an upstream twice.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator, SimulatorOptions } from '../opusdns/simulator.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy, LocalProxyOptions } from '../support/local-proxy.ts'
import { launch, whenReady } from '../support/program.ts'
import type { Child, ProgramOptions, RunningProxy } from '../support/program.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream, RawUpstreamOptions, Script } from '../support/raw-upstream.ts'
import { valuesOf } from '../support/wire-client.ts'

/** What a fault may use. */
export interface Bench {
  /** An upstream made of bytes; answers every request well after the fault. */
  upstream(script?: Script, options?: RawUpstreamOptions): Promise<RawUpstream>
  /** A stand-in for OpusDNS; its switches are off after the fault. */
  simulator(options?: SimulatorOptions): Promise<Simulator>
  /** A proxy in this process; the next request goes to it. Its limits are short unless told. */
  proxy(options: LocalProxyOptions): Promise<LocalProxy>
  /** A proxy of its own process, ready; the next request goes to it. */
  program(options: ProgramOptions): Promise<RunningProxy & { readonly child: Child }>
  /** The program, not yet ready. */
  launch(options: ProgramOptions): Child
  /** A new folder that is removed in the end. */
  folder(): string
  /** The next request goes to this port. */
  serves(port: number): void
  /** Done after the fault, before the next request: the world is well again. */
  heals(heal: () => unknown): void
  /** Done in the end, last first. */
  ends(end: () => unknown): void
}

/** A bench in the hands of the one who runs the fault. */
export interface OwnedBench extends Bench {
  readonly port: number
  heal(): Promise<void>
  /** Requests that reached the upstreams, without tokens and trials. */
  sent(): number
  /** Unsafe requests that reached an upstream more than once, but for a replay after a 401. */
  doubled(): string[]
  close(): Promise<void>
}

/** Limits so short that a fault takes little time. The client library's timers are some 1 s coarse. */
export const SHORT = `
limits: { request_head_timeout: 400ms, request_body_idle_timeout: 400ms }
upstream: { connect_timeout: 500ms, head_timeout: 600ms, body_idle_timeout: 600ms }
`

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Answers with the target, so that no other reply can be taken for it. */
export const echo: Script = async ({ socket, whole, target }) => {
  if (target === '/v1/auth/token') {
    socket.write(plainReply('{"access_token":"good","token_type":"Bearer","expires_in":3600}'))
    return
  }
  await whole
  socket.write(plainReply(JSON.stringify({ target })))
}

/** Builds a bench; starts nothing. */
export function bench(): OwnedBench {
  const ended: (() => unknown)[] = []
  const healed: (() => unknown)[] = []
  const raws: RawUpstream[] = []
  const simulators: Simulator[] = []
  let port = 0

  /** Every request: method, id and what it was answered, if that is known. */
  function arrived(): { method: string; id: string; status: number }[] {
    return [
      ...raws.flatMap(({ requests }) =>
        requests.map(({ method, fields, target }) => ({ method, fields, target, status: 0 })),
      ),
      ...simulators.flatMap(({ requests }) =>
        requests.map(({ method, rawHeaders: fields, target, status }) => ({
          method,
          fields,
          target,
          status: status ?? 0,
        })),
      ),
    ]
      .filter(({ target }) => !target.startsWith('/v1/auth/'))
      .map(({ method, fields, status }) => ({
        method,
        id: valuesOf(fields, 'x-request-id')[0] ?? '',
        status,
      }))
  }

  const own: OwnedBench = {
    get port() {
      return port
    },
    async upstream(script, options) {
      const started = await rawUpstream(script ?? echo, options)
      raws.push(started)
      ended.push(() => started.close())
      healed.push(() => (started.script = echo))
      return started
    },
    async simulator(options) {
      const started = await startSimulator(options)
      simulators.push(started)
      ended.push(() => started.close())
      healed.push(() => started.faults.clear())
      return started
    },
    async proxy(options) {
      const started = await localProxy({ config: SHORT, ...options })
      ended.push(() => started.stop())
      port = started.port
      return started
    },
    async program(options) {
      const child = own.launch(options)
      const ready = await whenReady(child)
      port = Number(new URL(ready.origin).port)
      return { ...ready, child }
    },
    launch(options) {
      const child = launch(options)
      ended.push(() => child.stop())
      return child
    },
    folder() {
      const path = mkdtempSync(join(tmpdir(), 'opusdns-faults-'))
      ended.push(() => rmSync(path, { recursive: true, force: true }))
      return path
    },
    serves(to) {
      port = to
    },
    heals: (heal) => void healed.push(heal),
    ends: (end) => void ended.push(end),
    async heal() {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in the order they were named
      for (const one of healed) await one()
    },
    sent: () => arrived().length,
    doubled() {
      const seen = new Map<string, number>()
      for (const { method, id, status } of arrived()) {
        if (SAFE.has(method) || status === 401) continue
        seen.set(`${method} ${id}`, (seen.get(`${method} ${id}`) ?? 0) + 1)
      }
      return [...seen].filter(([, count]) => count > 1).map(([request]) => `doubled: ${request}`)
    },
    async close() {
      // oxlint-disable-next-line no-await-in-loop -- what started last may need what started first
      for (const end of ended.toReversed()) await end()
    },
  }
  return own
}
