// The operations whose body says more than their path, and what reads each.

import { actOf } from './act.ts'
import type { ActList } from './act-list.ts'
import { objectAt, shape, textIn, wordIn } from './body-shape.ts'
import type { Members, Shape } from './body-shape.ts'
import { ZONE_CREATE, createZoneActs, patchZoneActs, replaceZoneActs } from './dns-acts.ts'
import type { ZoneReader } from './dns-acts.ts'
import {
  CREATE_BODY,
  DOMAIN_CREATE,
  DOMAIN_TRANSFER,
  DOMAIN_UPDATE,
  RENEW_BODY,
  RESTORE_BODY,
  TRANSFER_BODY,
  UPDATE_BODY,
  orderActs,
  purchaseIn,
  updateActs,
} from './domain-acts.ts'
import {
  DOMAIN_FORWARD,
  DOMAIN_FORWARD_OPS,
  EMAIL_FORWARD,
  PROTOCOL_SET,
  REDIRECT_SET,
  hostActs,
  redirectActs,
} from './forward-acts.ts'
import { BATCH, jobActs } from './job-acts.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'
import { pathPurchase } from './path-purchase.ts'
import { TAGGED_OBJECTS, tagActs } from './tag-acts.ts'

/** What the path says. */
interface PathTarget {
  readonly zone: string | undefined
  readonly domain: string | undefined
  readonly host: string | undefined
}

/** Reads one kind of body. */
interface BodyReader {
  /** `zone` when it cannot do without the zone in the path. */
  readonly needs: 'zone' | undefined
  /** Adds the acts of the parsed `value`. Throws a `body_not_understood` Fault. */
  readonly read: (
    value: unknown,
    target: PathTarget,
    list: ActList,
    zoneReader: ZoneReader | undefined,
  ) => void
}

type Read = (
  body: Members,
  list: ActList,
  target: PathTarget,
  zoneReader: ZoneReader | undefined,
) => void

function reader(form: Shape, read: Read): BodyReader {
  return {
    needs: undefined,
    read: (value, target, list, zoneReader) => {
      read(objectAt(value, undefined, form), list, target, zoneReader)
    },
  }
}

type ZoneRead = (
  zone: string,
  body: Members,
  list: ActList,
  zoneReader: ZoneReader | undefined,
) => void

function inZone(line: string, read: ZoneRead): BodyReader {
  const { read: readBody } = reader(shape(line), (body, list, { zone }, zoneReader) => {
    if (zone !== undefined) read(zone, body, list, zoneReader)
  })
  return { needs: 'zone', read: readBody }
}

const buys = (operation: Operation): Read => {
  return (body, list, { domain }) =>
    list.add(actOf(operation, { domain, purchase: purchaseIn(body, undefined) }))
}

/** The host is in the path, and the body may name no other. */
const ofHost = (operation: Operation): Read => {
  return (_body, list, { host }) =>
    list.add(actOf(operation, { host, purchase: pathPurchase(operation) }))
}

/** Automatic renewal switched on counts as a purchase, as it does with domains. */
const renewal = (operation: Operation): Read => {
  return (body, list) => {
    const renews =
      textIn(body, 'renewal_mode') !== undefined &&
      wordIn(body, 'renewal_mode', undefined, ['renew', 'expire']) === 'renew'
    const purchase = { count: 1, expectedPrice: undefined, years: undefined }
    list.add(actOf(operation, { purchase: renews ? purchase : undefined }))
  }
}

const RENEW = operationNamed('POST /v1/domains/{domain_reference}/renew')
const RESTORE = operationNamed('POST /v1/domains/{domain_reference}/restore')
const DOMAIN_FORWARD_CREATE = operationNamed('POST /v1/domain-forwards')
const PROTOCOL_CREATE = operationNamed('POST /v1/domain-forwards/{hostname}')
const PROTOCOL_REPLACE = operationNamed('PUT /v1/domain-forwards/{hostname}/{protocol}')
const EMAIL_FORWARD_CREATE = operationNamed('POST /v1/email-forwards')
const HOST_CREATE = operationNamed('POST /v1/hosts')
const BRANDING = operationNamed('PATCH /v1/whitelabel-branding')
const VANITY_RENEWAL = operationNamed('PATCH /v1/vanity-nameserver-sets/{set_id}')
const ZONE = '/v1/dns/{zone_name}'

/** By operation; see `needsBody`. */
export const BODY_READERS: ReadonlyMap<Operation, BodyReader> = new Map([
  [
    operationNamed(`PATCH ${ZONE}/rrsets`),
    inZone('ops:list', (zone, body, list, zoneReader) => {
      patchZoneActs('rrset', zone, body, undefined, list, zoneReader)
    }),
  ],
  [
    operationNamed(`PATCH ${ZONE}/records`),
    inZone('ops:list', (zone, body, list, zoneReader) => {
      patchZoneActs('record', zone, body, undefined, list, zoneReader)
    }),
  ],
  [
    operationNamed(`PUT ${ZONE}/rrsets`),
    inZone('rrsets:list?', (zone, body, list, zoneReader) => {
      replaceZoneActs(zone, body, undefined, list, zoneReader)
    }),
  ],
  [
    operationNamed('POST /v1/dns'),
    reader(ZONE_CREATE, (body, list, _target, zoneReader) => {
      createZoneActs(body, undefined, list, zoneReader)
    }),
  ],
  [
    DOMAIN_CREATE,
    reader(CREATE_BODY, (body, list) => orderActs(DOMAIN_CREATE, body, undefined, list)),
  ],
  [
    DOMAIN_TRANSFER,
    reader(TRANSFER_BODY, (body, list) => orderActs(DOMAIN_TRANSFER, body, undefined, list)),
  ],
  [
    DOMAIN_UPDATE,
    reader(UPDATE_BODY, (body, list, { domain }) => updateActs(domain, body, undefined, list)),
  ],
  [RENEW, reader(RENEW_BODY, buys(RENEW))],
  [RESTORE, reader(RESTORE_BODY, buys(RESTORE))],
  [
    DOMAIN_FORWARD_CREATE,
    reader(DOMAIN_FORWARD, (body, list) => hostActs(DOMAIN_FORWARD_CREATE, body, undefined, list)),
  ],
  [
    operationNamed('PATCH /v1/domain-forwards'),
    reader(DOMAIN_FORWARD_OPS, (body, list) => redirectActs(body, undefined, list)),
  ],
  [PROTOCOL_CREATE, reader(PROTOCOL_SET, ofHost(PROTOCOL_CREATE))],
  [PROTOCOL_REPLACE, reader(REDIRECT_SET, ofHost(PROTOCOL_REPLACE))],
  [
    EMAIL_FORWARD_CREATE,
    reader(EMAIL_FORWARD, (body, list) => hostActs(EMAIL_FORWARD_CREATE, body, undefined, list)),
  ],
  [
    HOST_CREATE,
    reader(shape('hostname:text ip_addresses:list?'), (body, list) => {
      hostActs(HOST_CREATE, body, undefined, list)
    }),
  ],
  [
    operationNamed('POST /v1/tags/objects'),
    reader(TAGGED_OBJECTS, (body, list) => tagActs(body, undefined, list)),
  ],
  [VANITY_RENEWAL, reader(shape('renewal_mode:text'), renewal(VANITY_RENEWAL))],
  [BRANDING, reader(shape('label:text? enabled:flag? renewal_mode:text?'), renewal(BRANDING))],
  [operationNamed('POST /v1/jobs'), reader(BATCH, (body, list) => jobActs(body, undefined, list))],
])
