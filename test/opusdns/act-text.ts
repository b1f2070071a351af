// Acts as short lines, for tests to compare.

import { Fault } from '../../src/base/fault.ts'
import type { Act } from '../../src/opusdns/act.ts'
import { bodyActs } from '../../src/opusdns/acts.ts'
import { operationOf } from '../../src/opusdns/operations.ts'

/** `METHOD template zone=… domain=… host=… verb TYPE name|name buys=…`, as far as there is some. */
export function textOf(act: Act): string {
  const { operation, zone, domain, host, change, purchase } = act
  const parts = [operation.method, operation.template]
  if (zone !== undefined) parts.push(`zone=${zone}`)
  if (domain !== undefined) parts.push(`domain=${domain}`)
  if (host !== undefined) parts.push(`host=${host}`)
  if (change !== undefined) {
    const names = change.names === 'every' ? 'every' : change.names.join('|')
    parts.push(change.verb, change.type, names)
  }
  if (purchase !== undefined) {
    const { count, expectedPrice, years } = purchase
    parts.push(`${purchase.perhaps ? 'may-cost' : 'buys'}=${count}`)
    if (expectedPrice !== undefined) parts.push(`at=${expectedPrice}`)
    if (years !== undefined) parts.push(`years=${years}`)
  }
  return parts.join(' ')
}

/** The acts of a request `METHOD path` whose body is `body`: JSON text, or a value of it. */
export function actsOf(line: string, body: unknown, type = 'application/json'): readonly Act[] {
  const [method = '', path = ''] = line.split(' ')
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return bodyActs(operationOf(method, path), path, bytes, type, undefined)
}

/** The Fault that `run` throws. */
export function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('it was not refused')
}
