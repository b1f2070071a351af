// Options of the listeners and of the end of the process.

import { listenEntry } from '../base/listen-entry.ts'
import { duration, z } from '../base/schema.ts'

/** How the process ends. Durations in milliseconds. */
export interface ShutdownSettings {
  /** Readiness is off this long before the listeners close, so that a load balancer notices. */
  readonly delay: number
  /** Requests still running this long after the listeners closed are cut. */
  readonly deadline: number
}

/** Schema of `listen`; src/config parses the addresses. */
export const listenOption = z
  .array(listenEntry)
  .min(1)
  .default(['127.0.0.1:8080'])
  .describe(
    'Where clients are served: host:port, [::1]:port, unix:/path, or a mapping with address, and tls, mode or owner. Environment: OPUSDNS_PROXY_LISTEN, separated by commas.',
  )

/** Schema of `insecure_allow_anonymous`. */
export const insecureAllowAnonymousOption = z
  .boolean()
  .default(false)
  .describe(
    'Off loopback, whoever reaches the port acts with your credential; the proxy refuses to start so unless this is true.',
  )

/** Schema of `shutdown`. */
export const shutdownOptions = z
  .strictObject({
    delay: duration({ default: '0s', min: '0s', max: '5m' }).describe(
      'How long readiness is off before the listeners close.',
    ),
    deadline: duration({ default: '25s', min: '100ms', max: '1h' }).describe(
      'How long requests in flight may take to end after that.',
    ),
  })
  .prefault({})
  .transform((written): ShutdownSettings => ({ delay: written.delay, deadline: written.deadline }))
