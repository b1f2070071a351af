// One attempt to get a token: with the secret that is in use and, if the endpoint refuses that one
// for good, at once with the other. Keeps no state between attempts.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import type { Side } from './events.ts'
import { within } from './patience.ts'
import type { Candidate, SecretPair } from './secret-pair.ts'
import type { Mint } from './token-endpoint.ts'
import type { MintRefusal, MintResult } from './token-reply.ts'

/** A token request gives up after 10 s by itself; this is for one that breaks its word. */
const GIVE_UP = 12_000
/** Bounds a round in which the secret changes under every try. */
const MOST_TRIES = 4

/** A token that came, with what is needed to judge its age. */
export interface Minted {
  readonly token: Secret
  readonly life: number
  readonly assumed: boolean
  /** Monotonic moment when it was asked for. */
  readonly since: number
  /** The secret that it was asked for with. */
  readonly by: Candidate
}

/** One failed try. */
export interface FailedTry extends MintRefusal {
  readonly side: Side
}

/** What came of an attempt: a token, and the tries that failed before it or instead of it. */
export interface Round {
  readonly minted: Minted | undefined
  readonly failures: readonly FailedTry[]
}

/** See `mintRound`. */
export interface MintRoundDependencies {
  readonly clientId: string
  readonly pair: SecretPair
  readonly mint: Mint
  readonly clock: Clock
  /** Takes a token whose request had been given up: it may still be good, but never newer. */
  readonly late: (minted: Minted) => void
}

/** Runs one attempt. Never rejects; at most one request is under way at any time. */
export async function mintRound(deps: MintRoundDependencies): Promise<Round> {
  const { clientId, pair, mint, clock, late } = deps
  const failures: FailedTry[] = []
  const tried: Secret[] = []
  while (tried.length < MOST_TRIES) {
    // oxlint-disable-next-line no-await-in-loop -- one request at a time is the promise
    const by = await pair.candidate(tried)
    if (by === undefined) break
    if (by instanceof Fault) {
      const side = pair.serving()
      failures.push({ ok: false, result: 'secret_unavailable', detail: by.message, side })
      break
    }
    tried.push(by.secret)
    const since = clock.now()
    const mintedFrom = (result: Extract<MintResult, { ok: true }>): Minted => {
      const { token, life, assumed } = result
      return { token, life, assumed, since, by }
    }
    const asked = ask(mint, clientId, by.secret)
    // oxlint-disable-next-line no-await-in-loop -- as above
    const result = await within(clock, GIVE_UP, asked)
    if (result?.ok === true) return { minted: mintedFrom(result), failures }
    if (result === undefined) {
      void asked.then((answer) => answer.ok && late(mintedFrom(answer)))
      failures.push({ ok: false, result: 'timeout', detail: 'No answer in time.', side: by.side })
      break
    }
    failures.push({ ...result, side: by.side })
    if (result.result !== 'terminal') break
    pair.refused(by)
  }
  return { minted: undefined, failures }
}

/** `mint` promises not to throw; a credential that hung for ever would be too high a price. */
async function ask(mint: Mint, clientId: string, secret: Secret): Promise<MintResult> {
  try {
    return await mint(clientId, secret)
  } catch {
    return { ok: false, result: 'unreachable', detail: 'The token endpoint could not be asked.' }
  }
}
