// `explain` and the proxy give one verdict: each request is explained first, and sent then. Both look at
// the same configuration and, for purchases, at the same ledger.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Explanation } from '../../src/cli/explain-print.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'
import { newConsumerKey } from '../../src/consumers/consumer-key.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { httpClient } from '../support/http-client.ts'
import type { HttpClient } from '../support/http-client.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'

const CONSUMERS: Readonly<Record<string, string>> = {
  certbot: 'grants: [acme: [example.com]]',
  deploy: `grants: [dns: { zones: [example.com], names: [www, '*.app'], types: [A, TXT] }, forwards: [www.example.com], domains:read: [example.com]]`,
  reader: 'grants: [read]',
  admin: 'grants: [admin]',
  trial: 'mode: report, grants: []',
  tryer: 'mode: report, grants: [acme: [example.com], dns: { zones: [example.net] }]',
  blind: `mode: report, dry_run: true, grants: [dns: { zones: ['*'], verbs: [upsert, remove, delete] }]`,
  doubter: 'mode: report, dry_run: true, grants: []',
  founder: `dry_run: true, grants: [dns: { zones: ['*'], verbs: [read, upsert, create] }]`,
  careful: `dry_run: true, grants: [dns: { zones: [example.com] }, operation: ['POST /v1/jobs']]`,
  payer: `grants: [class: [read, write, destructive, billable]], budget: { purchases: 4, per: month, amount: '50.00', standard_price: '10.00' }`,
  shopper: `mode: report, grants: [class: [read, write, billable]], budget: { purchases: 1, per: day }`,
  penniless: 'grants: [class: [read, write, destructive, billable, bulk]]',
}

const folder = mkdtempSync(join(tmpdir(), 'explain-'))
const AUDIT = join(folder, 'audit.jsonl')
const CONFIG = join(folder, 'proxy.yaml')
const BODY = join(folder, 'body.json')
const keys: Record<string, string> = {}
const lines = Object.entries(CONSUMERS).map(([name, options]) => {
  const { id, key, sha256 } = newConsumerKey()
  keys[name] = key.reveal()
  return `  ${name}: { keys: [{ id: ${id}, sha256: ${sha256} }], ${options} }`
})
const config = `consumers:
${lines.join('\n')}
ledger: file:${join(folder, 'ledger.db')}
audit: { to: 'file:${AUDIT}' }
limits: { judged_body_size: 4KiB, body_size: { read: 1KiB, write: 8KiB, bulk: 12KiB } }
`

let simulator: Simulator
let proxy: LocalProxy
let client: HttpClient

beforeAll(async () => {
  writeFileSync(CONFIG, config)
  simulator = await startSimulator()
  proxy = await localProxy({ base: simulator.origin, config })
  client = httpClient(`http://127.0.0.1:${proxy.port}`)
})
afterAll(async () => {
  client.close()
  await proxy.stop()
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
})

type Request = readonly [method: string, path: string, body?: string]

const json = (value: unknown) => JSON.stringify(value)
const record = (op: string, name: string, type: string, rdata = '192.0.2.1') => ({
  op,
  record: { name, type, ttl: 60, rdata },
})
const records = (...ops: object[]) => json({ ops })
const rrset = (name: string, type: string) => ({
  name,
  type,
  ttl: 60,
  records: [{ rdata: '192.0.2.1' }],
})
const job = (command: string, payload: object) =>
  json({ commands: [{ version: 'v1', command, payload }] })
const padded = (bytes: number) =>
  records(record('upsert', 'www', 'TXT', 'x'.repeat(bytes)), record('upsert', 'www', 'A'))

const ZONE = '/v1/dns/example.com'
const CHALLENGE = record('upsert', '_acme-challenge', 'TXT', '"x"')
const REQUESTS: readonly Request[] = [
  ['GET', '/v1/dns'],
  ['HEAD', '/v1/dns'],
  ['GET', '/v1/dns?page=1&page_size=10'],
  ['GET', '/v1/dns/summary'],
  ['GET', ZONE],
  ['GET', '/v1/dns/Example.com.'],
  ['HEAD', ZONE],
  ['OPTIONS', ZONE],
  ['GET', '/v1/dns/example.net'],
  ['GET', '/v1/dns/nowhere.example'],
  ['GET', '/v1/domains'],
  ['GET', '/v1/domains/example.com'],
  ['GET', '/v1/domains/example.org'],
  ['GET', '/v1/tlds'],
  ['GET', '/v1/contacts'],
  ['GET', '/v1/users'],
  ['GET', '/v1/newer/thing'],
  ['POST', '/v1/newer/thing', '{}'],
  ['GET', '/v1/archive/request-history'],
  ['POST', '/v1/auth/client_credentials', '{}'],
  ['PATCH', `${ZONE}/records`, records(CHALLENGE)],
  ['PATCH', `${ZONE}/records`, records(record('remove', '_acme-challenge', 'TXT', '"x"'))],
  ['PATCH', `${ZONE}/records`, records(CHALLENGE, record('upsert', 'www', 'A'))],
  ['PATCH', `${ZONE}/records`, records(record('upsert', 'www', 'A'))],
  ['PATCH', `${ZONE}/records`, records(record('upsert', 'a.b.app', 'A'))],
  ['PATCH', `${ZONE}/records`, records(record('upsert', 'www.example.net.', 'A'))],
  ['PATCH', `${ZONE}/records`, '{"ops":[1'],
  ['PATCH', `${ZONE}/records`, '{"ops":[],"ops":[]}'],
  ['PATCH', `${ZONE}/records`, records()],
  ['PATCH', `${ZONE}/records`, padded(3000)],
  ['PATCH', `${ZONE}/records`, padded(5000)],
  ['PATCH', `${ZONE}/records`, padded(10_000)],
  ['PATCH', '/v1/dns/example.net/records', records(CHALLENGE)],
  ['PATCH', '/v1/dns/example.net/records', padded(5000)],
  ['PATCH', `${ZONE}/rrsets`, json({ ops: [{ op: 'upsert', rrset: rrset('www', 'A') }] })],
  ['PUT', `${ZONE}/rrsets`, json({ rrsets: [rrset('www', 'A')] })],
  ['POST', '/v1/dns', json({ name: 'new.example', rrsets: [rrset('@', 'A')] })],
  ['POST', '/v1/dns', json({ name: 'example.com', extra: 1 })],
  ['POST', `${ZONE}/dnssec/enable`],
  ['PATCH', `${ZONE}/vanity-set`, '{}'],
  ['DELETE', '/v1/dns/example.net'],
  ['DELETE', '/v1/domains/example.org'],
  ['POST', '/v1/domain-forwards', json({ hostname: 'www.example.com' })],
  ['POST', '/v1/domain-forwards', json({ hostname: 'www.example.net' })],
  ['PATCH', '/v1/domain-forwards/www.example.com/enable'],
  ['POST', '/v1/contacts', json({ first_name: 'x'.repeat(6000) })],
  ['POST', '/v1/contacts', json({ first_name: 'x'.repeat(9000) })],
  [
    'POST',
    '/v1/jobs',
    job('dns_zone_patch_records_bulk', {
      instances: [{ zone_name: 'example.com', ops: [record('upsert', 'www', 'A')] }],
    }),
  ],
  [
    'POST',
    '/v1/jobs',
    job('domain_forward_delete_bulk', { instances: [{ hostname: 'www.example.com' }] }),
  ],
  [
    'POST',
    '/v1/jobs',
    job('parking_delete_bulk', { instances: [{ parking_reference: 'a.example' }] }),
  ],
  ['POST', '/v1/jobs', job('domain_create', { name: 'a.example' })],
  ['POST', '/v1/jobs', json({ commands: [] })],
  ['POST', '/v1/jobs', json({ commands: [{ version: 'v2', command: 'domain_create' }] })],
  ['POST', '/v1/jobs/b/resume'],
  ['POST', '/v1/domains/example.org/renew', json({ period: { unit: 'y', value: 1 } })],
  ['POST', '/v1/domains/example.com/restore', '{}'],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: '20.00' })],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: '20.00' })],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: '1.00' })],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: '1.00' })],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: '1.00' })],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: '900.00' })],
  ['POST', '/v1/domains/example.com/restore', json({ expected_price: 'dear' })],
  ['PATCH', '/v1/domains/example.com', json({ renewal_mode: 'renew' })],
]

async function explained(name: string, [method, path, body]: Request): Promise<Explanation> {
  const seen = { stdout: '', stderr: '' }
  const world = {
    env: { OPUSDNS_API_KEY: 'opk_x' },
    cwd: folder,
    out: (text: string) => void (seen.stdout += text),
    err: (text: string) => void (seen.stderr += text),
  } as unknown as World
  // A request without a body says nothing with it, which is as much as an empty one.
  writeFileSync(BODY, body ?? '')
  const options = ['--consumer', name, '--body', BODY, '--config', CONFIG, '--json']
  await runProgram(['explain', method, path, ...options], world)
  expect(seen.stderr).toBe('')
  return JSON.parse(seen.stdout) as Explanation
}

const OURS = /^opusdns-auth-proxy; error=.*details="(\w+)"$/

test.each(Object.keys(CONSUMERS))('%s is told beforehand what the proxy will say', async (name) => {
  const verdicts = new Set<string>()
  const told = new Map<string, Explanation>()
  for (const [at, request] of REQUESTS.entries()) {
    const [method, path, body] = request
    const explanation = await explained(name, request)
    const id = `${name}-${at}`
    told.set(id, explanation)
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const reply = await client.send({
      method,
      path,
      headers: { 'X-Api-Key': keys[name] ?? '', 'X-Request-Id': id, ...type },
      ...(body === undefined ? {} : { body }),
    })
    const code = OURS.exec(String(reply.headers['proxy-status'] ?? ''))?.[1] ?? null
    const verdict = explanation.passes ? null : explanation.code
    expect(verdict, `${at}: ${method} ${path} ${body?.slice(0, 200)}`).toBe(code)
    verdicts.add(code ?? 'passed')
  }
  const written = readFileSync(AUDIT, 'utf8').trimEnd().split('\n')
  for (const line of written) {
    const { id, decision } = JSON.parse(line) as { id?: string; decision?: string }
    const explanation = told.get(id ?? '')
    if (explanation === undefined || decision === undefined) continue
    const { decision: expected, passes } = explanation
    if (passes) expect(decision === 'reported', line).toBe(expected === 'denied')
  }
  // Or the table would say nothing of this consumer.
  expect(verdicts.size).toBeGreaterThan(1)
})
