// `serve`: runs the proxy until a signal ends it.

import { systemClock } from '../base/clock.ts'
import { descriptorSink } from '../observe/descriptor-sink.ts'
import { startProxy } from '../server/proxy.ts'
import type { RunningProxy } from '../server/proxy.ts'
import { configuration } from './configuration.ts'
import { framesOf } from '../base/frames.ts'
import { hygieneProblems } from './hygiene.ts'
import { printFault } from './printer.ts'
import { rested } from './rest.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

const STDOUT = 1
const RELOAD_REST = 1000

/** Runs the proxy; resolves with the exit code after it was drained. */
export async function serveCommand(options: ConfigOption, world: World): Promise<ExitCode> {
  const sink = descriptorSink(STDOUT, systemClock)
  let running: RunningProxy
  try {
    const load = configuration(options, world)
    const { settings, captured, warnings } = await load()
    running = await startProxy(settings, {
      clock: systemClock,
      sink,
      captured,
      load,
      environment: world.env,
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
  const { log, listen, admin } = running
  let leaving = false
  const ended = Promise.withResolvers<ExitCode>()

  function leave(code: ExitCode): void {
    leaving = true
    void running.stop().then(() => ended.resolve(code))
  }
  world.onSignal(['SIGTERM', 'SIGINT'], (signal) => {
    if (leaving) {
      log.warn({ signal }, 'second signal: ending at once')
      log.flush()
      world.exit(1)
    }
    log.info({ signal }, 'signal')
    leave(0)
  })
  const reload = rested(RELOAD_REST, systemClock, async (signals) => {
    if (leaving) return
    log.info({ signals }, 'SIGHUP: reading configuration, secrets and certificates again')
    await running.reload()
  })
  world.onSignal(['SIGHUP'], reload)
  world.onCrash((error) => {
    // Names only: the text of an unexpected error may quote what it choked on.
    const name = error instanceof Error ? error.name : typeof error
    log.fatal({ error: name, at: framesOf(error) }, 'uncaught error: draining')
    if (!leaving) leave(70)
    log.flush()
  })
  // What starting left behind (schemas, parsed configuration) is a seventh of the memory; nobody waits
  // for an answer yet.
  world.collect?.all()
  log.announce({ listen, admin }, 'ready')
  return ended.promise
}
