// The version of the program and of the Node.js it needs.

/** Version of the program; test/repository holds it equal to package.json. */
export const VERSION = '0.1.0'

/** Oldest Node.js that the proxy runs on: below it, known faults smuggle requests (INTERMEDIARY). */
export const NODE_FLOOR = '24.18.1'

/** True when `version` (such as `24.21.0`) is at least `floor`. */
export function atLeast(version: string, floor: string): boolean {
  const [have, need] = [version, floor].map((text) => text.split('.').map(Number))
  for (let index = 0; index < 3; index++) {
    const difference = (have?.[index] ?? 0) - (need?.[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
