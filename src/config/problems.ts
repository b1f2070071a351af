// From zod's issues to problems with place, fault and remedy. zod's own messages are not used, for
// some quote the input; ours come from the schemas as `fault; remedy`, or are made here by kind.

import type { Problem } from '../base/fault.ts'
import type { z } from '../base/schema.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { jsonSchema, keysAt } from './json-schema.ts'
import type { JsonSchema } from './json-schema.ts'
import { spokenProblem } from './spoken.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** How to show the place of a setting. `line` is the path whose line is shown, `path` if left out. */
export type PlaceOf = (path: Path, line?: Path) => string

// A key is quoted only if it looks like a word: `{api_key:SECRET}` without the space is one key, and
// `{opk_…}` is a secret in the wrong place.
const WORD = /^(?!op[a-z]_)[A-Za-z][A-Za-z_-]{0,31}$/i

const KINDS: Readonly<Record<string, readonly [fault: string, remedy: string]>> = {
  object: ['is not a mapping', 'write its keys indented below it, or remove it'],
  array: ['is not a list', 'put the value in square brackets: [one] or [one, two]'],
  string: [
    'is not a text',
    'write a text; durations and sizes have a unit (30s, 64KiB), anything else that looks like a number has quotes',
  ],
  boolean: ['is neither true nor false', 'write true or false'],
  int: ['is not a whole number', 'write a whole number, without quotes'],
  number: ['is not a number', 'write a number, without quotes'],
}

/** The problems behind `issues`; the paths begin at the root of the file. */
export function problemsOf(issues: readonly Issue[], placeOf: PlaceOf): Problem[] {
  // Made once: a file of thousands of unknown keys must not take seconds to refuse.
  const schema = jsonSchema()
  return issues.flatMap((issue) => problemsOfOne(issue, [], placeOf, schema))
}

function problemsOfOne(issue: Issue, above: Path, placeOf: PlaceOf, schema: JsonSchema): Problem[] {
  const path = [...above, ...issue.path]
  const place = placeOf(path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, placeOf, schema))
    case 'invalid_union': {
      // The branch of the right type knows best what is wrong inside of it.
      const fitting = issue.errors.filter((inner) =>
        inner.every((one) => one.code !== 'invalid_type' || one.path.length > 0),
      )
      const known = fitting.find((inner) => inner.every((one) => one.code !== 'unrecognized_keys'))
      const branch = known ?? fitting[0]
      if (branch !== undefined && branch.length > 0) {
        return branch.flatMap((inner) => problemsOfOne(inner, path, placeOf, schema))
      }
      return [spokenProblem(place, issue.message)]
    }
    case 'invalid_type': {
      const [fault, remedy] = KINDS[issue.expected] ?? [
        'is not of the right kind',
        'see config/reference.yaml',
      ]
      return [{ place, fault, remedy }]
    }
    case 'invalid_value':
      return [
        { place, fault: 'is not one of the choices', remedy: `choose ${issue.values.join(', ')}` },
      ]
    case 'too_small': {
      const least = String(issue.minimum)
      return issue.origin === 'number' || issue.origin === 'int'
        ? [{ place, fault: 'is too small', remedy: `choose at least ${least}` }]
        : [{ place, fault: 'is empty', remedy: 'write a value, or remove the key' }]
    }
    case 'too_big':
      return [{ place, fault: 'is too large', remedy: `choose at most ${String(issue.maximum)}` }]
    case 'custom':
    case 'invalid_format':
      return [spokenProblem(place, issue.message)]
    default:
      return [{ place, fault: 'is not valid', remedy: 'see config/reference.yaml' }]
  }
}

function unknownKey(key: string, parent: Path, placeOf: PlaceOf, schema: JsonSchema): Problem {
  const known = keysAt(parent, schema)
  const path = [...parent, key]
  if (!WORD.test(key)) {
    return {
      place: placeOf(parent, path),
      fault: 'holds a key that is not known',
      remedy: `put a space behind the colon; known are ${known.join(', ')}`,
    }
  }
  const meant = didYouMean(key, known)
  return {
    place: placeOf(path),
    fault: 'is not a known key',
    remedy:
      meant === undefined
        ? `remove it; known here are ${known.join(', ')}`
        : `did you mean ${meant}?`,
  }
}
