// `version`: what runs.

import { VERSION } from '../base/version.ts'
import type { ExitCode, World } from './world.ts'

/** Prints name and version in one line. */
export function versionCommand(world: World): Promise<ExitCode> {
  world.out(`opusdns-auth-proxy ${VERSION}\n`)
  return Promise.resolve(0)
}
