// Options of how one consumer is identified (within `consumers:` in the file), and what is wrong with
// those of all together.

import type { Problem } from '../base/fault.ts'
import { z } from '../base/schema.ts'
import { parseCertificateName } from './certificate-names.ts'
import type { CertificateName } from './certificate-names.ts'
import { KEY_ID } from './consumer-key.ts'
import { isWorldwide, networkText, parseNetwork } from './networks.ts'
import type { Network } from './networks.ts'

/** One consumer key, as configured. */
export interface KeySettings {
  readonly id: string
  /** 64 hex digits, small letters. */
  readonly sha256: string
  /** Milliseconds since 1970; `undefined` never. */
  readonly expiresAt: number | undefined
}

/** How one consumer is identified. */
export interface ConsumerSettings {
  readonly keys: readonly KeySettings[]
  readonly mtls: readonly CertificateName[]
  readonly networks: readonly Network[]
  /** Paths of listeners. */
  readonly sockets: readonly string[]
  readonly anonymous: boolean
}

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?:T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-]\d\d:\d\d))?$/

/** A date, which begins at 00:00 UTC, or date and time; milliseconds since 1970, or `NaN`. */
export function parseMoment(text: string): number {
  const match = MOMENT.exec(text)
  if (match === null) return Number.NaN
  const [, year, month, day] = match.map(Number)
  // JavaScript takes February 30th for March 2nd.
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day))
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day
    ? Date.parse(text)
    : Number.NaN
}

const key = z
  .strictObject({
    id: z
      .string()
      .regex(KEY_ID, 'is no id of a key; take the line that `keys new` prints')
      .describe('The part of the key that is no secret: opxk_<id>_….'),
    sha256: z
      .string()
      .regex(
        /^[0-9A-Fa-f]{64}$/,
        'is not 64 hex digits; take the line that `keys new` prints, never the key itself',
      )
      .describe('SHA-256 of the whole key, in hex.'),
    expires: z
      .string()
      .refine(
        (text) => !Number.isNaN(parseMoment(text)),
        'is no date; write 2027-01-31 or 2027-01-31T12:00:00Z',
      )
      .optional()
      .describe(
        'From then on the key is refused: a date (00:00 UTC), or date and time; never if left out.',
      ),
  })
  .transform(({ id, sha256, expires }): KeySettings => ({
    id,
    sha256: sha256.toLowerCase(),
    expiresAt: expires === undefined ? undefined : parseMoment(expires),
  }))

const certificateName = z.string().transform((text, context): CertificateName => {
  const parsed = parseCertificateName(text)
  if ('name' in parsed) return parsed.name
  context.addIssue({ code: 'custom', message: parsed.fault })
  return z.NEVER
})

const network = z.string().transform((text, context): Network => {
  const parsed = parseNetwork(text)
  if (typeof parsed !== 'string') return parsed
  context.addIssue({ code: 'custom', message: parsed })
  return z.NEVER
})

/** Networks of hops whose `X-Forwarded-For` is believed. */
export type TrustedHops = readonly Network[]

/** Schema of `trusted_hops`. */
export const trustedHopsOption = z
  .array(
    network.refine((one) => !isWorldwide(one), {
      error:
        'is so wide that anybody could claim to come from anywhere; write the addresses of the hops',
    }),
  )
  .default([])
  .describe(
    'Load balancers and ingresses, as networks: of what comes from them, the address in X-Forwarded-For is taken for where it came from. The field is believed of nobody else.',
  )

/** The options of a consumer that say who it is, to be merged with those of what it may do. */
export const identificationShape = {
  keys: z
    .array(key)
    .default([])
    .describe('Its consumer keys, made by the command `keys new`. Several may live at once.'),
  mtls: z
    .array(certificateName)
    .default([])
    .describe(
      "Names in its client certificate: 'spiffe://…', 'URI:…', 'DNS:…', 'IP:…', 'email:…', or of the subject 'CN=…', 'OU=…' or 'O=…', exact. For listeners with tls.client_ca_file.",
    ),
  networks: z
    .array(network)
    .default([])
    .describe(
      'Networks that its connections come from (10.1.0.0/16), or by the word of trusted_hops its requests; of several that match, the longest prefix decides.',
    ),
  sockets: z
    .array(
      z.string().regex(/^\/.*[^/]$/, 'is not the absolute path of a socket; write /run/x.sock'),
    )
    .default([])
    .describe('Paths of unix sockets under listen: whoever may connect there is this consumer.'),
  anonymous: z
    .boolean()
    .default(false)
    .describe(
      'Whoever comes through a loopback address or a unix socket, and is nobody else, is this consumer.',
    ),
}

/** Places in `networks` of those that tell nobody from strangers. */
export function worldwideNetworks({ networks }: ConsumerSettings): number[] {
  return networks.flatMap((one, index) => (isWorldwide(one) ? [index] : []))
}

/** Where the user wrote the option at this path below `consumers`. */
export type ConsumerPlace = (path: readonly PropertyKey[]) => string

/** What is wrong, and what is only odd. */
export interface IdentificationReport {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/**
 * What is wrong with all consumers together: what identifies two of them identifies none. `now` is
 * milliseconds since 1970; an expired key is a warning.
 */
export function identificationProblems(
  consumers: Iterable<readonly [string, ConsumerSettings]>,
  placeOf: ConsumerPlace,
  now: number,
): IdentificationReport {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const seen = new Map<string, string>()

  function once(what: string, path: readonly PropertyKey[]): void {
    const place = placeOf(path)
    const before = seen.get(what)
    if (before === undefined) seen.set(what, place)
    else {
      problems.push({
        place,
        fault: `is the same as ${before}, so that nobody could tell whom it names`,
        remedy: 'remove one of them',
      })
    }
  }

  for (const [name, { keys, mtls, networks, sockets, anonymous }] of consumers) {
    for (const [at, { id, expiresAt }] of keys.entries()) {
      once(`key ${id}`, [name, 'keys', at, 'id'])
      if (expiresAt === undefined || expiresAt > now) continue
      warnings.push({
        place: placeOf([name, 'keys', at, 'expires']),
        fault: `is past, so that the key ${id} is refused`,
        remedy: 'make another with `keys new`, and remove this one',
      })
    }
    for (const [at, one] of mtls.entries()) once(`mtls ${one}`, [name, 'mtls', at])
    for (const [at, one] of networks.entries()) {
      once(`network ${networkText(one)}`, [name, 'networks', at])
    }
    for (const [at, one] of sockets.entries()) once(`socket ${one}`, [name, 'sockets', at])
    if (anonymous) once('anonymous', [name, 'anonymous'])
  }
  return { problems, warnings }
}
