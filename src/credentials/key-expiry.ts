// What an operator should know of a key before it bites: a role that is too broad, an expiry that comes
// near. Warned of from 30 days on, and logged again at 14, 7 and 1, and when it is over.

import type { KeyFacts } from './introspection.ts'

const DAY = 86_400_000
/** Days before the expiry; 0 is the expiry itself. */
const STEPS = [0, 1, 7, 14, 30] as const

/** Remembers what was said about an expiry. */
export interface ExpiryWatch {
  /**
   * True when an expiry at `expiresOn` has come nearer by a step than when this was last asked, or is
   * another than then. Both in wall-clock milliseconds; the first may be unknown.
   */
  nearer(expiresOn: number | undefined, wall: number): boolean
}

/** Builds a watch that has said nothing yet. */
export function expiryWatch(): ExpiryWatch {
  let said: { readonly expiresOn: number; readonly step: number } | undefined
  return {
    nearer(expiresOn, wall) {
      const step = expiresOn === undefined ? undefined : stepOf(expiresOn, wall)
      if (expiresOn === undefined || step === undefined) {
        said = undefined
        return false
      }
      // A clock that goes back and forth does not make it new.
      const known = said?.expiresOn === expiresOn && said.step <= step
      if (!known) said = { expiresOn, step }
      return !known
    },
  }
}

/** The sentence about an expiry that is near or over, or `undefined`. Wall-clock milliseconds. */
export function expiryWarning(expiresOn: number | undefined, wall: number): string | undefined {
  if (expiresOn === undefined || stepOf(expiresOn, wall) === undefined) return undefined
  const days = Math.floor((expiresOn - wall) / DAY)
  let when = days < 1 ? 'expires within a day' : `expires in ${days} days`
  if (days === 1) when = 'expires in 1 day'
  if (expiresOn <= wall) when = 'has expired'
  return `The credential ${when}. Create a new key in the OpusDNS Dashboard.`
}

/** Sentences about everything else that OpusDNS said of the key and that wants attention. */
export function keyWarnings({ role, status }: Pick<KeyFacts, 'role' | 'status'>): string[] {
  const warnings: string[] = []
  if (role === 'admin' || role === 'owner') {
    warnings.push(
      `The credential has the role ${role}, which may do everything. Prefer a key with a narrower role, such as dns_manager.`,
    )
  }
  if (status === 'expired' || status === 'revoked') {
    warnings.push(`OpusDNS calls the credential ${status}.`)
  }
  return warnings
}

/** The nearest step that the expiry is within, or `undefined` when it is beyond all. */
function stepOf(expiresOn: number, wall: number): number | undefined {
  return STEPS.find((days) => expiresOn - wall <= days * DAY)
}
