// What a request names by an id of OpusDNS, where grants go by name: which reading tells the name.

import type { Act } from './act.ts'
import { typeIdKind } from './body-name.ts'
import { parametersOf } from './operations.ts'
import type { Operation } from './operations.ts'

/** A reading that tells the name of one thing. */
export interface NameReading {
  /** Canonical path, for GET. */
  readonly path: string
  /** The member of the reply that holds the name. */
  readonly member: 'name' | 'hostname'
  /** The id of an alias in the path, which must be among those of the forward. */
  readonly alias?: string | undefined
}

const DOMAIN = '/v1/domains/{domain_reference}'
const EMAIL_FORWARD = '/v1/email-forwards/{email_forward_id}'

/** `undefined` for a canonical `path` that names its thing otherwise, or no thing that has a name. */
export function namedById(operation: Operation, path: string): NameReading | undefined {
  const { template } = operation
  if (template.startsWith(DOMAIN)) {
    const { domain_reference: id = '' } = parametersOf(operation, path)
    if (typeIdKind(id) !== 'domain') return undefined
    return { path: `/v1/domains/${id}`, member: 'name' }
  }
  if (template.startsWith(EMAIL_FORWARD)) {
    const { email_forward_id: id = '', alias_id: alias } = parametersOf(operation, path)
    if (typeIdKind(id) !== 'email_forward') return undefined
    return { path: `/v1/email-forwards/${id}`, member: 'hostname', alias }
  }
  return undefined
}

/** `act`, of an operation on what is `namedById`, with the canonical name that was read. */
export function withName(act: Act, { member }: NameReading, name: string): Act {
  return member === 'name' ? { ...act, domain: name } : { ...act, host: name }
}
