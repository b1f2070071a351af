import { describe, expect, test } from 'vitest'

import { metrics } from '../../src/observe/metrics.ts'
import type { RequestSample } from '../../src/observe/metrics.ts'
import { seriesOf, sumOf } from '../support/admin-pages.ts'

const SAMPLE: RequestSample = {
  consumer: 'anonymous',
  method: 'GET',
  operation: '/v1/dns',
  code: '200',
  source: 'upstream',
  seconds: 0.02,
  upstreamSeconds: 0.01,
}

function make() {
  const state = { expiry: new Map<string, number>(), lost: 0 }
  const numbers = metrics({
    version: '1.2.3',
    node: '24.99.0',
    tokenExpiry: () => state.expiry,
    secretsFailing: () => [{ credential: 'default', secret: 'current', failing: false }],
    serving: () => new Map(),
    connections: () => new Map(),
    upstreamLimits: () => new Map(),
    logLost: () => state.lost,
  })
  return { state, numbers }
}

describe('metrics', () => {
  test('count each request once, however often they are read', async () => {
    const { numbers } = make()
    numbers.request(SAMPLE)
    numbers.request(SAMPLE)
    numbers.request({ ...SAMPLE, code: '403', source: 'policy', upstreamSeconds: undefined })
    for (let time = 0; time < 3; time++) {
      const text = await numbers.text()
      expect(sumOf(text, 'requests_total', { code: '200', source: 'upstream' })).toBe(2)
      expect(sumOf(text, 'requests_total', { code: '403', source: 'policy' })).toBe(1)
      expect(sumOf(text, 'request_duration_seconds_count', { operation: '/v1/dns' })).toBe(3)
      expect(sumOf(text, 'upstream_duration_seconds_count', { operation: '/v1/dns' })).toBe(2)
    }
    numbers.request(SAMPLE)
    expect(sumOf(await numbers.text(), 'requests_total')).toBe(4)
  })

  test('keep requests apart that differ in one label', async () => {
    const { numbers } = make()
    const variants: Partial<RequestSample>[] = [
      {},
      { consumer: 'other' },
      { method: 'HEAD' },
      { operation: 'unknown' },
      { code: '404' },
      { source: 'proxy' },
    ]
    for (const variant of variants) numbers.request({ ...SAMPLE, ...variant })
    const series = seriesOf(await numbers.text()).filter(({ name }) =>
      name.endsWith('requests_total'),
    )
    expect(series.filter(({ value }) => value === 1)).toHaveLength(variants.length)
  })

  test('show requests in flight, and go back to none', async () => {
    const { numbers } = make()
    numbers.inflight(1)
    numbers.inflight(1)
    numbers.inflight(-1)
    expect(sumOf(await numbers.text(), 'inflight_requests')).toBe(1)
    numbers.inflight(-1)
    expect(sumOf(await numbers.text(), 'inflight_requests')).toBe(0)
  })

  test('read the expiry of the token, and lost lines, when they are asked', async () => {
    const { numbers, state } = make()
    expect(await numbers.text()).not.toContain('token_expiry_seconds{')
    state.expiry.set('default', 12.5)
    state.lost = 3
    const text = await numbers.text()
    expect(sumOf(text, 'token_expiry_seconds', { credential: 'default' })).toBe(12.5)
    expect(sumOf(text, 'log_lines_lost_total')).toBe(3)
    expect(sumOf(await numbers.text(), 'log_lines_lost_total')).toBe(3)
  })

  test('have every name that deployments rely on', async () => {
    const { numbers } = make()
    const text = await numbers.text()
    for (const name of [
      'requests_total',
      'request_duration_seconds',
      'upstream_duration_seconds',
      'inflight_requests',
      'token_requests_total',
      'token_expiry_seconds',
      'token_last_success_timestamp_seconds',
      'token_refresh_failing',
      'replays_total',
      'policy_decisions_total',
      'secret_reloads_total',
      'build_info',
    ]) {
      expect(text).toContain(`# TYPE opusdns_proxy_${name} `)
    }
    expect(sumOf(text, 'build_info', { version: '1.2.3', node: '24.99.0' })).toBe(1)
    expect(numbers.contentType).toMatch(/^text\/plain; version=0\.0\.4/)
  })

  test('of two proxies in one process are apart', async () => {
    const [one, other] = [make().numbers, make().numbers]
    one.request(SAMPLE)
    expect(sumOf(await one.text(), 'requests_total')).toBe(1)
    expect(sumOf(await other.text(), 'requests_total')).toBe(0)
  })
})
