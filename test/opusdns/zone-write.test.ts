// What a dry run reads of a body is what the decision on it read.

import { describe, expect, test, vi } from 'vitest'

import { MAX_ACTS } from '../../src/opusdns/act-list.ts'
import { bodyActs } from '../../src/opusdns/acts.ts'
import { operationOf } from '../../src/opusdns/operations.ts'
import { zoneWrite } from '../../src/opusdns/zone-write.ts'
import { seeded } from '../support/seeded.ts'
import { faultOf } from './act-text.ts'

const SEED = Math.floor(Math.random() * 0x7fff_ffff)
const ZONE = '/v1/dns/example.com'
const LINES = [
  ['PATCH', `${ZONE}/records`],
  ['PATCH', `${ZONE}/rrsets`],
  ['PUT', `${ZONE}/rrsets`],
  ['POST', '/v1/dns'],
] as const

type Line = readonly [method: string, path: string]

function both([method, path]: Line, text: string, type = 'application/json') {
  const operation = operationOf(method, path)
  const bytes = Buffer.from(text)
  return {
    acts: () => bodyActs(operation, path, bytes, type, undefined),
    write: () => zoneWrite(operation, path, bytes, type, undefined),
  }
}

/** What `run` gives, or in which words it is refused. */
function outcome<Value>(run: () => Value): { readonly value?: Value; readonly refused?: string } {
  try {
    return { value: run() }
  } catch {
    return { refused: faultOf(run).message }
  }
}

test(`a dry run refuses what the decision refuses, and writes what it decided about (seed ${SEED})`, () => {
  const { below, pick } = seeded(SEED)
  const entry = () => ({
    name: pick<unknown>(['@', '', 'www', 'WWW.example.com', 'a.example.org.', 'straße', 'a..b', 7]),
    type: pick(['A', 'txt', 'MX', 'NONE']),
    ttl: pick<unknown>([60, null, 'x']),
    ...pick<object>([
      {},
      { rdata: 'x' },
      { records: [{ rdata: 'x' }, { rdata: 'y' }] },
      { other: 1 },
    ]),
  })
  const good = () => ({ name: pick(['@', 'www', 'a.example.com']), type: 'TXT', ttl: 60 })
  const made = () => (below(4) === 0 ? entry() : good())
  const many = <Item>(make: () => Item) => Array.from({ length: below(4) }, make)
  const seen = { refused: 0, written: 0 }
  for (let round = 0; round < 4000; round += 1) {
    const line = pick<Line>(LINES)
    const part = line[1].endsWith('records') ? 'record' : 'rrset'
    const body =
      line[0] === 'PATCH'
        ? { ops: many(() => ({ op: pick(['upsert', 'remove']), [part]: made() })) }
        : { rrsets: many(made), ...(line[0] === 'POST' ? { name: 'example.com' } : {}) }
    const text = JSON.stringify(body)
    const { acts, write } = both(line, below(20) === 0 ? text.slice(0, -1) : text)
    const decided = outcome(acts)
    const tried = outcome(write)
    expect(tried.refused, text).toBe(decided.refused)
    if (tried.value === undefined) seen.refused += 1
    const changes = decided.value?.flatMap(({ change }) => {
      return change === undefined || change.names === 'every'
        ? []
        : [[change.verb, change.type, ...change.names]]
    })
    const writes = tried.value?.writes.map(({ verb, type, name, otherName }) => {
      return otherName === undefined ? [verb, type, name] : [verb, type, otherName, name]
    })
    expect(writes, text).toEqual(changes)
    seen.written += writes?.length ?? 0
  }
  expect(seen.refused).toBeGreaterThan(400)
  expect(seen.written).toBeGreaterThan(400)
})

describe('a dry run', () => {
  test('takes no more than a decision does', () => {
    const rrset = { name: 'www', type: 'A' }
    const text = JSON.stringify({ rrsets: Array.from({ length: MAX_ACTS }, () => rrset) })
    const { acts, write } = both(['PUT', `${ZONE}/rrsets`], text)
    expect(faultOf(write).message).toBe(faultOf(acts).message)
  })

  test.each([[['PATCH', '/v1/dns/straße.de/records']], [['DELETE', '/v1/dns/straße.de']]] as const)(
    'of %j is refused, for the zone is no name',
    (line) => {
      const { write } = both(line, '{"ops":[]}')
      expect(faultOf(write).code).toBe('path_not_canonical')
    },
  )

  test('of a body that is no JSON by its type is refused', () => {
    const { write } = both(LINES[0], '{}', 'text/plain')
    expect(faultOf(write).code).toBe('unsupported_media_type')
  })

  test('parses its body once', () => {
    const parse = vi.spyOn(JSON, 'parse')
    const ops = [{ op: 'upsert', record: { name: 'www', type: 'A', rdata: '192.0.2.1' } }]
    const { writes } = both(LINES[0], JSON.stringify({ ops })).write()
    expect(writes).toHaveLength(1)
    expect(parse).toHaveBeenCalledTimes(1)
    parse.mockRestore()
  })
})
