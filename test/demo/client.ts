// A client that knows no credential: sends exactly the fields that it is given, and Host.

import { request } from 'node:http'

/** What came back. */
export interface Answer {
  readonly status: number
  /** Parsed JSON, or `undefined` when the body is none. */
  readonly body: unknown
  /** From the first byte sent to the last received. */
  readonly milliseconds: number
}

const DEADLINE = 10_000

/** Sends one request to `origin`; `target` goes out byte for byte. */
export function ask(
  origin: string,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const call = request(
      origin,
      { method, path: target, headers, agent: false, timeout: DEADLINE },
      (reply) => {
        let text = ''
        reply.setEncoding('utf8')
        reply.on('data', (piece: string) => {
          text += piece
        })
        reply.on('end', () => {
          const milliseconds = performance.now() - began
          resolve({ status: reply.statusCode ?? 0, body: parsed(text), milliseconds })
        })
        reply.on('error', reject)
      },
    )
    call.on('timeout', () => call.destroy(new Error('no answer in time')))
    call.on('error', reject)
    call.end()
  })
}

/** A text member of a JSON object, or ''. */
export function member(body: unknown, name: string): string {
  if (typeof body !== 'object' || body === null) return ''
  const value: unknown = Reflect.get(body, name)
  return typeof value === 'string' ? value : ''
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
