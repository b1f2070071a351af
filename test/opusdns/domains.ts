// Registered domains, by name or identifier. Registering twice is an error, so a doubled purchase shows.

import { objectOf, reference, type Call, type Handler } from './call.ts'
import { page } from './pages.ts'
import { NO_CONTENT, invalid, json, missing, problem, type Reply } from './problems.ts'
import { typeid } from './typeid.ts'

interface Domain {
  readonly domain_id: string
  readonly name: string
  readonly sld: string
  readonly tld: string
  readonly roid: string
  readonly owner_id: string
  /** Lets whoever has it take the domain away; the API shows it in lists too. */
  auth_code: string
  renewal_mode: string
  nameservers: unknown
  expires_on: string
  readonly created_on: string
  updated_on: string
}

/** The domains of the organisation, and the handlers by `METHOD path`. */
export interface Domains {
  readonly handlers: Readonly<Record<string, Handler>>
  /** True when nobody may register the name any more. */
  taken(name: string): boolean
}

/** See `domainDesk`. */
export interface DomainDeskOptions {
  /** Registered at first. */
  readonly names: readonly string[]
  readonly created: string
  readonly ownerId: string
  readonly now: () => number
  /** Called when a registration asks for a zone. */
  readonly createZone: (name: string) => void
}

/** A desk with the domains of `options.names`. */
export function domainDesk(options: DomainDeskOptions): Domains {
  const domains = new Map<string, Domain>()
  const stamp = () => new Date(options.now()).toISOString()
  for (const name of options.names) add(name, options.created, { renewal_mode: 'renew' })

  function add(name: string, at: string, wish: Record<string, unknown>): Domain {
    const [sld = '', ...tld] = name.split('.')
    const domain: Domain = {
      domain_id: typeid('domain'),
      name,
      sld,
      tld: tld.join('.'),
      roid: `${domains.size + 1}_SIMULATED`,
      owner_id: options.ownerId,
      auth_code:
        typeof wish['auth_code'] === 'string'
          ? wish['auth_code']
          : `Auth-${typeid('code').slice(5, 17)}`,
      renewal_mode: String(wish['renewal_mode']),
      nameservers: wish['nameservers'] ?? [
        { hostname: 'ns1.opusdns.com' },
        { hostname: 'ns2.opusdns.net' },
      ],
      expires_on: later(at, wish['period']),
      created_on: at,
      updated_on: at,
    }
    domains.set(name, domain)
    return domain
  }

  function within(work: (domain: Domain, call: Call) => Reply): Handler {
    return function onDomain(call) {
      const wanted = reference(call).toLowerCase().replace(/\.$/, '')
      const found =
        domains.get(wanted) ?? [...domains.values()].find((domain) => domain.domain_id === wanted)
      return found
        ? work(found, call)
        : failure(404, 'domain-not-found', wanted, 'Domain not found')
    }
  }

  function register(call: Call): Reply {
    const parsed = objectOf(call.body)
    if ('refusal' in parsed) return parsed.refusal
    const lacking = missing(parsed.value, ['name', 'renewal_mode', 'contacts', 'period'])
    if (lacking.length > 0) return invalid(lacking)
    const name = String(parsed.value['name']).toLowerCase()
    if (taken(name)) return failure(409, 'domain-exists', name, 'Domain already exists')
    if (parsed.value['create_zone'] === true) options.createZone(name)
    return json(201, add(name, stamp(), parsed.value))
  }

  function renew(domain: Domain, call: Call): Reply {
    const parsed = objectOf(call.body)
    if ('refusal' in parsed) return parsed.refusal
    const lacking = missing(parsed.value, ['period', 'current_expiry_date'])
    if (lacking.length > 0) return invalid(lacking)
    const { period, current_expiry_date: current } = parsed.value
    if (String(current).slice(0, 10) !== domain.expires_on.slice(0, 10)) {
      const msg = 'The expiry date is another one'
      return invalid([
        { type: 'value_error', loc: ['body', 'current_expiry_date'], msg, input: current },
      ])
    }
    domain.expires_on = later(domain.expires_on, period)
    return json(200, {
      name: domain.name,
      new_expiry_date: domain.expires_on,
      period_extended: period,
    })
  }

  function update(domain: Domain, call: Call): Reply {
    const parsed = objectOf(call.body)
    if ('refusal' in parsed) return parsed.refusal
    const { renewal_mode, nameservers, auth_code } = parsed.value
    if (typeof renewal_mode === 'string') domain.renewal_mode = renewal_mode
    if (typeof auth_code === 'string') domain.auth_code = auth_code
    if (nameservers !== undefined) domain.nameservers = nameservers
    domain.updated_on = stamp()
    return json(200, domain)
  }

  function taken(name: string): boolean {
    return domains.has(name) || name.startsWith('taken')
  }

  return {
    taken,
    handlers: {
      'GET /v1/domains'(call) {
        const search = (call.query.get('search') ?? call.query.get('name') ?? '').toLowerCase()
        return page(
          [...domains.values()].filter((domain) => domain.name.includes(search)),
          call.query,
        )
      },
      'POST /v1/domains': register,
      'GET /v1/domains/summary': () => json(200, { data: { total_domains: domains.size } }),
      'GET /v1/domains/{domain_reference}': within((domain) => json(200, domain)),
      'PATCH /v1/domains/{domain_reference}': within(update),
      'POST /v1/domains/{domain_reference}/renew': within(renew),
      'DELETE /v1/domains/{domain_reference}': within((domain) => {
        domains.delete(domain.name)
        return NO_CONTENT
      }),
    },
  }
}

/** `at` plus a period of `{value, unit}`; one year when there is none. */
function later(at: string, period: unknown): string {
  const { value = 1, unit = 'y' } = (period ?? {}) as { value?: number; unit?: string }
  const date = new Date(at)
  if (unit === 'y') date.setUTCFullYear(date.getUTCFullYear() + value)
  else if (unit === 'm') date.setUTCMonth(date.getUTCMonth() + value)
  else date.setUTCDate(date.getUTCDate() + value)
  return date.toISOString()
}

function failure(status: number, type: string, name: string, detail: string): Reply {
  const code = `ERROR_${type.toUpperCase().replaceAll('-', '_')}`
  return problem({
    type,
    title: 'Domain Management Error',
    status,
    code,
    domain_name: name,
    detail,
  })
}
