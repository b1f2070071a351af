// What a request writes, as a word or two for the audit log, and back again for `learn`.

import { actOf } from '../opusdns/act.ts'
import type { Act } from '../opusdns/act.ts'
import { maybeOperation, operationNamed } from '../opusdns/operation-named.ts'
import type { Operation } from '../opusdns/operations.ts'
import { PARKING } from '../opusdns/parking.ts'
import { pathPurchase } from '../opusdns/path-purchase.ts'
import { recordType } from '../opusdns/record-type.ts'
import { isForward } from './forward-grant.ts'
import { dnsVerbOf } from './zone-grant.ts'

/** Stands for all names or types. */
const EVERY = '*'

/**
 * `VERB TYPE NAME` for records, such as `upsert TXT www.example.com`: the verb is one of a `dns` grant,
 * `*` stands for all, and of a name that may be read in two ways both are there, with a comma. Where
 * `asked` is another operation (a job), ` in ZONE` follows; a command that is about no records is the
 * operation that does the same, and the zone, domain, or host of a forward; one that needs a grant for all of the
 * job is the job's own. `undefined` when the path says it all.
 */
export function writtenAct(
  { operation, zone, domain, host, change, purchase }: Act,
  asked: Operation,
): string | undefined {
  const forwarded = isForward(operation) ? host : undefined
  const within = operation === asked ? undefined : (zone ?? domain ?? forwarded)
  if (change === undefined) {
    const keyed = asked.bulk && purchase === undefined
    if (operation === asked && !keyed) return undefined
    return `${operation.method} ${operation.template}${within === undefined ? '' : ` ${within}`}`
  }
  const verb = dnsVerbOf(operation) ?? 'change'
  const type = change.type === 'every' ? EVERY : change.type
  const names = change.names === 'every' ? EVERY : change.names.join(',')
  const done = `${verb === 'change' ? change.verb : verb} ${type} ${names}`
  return within === undefined ? done : `${done} in ${within}`
}

const RECORDS = /^([a-z]+) ([A-Z]+|\*) (\S+?)(?: in (\S+))?$/
const COMMAND = /^([A-Z]+ \/\S+)(?: (\S+))?$/

const ZONE = '/v1/dns/{zone_name}'
const DOERS: ReadonlyMap<string, Operation> = new Map([
  ['upsert', operationNamed(`PATCH ${ZONE}/rrsets`)],
  ['remove', operationNamed(`PATCH ${ZONE}/rrsets`)],
  ['replace', operationNamed(`PUT ${ZONE}/rrsets`)],
  ['create', operationNamed('POST /v1/dns')],
  ['delete', operationNamed(`DELETE ${ZONE}`)],
])
const STAND_INS: ReadonlyMap<string, Operation> = new Map(
  Object.values(PARKING).map((one) => [`${one.method} ${one.template}`, one]),
)

/** The act that `writtenAct` wrote, in `zone` unless it says another; `undefined` for anything else. */
export function readAct(text: string, zone: string | undefined): Act | undefined {
  const [, verb = '', type = '', names = '', within = zone] = RECORDS.exec(text) ?? []
  const doer = DOERS.get(verb)
  if (doer !== undefined) {
    if (type !== EVERY && recordType(type) === undefined) return undefined
    const change = {
      verb: verb === 'upsert' || verb === 'create' ? ('upsert' as const) : ('remove' as const),
      names: names === EVERY ? ('every' as const) : names.split(','),
      type: type === EVERY ? 'every' : type,
    }
    return actOf(doer, { zone: within, change })
  }
  const [, name = '', about] = COMMAND.exec(text) ?? []
  const operation = maybeOperation(name) ?? STAND_INS.get(name)
  if (operation === undefined) return undefined
  if (operation.bulk) return actOf(operation, {})
  if (isForward(operation)) return actOf(operation, { host: about })
  if (dnsVerbOf(operation) !== undefined) return actOf(operation, { zone: about })
  // As much as it buys at the most: the text does not say.
  return actOf(operation, { domain: about, purchase: pathPurchase(operation) })
}
