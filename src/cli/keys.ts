// `keys new`: makes a consumer key, shows it once, and says what the configuration holds of it. Reads
// and writes no file.

import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { duration } from '../base/schema.ts'
import { newConsumerKey } from '../consumers/consumer-key.ts'
import { isName } from '../consumers/name-options.ts'
import { parseMoment } from '../consumers/options.ts'
import { printFault } from './printer.ts'
import type { ExitCode, World } from './world.ts'

/** See `newKeyCommand`. */
export interface NewKeyOptions {
  /** A duration from now (90d), a date, or date and time. */
  readonly expires?: string
  /** Name of the consumer, for the lines that are printed. */
  readonly consumer?: string
  readonly json?: boolean
}

/**
 * Prints a new key alone to stdout, so that it can be piped to where it is kept, and the lines of the
 * configuration to stderr; with `json` all of it as one object to stdout. Returns 1 for options that
 * make no sense.
 */
export function newKeyCommand(options: NewKeyOptions, world: World): Promise<ExitCode> {
  try {
    const { consumer = 'NAME' } = options
    if (options.consumer !== undefined && !isName(consumer)) {
      throw unusable(
        '--consumer',
        'is no name of a consumer',
        'write small letters, digits, dots, - and _, 63 at most',
      )
    }
    const expires = options.expires === undefined ? undefined : momentOf(options.expires)
    const { id, key, sha256 } = newConsumerKey()
    if (options.json === true) {
      const shown = { consumer: options.consumer, id, key: key.reveal(), sha256, expires }
      world.out(`${JSON.stringify(shown)}\n`)
      return Promise.resolve(0)
    }
    world.out(`${key.reveal()}\n`)
    const until = expires === undefined ? '' : `, expires: ${expires}`
    world.err(
      [
        '# The key is shown this once. The configuration holds its digest:',
        'consumers:',
        `  ${consumer}:`,
        '    keys:',
        `      - { id: ${id}, sha256: ${sha256}${until} }`,
        '',
      ].join('\n'),
    )
    return Promise.resolve(0)
  } catch (error) {
    world.err(printFault(error))
    return Promise.resolve(1)
  }
}

/** As the configuration writes it, to the second. */
function momentOf(text: string): string {
  const now = systemClock.wall()
  const life = duration({ default: '90d', min: '1m', max: '36500d' }).safeParse(text)
  const moment = life.success ? now + life.data : parseMoment(text)
  if (Number.isNaN(moment) || moment <= now) {
    throw unusable(
      '--expires',
      'is no moment to come',
      'write 90d or 12h, or a date: 2027-01-31, 2027-01-31T12:00:00Z',
    )
  }
  return new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z')
}

function unusable(place: string, fault: string, remedy: string): Fault {
  return new Fault('config_invalid', {
    detail: 'No key was made.',
    problems: [{ place, fault, remedy }],
  })
}
