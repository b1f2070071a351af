// Options of the journey of a request: accepted names (`hosts:`) and bounds (`limits:`).

import { duration, hostNames, size, z } from '../base/schema.ts'

/** Largest request body for each class of operation; see `BodyClass` in src/opusdns/operations.ts. */
export interface BodySizes {
  readonly read: number
  readonly write: number
  readonly bulk: number
}

/** Bounds of what a client may ask for. Durations in milliseconds, sizes in bytes. */
export interface LimitSettings {
  readonly headerSize: number
  readonly targetSize: number
  readonly bodySize: BodySizes
  /** Request bodies up to this size are held, so that they can be sent again after a 401. */
  readonly replayBodySize: number
  /** Bodies that a grant must look at are held whole, up to this size. */
  readonly judgedBodySize: number
  /** Bytes of bodies that are held at once. */
  readonly heldSize: number
  readonly inFlight: number
  /** For each listener. */
  readonly connections: number
  readonly tlsHandshakeTimeout: number
  readonly requestHeadTimeout: number
  readonly requestBodyIdleTimeout: number
  /** For the whole body. */
  readonly requestBodyTimeout: number
  /** How long a client may leave a reply unread. */
  readonly replyWriteTimeout: number
  /** For the whole exchange; 0 for no limit. */
  readonly totalTimeout: number
  readonly keepAliveTimeout: number
}

const bodySize = (fallback: string) => size({ default: fallback, min: '0B', max: '16GiB' })

const bodySizeOptions = z
  .strictObject({
    read: bodySize('64KiB').describe('Of GET, HEAD, OPTIONS and DELETE.'),
    write: bodySize('16MiB').describe('Of POST, PUT and PATCH.'),
    bulk: bodySize('64MiB').describe(
      'Of the operations that take lists of commands, such as /v1/jobs.',
    ),
  })
  .prefault({})

/** Schema of `hosts`. */
export const hostsOption = hostNames().describe(
  'Further names that are accepted in Host, besides loopback names and own addresses. Where every consumer must show a key or certificate, any name is, until some are written here.',
)

/** Schema of `limits`. */
export const limitOptions = z
  .strictObject({
    header_size: size({ default: '32KiB', min: '4KiB', max: '1MiB' }).describe(
      'Size of a request or reply head at most.',
    ),
    target_size: size({ default: '28KiB', min: '1KiB', max: '1MiB' }).describe(
      'Size of a request target (path and query) at most; it is a part of the head.',
    ),
    body_size: bodySizeOptions.describe('Size of a request body at most, by class of operation.'),
    replay_body_size: size({ default: '64KiB', min: '0B', max: '1MiB' }).describe(
      'Request bodies up to this size are held in memory, so that they can be sent again after a 401.',
    ),
    judged_body_size: size({ default: '1MiB', min: '4KiB', max: '64MiB' }).describe(
      'Bodies that a grant must look at, up to this size; they are held whole. More is refused with 413.',
    ),
    held_size: size({ default: '64MiB', min: '128KiB', max: '64GiB' }).describe(
      'Bytes of bodies that are held in memory at once, those of filtered lists and dry runs too; more are refused with 503. At least twice judged_body_size and replay_body_size.',
    ),
    in_flight: z
      .int()
      .min(1)
      .max(100_000)
      .default(4096)
      .describe('Requests in flight at most; more are refused with 503.'),
    connections: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(16_384)
      .describe(
        'Connections of clients at most, for each listener; more are answered 503 and closed.',
      ),
    tls_handshake_timeout: duration({ default: '10s', min: '100ms', max: '5m' }).describe(
      'How long a client may take for its TLS handshake.',
    ),
    request_head_timeout: duration({ default: '10s', min: '100ms', max: '5m' }).describe(
      'How long a client may take to send the head of a request.',
    ),
    request_body_idle_timeout: duration({ default: '30s', min: '100ms', max: '1h' }).describe(
      'How long a client may pause within a request body.',
    ),
    request_body_timeout: duration({ default: '5m', min: '100ms', max: '1d' }).describe(
      'How long a client may take to send a whole request body.',
    ),
    reply_write_timeout: duration({ default: '60s', min: '100ms', max: '1h' }).describe(
      'How long a client may read nothing of a reply that waits for it.',
    ),
    total_timeout: duration({ default: '0s', min: '0s', max: '1d' }).describe(
      'How long an exchange may take in all, event streams excepted; 0s for no limit.',
    ),
    keep_alive_timeout: duration({ default: '65s', min: '1s', max: '1h' }).describe(
      'How long an unused connection of a client is kept.',
    ),
  })
  .refine((it) => it.held_size >= 2 * Math.max(it.judged_body_size, it.replay_body_size), {
    error:
      'has a held_size below twice judged_body_size or replay_body_size, of which there is a share for each consumer; raise held_size',
  })
  .prefault({})
  .transform((written): LimitSettings => ({
    headerSize: written.header_size,
    targetSize: written.target_size,
    bodySize: written.body_size,
    replayBodySize: written.replay_body_size,
    judgedBodySize: written.judged_body_size,
    heldSize: written.held_size,
    inFlight: written.in_flight,
    connections: written.connections,
    tlsHandshakeTimeout: written.tls_handshake_timeout,
    requestHeadTimeout: written.request_head_timeout,
    requestBodyIdleTimeout: written.request_body_idle_timeout,
    requestBodyTimeout: written.request_body_timeout,
    replyWriteTimeout: written.reply_write_timeout,
    totalTimeout: written.total_timeout,
    keepAliveTimeout: written.keep_alive_timeout,
  }))
