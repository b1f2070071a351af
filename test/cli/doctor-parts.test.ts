// The parts of `doctor` that the simulator cannot bring about: names without addresses, addresses of
// which some are dead, waits without end, sockets left behind.

import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { Fault } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import type { ConsumerSettings } from '../../src/config/consumers.ts'
import { loadSettings } from '../../src/config/load.ts'
import { examineHttp } from '../../src/server/doctor/answer.ts'
import { examineAll } from '../../src/server/doctor/doctor.ts'
import { examined, visible } from '../../src/server/doctor/finding.ts'
import { examineListeners } from '../../src/server/doctor/listeners.ts'
import { examineDns, examineTcp, targetOf } from '../../src/server/doctor/network.ts'
import { examinePermissions } from '../../src/server/doctor/permissions.ts'
import { examineRecords } from '../../src/server/doctor/records.ts'
import { namedSecrets } from '../../src/server/doctor/secrets.ts'
import { sqliteLedger } from '../../src/store/sqlite-ledger.ts'
import { answer } from '../credentials/support.ts'
import { manualClock } from '../support/manual-clock.ts'
import { folder } from './doctor-run.ts'

const TASK = { check: 'x', side: 'remote', did: 'tried', deadline: 5_000 } as const
const TARGET = targetOf('https://api.example:8443')

async function listening(server: Server, at: object): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(at, resolve))
  onTestFinished(() => void server.close())
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? 0 : address.port
}

describe('one check', () => {
  test('that never ends is a failure at its deadline, and not before', async () => {
    const clock = manualClock()
    let found: unknown
    void examined(TASK, clock, () => new Promise(() => {})).then((it) => (found = it))
    await clock.advance(4_999)
    expect(found).toBeUndefined()
    await clock.advance(1)
    expect(found).toMatchObject({ outcome: 'fail', saw: 'no end within 5 s', ms: 5000 })
  })

  test('that throws tells the words of a Fault, and of all else only the code', async () => {
    const canary = 'Canary-of-a-cause-0123456789'
    const run = (error: unknown) =>
      examined(TASK, systemClock, async () => {
        throw error
      })
    const known = await run(
      new Fault('upstream_dns', { detail: 'No name.', cause: new Error(canary) }),
    )
    expect(known).toMatchObject({ outcome: 'fail', saw: 'No name.' })
    const other = await run(Object.assign(new Error(canary), { code: 'EIO', path: canary }))
    expect(other).toMatchObject({ outcome: 'fail', saw: 'it failed (EIO)' })
    expect(JSON.stringify([known, other])).not.toContain(canary)
  })

  test('shows of a stranger’s text neither control characters nor much', () => {
    expect(visible('CN\u001b[31m\n"x"')).toBe('CN??31m??x?')
    expect(visible('a'.repeat(5000))).toHaveLength(160)
  })
})

describe('the way', () => {
  test('shows the code of a name that has no address', async () => {
    const { finding, addresses } = await examineDns(TARGET, systemClock, async () => {
      throw Object.assign(new Error('x'), { code: 'ENOTFOUND' })
    })
    expect(addresses).toEqual([])
    expect(finding).toMatchObject({ check: 'dns', side: 'remote', outcome: 'fail' })
    expect(finding.saw).toContain('ENOTFOUND')
    expect(finding.remedy).toContain('api.example')
  })

  test('of a name whose server is silent is given up after 3 s', async () => {
    const clock = manualClock()
    const waiting = examineDns(TARGET, clock, () => new Promise(() => {}))
    await clock.advance(3_000)
    expect((await waiting).finding).toMatchObject({ outcome: 'fail', ms: 3000 })
  })

  test('is a warning when one of two addresses refuses, and goes on with the other', async () => {
    const port = await listening(createServer(), { port: 0, host: '127.0.0.2' })
    const target = { ...TARGET, port }
    const both = await examineTcp(target, ['127.0.0.1', '127.0.0.2'], systemClock)
    expect(both.finding).toMatchObject({ outcome: 'warn' })
    expect(both.finding.saw).toMatch(/127\.0\.0\.1:\d+ ECONNREFUSED .*127\.0\.0\.2:\d+ accepts/)
    expect(both.addresses).toEqual(['127.0.0.2'])
    expect((await examineTcp(target, ['127.0.0.2'], systemClock)).finding.outcome).toBe('ok')
    expect((await examineTcp(target, ['127.0.0.1'], systemClock)).finding.outcome).toBe('fail')
  })

  test('knows host and port of an origin', () => {
    expect(targetOf('https://api.opusdns.com')).toEqual({
      host: 'api.opusdns.com',
      port: 443,
      secure: true,
    })
    expect(targetOf('http://[::1]:8080')).toEqual({ host: '::1', port: 8080, secure: false })
  })

  test.each([
    [401, 'ok'],
    [403, 'ok'],
    [200, 'warn'],
    [302, 'warn'],
    [502, 'fail'],
  ])('judges an answer of %d to a question without a credential: %s', async (status, outcome) => {
    let headers: readonly string[] = []
    const upstream = {
      origin: 'https://api.example',
      ask: async (question: { headers: readonly string[] }) => {
        ;({ headers } = question)
        return answer(status, {}, { date: new Date().toUTCString() })
      },
    }
    const [http, time] = await examineHttp(upstream, systemClock)
    expect([http.outcome, time.outcome]).toEqual([outcome, 'ok'])
    expect(headers.join(' ').toLowerCase()).not.toMatch(/authorization|x-api-key/)
  })

  test('cannot compare clocks without a Date', async () => {
    const upstream = { origin: 'https://api.example', ask: async () => answer(401, {}) }
    const [, time] = await examineHttp(upstream, systemClock)
    expect(time).toMatchObject({ check: 'clock', outcome: 'skip' })
  })
})

describe('all of it', () => {
  test('ends within 30 s though secret and network hang, and never rejects', async () => {
    const clock = manualClock()
    // No remote party: a name that is never resolved, and a command that never ends.
    const { settings, captured } = await loadSettings({
      env: { OPUSDNS_API_BASE: 'https://api.example', OPUSDNS_PROXY_LISTEN: '127.0.0.1:0' },
      file: {
        path: 'proxy.yaml',
        text: 'credential: { api_key: { exec: [/bin/sleep, "60"], timeout: 5m } }\nadmin: { listen: "127.0.0.1:0" }',
      },
    })
    const begun = clock.now()
    const needs = { clock, captured, environment: {}, directory: folder() }
    let over: number | undefined
    const all = examineAll(settings, { ...needs, resolve: () => new Promise(() => {}) })
    void all.then(() => (over = clock.now() - begun))
    for (let second = 0; second < 30 && over === undefined; second++) {
      await clock.advance(1_000)
      await new Promise((resolve) => void setImmediate(resolve))
    }
    const findings = await all
    expect(over).toBeLessThan(30_000)
    const by = new Map(findings.map((it) => [it.check, it]))
    expect(by.get('secret:credential.api_key')).toMatchObject({ outcome: 'fail', side: 'local' })
    expect(by.get('dns')).toMatchObject({ outcome: 'fail', side: 'remote' })
    for (const check of ['tcp', 'tls', 'http', 'clock', 'credential']) {
      expect(by.get(check), check).toMatchObject({ outcome: 'skip' })
      expect(by.get(check)?.saw).toContain('see dns')
    }
  })

  test('reads the secrets that open the places in use, and those of no other', async () => {
    const { settings } = await loadSettings({ env: { OPUSDNS_API_KEY: 'opk_x12345678' } })
    const login = { kind: 'file', path: '/run/secrets/id' } as const
    const secrets = {
      ...settings.secrets,
      vault: { address: 'https://vault.example', auth: { kind: 'approle', secret: login } },
      onepassword: { address: undefined, token: { kind: 'env', name: 'OP_CONNECT_TOKEN' } },
    } as never
    const times = { timeout: 1, lifetime: 1 }
    const key = { kind: 'vault', path: 'secret/data/x', extract: { field: 'k' }, ...times } as const
    const credential = { kind: 'api_key', key, previous: undefined } as const
    expect(namedSecrets({ ...settings, credential, secrets })).toEqual([
      { name: 'credential.api_key', reference: key },
      { name: 'secrets.vault.auth.secret', reference: login },
    ])
    expect(namedSecrets({ ...settings, secrets })).toHaveLength(1)
  })
})

describe('a unix socket', () => {
  const judge = async (path: string) => {
    const socket = { kind: 'unix', path, mode: 0o660, owner: undefined, tls: undefined } as const
    const admin = { kind: 'tcp', host: '127.0.0.1', port: 0, tls: undefined } as const
    const found = await examineListeners(
      { listen: [socket], admin: { listen: admin, hosts: [] } },
      systemClock,
    )
    return found[0]
  }

  test('is free, in the way, or impossible', async () => {
    const path = join(folder(), 's')
    expect(await judge(path)).toMatchObject({ outcome: 'ok', saw: 'nobody: it is free' })
    writeFileSync(path, '')
    expect(await judge(path)).toMatchObject({ outcome: 'fail', remedy: `Remove ${path}.` })
    expect(await judge('/nowhere/s')).toMatchObject({ outcome: 'fail' })
  })

  test('that something else serves is in use', async () => {
    const path = join(folder(), 's')
    await listening(
      createServer((socket) => {
        socket.on('error', () => undefined)
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      }),
      { path },
    )
    expect(await judge(path)).toMatchObject({ outcome: 'fail', saw: 'in use by something else' })
  })
})

test('an address that this machine has not is a failure', async () => {
  const at = { kind: 'tcp', host: '192.0.2.1', port: 9, tls: undefined } as const
  const [found] = await examineListeners(
    { listen: [], admin: { listen: at, hosts: [] } },
    systemClock,
  )
  expect(found).toMatchObject({ outcome: 'fail', saw: 'this machine has no such address' })
})

test('a folder in which everybody may put a file is as bad as an open file', async () => {
  const path = join(folder(), 'open')
  mkdirSync(path)
  chmodSync(path, 0o777)
  writeFileSync(join(path, 'key'), Secret.of('x').toString(), { mode: 0o600 })
  const [found] = await examinePermissions([join(path, 'key')], systemClock)
  expect(found).toMatchObject({ outcome: 'warn', remedy: expect.stringContaining('replace') })
  chmodSync(path, 0o1777)
  expect(await examinePermissions([join(path, 'key')], systemClock)).toMatchObject([
    { outcome: 'ok' },
  ])
})

describe('what the proxy writes', () => {
  const examine = (path: string, budget = true) =>
    examineRecords(
      {
        audit: { to: { kind: 'file', path: join(path, 'audit.jsonl') }, refuse: new Set() },
        ledger: join(path, 'ledger.db'),
        consumers: new Map([['shop', { budget: budget ? BUDGET : undefined } as ConsumerSettings]]),
      },
      systemClock,
    )
  const BUDGET = {
    purchases: 1,
    per: 'day',
    amount: undefined,
    standardPrice: undefined,
    resume: false,
  } as const

  test('can be made, and is not', async () => {
    const path = folder()
    const findings = await examine(path)
    expect(findings.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['audit', 'ok'],
      ['ledger', 'ok'],
    ])
    expect(readdirSync(path)).toEqual([])
    expect((await examine(path, false)).map(({ check }) => check)).toEqual(['audit'])
  })

  test('has no folder, or is one', async () => {
    for (const finding of await examine('/nowhere/at/all')) {
      expect(finding).toMatchObject({ outcome: 'fail', side: 'local' })
      expect(finding.remedy).toContain('/nowhere/at/all')
    }
    const path = folder()
    mkdirSync(join(path, 'ledger.db'))
    mkdirSync(join(path, 'audit.jsonl'))
    for (const { outcome, saw } of await examine(path)) {
      expect([outcome, saw]).toEqual(['fail', 'it is a folder'])
    }
  })

  test('is a ledger with purchases that an operator has to settle', async () => {
    const path = folder()
    const ledger = await sqliteLedger({ path: join(path, 'ledger.db'), create: true }, systemClock)
    const [, whole] = await examine(path)
    expect(whole).toMatchObject({ outcome: 'ok', saw: 'it is whole' })
    const order = { consumer: 'shop', day: '2026-11-24', at: 1, count: 1, amount: 0n }
    const bounds = { period: '2026-11-24', purchases: 1, amount: undefined }
    await ledger.reserve({ ...order, what: 'POST /v1/domains', request: 'r' }, bounds)
    await ledger.recover()
    ledger.close()
    const [, unsettled] = await examine(path)
    expect(unsettled).toMatchObject({ outcome: 'warn' })
    expect(unsettled?.remedy).toContain('budget')
    writeFileSync(join(path, 'ledger.db'), 'no database, but long enough to be looked at as one')
    const [, rubbish] = await examine(path)
    expect(rubbish).toMatchObject({ outcome: 'fail', remedy: 'name another file' })
  })
})
