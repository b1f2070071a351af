// The sections of the file, each parsed by itself, and of `consumers` and `credentials` each member: one
// fault must hide no other.

import type { z } from '../base/schema.ts'
import { isRecord } from '../base/record.ts'
import { fileSchema } from './schema.ts'

type Shape = typeof fileSchema.shape

/** See `partsOf`. */
export interface Parts {
  /** The section `key`; `undefined` when it is faulty. */
  part<K extends keyof Shape>(key: K): z.output<Shape[K]> | undefined
  /** The same of a section with names that users choose, as far as its members are valid. */
  members<K extends 'consumers' | 'credentials'>(key: K): z.output<Shape[K]>
  /** What was wrong so far, with paths from the root; unknown sections come first. */
  readonly issues: readonly z.core.$ZodIssue[]
}

/** The sections of `tree`. */
export function partsOf(tree: Readonly<Record<string, unknown>>): Parts {
  const issues: z.core.$ZodIssue[] = []
  const keys = Object.keys(tree).filter((key) => !Object.hasOwn(fileSchema.shape, key))
  if (keys.length > 0) issues.push({ code: 'unrecognized_keys', keys, path: [], message: '' })

  function parse<K extends keyof Shape>(key: K, value: unknown): z.output<Shape[K]> | undefined {
    const parsed = fileSchema.shape[key].safeParse(value)
    if (parsed.success) return parsed.data as z.output<Shape[K]>
    for (const issue of parsed.error.issues) issues.push({ ...issue, path: [key, ...issue.path] })
    return undefined
  }

  return {
    issues,
    part: (key) => parse(key, tree[key]),
    members(key) {
      const written = tree[key]
      if (!isRecord(written) || Object.keys(written).length === 0) {
        return parse(key, written) as z.output<Shape[typeof key]>
      }
      const entries = Object.entries(written).flatMap(([name, one]) =>
        Object.entries(parse(key, { [name]: one }) ?? {}),
      )
      return Object.fromEntries(entries) as z.output<Shape[typeof key]>
    },
  }
}
