// What stands differently in our table of operations and in a published OpenAPI document. Classes
// are not in such a document: whoever adds a line to the table judges them.

import { OPERATIONS, WITHDRAWN_OPERATIONS } from '../../src/opusdns/operations.ts'

/** One operation that a document lists. */
interface Listed {
  readonly tag: string
  /** Joined by commas, sorted; `-` for none: as in the table. */
  readonly permissions: string
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
const WITHDRAWN = new Set(
  WITHDRAWN_OPERATIONS.map(({ method, template }) => `${method} ${template}`),
)

/**
 * The differences, one a line, in the order of the document and then of the table: `new METHOD
 * TEMPLATE TAG PERMISSIONS` (to be pasted, classes to be added), `gone METHOD TEMPLATE`, `changed
 * METHOD TEMPLATE: tag OLD, now NEW`. A parameter of another name makes another operation.
 * Withdrawn operations are missed by nobody; one that is back is `back`. Throws when `document` (a
 * parsed JSON file) is no OpenAPI document with paths.
 */
export function differences(document: unknown): readonly string[] {
  const listed = operationsIn(document)
  const ours = new Map<string, Listed>()
  for (const { method, template, tag, permissions } of OPERATIONS) {
    ours.set(`${method} ${template}`, { tag, permissions: joined(permissions) })
  }
  const lines: string[] = []
  for (const [key, now] of listed) {
    const was = ours.get(key)
    if (was === undefined) lines.push(`new ${key} ${now.tag} ${now.permissions}`)
    else if (WITHDRAWN.has(key)) lines.push(`back ${key} ${now.tag} ${now.permissions}`)
    else {
      for (const part of ['tag', 'permissions'] as const) {
        if (was[part] === now[part]) continue
        lines.push(`changed ${key}: ${part} ${was[part]}, now ${now[part]}`)
      }
    }
  }
  for (const key of ours.keys()) {
    if (!listed.has(key) && !WITHDRAWN.has(key)) lines.push(`gone ${key}`)
  }
  // Someone else's file: nothing in it may steer the terminal.
  return lines.map((line) => line.replaceAll(/[^\x20-\x7e]/g, '?'))
}

function operationsIn(document: unknown): Map<string, Listed> {
  const paths = fields(fields(document)?.['paths'])
  if (paths === undefined) throw new Error('this is no OpenAPI document: it has no paths')
  const listed = new Map<string, Listed>()
  for (const [template, item] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = fields(fields(item)?.[method])
      if (operation === undefined) continue
      listed.set(`${method.toUpperCase()} ${template}`, {
        // The first is the chapter; further ones only mark a part of it.
        tag: words(operation['tags'])[0] ?? '-',
        permissions: joined(words(operation['x-required-permissions'])),
      })
    }
  }
  return listed
}

function fields(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const is = typeof value === 'object' && value !== null && !Array.isArray(value)
  return is ? (value as Record<string, unknown>) : undefined
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function joined(permissions: readonly string[]): string {
  return permissions.length === 0 ? '-' : permissions.toSorted().join(',')
}
