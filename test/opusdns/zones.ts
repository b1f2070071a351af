// DNS zones: names with or without the final dot in any case, final dots in every reply.

import { objectOf, reference, type Call, type Handler } from './call.ts'
import { page } from './pages.ts'
import { NO_CONTENT, invalid, json, missing, problem, type Reply } from './problems.ts'
import { parseRrsets, type Rrset, type RrsetKey } from './rrsets.ts'
import { typeid } from './typeid.ts'

interface Zone {
  readonly id: string
  /** Lower case with the final dot. */
  readonly name: string
  readonly created: string
  updated: string
  dnssec: 'enabled' | 'disabled'
  readonly rrsets: Map<RrsetKey, Rrset>
}

/** The zones of the organisation, and the handlers by `METHOD path`. */
export interface Zones {
  readonly handlers: Readonly<Record<string, Handler>>
  /** Creates a zone unless it is there. */
  create(name: string): void
}

/** `names` are the zones at first, all created at `created`. */
export function zoneDesk(names: readonly string[], created: string, now: () => number): Zones {
  const zones = new Map<string, Zone>()
  const stamp = () => new Date(now()).toISOString()
  for (const name of names) add(name, created)

  function add(text: string, at: string): Zone {
    const name = canonical(text)
    const zone: Zone = {
      id: typeid('zone'),
      name,
      created: at,
      updated: at,
      dnssec: 'disabled',
      rrsets: new Map(),
    }
    const soa = `ns1.opusdns.com. hostmaster.opusdns.com. 1 10800 3600 604800 3600`
    for (const [type, rdata] of [
      ['SOA', [soa]],
      ['NS', ['ns1.opusdns.com.', 'ns2.opusdns.net.']],
    ] as const) {
      zone.rrsets.set(`${name} ${type}`, { name, type, ttl: 3600, rdata: [...rdata] })
    }
    zones.set(name, zone)
    return zone
  }

  function within(work: (zone: Zone, call: Call) => Reply): Handler {
    return function onZone(call) {
      const name = canonical(reference(call))
      const zone = zones.get(name)
      return zone ? work(zone, call) : notFound(name)
    }
  }

  /** A handler that changes rrsets by a list of entries in the body, then answers 204. */
  function changing(member: 'rrsets' | 'ops', part: 'rrset' | 'record' | undefined): Handler {
    return within(function change(zone, call) {
      const parsed = objectOf(call.body)
      if ('refusal' in parsed) return parsed.refusal
      const changes = parseRrsets(parsed.value, { list: member, part, zone: zone.name })
      if ('refusal' in changes) return changes.refusal
      if (member === 'rrsets') {
        for (const [key, rrset] of zone.rrsets) if (!isSystem(zone, rrset)) zone.rrsets.delete(key)
      }
      for (const { op, rrset } of changes.value) apply(zone, op, rrset, part === 'record')
      zone.updated = stamp()
      return NO_CONTENT
    })
  }

  function list(call: Call): Reply {
    const search = (call.query.get('search') ?? call.query.get('name') ?? '').toLowerCase()
    const found = [...zones.values()].filter((zone) => zone.name.includes(search))
    return page(found.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(shown), call.query)
  }

  function create(call: Call): Reply {
    const parsed = objectOf(call.body)
    if ('refusal' in parsed) return parsed.refusal
    const lacking = missing(parsed.value, ['name'])
    if (lacking.length > 0) return invalid(lacking)
    const name = canonical(String(parsed.value['name']))
    if (zones.has(name)) {
      return problem({
        type: 'dns',
        title: 'DNS Error',
        status: 400,
        code: 'ERROR_DNS',
        detail: 'Zone already exists',
      })
    }
    const changes = parseRrsets(
      { rrsets: [], ...parsed.value },
      { list: 'rrsets', part: undefined, zone: name },
    )
    if ('refusal' in changes) return changes.refusal
    const zone = add(name, stamp())
    for (const { op, rrset } of changes.value) apply(zone, op, rrset, false)
    return json(201, changed(zone, 'create_zone', changes.value.length))
  }

  function dnssec(status: Zone['dnssec']): Handler {
    return within(function switchDnssec(zone) {
      zone.dnssec = status
      return json(200, changed(zone, status === 'enabled' ? 'enable_dnssec' : 'disable_dnssec', 0))
    })
  }

  return {
    create(name) {
      if (!zones.has(canonical(name))) add(name, stamp())
    },
    handlers: {
      'GET /v1/dns': list,
      'POST /v1/dns': create,
      'GET /v1/dns/summary'() {
        const enabled = [...zones.values()].filter((zone) => zone.dnssec === 'enabled').length
        const byDnssec = { enabled, disabled: zones.size - enabled }
        return json(200, { total_zones: zones.size, zones_by_dnssec: byDnssec })
      },
      'GET /v1/dns/{zone_name}': within((zone) => json(200, shown(zone))),
      'DELETE /v1/dns/{zone_name}': within((zone) => {
        zones.delete(zone.name)
        return NO_CONTENT
      }),
      'PUT /v1/dns/{zone_name}/rrsets': changing('rrsets', undefined),
      'PATCH /v1/dns/{zone_name}/rrsets': changing('ops', 'rrset'),
      'PATCH /v1/dns/{zone_name}/records': changing('ops', 'record'),
      'POST /v1/dns/{zone_name}/dnssec/enable': dnssec('enabled'),
      'POST /v1/dns/{zone_name}/dnssec/disable': dnssec('disabled'),
    },
  }
}

function canonical(name: string): string {
  return `${name.toLowerCase().replace(/\.$/, '')}.`
}

function isSystem(zone: Zone, rrset: Rrset): boolean {
  return rrset.name === zone.name && (rrset.type === 'SOA' || rrset.type === 'NS')
}

/** `single`: adds or removes single records; otherwise sets or removes the whole rrset. */
function apply(zone: Zone, op: 'upsert' | 'remove', rrset: Rrset, single: boolean): void {
  const key: RrsetKey = `${rrset.name} ${rrset.type}`
  const old = single ? (zone.rrsets.get(key)?.rdata ?? []) : []
  const others = old.filter((rdata) => !rrset.rdata.includes(rdata))
  const rdata = op === 'upsert' ? [...others, ...rrset.rdata] : others
  if (rdata.length === 0) zone.rrsets.delete(key)
  else {
    // A removal says nothing about those that stay.
    const ttl = op === 'remove' ? (zone.rrsets.get(key)?.ttl ?? rrset.ttl) : rrset.ttl
    zone.rrsets.set(key, { ...rrset, ttl, rdata })
  }
}

function changed(zone: Zone, action: string, records: number) {
  return {
    zone_name: zone.name,
    changeset_id: crypto.randomUUID(),
    num_changes: 1 + records,
    changes: [{ action, rrset_name: null, rrset_type: null, record_data: null, ttl: null }],
  }
}

function shown(zone: Zone) {
  return {
    name: zone.name,
    dns_zone_id: zone.id,
    dnssec_status: zone.dnssec,
    created_on: zone.created,
    updated_on: zone.updated,
    vanity_nameserver_set_id: null,
    rrsets: [...zone.rrsets.values()].map((rrset) => ({
      name: rrset.name,
      type: rrset.type,
      ttl: rrset.ttl,
      protected: isSystem(zone, rrset),
      records: rrset.rdata.map((rdata) => ({ rdata, protected: isSystem(zone, rrset) })),
    })),
  }
}

function notFound(name: string): Reply {
  return problem({
    type: 'dns-zone-not-found',
    title: 'DNS Error',
    status: 404,
    code: 'ERROR_ZONE_NOT_FOUND',
    zone_name: `Zone ${name} not found`,
    detail: 'Zone not found',
  })
}
