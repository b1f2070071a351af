// What the audit log writes, and that a request that may not go without a record does not.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { auditOptions } from '../../src/observe/audit-options.ts'
import { Fault } from '../../src/base/fault.ts'
import { z } from '../../src/base/schema.ts'
import { OPERATION_CLASSES } from '../../src/opusdns/operation-class.ts'
import type { Appended } from '../../src/observe/audit-sink.ts'
import {
  DENIED,
  DONE,
  PURCHASE,
  READ,
  REFUSED,
  WRITE,
  folder,
  judged,
  records,
  subject,
  verified,
} from './audit-support.ts'

const at = '2026-11-23T00:00:00.000Z'

describe('the options of the audit log', () => {
  test('are off when left out; else billable and destructive are refused by default', () => {
    expect(auditOptions.parse(undefined)).toBeUndefined()
    expect(auditOptions.parse({ to: 'stdout' })).toEqual({
      to: { kind: 'stdout' },
      refuse: new Set(['billable', 'destructive']),
    })
    expect(auditOptions.parse({ to: 'file:/a', refuse_classes: ['write'] })).toEqual({
      to: { kind: 'file', path: '/a' },
      refuse: new Set(['write']),
    })
    expect(auditOptions.parse({ to: 'file:/a', on_failure: 'continue' })?.refuse.size).toBe(0)
  })

  test('refuse by the classes that operations have, all of them and no others', () => {
    expect(z.toJSONSchema(auditOptions, { io: 'input' })).toMatchObject({
      properties: { refuse_classes: { items: { enum: OPERATION_CLASSES } } },
    })
  })

  test.each(['stderr', '/a', 'file:a', 'file:/', 'file:', 'file:/a/'])('refuse %s', (to) => {
    expect(auditOptions.safeParse({ to }).success).toBe(false)
  })
})

describe('the audit log', () => {
  test('does no I/O before it starts, then makes a file for its owner alone', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined()
    audit.start()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    audit.stop()
    expect(records(file).map(({ event }) => event)).toEqual(['begun', 'stopped'])
  })

  test('that could not begin ends without a word', () => {
    const place = join(folder(), 'place')
    const { audit, said } = subject(join(place, 'audit.jsonl'))
    expect(() => audit.start()).toThrow('audit log cannot be opened')
    mkdirSync(place)
    audit.stop()
    expect(readdirSync(place)).toEqual([])
    expect(said).toEqual([])
  })

  test('writes one line for what only reads and for what is refused, when it is over', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    audit.start()
    const read = audit.open(READ)
    expect(records(file)).toHaveLength(1)
    expect(read.refuse).toBe(false)
    expect(audit.record(DENIED, REFUSED)).toBe('written')
    expect(read.close(DONE)).toBe('written')
    const [, first, second] = records(file)
    expect(first).toEqual({
      chain: expect.stringMatching(/^[0-9a-f]{16}$/),
      seq: 2,
      prev: expect.stringMatching(/^[0-9a-f]{64}$/),
      time: at,
      event: 'decision',
      id: 'd-1',
      consumer: 'certbot',
      by: 'key:k7x2',
      method: 'PATCH',
      operation: '/v1/dns/{zone_name}/rrsets',
      classes: ['write'],
      path: '/v1/dns/example.com/rrsets',
      zones: ['example.com'],
      names: ['_acme-challenge.example.com'],
      changes: ['upsert TXT _acme-challenge.example.com'],
      decision: 'deny',
      reason: 'not_granted',
      body_sha256: 'ab'.repeat(32),
      status: 403,
      source: 'policy',
      code: 'not_granted',
      attempts: 0,
    })
    expect(second).toMatchObject({ id: 'r-1', grant: 'read', status: 200, upstream_id: 'up-1' })
    expect(verified(file)).toMatchObject({ records: 3, decisions: 2, open: 0, chains: 1 })
  })

  test('writes what is allowed to write before it is forwarded, and its outcome afterwards', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    audit.start()
    const entry = audit.open(WRITE)
    expect(records(file)[1]).toMatchObject({
      seq: 2,
      event: 'decision',
      ahead: true,
      grant: 'acme: [example.com]',
    })
    expect(records(file)[1]).not.toHaveProperty('status')
    expect(verified(file)).toMatchObject({ open: 1 })
    entry.close({ ...DONE, complete: false })
    expect(records(file)[2]).toMatchObject({
      event: 'outcome',
      of: 2,
      id: 'w-1',
      status: 200,
      upstream_id: 'up-1',
      complete: false,
    })
    expect(verified(file)).toMatchObject({ records: 3, decisions: 1, open: 0 })
  })

  test('names in each record the SHA-256 of the line before', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    audit.start()
    for (let n = 0; n < 5; n++) audit.open({ ...READ, id: `ü${n}` }).close(DONE)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const hashes = lines.map((line) => createHash('sha256').update(line).digest('hex'))
    expect(records(file).map(({ prev }) => prev)).toEqual(['0'.repeat(64), ...hashes.slice(0, -1)])
    expect(records(file).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('bounds and escapes what clients choose', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    audit.start()
    const nasty = '"}\n{"chain":"\u2028\ud800'
    audit
      .open({
        ...READ,
        id: nasty,
        path: `/v1/${'x'.repeat(50_000)}`,
        zones: Array.from({ length: 5000 }, () => '\u0000'.repeat(400)),
        names: Array.from({ length: 101 }, (_, n) => `n${n}.example.com`),
      })
      .close(DONE)
    const text = readFileSync(file, 'utf8')
    expect(text.trimEnd().split('\n')).toHaveLength(2)
    expect(text.length).toBeLessThan(512 * 1024)
    const record = records(file)[1]
    expect(record?.['id']).toBe(nasty)
    expect(record?.['zones']).toHaveLength(100)
    expect(record?.['zones_count']).toBe(5000)
    expect(record?.['names']).toHaveLength(100)
    expect(record?.['names_count']).toBe(101)
    expect(verified(file)).toMatchObject({ records: 2 })
  })

  test('refuses to start with a place where it cannot write, and says what to do', () => {
    const parent = folder()
    mkdirSync(join(parent, 'is-a-folder'))
    for (const path of [join(parent, 'is-a-folder'), join(parent, 'not-there/audit.jsonl')]) {
      expect(() => subject(path).audit.start()).toThrow(Fault)
      try {
        subject(path).audit.start()
      } catch (error) {
        expect(Fault.from(error).problems[0]).toMatchObject({ place: 'audit.to' })
      }
    }
  })
})

describe('while the disk is full', () => {
  test('only what may not go without a record is refused; all is counted, and told once', () => {
    const { audit, lost, said } = subject('/dev/full')
    audit.start()
    expect(audit.status()).toEqual({ ok: false, lost: 0, error: 'ENOSPC' })
    expect(audit.open(READ).refuse).toBe(false)
    expect(audit.open(WRITE).refuse).toBe(false)
    expect(audit.record(DENIED, REFUSED)).toBe('lost')
    const purchase = audit.open(PURCHASE)
    expect(purchase.refuse).toBe(true)
    expect(purchase.close({ ...REFUSED, status: 503 })).toBe('lost')
    expect(lost()).toBe(4)
    expect(audit.status()).toEqual({ ok: false, lost: 4, error: 'ENOSPC' })
    expect(said).toEqual(['error: audit records cannot be written {"code":"ENOSPC"}'])
  })

  test('with on_failure: continue nothing is refused', () => {
    const { audit, lost } = subject('/dev/full', [])
    audit.start()
    expect(audit.open(PURCHASE).refuse).toBe(false)
    expect(lost()).toBe(1)
  })

  test('a class of reads that may not go without a record is written ahead, and refused', () => {
    const { audit } = subject('/dev/full', ['read'])
    audit.start()
    expect(audit.open(READ).refuse).toBe(true)
  })

  test('the piece of a line that cannot be taken back is told of, once, in the chain', () => {
    const out: string[] = []
    const results: Appended[] = []
    const { audit, said } = subject({
      open: () => ({ last: undefined, torn: false }),
      append(lines) {
        const result = results.shift() ?? { whole: lines.length, torn: false, error: undefined }
        out.push(...lines.slice(0, result.whole))
        if (result.torn) out.push(`${lines[result.whole]?.slice(0, 50)}\n`)
        return result
      },
      reopen: () => undefined,
      close: () => undefined,
    })
    audit.start()
    results.push({ whole: 0, torn: true, error: 'ENOSPC' })
    expect(audit.open(PURCHASE).refuse).toBe(true)
    // Of the two lines that come next, the first is whole, and the second a piece again.
    results.push({ whole: 1, torn: true, error: 'ENOSPC' })
    expect(audit.open(PURCHASE).refuse).toBe(true)
    expect(audit.open(PURCHASE).refuse).toBe(false)
    expect(judged(Buffer.from(out.join('')))).toMatchObject({
      records: 4,
      decisions: 1,
      torn: 2,
      lost: 2,
    })
    expect(said).toHaveLength(2)
    expect(said[1]).toBe('info: audit records are written again')
  })
})
