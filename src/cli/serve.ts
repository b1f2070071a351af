// `serve`: runs the proxy until a signal ends it.

import { systemClock } from '../base/clock.ts'
import { descriptorSink } from '../observe/descriptor-sink.ts'
import type { LogSink } from '../observe/log.ts'
import { orderedSink } from '../observe/ordered-sink.ts'
import { startProxy } from '../server/proxy.ts'
import type { RunningProxy } from '../server/proxy.ts'
import { configuration, takenEnvironment } from './configuration.ts'
import { framesOf } from '../base/frames.ts'
import { hygieneProblems } from './hygiene.ts'
import { printFault } from './printer.ts'
import { rested } from './rest.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

const STDOUT = 1
const RELOAD_REST = 1000

/** Runs the proxy; resolves with the exit code after it was drained. */
export async function serveCommand(options: ConfigOption, world: World): Promise<ExitCode> {
  let sink: LogSink | undefined
  const started = Promise.withResolvers<RunningProxy>()
  const ended = Promise.withResolvers<ExitCode>()
  let running: RunningProxy | undefined
  let leaving = false

  function leave(proxy: RunningProxy, code: ExitCode): void {
    leaving = true
    void proxy.stop().then(() => ended.resolve(code))
  }
  // From the beginning, for the start may wait for a secret.
  world.onSignal(['SIGTERM', 'SIGINT'], (signal) => {
    if (running === undefined) {
      // Nothing is served yet, so that nothing need end.
      sink?.flushSync?.()
      world.exit(0)
    }
    const { log } = running
    if (leaving) {
      log.warn({ signal }, 'second signal: ending at once')
      log.flush()
      world.exit(1)
    }
    log.info({ signal }, 'signal')
    leave(running, 0)
  })
  const reload = rested(RELOAD_REST, systemClock, async (signals) => {
    const proxy = await started.promise
    if (leaving) return
    proxy.log.info({ signals }, 'SIGHUP: reading configuration, secrets and certificates again')
    await proxy.reload()
  })
  world.onSignal(['SIGHUP'], reload)
  world.onCrash((error) => {
    // Names only: the text of an unexpected error may quote what it choked on.
    const name = error instanceof Error ? error.name : typeof error
    if (running === undefined) {
      world.err(`error: uncaught ${name} at ${framesOf(error).join(', ')}\n`)
      world.exit(70)
    }
    const { log } = running
    log.fatal({ error: name, at: framesOf(error) }, 'uncaught error: draining')
    if (!leaving) leave(running, 70)
    log.flush()
  })

  try {
    const load = configuration(options, world)
    const { settings, captured, warnings } = await load()
    // Records among the lines of the log need one writer for both.
    const stdout =
      settings.audit?.to.kind === 'stdout' ? orderedSink(STDOUT, systemClock) : undefined
    sink = stdout ?? descriptorSink(STDOUT, systemClock)
    running = await startProxy(settings, {
      clock: systemClock,
      sink,
      stdout,
      captured,
      load,
      environment: takenEnvironment(world),
      node: world.node,
      umask: (mask) => world.umask(mask),
      collectYoung: world.collect?.young,
    })
    for (const warning of warnings) running.log.warn({ ...warning }, 'configuration')
    for (const problem of hygieneProblems(world.facts())) {
      running.log.warn({ ...problem }, 'process')
    }
  } catch (error) {
    world.err(printFault(error))
    return 1
  }
  // What starting left behind (schemas, parsed configuration) is a seventh of the memory; nobody waits
  // for an answer yet.
  world.collect?.all()
  const { log, listen, admin } = running
  log.announce({ listen, admin }, 'ready')
  started.resolve(running)
  return ended.promise
}
