// What about the process itself could give the secret away: ways to its memory that somebody opened.
// Looks at facts alone; src/main.ts gathers them.

import type { Problem } from '../base/fault.ts'

/** The process as it was started. */
export interface ProcessFacts {
  /** Options of Node.js, from the command line and from `NODE_OPTIONS`. */
  readonly flags: readonly string[]
  /** Variables that were taken out of the environment at start, with their values. */
  readonly undone: ReadonlyMap<string, string | undefined>
  /** Value of `NODE_DEBUG`. */
  readonly debug: string | undefined
  /** User id; `undefined` where the system has none. */
  readonly uid: number | undefined
  /** Text of `/proc/self/limits`; `undefined` where there is none. */
  readonly limits: string | undefined
  /** Text of `/proc/self/coredump_filter`: which memory a core dump holds, as a hexadecimal mask. */
  readonly coreFilter: string | undefined
}

const REJECT = 'NODE_TLS_REJECT_UNAUTHORIZED'
const WITHOUT = 'start without it; whoever set it can read the secret'
const FLAGS: readonly [pattern: RegExp, fault: string, remedy: string][] = [
  [/^--inspect(?!-port$)/, 'opens the inspector, which reads all memory', WITHOUT],
  [/^--experimental-\w+-inspection$/, 'is for the inspector, which reads all memory', WITHOUT],
  [/^--heapsnapshot-/, 'writes all memory to a file', WITHOUT],
  [/^--tls-keylog$/, 'writes the keys of TLS connections to a file', WITHOUT],
  [
    /^--abort-on-uncaught-exception$/,
    'ends the process with a core dump in place of a drained exit',
    'start without it',
  ],
  [
    /^--report-(?:on-|uncaught-)/,
    'has no effect: this program writes no diagnostic reports',
    'remove it',
  ],
  [
    /^--diagnostic-dir$/,
    'has no use: this program writes no diagnostic files',
    'remove it, and what asks for such files',
  ],
]

/** Everything that is odd, each with a remedy; no reason not to start. */
export function hygieneProblems(facts: ProcessFacts): Problem[] {
  const problems: Problem[] = []
  // Values are left out: a path, or an address, is nobody's business.
  for (const name of new Set(facts.flags.map(nameOf))) {
    const found = FLAGS.find(([pattern]) => pattern.test(name))
    if (found !== undefined) problems.push({ place: name, fault: found[1], remedy: found[2] })
  }
  const limit = /^Max core file size +(\S+)/m.exec(facts.limits ?? '')?.[1]
  if (limit !== undefined && limit !== '0' && Number.parseInt(facts.coreFilter ?? '1', 16) !== 0) {
    problems.push({
      place: 'core dumps',
      fault: 'are on, and hold all memory',
      remedy: 'start after `ulimit -c 0`, as `npm start` does',
    })
  }
  for (const [name, value] of facts.undone) {
    if (name !== REJECT && (value ?? '') !== '') {
      problems.push({
        place: name,
        fault: 'has no effect: what libraries send and receive is not printed',
        remedy: 'remove it',
      })
    }
  }
  if (facts.undone.get(REJECT) === '0') {
    problems.push({
      place: REJECT,
      fault: 'has no effect: certificates are always verified',
      remedy: 'remove it; for a CA of your own set upstream.ca_file',
    })
  }
  if ((facts.debug ?? '') !== '') {
    problems.push({
      place: 'NODE_DEBUG',
      fault: 'has Node.js print what it does, secrets perhaps among it',
      remedy: 'start without it',
    })
  }
  if (facts.uid === 0) {
    problems.push({
      place: 'user',
      fault: 'is root, so that a fault of this program would be a fault of the machine',
      remedy: 'run it as a user of its own',
    })
  }
  return problems
}

/** Name of an option: without value, and spelled with `-` where Node.js takes `_` as well. */
function nameOf(flag: string): string {
  return (/^--[^=]+/.exec(flag)?.[0] ?? '').replaceAll('_', '-')
}
