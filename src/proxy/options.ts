// Options of the journey of a request: accepted names (`hosts:`) and bounds (`limits:`).

import { duration, hostNames, size, z } from '../base/schema.ts'

/** Bounds of what a client may ask for. Durations in milliseconds, sizes in bytes. */
export interface LimitSettings {
  readonly headerSize: number
  /** Request bodies up to this size are held, so that they can be sent again after a 401. */
  readonly replayBodySize: number
  readonly inFlight: number
  readonly requestHeadTimeout: number
  readonly requestBodyIdleTimeout: number
  readonly keepAliveTimeout: number
}

/** Schema of `hosts`. */
export const hostsOption = hostNames().describe(
  'Further names that are accepted in Host, besides loopback names and own addresses.',
)

/** Schema of `limits`. */
export const limitOptions = z
  .strictObject({
    header_size: size({ default: '32KiB', min: '4KiB', max: '1MiB' }).describe(
      'Size of a request or reply head at most.',
    ),
    replay_body_size: size({ default: '64KiB', min: '0B', max: '1MiB' }).describe(
      'Request bodies up to this size are held in memory, so that they can be sent again after a 401.',
    ),
    in_flight: z
      .int()
      .min(1)
      .max(100_000)
      .default(4096)
      .describe('Requests in flight at most; more are refused with 503.'),
    request_head_timeout: duration({ default: '10s', min: '100ms', max: '5m' }).describe(
      'How long a client may take to send the head of a request.',
    ),
    request_body_idle_timeout: duration({ default: '30s', min: '100ms', max: '1h' }).describe(
      'How long a client may pause within a request body.',
    ),
    keep_alive_timeout: duration({ default: '65s', min: '1s', max: '1h' }).describe(
      'How long an unused connection of a client is kept.',
    ),
  })
  .prefault({})
  .transform((written): LimitSettings => ({
    headerSize: written.header_size,
    replayBodySize: written.replay_body_size,
    inFlight: written.in_flight,
    requestHeadTimeout: written.request_head_timeout,
    requestBodyIdleTimeout: written.request_body_idle_timeout,
    keepAliveTimeout: written.keep_alive_timeout,
  }))
