// `check` as a user runs it: what it says of who may do what.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'

async function check(config: string) {
  const folder = mkdtempSync(join(tmpdir(), 'check-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'proxy.yaml')
  writeFileSync(file, config)
  const seen = { stdout: '', stderr: '' }
  const world = {
    env: {},
    cwd: folder,
    out: (text: string) => void (seen.stdout += text),
    err: (text: string) => void (seen.stderr += text),
  } as unknown as World
  const code = await runProgram(['check', '--config', file], world)
  return { code, ...seen }
}

const CREDENTIAL = 'credential: { api_key: file:/nowhere/key }\n'

test('has a line for each consumer', async () => {
  const sha256 = 'a'.repeat(64)
  const hosts = Array.from({ length: 30 }, (_, at) => `host-${at}.example.com`).join(', ')
  const { code, stdout } = await check(`${CREDENTIAL}
listen: [127.0.0.1:8080, unix:/run/proxy.sock]
ledger: file:/nowhere/ledger.db
consumers:
  certbot:
    keys: [{ id: abcd2345, sha256: ${sha256} }, { id: abcd2346, sha256: ${'b'.repeat(64)} }]
    grants: [acme: [example.com]]
  trial: { networks: [10.1.0.0/16], anonymous: true, mode: report, dry_run: true }
  shop:
    sockets: [/run/proxy.sock]
    grants: [read, domains:read, billing:read, admin, forwards: [${hosts}]]
    budget: { purchases: 10, amount: '200.00', standard_price: '15.00', per: month }
  hosts: { networks: [10.2.0.0/16, 10.3.0.0/16], grants: [forwards: [${hosts}]] }
`)
  expect(code).toBe(0)
  expect(stdout).toContain(`  consumers:
    certbot: by 2 keys; acme: [example.com]
    trial: by 1 network, being on this machine; no grants; mode: report (what is denied passes); dry_run
    shop: by 1 socket; read; domains:read; billing:read; and 2 more grants; budget: 10 purchases for 200.00 per month
    hosts: by 2 networks; forwards: [host-0.example.com`)
  expect(stdout).toContain('…\n')
  expect(stdout).not.toContain('allowed:')
  expect(stdout).not.toContain(sha256)
})

test('without consumers says what is allowed of what is blocked', async () => {
  expect((await check(CREDENTIAL)).stdout).toContain('allowed:    nothing that is blocked')
})
