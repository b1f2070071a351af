// Switches that make the simulator misbehave. A switch that is assigned stays until it is cleared;
// one that is added may be limited to the next n requests and to paths.

/** Bodies of the token endpoint that have a name. Any other text is sent as it is. */
export const TOKEN_BODIES = [
  'html', // 200 with a web page
  'empty', // 200 with nothing
  'truncated', // half of the JSON, in a well-formed HTTP message
  'huge', // 1 MiB of valid JSON
  'garbage', // random bytes
  'redirect', // 307 to /__elsewhere, which would answer a follower with a good token
  'wrong-type', // token_type is not Bearer
  'bad-token', // a token with bytes that do not belong in a header
  'near-expired-same', // one token with `tokenLife` (2 s), handed out again until it is over
] as const

/** Every switch; undefined is off. Times in milliseconds unless said otherwise. */
export interface Switches {
  // The token endpoint only.
  tokenDelay?: number | undefined
  tokenStatus?: number | undefined
  tokenBody?: (typeof TOKEN_BODIES)[number] | (string & {}) | undefined
  tokenHang?: boolean | undefined
  tokenReset?: boolean | undefined
  /** Opaque tokens rather than JWTs. */
  tokenOpaque?: boolean | undefined
  /** Seconds, in place of the option. */
  tokenLife?: number | undefined
  /** In place of `expires_in`, the real life unchanged; 'missing' leaves the field out. */
  expiresIn?: unknown
  // Everything but the token endpoint.
  delay?: number | undefined
  hang?: boolean | undefined
  /** Reset instead of a reply: true once the body was read, 'head' as soon as the head is in. */
  reset?: boolean | 'head' | undefined
  resetMidHead?: boolean | undefined
  /** The body ends half-way, with RST or FIN. */
  truncate?: 'reset' | 'fin' | undefined
  /** Bytes after which the body stops without an end. */
  hangBodyAfter?: number | undefined
  status?: number | undefined
  /** Body text in place of the operation's; with `status` 200 unless given. */
  body?: string | undefined
  /** Headers added to the reply. */
  headers?: Record<string, string> | undefined
  /** Bytes (Latin-1) written in place of a whole reply; then FIN. */
  raw?: string | undefined
  /** 401 to every Bearer token. */
  rejectAllTokens?: boolean | undefined
  // Both.
  /** Seconds, or a date, in `Retry-After` of a forced status. */
  retryAfter?: number | string | undefined
  /** Closes the connection this long after each reply, unannounced; true is 0. */
  closeIdle?: number | boolean | undefined
  /** Resets a request that comes on a connection that was used before. */
  resetReused?: boolean | undefined
  /** Seconds that the Date header is off. */
  dateSkew?: number | undefined
}

/** Limits of an added fault. */
export interface FaultLimits {
  /** How many requests it meets. Default: until cleared. */
  readonly times?: number
  /** Meets only requests whose decoded path begins so. */
  readonly path?: string
}

/** The switches by assignment, and the ways to limit and clear them. */
export interface Faults extends Switches {
  /** Adds switches for some requests; they win over assigned ones. */
  add(switches: Switches, limits?: FaultLimits): void
  /** Everything off. */
  clear(): void
  /** What one request meets; counts it. For the simulator itself. */
  take(kind: 'token' | 'api', path: string): Switches
}

const SHARED = new Set(['retryAfter', 'closeIdle', 'resetReused', 'dateSkew'])

/** Fresh switches, all off. */
export function faultSwitches(): Faults {
  const added: { switches: Switches; path: string; left: number }[] = []

  const faults: Faults = {
    add(switches, limits = {}) {
      added.push({ switches, path: limits.path ?? '', left: limits.times ?? Infinity })
    },
    clear() {
      added.length = 0
      for (const name of Object.keys(faults))
        if (!METHODS.has(name)) Reflect.deleteProperty(faults, name)
    },
    take(kind, path) {
      const met = chosen(faults, kind)
      for (const entry of added) {
        const part = chosen(entry.switches, kind)
        if (!path.startsWith(entry.path) || !concerns(entry.switches, kind)) continue
        entry.left--
        Object.assign(met, part)
      }
      for (let at = added.length - 1; at >= 0; at--)
        if ((added[at]?.left ?? 0) <= 0) added.splice(at, 1)
      return met
    },
  }
  return faults
}

const METHODS = new Set(['add', 'clear', 'take'])

function isFor(name: string, kind: 'token' | 'api'): boolean {
  return (name.startsWith('token') || name === 'expiresIn') === (kind === 'token')
}

function chosen(switches: Switches, kind: 'token' | 'api'): Switches {
  const entries = Object.entries(switches).filter(
    ([name, value]) =>
      value !== undefined && !METHODS.has(name) && (SHARED.has(name) || isFor(name, kind)),
  )
  return Object.fromEntries(entries)
}

// An added fault is used up only by requests of its kind; one that holds nothing but shared
// switches is for both kinds.
function concerns(switches: Switches, kind: 'token' | 'api'): boolean {
  const own = Object.keys(switches).filter((name) => !SHARED.has(name))
  return own.length === 0 || own.some((name) => isFor(name, kind))
}
