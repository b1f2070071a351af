// `token`: gets one token to show that the credential works. Shows its life and fingerprint, never
// the token.

import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { tokenEndpoint } from '../credentials/token-endpoint.ts'
import type { MintResult } from '../credentials/token-reply.ts'
import { referenceText } from '../secrets/reference-options.ts'
import { secretSources } from '../secrets/reference.ts'
import { buildUpstream } from '../server/upstream.ts'
import { loadConfiguration, takenEnvironment } from './configuration.ts'
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
    const { captured, settings } = loaded
    const source = secretSources({
      clock: systemClock,
      captured,
      environment: takenEnvironment(world),
      vendors: settings.secrets,
    })
    const upstream = await buildUpstream(
      { upstream: settings.upstream, headerSize: settings.limits.headerSize },
      systemClock,
    )
    const mint = tokenEndpoint({ encoding: credential.tokenRequest }, upstream, systemClock)
    const secrets = [credential.secret, credential.previous].filter((one) => one !== undefined)
    let minted: MintResult | undefined
    for (const secret of secrets) {
      // oxlint-disable-next-line no-await-in-loop -- the second is tried only when the first is refused
      minted = await mint(credential.clientId, await source(secret).read())
      if (minted.ok || minted.result !== 'terminal' || secret === credential.previous) break
      if (credential.previous !== undefined) {
        world.err(`warning: ${referenceText(secret)} is refused: ${minted.detail}\n`)
      }
    }
    await upstream.destroy()
    if (minted === undefined) return 1
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
