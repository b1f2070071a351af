// A proxy as the documentation of @fastify/reply-from writes it. Run by scripts.ts as a process of its
// own.

import replyFrom from '@fastify/reply-from'
import { fastify } from 'fastify'

const { PORT, UPSTREAM_PORT, KEY = '' } = process.env

const app = fastify()
await app.register(replyFrom, { base: `http://127.0.0.1:${UPSTREAM_PORT}` })
app.all('/v1/*', (request, reply) =>
  reply.from(request.raw.url, {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, 'x-api-key': KEY }),
  }),
)
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
