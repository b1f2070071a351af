// What bodies about domain forwards and email forwards would do. They name hosts; which zone a host
// lies in only OpusDNS knows.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { actOf } from './act.ts'
import type { ActList } from './act-list.ts'
import { nameIn } from './body-name.ts'
import { filledListIn, objectAt, shape, textIn, wordIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'
import { pathPurchase } from './path-purchase.ts'

const DOMAIN_FORWARDS = operationNamed('PATCH /v1/domain-forwards')
const ZONE_CREATE = operationNamed('POST /v1/dns')

/** Where a request goes that came to the host which the forward is of; names no host of its own. */
const REDIRECTS = {
  redirects: shape(`request_path:text? redirect_code:number? target_hostname:text? target_path:text?
    target_protocol:text?`),
}
const SET = shape('redirects:list', REDIRECTS)
/** What may stand in `http` and `https` of a domain forward. */
export const PROTOCOLS = { http: SET, https: SET }
/** What may stand in `aliases` of an email forward. */
export const ALIASES = { aliases: shape('alias:text forward_to:list') }

/** The body of `POST /v1/domain-forwards`; an instance of a command about domain forwards. */
export const DOMAIN_FORWARD = shape(
  'hostname:text enabled:flag? http:object? https:object?',
  PROTOCOLS,
)
/** The body of `POST /v1/domain-forwards/{hostname}`. */
export const PROTOCOL_SET = shape('protocol:text redirects:list', REDIRECTS)
/** The body of `PUT /v1/domain-forwards/{hostname}/{protocol}`. */
export const REDIRECT_SET = SET
/** The body of `POST /v1/email-forwards`; an instance of a command that creates some. */
export const EMAIL_FORWARD = shape('hostname:text enabled:flag? aliases:list?', ALIASES)
/** The body of `PATCH /v1/domain-forwards`. */
export const DOMAIN_FORWARD_OPS = shape('ops:list')

const OP = shape('op:text redirect:object')
const TARGET =
  'request_hostname:text request_subdomain:text? request_protocol:text request_path:text'
const REDIRECT = shape(`${TARGET} redirect_code:number? target_hostname:text? target_path:text?
  target_protocol:text?`)

/** One act about the host that the member `hostname` is. */
export function hostActs(
  operation: Operation,
  body: Members,
  place: Place | undefined,
  list: ActList,
): void {
  const host = nameIn(body, 'hostname', place, list)
  list.add(actOf(operation, { host, purchase: pathPurchase(operation) }))
  // Where the zone begins only OpusDNS knows.
  if (body['auto_create_zone'] === true) {
    list.add(actOf(ZONE_CREATE, { host, purchase: pathPurchase(ZONE_CREATE) }))
  }
}

/** The `ops` of `PATCH /v1/domain-forwards`: one act for each, two where it names a subdomain. */
export function redirectActs(body: Members, place: Place | undefined, list: ActList): void {
  const opsPlace = within(place, 'ops')
  for (const [at, value] of filledListIn(body, 'ops', place).entries()) {
    const opPlace = within(opsPlace, at)
    const op = objectAt(value, opPlace, OP)
    wordIn(op, 'op', opPlace, ['upsert', 'remove'])
    const redirectPlace = within(opPlace, 'redirect')
    const redirect = objectAt(op['redirect'], redirectPlace, REDIRECT)
    const host = nameIn(redirect, 'request_hostname', redirectPlace, list)
    list.add(actOf(DOMAIN_FORWARDS, { host }))
    const subdomain = textIn(redirect, 'request_subdomain')
    // Whether the host name holds the subdomain already is not documented: both are judged.
    if (subdomain === undefined || subdomain === '') continue
    const below = list.nameOf(`${subdomain}.${host}`)
    if (below === undefined) {
      const remedy = 'Write it in ASCII letters, digits, hyphens and dots.'
      throw notUnderstood(within(redirectPlace, 'request_subdomain'), 'It is no name.', remedy)
    }
    list.add(actOf(DOMAIN_FORWARDS, { host: below }))
  }
}
