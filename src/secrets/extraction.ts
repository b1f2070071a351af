// Takes the secret out of what a place holds: a field of a JSON object, base64 off. Nothing here ever
// quotes what it looks at, not even a parser's error, which would.

import { Fault } from '../base/fault.ts'

/** How the secret lies in what is read. */
export interface Extraction {
  /** Name of a field of a JSON object. A name with dots that is no field is a path into nested ones. */
  readonly field?: string
  /** True when the secret is encoded in base64 (RFC 4648 section 4 or 5). */
  readonly base64?: boolean
}

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/

/** The bytes of the secret. Throws a Fault `secret_unavailable` that names `reference`. */
export function extracted(
  bytes: Uint8Array,
  extraction: Extraction,
  reference: string,
): Uint8Array {
  const { field, base64 } = extraction
  let found = bytes
  if (field !== undefined) found = Buffer.from(fieldOf(bytes, field, reference), 'utf8')
  return base64 === true ? decoded(found, reference) : found
}

function fieldOf(bytes: Uint8Array, field: string, reference: string): string {
  let tree: unknown
  try {
    tree = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw unavailable(reference, 'holds no JSON', `leave out #${field}, or store a JSON object`)
  }
  const value = own(tree, field) ?? field.split('.').reduce<unknown>(own, tree)
  if (typeof value === 'string') return value
  const what = value === undefined ? `has no field ${field}` : `has no text in the field ${field}`
  throw unavailable(reference, what, 'check the name behind #')
}

/** An own property, for `constructor` and the like are no fields. */
function own(tree: unknown, name: string): unknown {
  if (typeof tree !== 'object' || tree === null || !Object.hasOwn(tree, name)) return undefined
  return (tree as Readonly<Record<string, unknown>>)[name]
}

function decoded(bytes: Uint8Array, reference: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1').replaceAll(/\s/g, '')
  if (!BASE64.test(text)) throw unavailable(reference, 'is no base64', 'leave out base64')
  return Buffer.from(text, 'base64')
}

function unavailable(reference: string, what: string, remedy: string): Fault {
  return new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })
}
