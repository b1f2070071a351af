// How long a token lives, from whatever its endpoint said about it. Nothing that an endpoint says
// is believed beyond a day.

const LONGEST = 24 * 3_600_000
const ASSUMED = 300_000

/** See `tokenLifetime`. */
export interface LifetimeClues {
  /** `expires_in` as it stood in the JSON: anything at all. */
  readonly expiresIn: unknown
  /** The token itself; read only when it is a JWT. */
  readonly token: string
  /** The reply's `Date` in wall milliseconds, if it had a readable one. */
  readonly date: number | undefined
  /** Our own wall clock; used only when neither the reply nor the token tells the time. */
  readonly wall: number
}

/** See `tokenLifetime`. */
export interface Lifetime {
  /** Milliseconds; zero or less for a token that is dead already. At most 24 h. */
  readonly life: number
  /** True when nothing was said, and 300 s is a guess. */
  readonly assumed: boolean
}

/**
 * The earlier of `expires_in` and the JWT's `exp`; 300 s when there is neither. `exp` is compared
 * with the endpoint's own time (the `Date` of its reply), so that our clock may be wrong.
 */
export function tokenLifetime(clues: LifetimeClues): Lifetime {
  const stated = statedSeconds(clues.expiresIn)
  const claims = jwtClaims(clues.token)
  const lives: number[] = []
  if (stated !== undefined) lives.push(stated * 1000)
  if (claims.exp !== undefined) {
    const issuerNow = clues.date ?? (claims.iat === undefined ? clues.wall : claims.iat * 1000)
    const life = claims.exp * 1000 - issuerNow
    // `Date`, `iat` and `exp` are cut to whole seconds, so the truth may be a second less. From 4 s
    // on the hard stop (a quarter of the life) covers that; below it, it is taken off here.
    lives.push(Math.min(life, ((life - 1000) * 4) / 3))
  }
  if (lives.length === 0) return { life: ASSUMED, assumed: true }
  return { life: Math.floor(Math.min(LONGEST, ...lives)), assumed: false }
}

/** Seconds above 0, also from a string; `undefined` for what says nothing (0, negative, words). */
function statedSeconds(value: unknown): number | undefined {
  const seconds =
    typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : value
  // Infinity is what JSON.parse makes of 1e999: absurd, but said; the caller clamps it.
  return typeof seconds === 'number' && seconds > 0 ? seconds : undefined
}

interface Claims {
  readonly exp: number | undefined
  readonly iat: number | undefined
}

const NO_CLAIMS: Claims = { exp: undefined, iat: undefined }

/** The times in a JWT's payload. Verifies nothing: whether to accept it is the upstream's matter. */
function jwtClaims(token: string): Claims {
  const parts = token.split('.')
  if (parts.length !== 3) return NO_CLAIMS
  try {
    const text = Buffer.from(parts[1] ?? '', 'base64url').toString('utf8')
    const payload: unknown = JSON.parse(text)
    if (typeof payload !== 'object' || payload === null) return NO_CLAIMS
    return { exp: numericDate(payload, 'exp'), iat: numericDate(payload, 'iat') }
  } catch {
    // V8 quotes the input in its errors, and the input is the token: the error ends here.
    return NO_CLAIMS
  }
}

function numericDate(payload: object, claim: 'exp' | 'iat'): number | undefined {
  const value: unknown = Object.hasOwn(payload, claim)
    ? (payload as Record<string, unknown>)[claim]
    : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
