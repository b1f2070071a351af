// A proxy as Hono's documentation writes it. Run by scripts.ts as a process of its own.

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { proxy } from 'hono/proxy'

const { PORT, UPSTREAM_PORT, KEY = '' } = process.env

const app = new Hono()
app.all('/v1/*', (c) =>
  proxy(`http://127.0.0.1:${UPSTREAM_PORT}${c.req.path}`, {
    ...c.req,
    headers: { ...c.req.header(), 'X-Api-Key': KEY },
  }),
)
serve({ fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1' })
