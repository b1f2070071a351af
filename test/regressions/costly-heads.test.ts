// A stranger sends one head of 32 KB that names thousands of fields in Connection, or a path of thousands
// of combining marks in the worst order, and keeps the process busy for a third of a second before anybody
// is identified.

import { expect, test } from 'vitest'

import { canonicalTarget } from '../../src/opusdns/canonical-path.ts'
import { readRequestHead } from '../../src/proxy/request-head.ts'
import type { IncomingMessage } from 'node:http'

function cpu(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** A head whose Connection names `count` fields, with as many fields beside it. */
function head(count: number, lines: number): IncomingMessage {
  const fields = ['Host', 'localhost']
  for (let at = 0; at < lines; at += 1) fields.push('Connection', 'qa,'.repeat(count / lines))
  for (let at = 0; at < count; at += 1) fields.push(`z${at}`, '')
  return { rawHeaders: fields, method: 'GET', httpVersionMinor: 1 } as unknown as IncomingMessage
}

test.each([
  ['in one line', 1],
  ['in a line each', Number.POSITIVE_INFINITY],
])('fields that Connection names %s cost the same each, however many', (_, most) => {
  const took = (count: number) =>
    cpu(() => readRequestHead(head(count, Math.min(most, count)), 'proxy'))
  took(1000)
  const few = Math.max(took(1000), 2000)
  // Each was compared with all of them: sixteen times as many took some 256 times as long.
  expect(took(16_000) / few).toBeLessThan(64)
})

test('a segment of thousands of encoded marks is refused before they are put in order', () => {
  const path = `/v1/a${'%CC%81'.repeat(100_000)}${'%CC%96'.repeat(100_000)}`
  expect(cpu(() => canonicalTarget(path))).toBeLessThan(2_000_000)
  expect(canonicalTarget(path)).toEqual({
    refused: 'It has a segment of more than 1000 characters.',
  })
  expect(canonicalTarget('/v1/dns/b%C3%BCcher.example')).toEqual({
    path: '/v1/dns/b%C3%BCcher.example',
    query: '',
  })
})
