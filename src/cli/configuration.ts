// Reads the configuration for a command, and takes the secrets out of the environment.

import { loadSettings } from '../config/load.ts'
import type { LoadedSettings } from '../config/load.ts'
import { readConfig } from '../config/read-config.ts'
import type { ConfigOption, World } from './world.ts'

/** Loads the settings, or throws a Fault with every problem. Opens no connection. */
export async function loadConfiguration(
  options: ConfigOption,
  world: World,
): Promise<LoadedSettings> {
  const loaded = await loadSettings(
    await readConfig({ env: world.env, configPath: options.config, directory: world.cwd }),
  )
  // What was taken must not be there for children, reports, or a later dump of the environment.
  for (const name of loaded.consumedEnv) delete world.env[name]
  return loaded
}
