// Listeners for tests: open until the test is over, with notes of all that they observe.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { openListener } from '../../src/server/listener.ts'
import type { Listener, ListenerDeps, ListenerOptions } from '../../src/server/listener.ts'
import type { ListenerObserver } from '../../src/server/listener-events.ts'

/** What handles requests. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** An observer that writes down what it is told, each call as one line. */
export interface Notes extends ListenerObserver {
  readonly lines: readonly string[]
  /** How many lines are `line`. */
  count(line: string): number
}

/** See `Notes`. */
export function notes(): Notes {
  const lines: string[] = []
  return {
    lines,
    count: (line) => lines.filter((one) => one === line).length,
    limitHit: (limit) => void lines.push(`limit ${limit}`),
    unreadable: (status, cause) => void lines.push(`unreadable ${status} ${cause}`),
    handshakeFailed: (cause) => void lines.push(`handshake ${cause}`),
    acceptFailed: (cause) => void lines.push(`accept ${cause}`),
  }
}

/** Answers `hello`. */
export const hello: Serve = (_request, response) => void response.end('hello')

/** A listener on a free port of 127.0.0.1 with short time limits, closed at the end of the test. */
export async function testListener(
  serve: Serve = hello,
  options: Partial<ListenerOptions> = {},
  deps: Partial<ListenerDeps> = {},
): Promise<{ listener: Listener; port: number; seen: Notes }> {
  const seen = notes()
  const listener = await openListener(
    {
      endpoint: { kind: 'tcp', host: '127.0.0.1', port: 0, tls: undefined },
      headerSize: 4096,
      connections: 100,
      surplus: 20,
      tlsHandshakeTimeout: 300,
      requestHeadTimeout: 300,
      replyWriteTimeout: 60_000,
      keepAliveTimeout: 1000,
      ...options,
    },
    { clock: systemClock, observe: seen, ...deps },
    serve,
  )
  onTestFinished(() => {
    listener.stopAccepting()
    listener.destroy()
  })
  return { listener, port: Number(/:(\d+)$/.exec(listener.address)?.[1]), seen }
}
