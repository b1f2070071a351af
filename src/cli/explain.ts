// `explain`: says what a request would do, and which grant of a consumer allows it or what is missing.
// Asks the same code as the journey of a request, and the ledger about purchases; reads no secret and
// opens no connection.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { errorCode } from '../base/fault.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import type { Settings } from '../config/settings.ts'
import { ANONYMOUS } from '../consumers/identity.ts'
import { canonicalTarget } from '../opusdns/canonical-path.ts'
import { canonicalRoute } from '../opusdns/operations.ts'
import { blockPolicy } from '../policy/block-list.ts'
import { policy } from '../policy/policy.ts'
import { loadConfiguration } from './configuration.ts'
import { explanationText } from './explain-print.ts'
import { spentInFile } from './explained-purchase.ts'
import { explain, wrong } from './explanation.ts'
import type { Subject } from './explanation.ts'
import { printFault } from './printer.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

/** See `explainCommand`. */
export interface ExplainOptions extends ConfigOption {
  /** Needed where there are several. */
  readonly consumer?: string
  /** File with the body, as JSON. */
  readonly body?: string
  readonly json?: boolean
}

/**
 * Prints the explanation; returns 0 when the decision is to allow, and 1 when it is to deny (also of a
 * consumer in report mode, whose requests pass all the same), or for bad input.
 */
export async function explainCommand(
  [method, target]: readonly [method: string, target: string],
  options: ExplainOptions,
  world: World,
): Promise<ExitCode> {
  try {
    const { settings } = await loadConfiguration(options, world)
    const subject = subjectOf(settings, options.consumer)
    const body = options.body === undefined ? undefined : bodyIn(options.body, world.cwd)
    const explanation = await explain(subject, method.toUpperCase(), pathOf(target), body)
    world.out(
      options.json === true ? `${JSON.stringify(explanation)}\n` : explanationText(explanation),
    )
    return explanation.decision === 'denied' ? 1 : 0
  } catch (error) {
    world.err(printFault(error))
    return 1
  }
}

function subjectOf(
  { consumers, unpriced, policy: { allow }, limits, ledger }: Settings,
  asked: string | undefined,
): Subject {
  const spentIn = spentInFile(ledger)
  const names = consumers === undefined ? [ANONYMOUS] : [...consumers.keys()]
  const name = asked ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined) {
    throw wrong(`There are several consumers; name one with --consumer: ${names.join(', ')}.`)
  }
  if (consumers === undefined && name === ANONYMOUS) {
    const open = blockPolicy(allow)
    const free = { mode: 'enforce', dryRun: false, budget: 'unlimited' } as const
    return { name, policy: open, ...free, unpriced, spentIn, limits }
  }
  const settings = consumers?.get(name)
  if (settings === undefined) {
    const meant = didYouMean(name, names)
    const hint = meant === undefined ? `there are: ${names.join(', ')}` : `did you mean ${meant}?`
    throw wrong(`No consumer is named ${name}; ${hint}`)
  }
  const { grants, mode, dryRun, budget } = settings
  return { name, policy: policy(grants), mode, dryRun, budget, unpriced, spentIn, limits }
}

function pathOf(target: string): string {
  const canonical = canonicalTarget(target)
  if ('refused' in canonical) {
    throw wrong(`The path is not canonical, so that it is always refused. ${canonical.refused}`)
  }
  const { path } = canonical
  if (!path.startsWith('/v1/')) throw wrong('Only paths under /v1/ are forwarded.')
  return canonicalRoute(path)
}

function bodyIn(file: string, cwd: string): Buffer {
  try {
    return readFileSync(resolve(cwd, file))
  } catch (error) {
    throw wrong(`The body cannot be read from ${file} (${errorCode(error) || 'unexpected'}).`)
  }
}
