// What bodies about registered domains would do, and what they would buy.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { actOf } from './act.ts'
import type { Purchase } from './act.ts'
import type { ActList } from './act-list.ts'
import { domainReference, nameIn } from './body-name.ts'
import { objectAt, shape, textIn, wordIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'

const DOMAINS = '/v1/domains'
/** See the API. */
export const DOMAIN_CREATE = operationNamed(`POST ${DOMAINS}`)
/** See the API. */
export const DOMAIN_TRANSFER = operationNamed(`POST ${DOMAINS}/transfer`)
/** See the API. */
export const DOMAIN_UPDATE = operationNamed(`PATCH ${DOMAINS}/{domain_reference}`)

/**
 * Stands for a transfer code that is set, which whoever sets it knows: as good as one that is shown. Not in
 * the table, so that grants by class cover it and grants by operation do not.
 */
export const AUTH_CODE_SET: Operation = {
  ...DOMAIN_UPDATE,
  template: `${DOMAIN_UPDATE.template}/auth_code`,
  classes: ['write', 'credential'],
  billable: false,
}

const ORDER = `name:text renewal_mode:text? contacts:object? period:object? attributes:object?
  auth_code:text? create_zone:flag? expected_price:text? nameservers:list?`
const CHANGES = `contacts:object? nameservers:list? renewal_mode:text? status_changes:object?
  statuses:list?`

/** The body of `POST /v1/domains`, and the payload of its commands. */
export const CREATE_BODY = shape(`${ORDER} claims_notice_acceptance_hash:text?`)
/** The body of `POST /v1/domains/transfer`, and the payload of its commands. */
export const TRANSFER_BODY = shape(ORDER)
/** What a template of orders may hold. */
export const ORDER_TEMPLATE = shape(`renewal_mode:text? contacts:object? period:object?
  attributes:object? auth_code:text? create_zone:flag? nameservers:list?`)
/** The body of `PATCH /v1/domains/{domain_reference}`. */
export const UPDATE_BODY = shape(`${CHANGES} attributes:object? auth_code:text?`)
/** The payload of `domain_update`. */
export const UPDATE_PAYLOAD = shape(`${CHANGES} attributes:object? auth_code:text? domain_id:text`)
/** An instance of `domain_update_bulk`. */
export const UPDATE_INSTANCE = shape(`${CHANGES} auth_code:text? domain_id:text? name:text?`)
/** The template of `domain_update_bulk`. */
export const UPDATE_TEMPLATE = shape(CHANGES)
/** The body of `…/renew`. */
export const RENEW_BODY = shape('period:object current_expiry_date:text expected_price:text?')
/** The body of `…/restore`. */
export const RESTORE_BODY = shape('additional_info:text? expected_price:text? reason:text?')

const PERIOD = shape('value:number unit:text')
const PRICE = /^\d{1,8}\.\d{2}$/

/** A domain that is registered or transferred, with its zone where one is to be made. */
export function orderActs(
  operation: Operation,
  body: Members,
  place: Place | undefined,
  list: ActList,
): void {
  const domain = nameIn(body, 'name', place, list)
  const zone = body['create_zone'] === true ? domain : undefined
  list.add(actOf(operation, { domain, zone, purchase: purchaseIn(body, place) }))
}

/** One thing to pay for, as `body` has it: a renewal, a restoration. */
export function purchaseIn(body: Members, place: Place | undefined): Purchase {
  const expectedPrice = textIn(body, 'expected_price')
  if (expectedPrice !== undefined && !PRICE.test(expectedPrice)) {
    const remedy = 'Send a decimal text such as 12.00.'
    throw notUnderstood(within(place, 'expected_price'), 'It is no price.', remedy)
  }
  return { count: 1, expectedPrice, years: yearsIn(body, place) }
}

/**
 * Changes to a domain. Automatic renewal, and a new registrant (some registries sell that), count as
 * a purchase; other changes buy nothing. A transfer code that is set is an act of its own.
 */
export function updateActs(
  domain: string | undefined,
  body: Members,
  place: Place | undefined,
  list: ActList,
): void {
  const renews =
    textIn(body, 'renewal_mode') !== undefined &&
    wordIn(body, 'renewal_mode', place, ['renew', 'expire']) === 'renew'
  const contacts = body['contacts']
  const trades =
    typeof contacts === 'object' && contacts !== null && Object.hasOwn(contacts, 'registrant')
  const purchase =
    renews || trades ? { count: 1, expectedPrice: undefined, years: undefined } : undefined
  list.add(actOf(DOMAIN_UPDATE, { domain, purchase }))
  const code = textIn(body, 'auth_code')
  if (code !== undefined && code !== '') list.add(actOf(AUTH_CODE_SET, { domain }))
}

/** As `updateActs`, for a command, which names its domain by `domain_id`, `name`, or both. */
export function updateCommandActs(body: Members, place: Place | undefined, list: ActList): void {
  const id = textIn(body, 'domain_id')
  // Either may win, so both are judged.
  if (id !== undefined) updateActs(domainReference(id, list.nameOf), body, place, list)
  if (textIn(body, 'name') !== undefined)
    updateActs(nameIn(body, 'name', place, list), body, place, list)
  else if (id === undefined) {
    const remedy = 'Send domain_id or name.'
    throw notUnderstood(place, 'It names no domain.', remedy)
  }
}

const YEARS = { y: 1, m: 1 / 12, d: 1 / 365 } as const

function yearsIn(body: Members, place: Place | undefined): number | undefined {
  if (body['period'] === undefined || body['period'] === null) return undefined
  const periodPlace = within(place, 'period')
  const period = objectAt(body['period'], periodPlace, PERIOD)
  const unit = wordIn(period, 'unit', periodPlace, ['y', 'm', 'd'])
  const value = Number(period['value'])
  if (!Number.isInteger(value) || value < 1 || value > 36_500) {
    const remedy = 'Send a whole number from 1.'
    throw notUnderstood(within(periodPlace, 'value'), 'It is no period.', remedy)
  }
  return Math.ceil(value * YEARS[unit])
}
