// A problem as raw bytes, for requests that never became one: what the parser refused.

import { randomUUID } from 'node:crypto'

import type { Fault } from '../base/fault.ts'
import { problemBody, problemFields } from '../proxy/refusal.ts'
import { STATUS_CODES } from './node-http.ts'

/** A whole HTTP/1.1 response that ends the connection. */
export function rawRefusal(fault: Fault): string {
  const id = randomUUID()
  const body = problemBody(fault, id)
  const fields = problemFields(fault, id, Buffer.byteLength(body))
  let head = `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status] ?? ''}\r\nDate: ${new Date().toUTCString()}\r\n`
  for (let index = 0; index < fields.length; index += 2) {
    head += `${fields[index]}: ${fields[index + 1]}\r\n`
  }
  return `${head}Connection: close\r\n\r\n${body}`
}
