// Which names are free: as one JSON reply, as registry checks, and as a stream of events.

import { objectOf, type Call, type Handler } from './call.ts'
import { invalid, json, missing, type Reply } from './problems.ts'

const MOST_NAMES = 1000

/** See `availabilityHandlers`. */
export interface AvailabilityOptions {
  /** True when the name cannot be registered. */
  readonly taken: (name: string) => boolean
  /** Milliseconds before each event of a stream, unless the query says `delay`. */
  readonly eventDelay: number
}

/** The handlers by `METHOD path`. A stream ends with `event: done`. */
export function availabilityHandlers(
  options: AvailabilityOptions,
): Readonly<Record<string, Handler>> {
  const status = (name: string) => (options.taken(name.toLowerCase()) ? 'unavailable' : 'available')

  function stream(names: readonly string[], call: Call): Reply {
    const delay = Number(call.query.get('delay') ?? options.eventDelay)
    async function* events() {
      for (const domain of names) {
        await new Promise<void>((resolve) => void setTimeout(resolve, delay).unref())
        yield Buffer.from(`data: ${JSON.stringify({ domain, status: status(domain) })}\n\n`)
      }
      yield Buffer.from('event: done\n\n')
    }
    const headers = [
      'content-type',
      'text/event-stream; charset=utf-8',
      'cache-control',
      'no-store',
    ]
    return { status: 200, headers, body: events() }
  }

  return {
    'GET /v1/availability': (call) =>
      withNames(namesOf(call.query), call, (names) => {
        const results = names.map((domain) => ({ domain, status: status(domain) }))
        return json(200, { results, meta: { total: names.length, processing_time_ms: 1 } })
      }),
    'GET /v1/domains/check': (call) =>
      withNames(namesOf(call.query), call, (names) => {
        const results = names.map((domain) => {
          const available = status(domain) === 'available'
          return { domain, available, reason: available ? null : 'In use', is_premium: false }
        })
        return json(200, { results })
      }),
    'GET /v1/availability/stream': (call) => withNames(namesOf(call.query), call, stream),
    'POST /v1/availability/stream'(call) {
      const parsed = objectOf(call.body)
      if ('refusal' in parsed) return parsed.refusal
      const lacking = missing(parsed.value, ['domains'])
      if (lacking.length > 0) return invalid(lacking)
      const { domains } = parsed.value
      return withNames(Array.isArray(domains) ? domains.map(String) : [], call, stream)
    },
  }
}

/** Clients repeat the parameter or join the names with commas. */
function namesOf(query: URLSearchParams): string[] {
  return query
    .getAll('domains')
    .flatMap((value) => value.split(','))
    .filter((name) => name !== '')
}

function withNames(
  names: readonly string[],
  call: Call,
  answer: (names: readonly string[], call: Call) => Reply,
): Reply {
  if (names.length >= 1 && names.length <= MOST_NAMES) return answer(names, call)
  const msg = `Between 1 and ${MOST_NAMES} names are needed`
  const loc = [call.method === 'GET' ? 'query' : 'body', 'domains']
  return invalid([{ type: 'length', loc, msg, input: names }])
}
