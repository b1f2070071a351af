// Writes one upstream reply to the client as it comes: head and a small body in a single write, a
// larger body piece by piece under back-pressure, and no body where HTTP allows none.

import { Fault } from '../base/fault.ts'
import type { EchoFilter, EchoStream } from '../credentials/echo.ts'
import { encodedError } from './encoded-error.ts'
import type { EncodedError } from './encoded-error.ts'
import type { Exchange } from './exchange.ts'
import { without } from './fields.ts'
import type { ReplyHead } from './reply-head.ts'
import type { SecretMask } from './secret-mask.ts'

/** The other end of the reply: can be told to wait. */
export interface Flow {
  pause(): void
  resume(): void
}

/** Up to this size, copying a body costs less than a second piece in the write. */
const ONE_PIECE = 16 * 1024

/** False for replies that have no body, whatever their head claims (RFC 9110 section 6.4.1). */
export function mayHaveBody(status: number, method: string | undefined): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
}

/** A class, for one is made for each reply on the hot path. */
export class ReplyWriter {
  readonly #exchange: Exchange
  readonly #flow: Flow
  readonly #status: number
  #fields: readonly string[]
  readonly #hasBody: boolean
  readonly #echo: EchoFilter
  /** Finds an echo that spans pieces; made when there is a second piece. */
  #stream: EchoStream | undefined
  /** Takes the whole of a body that can be judged only then. */
  readonly #encoded: EncodedError | undefined
  readonly #failed: (fault: Fault) => void
  readonly #mask: SecretMask | undefined
  /** The first piece, until it is known whether more comes in the same read. */
  #first: Buffer | undefined
  #begun = false
  #over = false

  /**
   * `failed` is called, once and before anything was written, when the head cannot be written. `mask`
   * sees every piece first.
   */
  constructor(
    exchange: Exchange,
    status: number,
    head: ReplyHead,
    echo: EchoFilter,
    flow: Flow,
    failed: (fault: Fault) => void,
    mask?: SecretMask,
  ) {
    this.#exchange = exchange
    this.#flow = flow
    this.#status = status
    this.#hasBody = mayHaveBody(status, exchange.request.method)
    this.#fields = fieldsFor(status, head.fields)
    this.#failed = failed
    this.#mask = mask
    this.#echo = echo
    if (status >= 400 && this.#hasBody && head.encoding !== undefined) {
      this.#encoded = encodedError(head.encoding, echo)
      return
    }
    // Holds the head until this read is over: a small reply then leaves in a single write.
    queueMicrotask(() => {
      if (!this.#begun && !this.#over) this.flush()
    })
  }

  /** True once the head is on its way: from then on, a failure can only break the reply off. */
  get begun(): boolean {
    return this.#begun
  }

  /** Takes the next piece of the body. */
  data(bytes: Buffer): void {
    if (this.#over || !this.#hasBody) return
    const piece = this.#mask === undefined ? bytes : this.#mask(bytes)
    if (this.#encoded !== undefined) {
      this.#encoded.take(piece)
      return
    }
    if (!this.#begun && this.#first === undefined) {
      this.#first = piece
      return
    }
    if (!this.#begun) this.flush()
    this.#pass(piece)
  }

  /** Ends the reply. */
  end(): void {
    if (this.#over) return
    const { response } = this.#exchange
    if (this.#encoded !== undefined) {
      this.#endEncoded(this.#encoded)
    } else if (this.#begun) {
      response.end(this.#stream?.end())
    } else if (this.#writeHead()) {
      const body = this.#first && this.#echo.redact(this.#first)
      if (body === undefined) response.end()
      // As text (each byte one character) Node puts it behind the head, into one write of one piece.
      else if (body.length <= ONE_PIECE) response.end(body.toString('latin1'), 'latin1')
      else response.end(body)
    }
    this.#over = true
  }

  /** Writes nothing more. */
  abandon(): void {
    this.#over = true
  }

  /** Writes the head now, and the piece that was held. */
  flush(): void {
    if (this.#begun || this.#over || this.#encoded !== undefined || !this.#writeHead()) return
    const first = this.#first
    this.#first = undefined
    if (first === undefined) this.#exchange.response.flushHeaders()
    else this.#pass(first)
  }

  /** Passes on what of the body so far cannot be the beginning of an echo. */
  #pass(piece: Buffer): void {
    this.#stream ??= this.#echo.stream()
    const clean = this.#stream.push(piece)
    if (clean === undefined) this.#exchange.response.flushHeaders()
    else this.#write(clean)
  }

  #endEncoded(encoded: EncodedError): void {
    const { bytes, fields } = encoded.result(this.#fields)
    this.#fields = fields
    if (this.#writeHead()) this.#exchange.response.end(bytes)
  }

  #writeHead(): boolean {
    const { request, response } = this.#exchange
    // The upstream answered before it read the whole body: what still comes must not be taken for
    // the next request.
    if (!request.complete) this.#exchange.closeAfterReply()
    try {
      // The upstream's own reason phrase means nothing (RFC 9112 section 4), and could tell what it
      // should not. Node copies the list, though its types do not say so.
      response.writeHead(this.#status, this.#fields as string[])
    } catch (error) {
      this.#over = true
      this.#failed(
        new Fault('upstream_protocol', {
          detail: 'The head of the upstream answer cannot be passed on.',
          cause: error,
        }),
      )
      return false
    }
    this.#exchange.source = 'upstream'
    this.#begun = true
    return true
  }

  #write(piece: Buffer): void {
    const { response } = this.#exchange
    this.#exchange.streamed(piece.length)
    if (this.#over || response.write(piece)) return
    this.#flow.pause()
    response.once('drain', () => this.#flow.resume())
  }
}

/** Takes out a `Content-Length` that would be wrong (RFC 9110 sections 8.6 and 15.3.6). */
function fieldsFor(status: number, fields: readonly string[]): readonly string[] {
  if (status !== 204 && status !== 205) return fields
  const kept = without(fields, (name) => name === 'content-length')
  if (status === 205) kept.push('Content-Length', '0')
  return kept
}
