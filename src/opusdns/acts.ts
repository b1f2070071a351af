// From a request to its acts: what the path alone says, and what the body adds. What cannot be judged
// is refused, for what was judged is, byte for byte, what is forwarded.

import { notUnderstood } from '../base/body-fault.ts'
import { Fault } from '../base/fault.ts'
import { readJson } from '../base/json-text.ts'
import { actOf } from './act.ts'
import type { Act } from './act.ts'
import { actList } from './act-list.ts'
import { BODY_READERS } from './body-readers.ts'
import type { ZoneReader } from './dns-acts.ts'
import { domainReference, hostReference } from './body-name.ts'
import { canonicalName } from './name.ts'
import type { Operation } from './operations.ts'
import { parametersOf } from './operations.ts'
import { pathPurchase } from './path-purchase.ts'

/**
 * The acts of a request as far as its canonical `path` tells: one, with the zone, domain or host in
 * the path, where that is understood, and with what it may buy. Of an operation that `needsBody` it
 * is less than what the request does.
 */
export function pathActs(operation: Operation, path: string): readonly Act[] {
  const target = targetIn(operation, path)
  const everything = { verb: 'remove', names: 'every', type: 'every' } as const
  // With a zone go all of its records, so no grant for some names or types is enough.
  const change =
    operation.method === 'DELETE' && operation.template === '/v1/dns/{zone_name}'
      ? everything
      : undefined
  return [actOf(operation, { ...target, change, purchase: pathPurchase(operation) })]
}

/** Whether the body says more of what a request does than its path. */
export function needsBody(operation: Operation): boolean {
  return BODY_READERS.has(operation)
}

/**
 * The acts of a request with a body: at least one; in time linear in the body. For an operation that
 * does not need one, those of the path. `contentType` and `contentEncoding` are the field values, where
 * there are such fields; `zoneReader` is told what else the body says of a zone. Throws a Fault:
 * `unsupported_media_type`, `body_not_understood`, or `path_not_canonical` when the zone in the path cannot
 * be compared with a grant.
 */
export function bodyActs(
  operation: Operation,
  path: string,
  bytes: Buffer,
  contentType: string | undefined,
  contentEncoding: string | undefined,
  zoneReader?: ZoneReader,
): readonly Act[] {
  const reader = BODY_READERS.get(operation)
  if (reader === undefined) return pathActs(operation, path)
  refuseOtherMedia(contentType, contentEncoding)
  const target = targetIn(operation, path)
  if (reader.needs === 'zone' && target.zone === undefined) throw strangeZone()
  const list = actList()
  reader.read(readJson(bytes), target, list, zoneReader)
  if (list.acts.length === 0) {
    throw notUnderstood(undefined, 'It asks for nothing.', 'Send what the API documents.')
  }
  return list.acts
}

/** The answer where the zone in the path is not understood. */
export function strangeZone(): Fault {
  return new Fault('path_not_canonical', {
    detail:
      'The zone in the path is no name that can be compared with a grant. Write it in ASCII; ' +
      'international names as xn-- labels.',
  })
}

const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.-]+\+)?json$/
const UTF8 = /^charset="?utf-?8"?$/

function refuseOtherMedia(type: string | undefined, encoding: string | undefined): void {
  const [media = '', ...parameters] = (type ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  if (!JSON_TYPE.test(media) || !parameters.every((one) => UTF8.test(one))) {
    throw new Fault('unsupported_media_type', {
      detail:
        'This body is judged before it is passed on: send it as Content-Type application/json.',
    })
  }
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw new Fault('unsupported_media_type', {
      detail: 'This body is judged before it is passed on: send it without Content-Encoding.',
    })
  }
}

function targetIn(operation: Operation, path: string) {
  const parameters = parametersOf(operation, path)
  const { zone_name: zone, hostname, host_reference: host } = parameters
  const domain = parameters['domain_reference'] ?? parameters['parking_reference']
  return {
    zone: zone === undefined ? undefined : canonicalName(zone),
    domain: domain === undefined ? undefined : domainReference(domain),
    host: hostname === undefined ? host && hostReference(host) : canonicalName(hostname),
  }
}
