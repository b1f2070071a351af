// `explain` as a user runs it: what it says of a request is what the journey of the request decides.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'explain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const CONFIG = file(
  'proxy.yaml',
  `
credential: { api_key: file:/nowhere/key }
consumers:
  certbot: { networks: [10.1.0.0/16], grants: [acme: [example.com]] }
  trial: { networks: [10.2.0.0/16], mode: report, grants: [] }
  buyer: { networks: [10.3.0.0/16], grants: [class: [read, write, billable]] }
  payer:
    networks: [10.4.0.0/16]
    grants: [class: [read, write, destructive, billable]]
    budget: { purchases: 2, amount: '20.00', per: month }
  careful: { networks: [10.5.0.0/16], dry_run: true, grants: [class: [write, destructive]] }
  doubter: { networks: [10.6.0.0/16], dry_run: true, mode: report, grants: [] }
ledger: file:/nowhere/ledger.db
unpriced: ['POST /v1/dns']
`,
)

/** Runs it where no file but those that are named, no socket and no signal can be had. */
async function run(args: readonly string[], config: string = CONFIG) {
  const seen = { stdout: '', stderr: '' }
  const world = new Proxy(
    {
      env: config === 'none' ? { OPUSDNS_API_KEY: 'opk_x' } : {},
      cwd: folder,
      out: (text: string) => void (seen.stdout += text),
      err: (text: string) => void (seen.stderr += text),
    },
    {
      get(target, name) {
        if (name in target) return target[name as keyof typeof target]
        throw new Error(`explain looked at ${String(name)}`)
      },
    },
  ) as unknown as World
  const more = config === 'none' ? [] : ['--config', config]
  return { code: await runProgram(['explain', ...args, ...more], world), ...seen }
}
const as = (name: string) => ['--consumer', name]
const ops = (name: string, rdata = '"x"', type = 'TXT') =>
  file(
    `${name.replaceAll(/\W/g, '-')}.json`,
    JSON.stringify({ ops: [{ op: 'upsert', record: { name, type, ttl: 60, rdata } }] }),
  )
const RECORDS = '/v1/dns/example.com/records'

describe('explain', () => {
  test('names the grant, the operation and what the request would do', async () => {
    const body = ops('_acme-challenge')
    const { code, stdout } = await run([
      'PATCH',
      `${RECORDS}?x=1`,
      '--body',
      body,
      ...as('certbot'),
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('ALLOWED: PATCH /v1/dns/example.com/records, as consumer certbot')
    expect(stdout).toContain('PATCH /v1/dns/{zone_name}/records (dns)')
    expect(stdout).toContain('zone example.com, upsert TXT at _acme-challenge.example.com')
    expect(stdout).toContain('allowed by:  acme: [example.com]')
    expect(stdout).not.toContain('"x"')
  })

  test('says what is missing, and the least grant as a line to copy', async () => {
    const { code, stdout } = await run([
      'patch',
      RECORDS,
      '--body',
      ops('www', '192.0.2.1', 'A'),
      ...as('certbot'),
    ])
    expect(code).toBe(1)
    expect(stdout).toContain('DENIED')
    expect(stdout).toContain('not_granted')
    expect(stdout).toContain(
      '    - dns: { zones: [example.com], names: [www], types: [A], verbs: [upsert] }\n',
    )
  })

  test.each([
    [['GET', '/v1/tlds'], "operation: ['GET /v1/tlds/']"],
    [['GET', '/v1/dns/example.org'], 'dns: { zones: [example.org], verbs: [read] }'],
    [['DELETE', '/v1/dns/example.org'], 'dns: { zones: [example.org], verbs: [delete] }'],
    [['GET', '/v1/domains/a.example'], 'domains:read: [a.example]'],
    [['GET', '/v1/newer/thing'], "path: ['GET /v1/newer/thing']"],
  ])('%j would need %s', async (args, grant) => {
    const { code, stdout } = await run([...args, ...as('certbot'), '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ decision: 'denied', grants_needed: [grant] })
  })

  test('tells what may cost something, and what is listed as unpriced', async () => {
    const asked = async (path: string) => {
      const body = file(
        'new.json',
        JSON.stringify({ [path === 'dns' ? 'name' : 'hostname']: 'a.b' }),
      )
      const { code, stdout } = await run(['POST', `/v1/${path}`, '--body', body, ...as('buyer')])
      return [code, stdout] as const
    }
    const [code, priced] = await asked('email-forwards')
    expect(code).toBe(1)
    expect(priced).toContain('host a.b, may cost something')
    expect(priced).toContain('list POST /v1/email-forwards under unpriced')
    const [passes, free] = await asked('dns')
    expect(passes).toBe(0)
    expect(free).not.toContain('budget:')
  })

  test('tells of filtered lists, of report mode, and of budgets', async () => {
    const list = await run(['GET', '/v1/dns', ...as('certbot')])
    expect(list.code).toBe(0)
    expect(list.stdout).toContain('filtered')
    const trial = await run(['GET', '/v1/dns', ...as('trial')])
    expect(trial.code).toBe(1)
    expect(trial.stdout).toContain('passes in report mode')
    const restore = file('empty.json', '{}')
    const renewal = ['POST', '/v1/domains/a.example/restore', '--body', restore]
    const buyer = await run([...renewal, ...as('buyer'), '--json'])
    expect(buyer.code).toBe(1)
    expect(JSON.parse(buyer.stdout)).toMatchObject({
      code: 'purchase_not_granted',
      purchases: { count: 1 },
    })
  })

  const restore = (price?: string) => [
    'POST',
    '/v1/domains/a.example/restore',
    '--body',
    file(`restore-${price}.json`, JSON.stringify({ expected_price: price })),
  ]
  test.each([
    [['POST', '/v1/jobs/b/resume'], 'purchase_not_granted'],
    [restore(), 'purchase_not_granted'],
    [restore('20.01'), 'budget_exceeded'],
    [restore('20.00'), null],
  ])('%j under a budget is denied as the purchase guard does it: %s', async (args, refused) => {
    const { code, stdout } = await run([...args, ...as('payer'), '--json'])
    expect(code).toBe(refused === null ? 0 : 1)
    expect(JSON.parse(stdout)).toMatchObject({ code: refused, passes: refused === null })
  })

  test('says when nobody looked at what is left of a budget', async () => {
    const note = 'what is left of the budget is not looked at'
    const args = [...restore('20.00'), ...as('payer')]
    expect((await run(args)).stdout).toContain(`note:        ${note}`)
    const { notes } = JSON.parse((await run([...args, '--json'])).stdout) as { notes: string[] }
    expect(notes).toEqual([expect.stringContaining(note)])
  })

  test('denies what a consumer with dry_run cannot try out', async () => {
    const ask = async (...args: readonly string[]) => {
      const { code, stdout } = await run([...args, '--json'])
      return { exit: code, ...(JSON.parse(stdout) as object) }
    }
    expect(await ask('DELETE', '/v1/domains/a.example', ...as('careful'))).toMatchObject({
      exit: 1,
      code: 'dry_run_unsupported',
      passes: false,
    })
    expect(await ask('DELETE', '/v1/domains/a.example', ...as('doubter'))).toMatchObject({
      exit: 1,
      passes: false,
    })
    // Its answer would show what is in the zone.
    const blind = await ask('DELETE', '/v1/dns/example.com', ...as('careful'))
    expect(blind).toMatchObject({ exit: 1, code: 'not_granted', passes: false })
    expect(await ask('DELETE', '/v1/dns/example.com', ...as('doubter'))).toMatchObject({
      exit: 1,
      passes: true,
    })
  })

  test('without consumers tells of the default block list', async () => {
    expect((await run(['GET', '/v1/dns'], 'none')).code).toBe(0)
    const { code, stdout } = await run(['POST', '/v1/auth/client_credentials'], 'none')
    expect(code).toBe(1)
    expect(stdout).toContain('policy.allow')
  })

  test.each([
    [['GET', '/v1/dns', ...as('cerbot')], 'did you mean certbot?'],
    [['GET', '/v1/dns', ...as('zzz')], 'there are: certbot, trial, buyer, payer, careful, doubter'],
    [['GET', '/v1/dns'], 'name one with --consumer'],
    [['GET', '/v1/dns/%2e%2e/x', ...as('certbot')], 'not canonical'],
    [['GET', '/mcp', ...as('certbot')], 'under /v1/'],
    [['POST', '/v1/auth/token', ...as('certbot')], 'no grant decides'],
    [['BREW', '/v1/dns', ...as('certbot')], 'no method BREW'],
    [['PATCH', RECORDS, ...as('certbot')], '--body'],
    [['PATCH', RECORDS, '--body', 'nope.json', ...as('certbot')], 'ENOENT'],
  ])('%j is told %s', async (args, said) => {
    const { code, stdout, stderr } = await run(args)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(said)
  })

  test('tells what is wrong with a body, and never what is in it', async () => {
    const body = file('bad.json', '{"ops":[],"ops":[{"secret":"hush"}]}')
    const { code, stdout } = await run(['PATCH', RECORDS, '--body', body, ...as('certbot')])
    expect(code).toBe(1)
    expect(stdout).toContain('A name occurs twice')
    expect(stdout).not.toContain('hush')
  })
})
