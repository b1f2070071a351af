// Strangers announce logins of 16 KB and send nothing: where there is one consumer alone, no share of the
// memory for bodies was kept from them, and its writes were answered 503.

import { expect, onTestFinished, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { open, send } from '../support/wire-client.ts'

test('logins that never come leave room for what a consumer writes', async () => {
  const upstream = await rawUpstream()
  onTestFinished(() => upstream.close())
  const proxy = await gateway({
    base: upstream.origin,
    consumers: { certbot: 'grants: [acme: [example.com]]' },
    config: 'limits: { held_size: 128KiB, judged_body_size: 64KiB }\n',
  })
  onTestFinished(() => proxy.stop())
  const logins = Array.from({ length: 16 }, () =>
    open(proxy.port, {
      method: 'POST',
      path: '/v1/auth/token',
      headers: ['Content-Type', 'application/json', 'Content-Length', '16384'],
    }),
  )
  for (const login of logins) {
    login.on('error', () => undefined)
    login.flushHeaders()
  }
  onTestFinished(() => {
    for (const login of logins) login.destroy()
  })
  // Those for whom there is no room are refused; the others wait.
  await eventually(async () => {
    const waiting = await proxy.metric('inflight_requests')
    return waiting + (await proxy.metric('limit_hits_total', { limit: 'held_size' })) === 16
  })
  const record = { name: '_acme-challenge', type: 'TXT', ttl: 60, rdata: '"x"' }
  const reply = await send(proxy.port, {
    method: 'PATCH',
    path: '/v1/dns/example.com/records',
    headers: ['X-Api-Key', proxy.keys['certbot'] ?? '', 'Content-Type', 'application/json'],
    body: JSON.stringify({ ops: [{ op: 'upsert', record }] }),
  })
  expect(reply.status).toBe(200)
})
