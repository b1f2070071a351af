// The commands of `POST /v1/jobs` (public specification of 2026-08-22): the payload that each takes, and
// what it would do, in operations of the API that do the same. Data for review and renewal;
// src/opusdns/job-acts.ts reads it.

import { shape } from './body-shape.ts'
import type { Shape } from './body-shape.ts'
import { ZONE_CREATE, createZoneActs } from './dns-acts.ts'
import {
  CREATE_BODY,
  DOMAIN_CREATE,
  DOMAIN_TRANSFER,
  ORDER_TEMPLATE,
  TRANSFER_BODY,
  UPDATE_INSTANCE,
  UPDATE_PAYLOAD,
  UPDATE_TEMPLATE,
  updateCommandActs,
} from './domain-acts.ts'
import { ALIASES, DOMAIN_FORWARD, EMAIL_FORWARD, PROTOCOLS } from './forward-acts.ts'
import {
  contact,
  email,
  host,
  order,
  parked,
  patch,
  restamp,
  updateZone,
  updateZones,
} from './job-judges.ts'
import type { Judge } from './job-judges.ts'
import { PARKING } from './parking.ts'

/** How one command is read. */
export interface JobCommand {
  /** The whole payload; of a bulk command, one of its `instances`. */
  readonly payload: Shape
  /** Of a bulk command: its `template`; `none` where it takes no template; absent for one payload. */
  readonly template: Shape | 'none' | undefined
  readonly judge: Judge
}

const ZONE_NAME_OPS = shape('zone_name:text ops:list')
const ZONE_SETTINGS = 'dnssec_status:text? rrsets:list?'
const CONTACT_OWN = `first_name:text last_name:text email:text phone:text street:text city:text
  postal_code:text fax:text?`
const CONTACT_SHARED = 'country:text? disclose:flag? org:text? state:text? title:text?'
const FORWARD_SHARED = 'enabled:flag? http:object? https:object?'
const EMAIL_SHARED = 'enabled:flag? aliases:list?'
const HOST = shape('hostname:text')
const EMAIL_REFERENCE = shape('email_forward_id:text? hostname:text?')
const PARKING_REFERENCE = shape('parking_reference:text')

const HOSTNAME = '/v1/domain-forwards/{hostname}'
const EMAIL = '/v1/email-forwards/{email_forward_id}'

/** Every command by its name. */
export const JOB_COMMANDS: ReadonlyMap<string, JobCommand> = new Map<string, JobCommand>([
  ['contact_create', one(`${CONTACT_OWN} ${CONTACT_SHARED}`, contact)],
  ['contact_create_bulk', bulk(CONTACT_SHARED, `${CONTACT_OWN} ${CONTACT_SHARED}`, contact)],

  ['dns_zone_create', one(ZONE_CREATE, createZoneActs)],
  ['dns_zone_create_bulk', bulk(ZONE_SETTINGS, `name:text ${ZONE_SETTINGS}`, createZoneActs)],
  ['dns_zone_update', one(ZONE_CREATE, updateZone)],
  ['dns_zone_update_bulk', bulk(ZONE_SETTINGS, `name:text ${ZONE_SETTINGS}`, updateZones)],
  ['dns_zone_patch_rrsets_bulk', bulk('none', ZONE_NAME_OPS, patch('rrset'))],
  ['dns_zone_patch_records_bulk', bulk('none', ZONE_NAME_OPS, patch('record'))],
  [
    'dns_zone_restamp_vanity_ns_bulk',
    bulk('vanity_nameserver_set_id:text?', 'name:text vanity_nameserver_set_id:text?', restamp),
  ],

  ['domain_create', one(CREATE_BODY, order(DOMAIN_CREATE))],
  ['domain_create_bulk', bulk(ORDER_TEMPLATE, TRANSFER_BODY, order(DOMAIN_CREATE))],
  ['domain_transfer', one(TRANSFER_BODY, order(DOMAIN_TRANSFER))],
  ['domain_transfer_bulk', bulk(ORDER_TEMPLATE, TRANSFER_BODY, order(DOMAIN_TRANSFER))],
  ['domain_update', one(UPDATE_PAYLOAD, updateCommandActs)],
  ['domain_update_bulk', bulk(UPDATE_TEMPLATE, UPDATE_INSTANCE, updateCommandActs)],

  [
    'domain_forward_create_bulk',
    bulk(
      shape(`auto_create_zone:flag? ${FORWARD_SHARED}`, PROTOCOLS),
      DOMAIN_FORWARD,
      host('POST /v1/domain-forwards'),
    ),
  ],
  [
    'domain_forward_update_bulk',
    bulk(
      shape(FORWARD_SHARED, PROTOCOLS),
      DOMAIN_FORWARD,
      host(`PUT ${HOSTNAME}/{protocol}`, `PATCH ${HOSTNAME}/enable`, `PATCH ${HOSTNAME}/disable`),
    ),
  ],
  ['domain_forward_enable_bulk', bulk('none', HOST, host(`PATCH ${HOSTNAME}/enable`))],
  ['domain_forward_disable_bulk', bulk('none', HOST, host(`PATCH ${HOSTNAME}/disable`))],
  ['domain_forward_delete_bulk', bulk('none', HOST, host(`DELETE ${HOSTNAME}`))],

  [
    'email_forward_create_bulk',
    bulk(
      shape(`auto_create_zone:flag? ${EMAIL_SHARED}`, ALIASES),
      EMAIL_FORWARD,
      host('POST /v1/email-forwards'),
    ),
  ],
  [
    'email_forward_update_bulk',
    bulk(
      shape(EMAIL_SHARED, ALIASES),
      shape(`email_forward_id:text? hostname:text? ${EMAIL_SHARED}`, ALIASES),
      email(
        `PATCH ${EMAIL}/enable`,
        `PATCH ${EMAIL}/disable`,
        // The aliases are replaced as a whole: those that are not named go.
        `POST ${EMAIL}/aliases`,
        `PUT ${EMAIL}/aliases/{alias_id}`,
        `DELETE ${EMAIL}/aliases/{alias_id}`,
      ),
    ),
  ],
  ['email_forward_enable_bulk', bulk('none', EMAIL_REFERENCE, email(`PATCH ${EMAIL}/enable`))],
  ['email_forward_disable_bulk', bulk('none', EMAIL_REFERENCE, email(`PATCH ${EMAIL}/disable`))],
  ['email_forward_delete_bulk', bulk('none', EMAIL_REFERENCE, email(`DELETE ${EMAIL}`))],

  [
    'parking_create_bulk',
    bulk('enabled:flag?', 'domain:text enabled:flag?', parked('domain', PARKING.create)),
  ],
  [
    'parking_enable_bulk',
    bulk('none', PARKING_REFERENCE, parked('parking_reference', PARKING.enable)),
  ],
  [
    'parking_disable_bulk',
    bulk('none', PARKING_REFERENCE, parked('parking_reference', PARKING.disable)),
  ],
  [
    'parking_delete_bulk',
    bulk('none', PARKING_REFERENCE, parked('parking_reference', PARKING.delete)),
  ],
])

function shapeOf(from: string | Shape): Shape {
  return typeof from === 'string' ? shape(from) : from
}

function one(payload: string | Shape, judge: Judge): JobCommand {
  return { payload: shapeOf(payload), template: undefined, judge }
}

function bulk(template: string | Shape, instance: string | Shape, judge: Judge): JobCommand {
  const shared = template === 'none' ? 'none' : shapeOf(template)
  return { payload: shapeOf(instance), template: shared, judge }
}
