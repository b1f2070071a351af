// The home of node:http. An `import` of it makes Node.js load the module's every export, its browser
// classes too, and all that fetch needs with them: 14 MB and 30 ms at start, for nothing.

import type {
  STATUS_CODES as StatusCodes,
  createServer as CreateServer,
  request as SendRequest,
} from 'node:http'
import { createRequire } from 'node:module'

interface Http {
  readonly createServer: typeof CreateServer
  readonly request: typeof SendRequest
  readonly STATUS_CODES: typeof StatusCodes
}

/** What is used of node:http, as it is. */
export const { createServer, request, STATUS_CODES } = createRequire(import.meta.url)(
  'node:http',
) as Http
