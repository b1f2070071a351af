import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { JSON_DEPTH, arraySpans, readJson } from '../../src/base/json-text.ts'
import { seeded } from '../support/seeded.ts'
import type { Seeded } from '../support/seeded.ts'

const read = (text: string) => readJson(Buffer.from(text))

function refusal(bytes: Buffer): Fault {
  try {
    readJson(bytes)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('it was read')
}

const SEED = Math.floor(Math.random() * 0x7fff_ffff)

describe('a JSON text', () => {
  test.each([
    '{}',
    '[]',
    ' {"a" : [1, {"b":null}], "c":"\\"x:{[,"}\n',
    '"only text: {\\"a\\":1,\\"a\\":2}"',
    '-1.5e3',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"":1," ":2}',
    '{"\\\\":1,"\\"":2,":":3}',
    '{"a":"\\ud83d\\ude00","\u00e9":1,"e\u0301":2}',
    '{"1":1,"0":2,"01":3}',
  ])('%s is read as JSON.parse does', (text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  })

  test.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"name":1,"\\u006eame":2}', '/name'],
    ['{"\\u006eame":1,"\\u006E\\u0061me":2}', '/name'],
    ['{"ops":[{"op":1},{"op":1,"x":{},"op":2}]}', '/ops/1/op'],
    ['{"a":[[[{"b":1,"b":[]}]]]}', '/a/0/0/0/b'],
    ['{"a":{"c":1,"c":2},"a":3}', '/a/c'],
    ['{"__proto__":1,"__proto__":2}', '/?'],
    ['{"":1,"":2}', '/?'],
    ['{"1":1,"1":2}', '/?'],
    ['{"a":{"x":1},"a":{"x":1,"y":2,"z":3}}', '/a'],
  ])('%s is refused, with the place', (text, place) => {
    const fault = refusal(Buffer.from(text))
    expect(fault.code).toBe('body_not_understood')
    expect(fault.status).toBe(400)
    expect(fault.problems).toEqual([
      { place, fault: 'A name occurs twice.', remedy: 'Write each name once.' },
    ])
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['space', Buffer.from('  ')],
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['overlong UTF-8', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['cut UTF-8', Buffer.from([0x22, 0xe2, 0x82])],
    ['a lone surrogate', Buffer.from('{"a":["\\ud800"]}')],
    ['a lone surrogate in a name', Buffer.from('{"\\udc00":1}')],
    ['NaN', Buffer.from('{"a":NaN}')],
    ['a comment', Buffer.from('{}//')],
    ['a trailing comma', Buffer.from('{"a":1,}')],
    ['single quotes', Buffer.from("{'a':1}")],
    ['a bare name', Buffer.from('{a:1}')],
    ['two values', Buffer.from('{}{}')],
    ['a value and a NUL', Buffer.from('{}\0')],
    ['an open string', Buffer.from('{"a')],
    ['an open escape', Buffer.from('{"a\\')],
    ['a raw line end in a string', Buffer.from('"a\nb"')],
    ['a vertical tab between', Buffer.from('{\v}')],
    ['too deep', Buffer.from('['.repeat(JSON_DEPTH + 1) + ']'.repeat(JSON_DEPTH + 1))],
    ['far too deep', Buffer.from('{"a":'.repeat(200_000))],
  ])('%s is refused', (_what, bytes) => {
    expect(refusal(bytes).code).toBe('body_not_understood')
  })

  test('may nest as deep as the bound', () => {
    expect(read('['.repeat(JSON_DEPTH) + ']'.repeat(JSON_DEPTH))).toBeDefined()
  })

  test('with a member __proto__ changes no prototype', () => {
    const value = read('{"__proto__":{"admin":true}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect('admin' in value).toBe(false)
    expect(Object.keys(value)).toEqual(['__proto__'])
  })

  test('is never quoted by a refusal', () => {
    for (const text of [
      '{"a":"s3cret-value",}',
      '{"s3cret-value":1,"s3cret-value":2}',
      '{"a":{"S3CRET":"s3cret-value\\ud800"}}',
    ]) {
      const fault = refusal(Buffer.from(text))
      expect(JSON.stringify([fault.message, fault.problems]).toLowerCase()).not.toContain('s3cret')
      expect(fault.cause).toBeUndefined()
    }
    const zone = refusal(Buffer.from('{"dnssec_status":1,"dnssec_status":2}'))
    expect(zone.message).not.toContain('dnssec_status')
  })

  test(`with one name doubled anywhere is refused, and without it is read (seed ${SEED})`, () => {
    const choices = seeded(SEED)
    for (let run = 0; run < 500; run += 1) {
      const plain = written(choices, 4, false)
      expect(read(plain.text)).toEqual(JSON.parse(plain.text))
      const doubled = written(choices, 4, true)
      if (doubled.done)
        expect(refusal(Buffer.from(doubled.text)).problems[0]?.fault).toContain('twice')
    }
  })

  test('of a megabyte of names is read in linear time', () => {
    const object = (size: number) =>
      `{${Array.from({ length: size }, (_, at) => `"n${at}":{"a":[]}`).join(',')}}`
    const cpu = (text: string) => {
      const bytes = Buffer.from(text)
      const before = process.cpuUsage()
      readJson(bytes)
      return process.cpuUsage(before).user + process.cpuUsage(before).system
    }
    cpu(object(5_000))
    const small = Math.max(cpu(object(5_000)), 1_000)
    expect(cpu(object(50_000)) / small).toBeLessThan(100)
  })
})

// Random JSON; with `double`, one member of one object is written a second time in another spelling.
function written(choices: Seeded, depth: number, double: boolean): { text: string; done: boolean } {
  let done = false
  const space = () => choices.pick(['', '', ' ', '\n\t'])
  const spelled = (name: string) =>
    `"${Array.from(name, (sign) => {
      const code = sign.charCodeAt(0).toString(16).padStart(4, '0')
      return choices.below(3) === 0 || sign === '"' || sign === '\\' ? `\\u${code}` : sign
    }).join('')}"`
  const value = (left: number): string => {
    const kind = choices.below(left > 0 ? 6 : 3)
    if (kind === 0) return choices.pick(['null', 'true', '-0.5e1', '12'])
    if (kind <= 2) return spelled(choices.pick(['', 'a:b', '{"a"', '\\', '],"a":1', '\u00e9']))
    const size = choices.below(4)
    if (kind === 3) {
      const items = Array.from({ length: size }, () => space() + value(left - 1) + space())
      return `[${items.join(',')}]`
    }
    const names = ['a', 'b:', '"', '\\', '\u00fc', '__proto__', '7']
    const members = names
      .slice(0, size)
      .map((name) => `${space()}${spelled(name)}${space()}:${space()}${value(left - 1)}`)
    if (double && !done && members.length > 0 && choices.below(2) === 0) {
      done = true
      const name = names[choices.below(size)] ?? 'a'
      members.splice(choices.below(size + 1), 0, `${spelled(name)}:${value(left - 1)}`)
    }
    return `{${members.join(',')}}`
  }
  const text = value(depth)
  return { text, done }
}

describe('the spans of an array', () => {
  const elements = (text: string, name: string) =>
    arraySpans(text, name)?.elements.map(({ start, end }) => text.slice(start, end))

  test('hold each element as it is written', () => {
    const text =
      '{"a":[0], "results" : [ {"n":1.0,"x":"]}"} ,[1, 2],\n"a,\\"b", 1e5,null ] , "b":{}}'
    expect(elements(text, 'results')).toEqual([
      '{"n":1.0,"x":"]}"}',
      '[1, 2]',
      '"a,\\"b"',
      '1e5',
      'null',
    ])
    const spans = arraySpans(text, 'results')
    expect(text.slice(spans?.start, spans?.end)).toMatch(/^\[ \{.*\]$/s)
  })

  test.each([
    ['{"results":[]}', []],
    ['{"results":[ ]}', []],
    ['{"re\\u0073ults":[1]}', ['1']],
    ['{"x":{"results":[1]},"y":["results"],"results":[2]}', ['2']],
    ['{"results":{}}', undefined],
    ['{"x":{"results":[1]}}', undefined],
    ['[{"results":[1]}]', undefined],
    ['{}', undefined],
    ['"results"', undefined],
  ])('of %s are %j', (text, expected) => {
    expect(elements(text, 'results')).toEqual(expected)
  })

  test(`put together again make the same value (seed ${SEED})`, () => {
    const choices = seeded(SEED)
    for (let run = 0; run < 300; run += 1) {
      const items = Array.from({ length: choices.below(4) }, () => written(choices, 3, false).text)
      const text = `{"z" : ${written(choices, 2, false).text},"results": [${items.join(' , ')}],"q":1}`
      expect(elements(text, 'results')).toEqual(items)
    }
  })

  test.each([
    '{"results":[1',
    '{"results":["',
    '{"results',
    '{"a" 1',
    '{"results":[,',
    '{"results":[}',
  ])('of the broken text %s end', (text) => {
    expect(() => {
      try {
        arraySpans(text, 'results')
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
      }
    }).not.toThrow()
  })
})
