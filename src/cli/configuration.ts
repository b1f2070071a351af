// Reads the configuration for a command, and takes the secrets out of the environment.

import { Secret } from '../base/secret.ts'
import { loadSettings } from '../config/load.ts'
import type { LoadedSettings } from '../config/load.ts'
import { readConfig } from '../config/read-config.ts'
import type { ConfigOption, World } from './world.ts'

/** What sources of secrets log in with; the sources get it from a copy. */
const LOGINS = ['VAULT_TOKEN', 'BAO_TOKEN', 'OP_CONNECT_TOKEN']

/**
 * A copy of the environment for the sources of secrets, whose logins are taken out of the real one: the
 * commands that a cloud's SDK runs (`credential_process`) inherit that.
 */
export function takenEnvironment(
  world: Pick<World, 'env'>,
): Readonly<Record<string, string | undefined>> {
  const copy = { ...world.env }
  for (const name of LOGINS) delete world.env[name]
  return copy
}

/** Loads the settings, or throws a Fault with every problem. Opens no connection. */
export function loadConfiguration(options: ConfigOption, world: World): Promise<LoadedSettings> {
  return configuration(options, world)()
}

/**
 * A function that loads the settings, also again: what the first call took out of the environment is
 * remembered for the next.
 */
export function configuration(options: ConfigOption, world: World): () => Promise<LoadedSettings> {
  const taken = new Map<string, Secret>()
  const logins = Object.fromEntries(LOGINS.map((name) => [name, world.env[name]]))
  return async function load() {
    const env: Record<string, string | undefined> = { ...logins, ...world.env }
    for (const [name, value] of taken) env[name] ??= value.reveal()
    const loaded = await loadSettings(
      await readConfig({ env, configPath: options.config, directory: world.cwd }),
    )
    for (const name of loaded.consumedEnv) {
      taken.set(name, Secret.of(env[name] ?? ''))
      // What was taken must not be there for children, reports, or a later dump of the environment.
      delete world.env[name]
    }
    return loaded
  }
}
