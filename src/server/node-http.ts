// The home of node:http. An `import` of it makes Node.js load the module's every export, its browser
// classes too, and all that fetch needs with them: 14 MB and 30 ms at start, for nothing.

import type {
  ClientRequest,
  IncomingMessage,
  STATUS_CODES as StatusCodes,
  createServer as CreateServer,
  request as SendRequest,
} from 'node:http'
import type {
  createServer as CreateTlsServer,
  request as SendTlsRequest,
  RequestOptions,
  Server as TlsServer,
  ServerOptions,
} from 'node:https'
import { createRequire } from 'node:module'

interface Http {
  readonly createServer: typeof CreateServer
  readonly request: typeof SendRequest
  readonly STATUS_CODES: typeof StatusCodes
}

interface Https {
  readonly createServer: typeof CreateTlsServer
  readonly request: typeof SendTlsRequest
}

const require = createRequire(import.meta.url)

/** What is used of node:http, as it is. */
export const { createServer, request, STATUS_CODES } = require('node:http') as Http

/** `request` of node:https, which is loaded by the first call. */
export function secureRequest(
  options: RequestOptions,
  answered: (reply: IncomingMessage) => void,
): ClientRequest {
  return (require('node:https') as Https).request(options, answered)
}

/** `createServer` of node:https, which is loaded by the first call. */
export function createTlsServer(options: ServerOptions): TlsServer {
  return (require('node:https') as Https).createServer(options)
}
