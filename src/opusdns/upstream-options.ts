// Options of the connection to OpusDNS (`upstream:` in the file).

import { duration, z } from '../base/schema.ts'

/** Where OpusDNS is, and how long it may take. Durations in milliseconds. */
export interface UpstreamSettings {
  /** Origin: scheme, host and port, without a trailing slash. */
  readonly base: string
  /** File with CA certificates (PEM) that are trusted besides the usual ones. */
  readonly caFile: string | undefined
  readonly connections: number
  readonly connectTimeout: number
  /** From the request to the head of the reply. */
  readonly headTimeout: number
  /** Between two pieces of the reply's body. */
  readonly bodyIdleTimeout: number
  /** How long a request may wait for a free connection. */
  readonly queueTimeout: number
  /** How long an unused connection is kept. */
  readonly idleTimeout: number
}

/** Schema of an origin of the API. */
export const baseOption = z.string().superRefine((text, context) => {
  const message = defectOfBase(text)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

/** Schema of `upstream`. */
export const upstreamOptions = z
  .strictObject({
    base: baseOption
      .default('https://api.opusdns.com')
      .describe(
        'Origin of the API, without a path: https, or http to a loopback address. Environment: OPUSDNS_API_BASE.',
      ),
    ca_file: z
      .string()
      .min(1)
      .optional()
      .describe('File with further CA certificates (PEM) to trust. TLS is always verified.'),
    connections: z
      .int()
      .min(1)
      .max(4096)
      .default(128)
      .describe(
        'Connections to OpusDNS at most; further requests wait for one. Event streams have half as many of their own.',
      ),
    connect_timeout: duration({ default: '5s', min: '100ms', max: '1m' }).describe(
      'How long connecting may take, TLS included.',
    ),
    head_timeout: duration({ default: '25s', min: '100ms', max: '5m' }).describe(
      'How long OpusDNS may take to begin its answer. Keep it below 30s, when most clients give up.',
    ),
    body_idle_timeout: duration({ default: '60s', min: '100ms', max: '1h' }).describe(
      'How long OpusDNS may pause within an answer.',
    ),
    queue_timeout: duration({ default: '10s', min: '100ms', max: '5m' }).describe(
      'How long a request waits for a free connection before it is answered 503.',
    ),
    idle_timeout: duration({ default: '4s', min: '100ms', max: '10m' }).describe(
      'How long an unused connection is kept for the next request.',
    ),
  })
  .prefault({})
  .transform((written): UpstreamSettings => ({
    base: new URL(written.base).origin,
    caFile: written.ca_file,
    connections: written.connections,
    connectTimeout: written.connect_timeout,
    headTimeout: written.head_timeout,
    bodyIdleTimeout: written.body_idle_timeout,
    queueTimeout: written.queue_timeout,
    idleTimeout: written.idle_timeout,
  }))

/** Why `text` cannot be the API's origin, or `undefined`. Quotes nothing: it may hold a password. */
function defectOfBase(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL; write for example https://api.opusdns.com'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return 'is neither https nor http; write for example https://api.opusdns.com'
  }
  if (url.username !== '' || url.password !== '') {
    return 'holds a user name or password; remove it, credentials belong under credential'
  }
  if (url.pathname !== '/' || text.includes('?') || text.includes('#')) {
    return 'holds more than an origin; remove what follows the host, clients ask for /v1/… themselves'
  }
  // Plain http would show the credential to the network.
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return 'is plain http to another machine, which would show the credential; write https://'
  }
  return undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
