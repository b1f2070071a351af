// `token`: gets one token to show that the credential works. Shows its life and fingerprint, never
// the token.

import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { tokenEndpoint } from '../credentials/token-endpoint.ts'
import { secretSource } from '../secrets/reference.ts'
import { buildUpstream } from '../server/upstream.ts'
import { loadConfiguration } from './configuration.ts'
import { printDuration, printFault } from './printer.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

/** Prints what came; returns 2 when the token endpoint gives none, 1 when it cannot even be asked. */
export async function tokenCommand(options: ConfigOption, world: World): Promise<ExitCode> {
  try {
    const loaded = await loadConfiguration(options, world)
    const { credential } = loaded.settings
    if (credential.kind === 'api_key') {
      throw new Fault('config_invalid', {
        detail: 'The configured credential is an API key, which needs no token.',
        problems: [
          {
            place: 'credential',
            fault: 'is an API key',
            remedy: 'configure a client id and secret, or use the command healthcheck',
          },
        ],
      })
    }
    const deps = { clock: systemClock, captured: loaded.captured, environment: world.env }
    const clientSecret = await secretSource(credential.secret, deps).read()
    const upstream = await buildUpstream(loaded.settings, systemClock)
    const mint = tokenEndpoint({ encoding: credential.tokenRequest }, upstream, systemClock)
    const minted = await mint(credential.clientId, clientSecret)
    await upstream.destroy()
    if (!minted.ok) {
      world.err(`error: no token: ${minted.detail}\n`)
      return 2
    }
    const life = printDuration(minted.life)
    world.out(
      [
        `A token came from ${upstream.origin}.`,
        `  expires in:  ${life}${minted.assumed ? ' (assumed; the endpoint did not say)' : ''}`,
        `  fingerprint: ${minted.token.fingerprint}`,
        '',
      ].join('\n'),
    )
    return 0
  } catch (error) {
    world.err(printFault(error))
    return 1
  }
}
