// The attack: fill a bound of the process, then wait for a reload, or cause one by an own key. Each reload
// began all bounds anew, beside what was still in flight.

import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { metricsText, sumOf } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

/** A proxy whose upstream never answers, and that gets the request `head` again and again. */
async function bounded(config: (limit: string) => string, head: string) {
  const upstream = await rawUpstream(() => undefined)
  onTestFinished(() => upstream.close())
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: upstream.origin, OPUSDNS_API_KEY: 'opk_a-key' },
    config: config('few'),
  })
  const port = Number(new URL(proxy.origin).port)
  const inflight = async () => sumOf(await metricsText(proxy), 'inflight_requests')
  return {
    /** Begins one more, which is let in. */
    async begin(): Promise<void> {
      const before = await inflight()
      const socket = connect(port, '127.0.0.1', () => socket.write(head))
      onTestFinished(() => void socket.destroy())
      await eventually(async () => (await inflight()) === before + 1)
    },
    /** The status line of the answer to one more, which should not be let in. */
    refused: () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(head))
        onTestFinished(() => void socket.destroy())
        socket.setTimeout(3000, () => resolve('let in'))
        socket.once('error', reject)
        socket.once('data', (bytes) => resolve(bytes.toString('latin1').split('\r\n')[0] ?? ''))
      }),
    async reload(limit: string): Promise<void> {
      writeFileSync(join(proxy.cwd, 'proxy.yaml'), config(limit))
      const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
      expect(reply.status).toBe(200)
    },
  }
}

test.each([
  [
    'requests in flight',
    (limit: string) => `limits: { in_flight: ${limit === 'few' ? 2 : 3} }\n`,
    'GET /v1/dns HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ],
  [
    'bytes of bodies in memory',
    (limit: string) => `
limits: { judged_body_size: 64KiB, held_size: ${limit === 'few' ? '256KiB' : '384KiB'} }
consumers:
  dns: { anonymous: true, grants: [dns: { zones: [example.com], names: [www] }] }
`,
    'PATCH /v1/dns/example.com/records HTTP/1.1\r\nHost: localhost\r\n' +
      'Content-Type: application/json\r\nContent-Length: 64000\r\n\r\n',
  ],
])(
  'the bound on %s counts what a reload left in flight, and follows the configuration',
  async (_what, config, head) => {
    const { begin, refused, reload } = await bounded(config, head)
    await begin()
    await begin()
    expect(await refused()).toBe('HTTP/1.1 503 Service Unavailable')
    await reload('few')
    expect(await refused()).toBe('HTTP/1.1 503 Service Unavailable')
    await reload('many')
    await begin()
    expect(await refused()).toBe('HTTP/1.1 503 Service Unavailable')
    await reload('few')
    expect(await refused()).toBe('HTTP/1.1 503 Service Unavailable')
  },
)
