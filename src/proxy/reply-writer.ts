// Writes one upstream reply to the client as it comes: head and a small body in a single write, a
// larger body piece by piece under back-pressure, and no body where HTTP allows none.

import { Fault } from '../base/fault.ts'
import type { Exchange } from './exchange.ts'
import type { ReplyHead } from './reply-head.ts'

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
  readonly #statusText: string
  readonly #fields: readonly string[]
  readonly #hasBody: boolean
  readonly #failed: (fault: Fault) => void
  /** The first piece, until it is known whether more comes in the same read. */
  #first: Buffer | undefined
  #begun = false
  #over = false

  /** `failed` is called, once and before anything was written, when the head cannot be written. */
  constructor(
    exchange: Exchange,
    status: number,
    statusText: string,
    head: ReplyHead,
    flow: Flow,
    failed: (fault: Fault) => void,
  ) {
    this.#exchange = exchange
    this.#flow = flow
    this.#status = status
    this.#statusText = statusText
    this.#hasBody = mayHaveBody(status, exchange.request.method)
    this.#fields = fieldsFor(status, head.fields)
    this.#failed = failed
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
  data(piece: Buffer): void {
    if (this.#over || !this.#hasBody) return
    if (!this.#begun && this.#first === undefined) {
      this.#first = piece
      return
    }
    if (!this.#begun) this.flush()
    this.#write(piece)
  }

  /** Ends the reply. */
  end(): void {
    if (this.#over) return
    const { response } = this.#exchange
    if (this.#begun) {
      response.end()
    } else if (this.#writeHead()) {
      const body = this.#first
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
    if (this.#begun || this.#over || !this.#writeHead()) return
    const first = this.#first
    this.#first = undefined
    if (first === undefined) this.#exchange.response.flushHeaders()
    else this.#write(first)
  }

  #writeHead(): boolean {
    const { request, response } = this.#exchange
    // The upstream answered before it read the whole body: what still comes must not be taken for
    // the next request.
    if (!request.complete) response.shouldKeepAlive = false
    try {
      // Node copies the list, though its types do not say so.
      response.writeHead(this.#status, this.#statusText, this.#fields as string[])
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
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (name.toLowerCase() !== 'content-length') kept.push(name, fields[index + 1] ?? '')
  }
  if (status === 205) kept.push('Content-Length', '0')
  return kept
}
