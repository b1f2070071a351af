// Messages in option schemas are written `fault; remedy`.

import type { Problem } from '../base/fault.ts'

/** The problem that such a message speaks of. */
export function spokenProblem(place: string, message: string): Problem {
  const [fault = message, ...remedy] = message.split('; ')
  return { place, fault, remedy: remedy.join('; ') || 'see config/reference.yaml' }
}
