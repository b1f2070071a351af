// The switches over HTTP, for a simulator that runs as a process of its own. Outside /v1, so that no
// proxied request ever reaches it.

import { createHash } from 'node:crypto'
import { objectOf } from './call.ts'
import type { Faults } from './faults.ts'
import { NO_CONTENT, json, plain, type Reply } from './problems.ts'
import type { RecordedRequest } from './requests.ts'

/** What the control may touch. */
export interface Controlled {
  readonly faults: Faults
  readonly requests: readonly RecordedRequest[]
  readonly tokenRequests: number
  revokeTokens(): void
  reset(): void
}

const CREDENTIALS = new Set(['authorization', 'x-api-key'])

/**
 * Answers `POST /__faults` (switches, with `times` or `path` to limit them; null clears one),
 * `GET /__faults`, `DELETE /__faults`, `GET /__log`, `POST /__revoke`, `POST /__reset`. Undefined for
 * any other path. The log shows credentials as `<scheme> sha256:<12 hex digits>`.
 */
export function control(
  simulator: Controlled,
  method: string,
  path: string,
  body: Buffer,
): Reply | undefined {
  switch (`${method} ${path}`) {
    case 'GET /__faults':
      return json(200, simulator.faults)
    case 'POST /__faults':
      return setFaults(simulator.faults, body)
    case 'DELETE /__faults':
      simulator.faults.clear()
      return NO_CONTENT
    case 'GET /__log': {
      const { tokenRequests, requests } = simulator
      return json(200, { tokenRequests, requests: requests.map(shown) })
    }
    case 'POST /__revoke':
      simulator.revokeTokens()
      return NO_CONTENT
    case 'POST /__reset':
      simulator.reset()
      return NO_CONTENT
    default:
      return undefined
  }
}

function setFaults(faults: Faults, body: Buffer): Reply {
  const parsed = objectOf(body)
  if ('refusal' in parsed) return parsed.refusal
  const { times, path, ...switches } = parsed.value
  for (const name of ['add', 'clear', 'take'])
    if (name in switches) return plain(400, `${name} is no switch`)
  if (times === undefined && path === undefined) {
    for (const [name, value] of Object.entries(switches)) {
      // `expiresIn: null` is a fault of its own.
      if (value === null && name !== 'expiresIn') Reflect.deleteProperty(faults, name)
      else Object.assign(faults, { [name]: value })
    }
  } else {
    faults.add(switches, {
      ...(typeof times === 'number' ? { times } : {}),
      ...(typeof path === 'string' ? { path } : {}),
    })
  }
  return json(200, faults)
}

function shown(record: RecordedRequest) {
  const headers = record.rawHeaders.map((text, at) => {
    const name = at % 2 === 1 ? record.rawHeaders[at - 1] : undefined
    return name !== undefined && CREDENTIALS.has(name.toLowerCase()) ? fingerprint(text) : text
  })
  const { method, target, at, bytes, sha256, status, outcome } = record
  return { method, target, headers, at, bytes, sha256, status, outcome }
}

/** Keeps the scheme; the rest becomes what `Secret.fingerprint` shows for it. */
function fingerprint(text: string): string {
  const space = text.indexOf(' ')
  const digest = createHash('sha256')
    .update(text.slice(space + 1))
    .digest('hex')
    .slice(0, 12)
  return `${text.slice(0, space + 1)}sha256:${digest}`
}
