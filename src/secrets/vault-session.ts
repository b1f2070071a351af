// The client token of the proxy, shared by all references: one login for all of them, renewed while
// somebody watches, and replaced when the server refuses it.

import type { Cancel, Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { singleFlight } from '../base/single-flight.ts'
import { granted, LOGIN_TIMEOUT_MS } from './vault-login.ts'
import type { Grant } from './vault-login.ts'
import type { VaultServer } from './vault-server.ts'
import type { VendorReply } from './vendor-http.ts'

/** Milliseconds between two logins that refusals cause: a policy that denies makes no flood of tokens. */
export const REFUSAL_PAUSE_MS = 60_000

const SOONEST_MS = 1000

/** Asks a server as somebody who is logged in. */
export interface VaultSession {
  /**
   * The reply to a GET of `path` (below `/v1/`). Logs in first where need be; on 403 logs in again
   * and asks once more. Rejects with a VaultDefect.
   */
  get(path: string, timeout: number): Promise<VendorReply>
  /** Keeps the token renewed by a timer until the returned function is called. */
  hold(): () => void
}

interface ClientToken {
  readonly secret: Secret
  /** Of the login, in milliseconds; Infinity when it does not end. */
  readonly fullLife: number
  readonly end: number
  readonly renewable: boolean
  /** When it is renewed or replaced, on the monotonic clock. */
  due: number
}

/** See `vaultSession`. */
export interface VaultSessionDependencies {
  readonly clock: Clock
  readonly server: VaultServer
}

/** A session that begins with the first question. Built without I/O. */
export function vaultSession(
  login: () => Promise<Grant>,
  deps: VaultSessionDependencies,
): VaultSession {
  const { clock, server } = deps
  let token: ClientToken | undefined
  let refusedAt = Number.NEGATIVE_INFINITY
  let holders = 0
  let cancel: Cancel | undefined

  function arm(): void {
    cancel?.()
    cancel = undefined
    if (holders === 0 || token === undefined || token.due === Number.POSITIVE_INFINITY) return
    // A failure is met again, and told, by the next read.
    cancel = clock.after(token.due - clock.now(), () => void refresh().catch(() => {}))
  }

  /** `since` is from before the server was asked, so that no token is believed to live too long. */
  function keep(grant: Grant, since: number, before?: ClientToken): ClientToken {
    const life = grant.seconds === 0 ? Number.POSITIVE_INFINITY : grant.seconds * 1000
    const fullLife = before?.fullLife ?? life
    token = {
      secret: grant.token,
      fullLife,
      end: since + life,
      // A renewal that yields little is near the end that no renewal passes (the maximum TTL).
      renewable: grant.renewable && life >= fullLife / 2,
      due: since + Math.max(SOONEST_MS, (life * 2) / 3),
    }
    arm()
    return token
  }

  async function renewal(held: ClientToken): Promise<Grant | undefined> {
    try {
      const reply = await server.ask({
        method: 'POST',
        path: 'auth/token/renew-self',
        body: {},
        token: held.secret,
        timeout: LOGIN_TIMEOUT_MS,
      })
      return reply.status === 200 ? granted(reply) : undefined
    } catch {
      return undefined
    }
  }

  /** Renews what is held, or else logs in; keeps what is held when that fails while it lives. */
  const refresh = singleFlight(async (): Promise<ClientToken> => {
    const held = token
    if (held?.renewable === true && clock.now() < held.end) {
      const since = clock.now()
      const grant = await renewal(held)
      // It may have been refused meanwhile.
      if (grant !== undefined && token === held) return keep(grant, since, held)
    }
    const since = clock.now()
    try {
      return keep(await login(), since)
    } catch (error) {
      const left = held === undefined || token !== held ? 0 : held.end - clock.now()
      if (held === undefined || left <= 0) throw error
      held.due = clock.now() + Math.max(SOONEST_MS, left / 3)
      arm()
      return held
    }
  })

  async function valid(): Promise<ClientToken> {
    return token === undefined || clock.now() >= token.due ? refresh() : token
  }

  /** The token to try after `held` was refused, or undefined when there is none. */
  async function another(held: ClientToken): Promise<ClientToken | undefined> {
    if (token === held) {
      if (clock.now() - refusedAt < REFUSAL_PAUSE_MS) return undefined
      refusedAt = clock.now()
      token = undefined
    }
    const next = await valid()
    return next.secret.equals(held.secret) ? undefined : next
  }

  return {
    async get(path, timeout) {
      const ask = (by: ClientToken) =>
        server.ask({ method: 'GET', path, token: by.secret, timeout })
      const before = token
      const first = await valid()
      const reply = await ask(first)
      // What is new already will not be let in by being newer still.
      if (reply.status !== 403 || first !== before) return reply
      const second = await another(first)
      return second === undefined ? reply : ask(second)
    },
    hold() {
      holders++
      arm()
      let held = true
      return function release() {
        if (held) holders--
        held = false
        arm()
      }
    },
  }
}
