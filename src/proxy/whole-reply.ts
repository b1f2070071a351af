// Replies of OpusDNS that are taken whole, to be read by the proxy: what is asked for, and how much is
// held of what comes.

import type { Fault } from '../base/fault.ts'
import type { EchoFilter } from '../credentials/echo.ts'
import type { Receiver } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { without } from './fields.ts'
import { noRoom } from './held-bytes.ts'
import type { HeldBytes } from './held-bytes.ts'
import { withoutCodings } from './masked-reply.ts'
import { refuse } from './refusal.ts'

/** Fields about the client's own body, or about a reply that it knows. */
const OF_ANOTHER = /^(?:if-.*|content-.*|cache-control|pragma)$/

/** The client's `fields` for a reading: the whole of it, in no coding, whatever the client knows. */
export function fieldsOfReading(fields: readonly string[]): string[] {
  return withoutCodings(without(fields, (name) => OF_ANOTHER.test(name)))
}

/** Bounds of the replies to one exchange. */
export interface WholeReplyBounds {
  readonly room: HeldBytes
  /** Bytes of all its replies together. */
  readonly most: number
  /** The answer where they are more. */
  readonly tooLarge: () => Fault
}

/**
 * Takes one reply whole: `done` gets its body without the credential, unless there is an answer before,
 * and what it throws is answered. `failed` is told when there is no room. The bytes stay on the account
 * of the exchange.
 */
export type TakeWhole = (
  echo: EchoFilter,
  failed: (fault: Fault) => void,
  done: (body: Buffer) => void,
) => Receiver

/** Builds the taker for all replies to `exchange`. */
export function wholeReplies(
  exchange: Exchange,
  { room, most, tooLarge }: WholeReplyBounds,
): TakeWhole {
  let bytes = 0

  return function take(echo, failed, done) {
    const pieces: Buffer[] = []
    return {
      begun: false,
      data(piece) {
        bytes += piece.length
        if (bytes > most) failed(tooLarge())
        else if (!room.hold(exchange, piece.length)) failed(noRoom())
        else pieces.push(piece)
      },
      end() {
        if (exchange.settled) return
        try {
          done(echo.redact(Buffer.concat(pieces)))
        } catch (error) {
          refuse(exchange, error)
        }
      },
      flush: () => undefined,
      abandon: () => undefined,
    }
  }
}
