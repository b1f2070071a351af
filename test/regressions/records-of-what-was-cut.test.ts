// The attack: OpusDNS never answers a purchase, and the proxy is told to stop. At the deadline audit log,
// ledger and log ended before the requests that were cut: the audit file went on behind `stopped` with
// statuses that nobody got, the order stayed reserved, and no line told of either.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { expect, onTestFinished, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { wire } from '../opusdns/wire.ts'

const CONSUMER = `
consumers:
  shop:
    anonymous: true
    grants: [{ class: [read, write, billable] }]
    budget: { purchases: 5, per: month }
`

/** A proxy whose upstream never answers, with a purchase and a write in flight. */
async function busy() {
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-cut-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const upstream = await rawUpstream(() => undefined)
  onTestFinished(() => upstream.close())
  const proxy = await localProxy({
    base: upstream.origin,
    config: `audit: { to: 'file:${folder}/audit.jsonl' }\nledger: file:${folder}/ledger.db\n${CONSUMER}`,
  })
  onTestFinished(() => proxy.stop())
  return { folder, upstream, proxy }
}

function post(port: number, path: string, body: string): Promise<{ text: string; end: string }> {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`
  return wire(port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`, 10_000)
}

const ORDER = JSON.stringify({
  name: 'cut.example',
  renewal_mode: 'expire',
  contacts: {},
  period: { unit: 'y', value: 1 },
})

test('what the deadline of a shutdown cuts is recorded as cut, before the records end', async () => {
  const { folder, upstream, proxy } = await busy()
  const purchase = post(proxy.port, '/v1/domains', ORDER)
  const write = post(proxy.port, '/v1/tags', '{"name":"cut"}')
  await eventually(() => upstream.requests.length === 2)
  await proxy.stop()
  expect((await purchase).text + (await write).text).toBe('')

  const lines = readFileSync(join(folder, 'audit.jsonl'), 'utf8').trimEnd().split('\n')
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(records.map(({ event }) => event)).toEqual([
    'begun',
    'decision',
    'decision',
    'outcome',
    'outcome',
    'stopped',
  ])
  expect(records.slice(3, 5)).toMatchObject([
    { status: 499, complete: false },
    { status: 499, complete: false },
  ])

  const ledger = new DatabaseSync(join(folder, 'ledger.db'))
  expect(ledger.prepare('SELECT state FROM orders').all()).toEqual([{ state: 'unknown' }])
  ledger.close()

  const said = proxy.lines.map(({ msg }) => msg)
  const stopped = said.indexOf('stopped')
  expect(said.slice(stopped + 1)).toEqual([])
  expect(said.filter((msg) => msg === 'request')).toHaveLength(2)
  expect(proxy.lines.find(({ msg }) => msg === 'purchase')).toMatchObject({
    level: 'warn',
    outcome: 'unknown',
  })
})
