// The echo filter against a reference that shares nothing with it: regular expressions, one for
// each form of a secret, in which every character may be escaped.

import { inspect } from 'node:util'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'
import { echoFilter } from '../../src/credentials/echo.ts'
import type { EchoStream } from '../../src/credentials/echo.ts'

const RUNS = { numRuns: 200, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false }

const JWT =
  'eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.' +
  Array.from({ length: 1_463 }, (_, at) => 'kQ7-Zx_p0aRtM4uB'[(at * at + (at >> 3)) % 16]).join('')

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 8,
  maxLength: 80,
})
/** As keys and tokens are. */
const tokenLike = fc.string({
  unit: fc.constantFrom(...'abcXYZ0189-._~+/='),
  minLength: 8,
  maxLength: 80,
})
/** The worst: secrets that look like escapes. */
const escapeLike = fc.string({
  unit: fc.constantFrom('%', '\\', '2', '5', 'u', '0', 'c', '%25', '\\u0025', '\\\\'),
  minLength: 8,
  maxLength: 20,
})
const secretText = fc.oneof(
  { weight: 4, arbitrary: printable },
  { weight: 4, arbitrary: tokenLike },
  { weight: 2, arbitrary: escapeLike },
  { weight: 1, arbitrary: fc.constant(JWT) },
)

/** All forms but escapes, found by encoding the secret with two different neighbourhoods. */
function formsOf(secret: string): string[] {
  const raw = Buffer.from(secret)
  const forms = [secret, raw.toString('hex'), raw.toString('hex').toUpperCase()]
  for (const encoding of ['base64', 'base64url'] as const) {
    for (let before = 0; before < 3; before++) {
      const [one, other] = [0x00, 0xff].map((fill) =>
        Buffer.concat([Buffer.alloc(before, fill), raw, Buffer.alloc(3, fill)]).toString(encoding),
      ) as [string, string]
      const same = [...one].map((char, at) => (char === other[at] ? char : ' ')).join('')
      forms.push(same.trim().split(' ')[0] ?? '')
    }
  }
  return forms
}

function escaped(char: string): string[] {
  const hex = char.charCodeAt(0).toString(16).padStart(2, '0')
  const digits = [...hex].map((it) => `[${it}${it.toUpperCase()}]`).join('')
  const ways = [`%${digits}`, `\\\\u00${digits}`]
  if (!/[a-z0-9]/i.test(char)) ways.push(`\\\\${literal(char)}`)
  return ways
}

function literal(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function expressionsOf(secret: string): RegExp[] {
  return formsOf(secret).map((form) => {
    const ways = [...form].map((char) => `(?:${[...escaped(char), literal(char)].join('|')})`)
    return new RegExp(`(?=(${ways.join('')}))`, 'gs')
  })
}

const jwtExpressions = expressionsOf(JWT)

/** What may leave for `text`. */
function reference(text: string, secrets: readonly string[]): string {
  const out = [...text]
  const expressions = secrets.flatMap((it) => (it === JWT ? jwtExpressions : expressionsOf(it)))
  for (const expression of expressions) {
    for (const match of text.matchAll(expression)) {
      out.fill('*', match.index, match.index + (match[1] ?? '').length)
    }
  }
  return out.join('')
}

/** One character in one of its forms, as `way` says. */
function written(char: string, way: number): string {
  const hex = char.charCodeAt(0).toString(16).padStart(2, '0')
  const punctuation = !/[a-z0-9]/i.test(char)
  const forms = [
    char,
    `%${hex}`,
    `%${hex.toUpperCase()}`,
    `\\u00${hex}`,
    `\\u00${hex.toUpperCase()}`,
    punctuation ? `\\${char}` : char,
  ]
  return forms[way % forms.length] ?? char
}

interface Scene {
  readonly secret: string
  readonly text: string
}

const surroundings = fc.oneof(
  fc.constant(''),
  fc.string({ unit: fc.constantFrom('%', '\\', 'u', '0', '2', '4', '"', 'a'), maxLength: 12 }),
  fc.string({ unit: 'binary-ascii', maxLength: 100 }),
)

const scene: fc.Arbitrary<Scene> = secretText.chain((secret) => {
  const encoded = fc
    .tuple(fc.nat(2), fc.constantFrom('base64', 'base64url', 'hex'), fc.nat(3))
    .map(([before, encoding, after]) =>
      Buffer.from(`${'Bea'.slice(0, before)}${secret}${'"}\n'.slice(0, after)}`).toString(
        encoding as BufferEncoding,
      ),
    )
  const form = fc.oneof(
    fc.constant(secret),
    encoded,
    encoded.map((it) => it.toUpperCase()),
  )
  const escapes = fc.oneof(
    fc.constant([0]),
    fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
    fc.nat(5).map((way) => [way]),
  )
  const echo = fc
    .tuple(form, escapes, fc.oneof(fc.constant(0), fc.nat(20)))
    .map(([text, ways, cut]) => {
      const whole = [...text].map((char, at) => written(char, ways[at % ways.length] ?? 0)).join('')
      return whole.slice(0, whole.length - cut)
    })
  return fc
    .array(fc.oneof(echo, surroundings), { minLength: 1, maxLength: 5 })
    .map((pieces) => ({ secret, text: pieces.join('') }))
})

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function filterOf(...secrets: string[]) {
  return echoFilter(secrets.map((it) => Secret.of(it)))
}

/** All that comes out of `stream`, for a text cut into pieces of these sizes, used in turns. */
function through(stream: EchoStream, text: string, sizes: readonly number[]): string {
  let out = ''
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    const piece = bytes(text.slice(at, at + size))
    const before = Buffer.from(piece)
    out += stream.push(piece)?.toString('latin1') ?? ''
    if (!piece.equals(before)) throw new Error('the piece was changed')
    at += size
  }
  return out + (stream.end()?.toString('latin1') ?? '')
}

describe('an echo in a whole value', () => {
  test('is masked in every form, and nothing else is', () => {
    fc.assert(
      fc.property(scene, ({ secret, text }) => {
        const given = bytes(text)
        const out = filterOf(secret).redact(given)
        expect(out.toString('latin1')).toBe(reference(text, [secret]))
        expect(given.toString('latin1')).toBe(text)
        if (out.toString('latin1') === text) expect(out).toBe(given)
      }),
      RUNS,
    )
  })

  test.each([
    ['raw', 'x s3cr+t/"key" x', 'x ************ x'],
    ['percent-escaped', 's3cr%2bt%2F%22key%22', '*'.repeat(20)],
    ['JSON-escaped', String.raw`"s3cr+t\/\"key\""`, `"${'*'.repeat(15)}"`],
    ['by unicode', String.raw`s3cr\u002Bt\u002f"key"`, '*'.repeat(22)],
    ['in a mixture', String.raw`%733cr\u002bt\/%22k\u0065y"`, '*'.repeat(27)],
    ['behind half an escape', String.raw`%7s3cr%2Bt\/"key"`, `%7${'*'.repeat(15)}`],
    ['behind a backslash', String.raw`\\u00733cr+t/"key"`, `\\${'*'.repeat(17)}`],
    ['in hex', '00733363722b742f226b65792200', `00${'*'.repeat(24)}00`],
    ['in upper hex', '733363722B742F226B657922', '*'.repeat(24)],
    ['in base64', 'czNjcit0LyJrZXkiIQ==', `${'*'.repeat(16)}IQ==`],
    ['twice', 's3cr+t/"key"s3cr+t/"key"', '*'.repeat(24)],
    ['not when cut', 's3cr+t/"key', 's3cr+t/"key'],
  ])('%s', (_, text, masked) => {
    expect(filterOf('s3cr+t/"key"').redact(bytes(text)).toString()).toBe(masked)
  })
})

describe('an echo in a body', () => {
  const cuts = fc.oneof(
    fc.constant([1]),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
  )

  test('is masked wherever the pieces are cut, exactly as in the whole', () => {
    fc.assert(
      fc.property(scene, cuts, ({ secret, text }, sizes) => {
        const out = through(filterOf(secret).stream(), text, sizes)
        expect(out).toBe(reference(text, [secret]))
      }),
      RUNS,
    )
  })

  test('is masked for several secrets that overlap', () => {
    const overlapping = fc.tuple(tokenLike, fc.nat(7), tokenLike).map(([one, shared, more]) => {
      const other = one.slice(-shared - 1) + more
      return { secrets: [one, other], text: `<${one}${other.slice(shared + 1)}>${other}` }
    })
    fc.assert(
      fc.property(overlapping, cuts, ({ secrets, text }, sizes) => {
        const filter = filterOf(...secrets)
        const expected = reference(text, secrets)
        expect(filter.redact(bytes(text)).toString()).toBe(expected)
        expect(through(filter.stream(), text, sizes)).toBe(expected)
        for (const secret of secrets) expect(expected).not.toContain(secret)
      }),
      RUNS,
    )
  })

  test('is masked at every single cut of every form', () => {
    const secret = 'Aa9+/"x%41\\z'
    const filter = filterOf(secret)
    for (const form of formsOf(secret)) {
      for (let way = 0; way < 6; way++) {
        const echo = [...form].map((char) => written(char, way)).join('')
        const text = `{"a":"${echo}"}`
        const expected = reference(text, [secret])
        expect(expected).toContain('*'.repeat(echo.length))
        for (let cut = 1; cut < text.length; cut++) {
          expect(through(filter.stream(), text, [cut, text.length])).toBe(expected)
        }
      }
    }
  })

  test('of pieces without suspicion passes as the same objects', () => {
    const stream = filterOf('opk_0123456789abcdef', JWT).stream()
    for (const text of [
      '{"zone":"example.com."}',
      'x'.repeat(70_000),
      '{"txt":"\\"v=1\\" 5%"}',
      '',
    ]) {
      const piece = bytes(text)
      expect(stream.push(piece)).toBe(piece)
    }
    expect(stream.end()).toBeUndefined()
  })

  test('of which only the beginning comes is passed on unchanged at the end', () => {
    const stream = filterOf('opk_0123456789abcdef').stream()
    expect(stream.push(bytes('key: opk_01234'))?.toString()).toBe('key: ')
    expect(stream.push(bytes('56\\u003'))).toBeUndefined()
    expect(stream.end()?.toString()).toBe('opk_0123456\\u003')
    expect(stream.end()).toBeUndefined()
  })

  test('leaves nothing of a piece in use once it was handed over', () => {
    const stream = filterOf('opk_0123456789abcdef').stream()
    const piece = bytes('opk_012345')
    expect(stream.push(piece)).toBeUndefined()
    piece.fill(0x21)
    expect(stream.push(bytes('6789abcdef.'))?.toString()).toBe(`${'*'.repeat(20)}.`)
  })

  test.each([
    ['endless backslashes', '\\'],
    ['endless percent signs', '%'],
    ['endless halves of escapes', '\\u00'],
    ['an endless first character', '\\u0065'],
    ['endless beginnings', Array.from(JWT.slice(0, 700), (it) => written(it, 3)).join('')],
    [
      'almost all of it, again and again',
      Array.from(JWT.slice(0, -1), (it) => written(it, 1)).join(''),
    ],
    ['echo after echo', JWT],
  ])('holds back no more than six bytes for each of a pattern: %s', (_, unit) => {
    const secrets = [JWT, '\\\\\\\\\\\\\\\\\\u00', '%%%%%%%%%%']
    const longest = Math.max(...secrets.flatMap(formsOf).map((it) => it.length))
    const stream = filterOf(...secrets).stream()
    const piece = bytes(unit.repeat(Math.ceil(10_000 / unit.length)))
    let held = 0
    for (let turn = 0; turn < 10; turn++) {
      held += piece.length - (stream.push(piece)?.length ?? 0)
      expect(held).toBeLessThan(6 * longest)
    }
    expect(stream.end()?.length ?? 0).toBe(held)
  })

  test('is masked when it comes byte by byte, fully escaped, after almost all of another', () => {
    const echo = Array.from(JWT, (char) => written(char, 3)).join('')
    const almost = echo.slice(0, -1)
    const out = through(filterOf(JWT).stream(), almost + echo, [1])
    expect(out).toBe(almost + '*'.repeat(echo.length))
  })

  test('stays masked while its end is held back, for it may begin another', () => {
    const stream = filterOf('abcdefgh121212', '1212121299').stream()
    const pieces = ['abcdefgh121212', '12', '12', 'zz'].map((it) => stream.push(bytes(it)))
    expect(pieces.map((it) => it?.toString())).toEqual(['********', undefined, '**', '****1212zz'])
  })
})

describe('the filter', () => {
  test('leaves secrets of fewer than 8 bytes alone', () => {
    const filter = filterOf('1234567')
    const piece = bytes('1234567')
    expect(filter.minLength).toBe(Number.POSITIVE_INFINITY)
    expect(filter.redact(piece)).toBe(piece)
    expect(filter.stream().push(piece)).toBe(piece)
    expect(filterOf('1234567', '123456789', JWT).minLength).toBe(9)
  })

  test('does not show the secret when it or its stream is printed', () => {
    const filter = filterOf('opk_0123456789abcdef')
    const stream = filter.stream()
    stream.push(bytes('opk_0123'))
    for (const it of [filter, stream]) {
      const shown = inspect(it, { depth: 9, showHidden: true }) + JSON.stringify(it)
      expect(shown).not.toMatch(/opk_|6f706b|b3BrX/i)
    }
  })
})
