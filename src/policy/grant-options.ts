// Options of what one consumer may do (`grants:` and `mode:` of a consumer).

import { z } from '../base/schema.ts'
import { OPERATION_CLASSES } from '../opusdns/operation-class.ts'
import type { OperationClass } from '../opusdns/operation-class.ts'
import { maybeOperation } from '../opusdns/operation-named.ts'
import { RECORD_TYPES } from '../opusdns/record-type.ts'
import { namePattern } from './name-pattern.ts'
import { pathPattern } from './path-pattern.ts'
import { zonePattern } from './zone-pattern.ts'

/** What a `dns` grant lets a consumer do with its zones. */
export const DNS_VERBS = [
  'read',
  'upsert',
  'remove',
  'replace',
  'create',
  'delete',
  'dnssec',
  'vanity',
  'tag',
] as const

/** See `DNS_VERBS`. */
export type DnsVerb = (typeof DNS_VERBS)[number]

/** Grants that are a word alone. */
export const PRESETS = ['read', 'admin', 'domains:read', 'billing:read'] as const

/** One grant, as the file has it; patterns are canonical texts. */
export type GrantSettings =
  | { readonly kind: (typeof PRESETS)[number]; readonly domains?: readonly string[] }
  | { readonly kind: 'acme'; readonly zones: readonly string[] }
  | {
      readonly kind: 'dns'
      readonly zones: readonly string[]
      /** All names when left out. */
      readonly names: readonly string[] | undefined
      /** All types when left out. */
      readonly types: readonly string[] | undefined
      readonly verbs: readonly DnsVerb[]
    }
  /** Host names, as zones are written. */
  | { readonly kind: 'forwards'; readonly hosts: readonly string[] }
  | { readonly kind: 'class'; readonly classes: readonly OperationClass[] }
  | { readonly kind: 'operation'; readonly operations: readonly string[] }
  | { readonly kind: 'path'; readonly paths: readonly string[] }

const zones = z.array(
  z.string().transform((text, context) => {
    const pattern = zonePattern(text)
    if (pattern !== undefined) return pattern
    context.addIssue({
      code: 'custom',
      message: 'is no zone; write example.com, *.example.com for all zones below it, or *',
    })
    return z.NEVER
  }),
)

const names = z.array(
  z.string().refine((text) => namePattern(text) !== undefined, {
    error:
      'is no pattern of names; write names relative to the zone: @, www, *.app (one label), **.app (any number)',
  }),
)

const operations = z.array(
  z.string().refine((text) => maybeOperation(text) !== undefined, {
    error: 'is no operation of the API; write it as in its documentation: GET /v1/dns/{zone_name}',
  }),
)

const paths = z.array(
  z.string().refine((text) => pathPattern(text) !== undefined, {
    error:
      'is no pattern of requests; write METHOD /v1/path, with * for any method or one segment, and ** at the end for any rest',
  }),
)

const dns = z.strictObject({
  zones: zones.min(1).describe('Zones: example.com, *.example.com (all below it), or *.'),
  names: names
    .min(1)
    .optional()
    .describe('Names of records, relative to the zone: @, www, *.app, **; all when left out.'),
  types: z
    .array(z.enum(RECORD_TYPES))
    .min(1)
    .optional()
    .describe('Types of records; all when left out.'),
  verbs: z
    .array(z.enum(DNS_VERBS))
    .min(1)
    .default(['read', 'upsert', 'remove'])
    .describe(
      'What may be done: read, upsert and remove records, replace all of a zone, create and delete zones, dnssec, vanity (its nameserver set), tag (by name).',
    ),
})

const mapping = z
  .strictObject({
    acme: zones
      .min(1)
      .optional()
      .describe('What ACME clients need for DNS-01 challenges in these zones.'),
    dns: dns.optional().describe('Records and zones, by zone, name, type and verb.'),
    'domains:read': zones.min(1).optional().describe('Reading these registered domains.'),
    forwards: zones
      .min(1)
      .optional()
      .describe(
        'Domain and email forwards of these host names: www.example.com, or *.example.com (all below it).',
      ),
    class: z
      .array(z.enum(OPERATION_CLASSES))
      .min(1)
      .optional()
      .describe('Operations all of whose classes are listed.'),
    operation: operations.min(1).optional().describe('Operations, as METHOD TEMPLATE.'),
    path: paths.min(1).optional().describe('Requests by METHOD PATH, with * and a final **.'),
  })
  .transform((written, context): GrantSettings => {
    // A key that is not known is all that is wrong then.
    if (context.issues.length > 0) return z.NEVER
    const given = Object.entries(written).filter(([, value]) => value !== undefined)
    if (given.length !== 1) {
      context.addIssue({
        code: 'custom',
        message: 'is not one grant; begin a new list item for each of them',
      })
      return z.NEVER
    }
    if (written.acme !== undefined) return { kind: 'acme', zones: written.acme }
    if (written.dns !== undefined) {
      const { zones: within, names: named, types, verbs } = written.dns
      return { kind: 'dns', zones: within, names: named, types, verbs }
    }
    if (written.forwards !== undefined) return { kind: 'forwards', hosts: written.forwards }
    if (written['domains:read'] !== undefined) {
      return { kind: 'domains:read', domains: written['domains:read'] }
    }
    if (written.class !== undefined) return { kind: 'class', classes: written.class }
    if (written.operation !== undefined) {
      return { kind: 'operation', operations: written.operation }
    }
    return { kind: 'path', paths: written.path ?? [] }
  })

const preset = z.enum(PRESETS).transform((kind): GrantSettings => ({ kind }))

const NO_GRANT = `is no grant; write ${PRESETS.join(', ')}, or a mapping such as acme: [example.com]`

/** Options of a consumer that this folder reads. */
export const grantShape = {
  grants: z
    .array(z.union([preset, mapping], { error: NO_GRANT }))
    .default([])
    .describe('What the consumer may do; nothing else passes.'),
  mode: z
    .enum(['enforce', 'report'])
    .default('enforce')
    .describe('report decides and logs, and lets everything pass; for a trial.'),
}
