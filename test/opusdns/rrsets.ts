// Resource record sets as they arrive in the three kinds of zone bodies.

import { invalid, missing, type Invalid, type Reply } from './problems.ts'

/** Name (lower case, final dot) and type. */
export type RrsetKey = `${string} ${string}`

/** All records of one name and type. */
export interface Rrset {
  readonly name: string
  readonly type: string
  readonly ttl: number
  readonly rdata: readonly string[]
}

/** One change to a zone. */
export interface RrsetChange {
  readonly op: 'upsert' | 'remove'
  readonly rrset: Rrset
}

/** See `parseRrsets`. */
export interface RrsetForm {
  /** The member that holds the entries. */
  readonly list: 'rrsets' | 'ops'
  /** Where an op keeps its target; undefined when the entries are rrsets themselves. */
  readonly part: 'rrset' | 'record' | undefined
  /** Zone name with the final dot, that relative names are completed with. */
  readonly zone: string
}

/** Reads the changes of a body, or yields the 422 that lists everything wrong. */
export function parseRrsets(
  body: Record<string, unknown>,
  form: RrsetForm,
): { value: RrsetChange[] } | { refusal: Reply } {
  const entries = body[form.list]
  if (!Array.isArray(entries)) {
    const errors =
      form.list in body ? [notA('list', [form.list], entries)] : missing(body, [form.list])
    return { refusal: invalid(errors) }
  }
  const value: RrsetChange[] = []
  const errors: Invalid[] = []
  for (const [at, entry] of (entries as unknown[]).entries()) {
    const wrapped = members(entry)
    const op = form.part === undefined ? 'upsert' : wrapped['op']
    if (op !== 'upsert' && op !== 'remove')
      errors.push(notA('known op', [form.list, at, 'op'], entry))
    const rrset = rrsetOf(form.part === undefined ? wrapped : members(wrapped[form.part]), form)
    if (rrset === undefined) errors.push(notA('complete record set', [form.list, at], entry))
    else if (op === 'upsert' || op === 'remove') value.push({ op, rrset })
  }
  return errors.length > 0 ? { refusal: invalid(errors) } : { value }
}

function rrsetOf(from: Record<string, unknown>, form: RrsetForm): Rrset | undefined {
  const { name, type, ttl } = from
  const rdata = form.part === 'record' ? [from['rdata']] : rdataOf(from['records'])
  if (typeof name !== 'string' || typeof type !== 'string' || typeof ttl !== 'number')
    return undefined
  if (!rdata.every((text) => typeof text === 'string')) return undefined
  return { name: absolute(name, form.zone), type: type.toUpperCase(), ttl, rdata }
}

function rdataOf(records: unknown): unknown[] {
  return Array.isArray(records)
    ? records.map((record: unknown) => members(record)['rdata'])
    : [undefined]
}

/** Clients write `@`, '', relative names, and full names with and without the final dot. */
function absolute(name: string, zone: string): string {
  const lower = name.toLowerCase()
  if (lower === '' || lower === '@') return zone
  if (lower.endsWith('.')) return lower
  const dotted = `${lower}.`
  return dotted === zone || dotted.endsWith(`.${zone}`) ? dotted : `${lower}.${zone}`
}

function members(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function notA(what: string, loc: readonly (string | number)[], input: unknown): Invalid {
  return { type: 'value_error', loc: ['body', ...loc], msg: `Input should be a ${what}`, input }
}
