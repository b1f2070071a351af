// `check`: says whether the configuration is valid, and what it means. Opens no connection.

import type { ListenAddress } from '../config/address.ts'
import type { Settings } from '../config/settings.ts'
import { referenceText } from '../secrets/reference-options.ts'
import { consumerLine } from './check-consumers.ts'
import { loadConfiguration } from './configuration.ts'
import { printFault } from './printer.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

function addressText(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** What may be done, and by whom. */
function allowedLines({ consumers, policy: { allow } }: Settings): string[] {
  if (consumers === undefined) {
    return [`  allowed:    ${allow.join(', ') || 'nothing that is blocked by default'}`]
  }
  return ['  consumers:', ...[...consumers].map(([name, one]) => `    ${consumerLine(name, one)}`)]
}

/** Prints a summary and returns 0, or every problem and 1. */
export async function checkCommand(options: ConfigOption, world: World): Promise<ExitCode> {
  try {
    const { settings, warnings } = await loadConfiguration(options, world)
    const { credential } = settings
    const secret = credential.kind === 'api_key' ? credential.key : credential.secret
    world.out(
      [
        'The configuration is valid.',
        `  listen:     ${settings.listen.map(addressText).join(', ')}`,
        `  admin:      ${addressText(settings.admin.listen)}`,
        `  upstream:   ${settings.upstream.base}`,
        `  credential: ${credential.kind} from ${referenceText(secret)}`,
        ...allowedLines(settings),
        '',
      ].join('\n'),
    )
    for (const { place, fault, remedy } of warnings) {
      world.err(`warning: ${place} ${fault}; ${remedy}\n`)
    }
    return 0
  } catch (error) {
    world.err(printFault(error))
    return 1
  }
}
