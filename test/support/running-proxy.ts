// The real program as a child process of a test: every child is gone when its test, or at the latest
// its file, is over. What it is made of stands in program.ts.

import { afterAll, onTestFinished } from 'vitest'

import { launch, stopAll, whenOver, whenReady } from './program.ts'
import type { Child, CommandResult, ProgramOptions as Options, RunningProxy } from './program.ts'

export { ROOT } from './program.ts'
export type { CommandResult, RunningProxy } from './program.ts'

/** How to run the program in a test. */
export interface ProgramOptions extends Options {
  /**
   * Lets it live until the end of the file. Needed in concurrent tests, where Vitest does not know
   * which test is the present one. Default false.
   */
  readonly keep?: boolean
}

afterAll(stopAll)

/** Starts the proxy; resolves at its ready line, rejects with its output when none comes. */
export function startRunningProxy(options: ProgramOptions = {}): Promise<RunningProxy> {
  return whenReady(launched(options))
}

/** Runs a command of the program to its end. */
export function runCommand(options: ProgramOptions): Promise<CommandResult> {
  return whenOver(launched(options))
}

function launched(options: ProgramOptions): Child {
  const child = launch(options)
  if (options.keep !== true) endWithTest(() => child.stop())
  return child
}

/** Outside of a test (in a hook of the file) the end of the file has to do. */
function endWithTest(stop: () => Promise<unknown>): void {
  try {
    onTestFinished(async () => {
      await stop()
    })
  } catch {
    // Not within a test.
  }
}
