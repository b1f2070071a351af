// The records of a zone, as OpusDNS shows them.

import { isRecord } from '../base/record.ts'
import { canonicalName } from './name.ts'
import type { ZoneRrset } from './zone-draft.ts'

/**
 * The record sets that a reply to `GET /v1/dns/{zone_name}` shows; `undefined` when it is none. Names
 * and types that are not understood stay as they are.
 */
export function rrsetsShown(value: unknown): readonly ZoneRrset[] | undefined {
  const zone = isRecord(value) && typeof value['name'] === 'string' ? value['name'] : undefined
  const rrsets = isRecord(value) ? (value['rrsets'] ?? []) : undefined
  if (zone === undefined || !Array.isArray(rrsets)) return undefined
  const shown: ZoneRrset[] = []
  for (const rrset of rrsets as unknown[]) {
    if (!isRecord(rrset)) return undefined
    const { name, type, ttl, records = [], protected: guarded, protected_reason: why } = rrset
    if (typeof name !== 'string' || typeof type !== 'string' || !Array.isArray(records)) {
      return undefined
    }
    const reasons = [guarded === true ? why : undefined]
    const rdata: string[] = []
    for (const record of records as unknown[]) {
      if (!isRecord(record) || typeof record['rdata'] !== 'string') return undefined
      rdata.push(record['rdata'])
      if (record['protected'] === true) reasons.push(record['protected_reason'])
    }
    const isGuarded = guarded === true || reasons.length > 1
    const reason = reasons.find((one) => typeof one === 'string' && /^[A-Z_]{1,40}$/.test(one))
    shown.push({
      name: absolute(name, zone),
      type,
      ttl: typeof ttl === 'number' ? ttl : null,
      rdata,
      protected: isGuarded ? ((reason as string | undefined) ?? 'GENERIC') : undefined,
    })
  }
  return shown
}

/** Names in replies are absolute with a final dot; `@` and relative ones are taken as well. */
function absolute(name: string, zone: string): string {
  const root = canonicalName(zone) ?? zone
  if (name === '@' || name === '') return root
  const canonical = canonicalName(name) ?? name.toLowerCase().replace(/\.$/, '')
  if (name.endsWith('.') || canonical === root || canonical.endsWith(`.${root}`)) return canonical
  return `${canonical}.${root}`
}
