// The home of undici. Takes the parts that are used, for the package's main module loads fetch,
// WebSocket and the rest: 14 MB and 35 ms at start. (The paths are those of the version that
// package.json pins; every journey test goes through them.)

import { createRequire } from 'node:module'

import type {
  Client as UndiciClient,
  Pool as UndiciPool,
  buildConnector as undiciConnector,
} from 'undici'

const require = createRequire(import.meta.url)

/** A pool of connections to one origin. */
export const Pool = require('undici/lib/dispatcher/pool.js') as typeof UndiciPool

/** One connection. */
export const Client = require('undici/lib/dispatcher/client.js') as typeof UndiciClient

/** Makes the function that opens sockets, with TLS where the origin wants it. */
export const buildConnector = require('undici/lib/core/connect.js') as typeof undiciConnector

export type { Dispatcher } from 'undici'
/** The type of one connection. */
export type ClientInstance = UndiciClient
/** Options of one connection. */
export type ClientOptions = UndiciClient.Options
