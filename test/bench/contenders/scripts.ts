// The contenders that are small Node.js programs beside this file.

import { fileURLToPath } from 'node:url'

import type { Contender, Place } from './contender.ts'

/** Hono's `proxy()` helper on its Node.js server. */
export const hono: Contender = scripted('Hono proxy()', new URL('./hono.ts', import.meta.url))

/** Fastify with `@fastify/reply-from`. */
export const fastify: Contender = scripted('Fastify', new URL('./fastify.ts', import.meta.url))

/** The floor of any proxy on node:http: it answers by itself. */
export const floor: Contender = {
  ...scripted('node:http', new URL('./floor.ts', import.meta.url)),
  forwards: false,
}

function scripted(name: string, script: URL): Contender {
  return {
    name,
    forwards: true,
    prepare: ({ port, upstreamPort, key }: Place) => ({
      program: process.execPath,
      args: [fileURLToPath(script)],
      env: { PORT: String(port), UPSTREAM_PORT: String(upstreamPort), KEY: key },
    }),
  }
}
