// From zod's issues to problems with place, fault and remedy. zod's own messages are not used, for
// some quote the input; ours come from the schemas as `fault; remedy`, or are made here by kind.

import type { Problem } from '../base/fault.ts'
import type { z } from '../base/schema.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { jsonSchema, keysAt, schemaAt } from './json-schema.ts'
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
  record: ['is not a mapping', 'write names with a colon, and what each has indented below it'],
  array: ['is not a list', 'put the value in square brackets: [one] or [one, two]'],
  string: [
    'is not a text',
    'write a text; durations and sizes have a unit (30s, 64KiB), anything else that looks like a number has quotes',
  ],
  boolean: ['is neither true nor false', 'write true or false'],
  int: ['is not a whole number', 'write a whole number, without quotes'],
  number: ['is not a number', 'write a number, without quotes'],
}

/** The problems behind `issues`, whose paths begin at the root of the file; `tree` is what it holds. */
export function problemsOf(issues: readonly Issue[], tree: unknown, placeOf: PlaceOf): Problem[] {
  // Made once: a file of thousands of unknown keys must not take seconds to refuse.
  const look: Look = { tree, placeOf, schema: jsonSchema() }
  return issues.flatMap((issue) => problemsOfOne(issue, [], look))
}

interface Look {
  readonly tree: unknown
  readonly placeOf: PlaceOf
  readonly schema: JsonSchema
}

function problemsOfOne(issue: Issue, above: Path, look: Look): Problem[] {
  const path = [...above, ...issue.path]
  const place = look.placeOf(path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, look))
    case 'invalid_union': {
      // The branch of the right type knows best what is wrong inside of it.
      const fitting = issue.errors.filter((inner) =>
        inner.every((one) => !isOfAnotherKind(one) || one.path.length > 0),
      )
      const known = fitting.find((inner) => inner.every((one) => one.code !== 'unrecognized_keys'))
      const branch = known ?? fitting[0]
      if (branch !== undefined && branch.length > 0) {
        return branch.flatMap((inner) => problemsOfOne(inner, path, look))
      }
      return [spokenProblem(place, issue.message)]
    }
    case 'invalid_key':
      return issue.issues.flatMap((inner) => problemsOfOne(inner, path, look))
    case 'invalid_type': {
      if (valueAt(path, look.tree) === undefined) return [missing(path, look)]
      if (isOurs(issue.message)) return [spokenProblem(place, issue.message)]
      const [fault, remedy] = KINDS[issue.expected] ?? [
        'is not of the right kind',
        'see config/reference.yaml',
      ]
      return [{ place, fault, remedy }]
    }
    case 'invalid_value': {
      const value = valueAt(path, look.tree)
      if (value === undefined) return [missing(path, look)]
      const values = issue.values.map(String)
      const meant = typeof value === 'string' ? didYouMean(value, values) : undefined
      const remedy = meant === undefined ? `choose ${values.join(', ')}` : `did you mean ${meant}?`
      return [{ place, fault: 'is not one of the choices', remedy }]
    }
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

/** Whether the value is nothing that this branch of a union is about: a mapping, or another word. */
function isOfAnotherKind({ code }: Issue): boolean {
  return code === 'invalid_type' || code === 'invalid_value'
}

/** Whether a message is one of our schemas. */
function isOurs(message: string): boolean {
  return message.includes('; ')
}

function valueAt(path: Path, tree: unknown): unknown {
  return path.reduce<unknown>(
    (node, key) => (typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined),
    tree,
  )
}

function missing(path: Path, { placeOf, schema }: Look): Problem {
  const key = String(path.at(-1))
  const found = schemaAt(path, schema)
  const choices = found?.['enum']
  const described = (found?.description ?? '')
    .replace(/\.$/, '')
    .replace(new RegExp(`^${key}: `, 'i'), '')
    .replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase())
  const what = Array.isArray(choices) ? choices.join(' or ') : described
  return { place: placeOf(path), fault: 'is missing', remedy: `write ${key}: ${what}` }
}

function unknownKey(key: string, parent: Path, { placeOf, schema }: Look): Problem {
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
