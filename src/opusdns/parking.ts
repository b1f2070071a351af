// Operations that stand for what commands about parking do, for parking has none of its own but the
// signup. Not in the table, so that grants by class cover them and grants by operation do not.

import type { OperationClass } from './operation-class.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'

function standIn(method: string, path: string, ...more: readonly OperationClass[]): Operation {
  const signup = operationNamed('POST /v1/parking/signup')
  return { ...signup, method, template: `/v1/parking${path}`, classes: ['write', ...more] }
}

/** By what is done to a parked domain. */
export const PARKING = {
  create: standIn('POST', ''),
  enable: standIn('PATCH', '/enable'),
  disable: standIn('PATCH', '/disable'),
  delete: standIn('DELETE', '/{parking_reference}', 'destructive'),
} as const
