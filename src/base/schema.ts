// The home of zod: strict objects, and the units that options are written in.
// Option schemas stand beside the feature that they configure; src/config/schema.ts assembles them.

import { z } from 'zod'

export { z }

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/
const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE = /^(\d{1,9})(B|KiB|MiB|GiB)$/
const SIZE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** A duration or size with its legal range; all three in the notation that users write. */
interface Range {
  readonly default: string
  readonly min: string
  readonly max: string
}

function parse(text: string, pattern: RegExp, units: Record<string, number>): number | undefined {
  const match = pattern.exec(text)
  return match ? Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN) : undefined
}

function measured(range: Range, pattern: RegExp, units: Record<string, number>, example: string) {
  const min = parse(range.min, pattern, units) ?? 0
  const max = parse(range.max, pattern, units) ?? 0
  return z
    .string()
    .regex(pattern, `is not a number with a unit; write for example ${example}`)
    .refine((text) => {
      const value = parse(text, pattern, units) ?? Number.NaN
      return !pattern.test(text) || (value >= min && value <= max)
    }, `is out of range; choose between ${range.min} and ${range.max}`)
    .default(range.default)
    .transform((text) => parse(text, pattern, units) ?? Number.NaN)
}

/** A duration such as `30s` (units ms, s, m, h, d); yields milliseconds. */
export function duration(range: Range) {
  return measured(range, DURATION, DURATION_UNITS, '30s or 500ms')
}

/** A size such as `64KiB` (units B, KiB, MiB, GiB); yields bytes. */
export function size(range: Range) {
  return measured(range, SIZE, SIZE_UNITS, '64KiB or 10MiB')
}

const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])$/

/** A list of host names or addresses without scheme and port; none by default. */
export function hostNames() {
  return z
    .array(
      z.string().regex(HOST, 'is not a host name; write the name alone, without scheme and port'),
    )
    .default([])
}
