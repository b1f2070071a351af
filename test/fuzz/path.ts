// Fuzzes what is accepted as a canonical path. The oracle is a set of upstreams that read paths in
// the ways real ones do; whatever is accepted must be the same path to every one of them.

/* oxlint-disable unicorn/no-useless-spread -- many short texts on a line read better than a line for each */

import fc from 'fast-check'

import { canonicalTarget } from '../../src/opusdns/canonical-path.ts'
import { still } from './subject.ts'

type Reading = (path: string) => string

const bytesOf = (path: string) =>
  Buffer.from(
    path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => latin1(hex)),
    'latin1',
  )
const latin1 = (hex: string) => String.fromCharCode(Number.parseInt(hex, 16))
const utf8 = (path: string) => Buffer.from(path).toString('latin1')

/** Reads bytes as UTF-8 and takes the longer forms that it forbids, as old decoders do. */
function overlong(bytes: Buffer): string {
  const text = bytes
    .toString('latin1')
    .replace(/[\xc0-\xc1]([\x80-\xbf])/g, (pair, low: string) =>
      String.fromCharCode(((pair.charCodeAt(0) & 1) << 6) | (low.charCodeAt(0) & 0x3f)),
    )
    .replace(/\xe0([\x80-\x9f])([\x80-\xbf])/g, (_, mid: string, low: string) =>
      latin1((((mid.charCodeAt(0) & 0x3f) << 6) | (low.charCodeAt(0) & 0x3f)).toString(16)),
    )
  return Buffer.from(text, 'latin1').toString('utf8')
}

// What some server does to a path. `fold` marks those that may change letters, but no structure.
const READINGS: Readonly<Record<string, Reading>> = {
  decode: (path) => bytesOf(utf8(path)).toString('utf8'),
  decodeOverlong: (path) => overlong(bytesOf(utf8(path))),
  decodeU: (path) =>
    path.replace(/%u([0-9A-Fa-f]{4})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
  compatibility: (path) => path.normalize('NFKC'),
  lower: (path) => path.toLowerCase(),
  upper: (path) => path.toUpperCase(),
  backslash: (path) => path.replaceAll('\\', '/'),
  parameters: (path) => path.replace(/;[^/]*/g, ''),
  cutAtMarks: (path) => path.replace(/[?#\0].*/s, ''),
  withoutControls: (path) => path.replace(/[\x00-\x1f\x7f]/g, ''), // eslint-disable-line no-control-regex
  withoutInvisible: (path) => path.replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, ''),
  trimSegments: (path) =>
    path
      .split('/')
      .map((segment) => segment.trim())
      .join('/'),
  ideographicStops: (path) => path.replace(/[\u3002\uff0e\uff61]/g, '.'),
  oneSlash: (path) => path.replace(/\/{2,}/g, '/'),
  dots: removeDotSegments,
}
const STEPS = Object.keys(READINGS)

/** RFC 3986 section 5.2.4. */
function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1
    if (segment === '..') kept.splice(Math.max(1, kept.length - 1))
    else if (segment !== '.') kept.push(segment)
    if (last && (segment === '.' || segment === '..')) kept.push('')
  }
  return kept.join('/')
}

/** What the path means to a reader that decodes it once. */
function plain(path: string): string {
  return decodeURIComponent(path)
}

/** The same letters, whatever their case; for readers that change it. */
function folded(path: string): string {
  return path.toUpperCase().toLowerCase().toUpperCase()
}

function check(target: string, steps: readonly string[]): void {
  const result = canonicalTarget(target)
  if ('refused' in result) {
    if (!/^It .*\.$/.test(result.refused)) throw new Error('a refusal without a sentence')
    return
  }
  const { path, query } = result
  if (path + query !== target) throw new Error('not byte for byte')
  if (!/^[!-~]*$/.test(path)) throw new Error('bytes outside visible ASCII')
  if (new URL(path, 'http://upstream.example').href !== `http://upstream.example${path}`) {
    throw new Error('a WHATWG URL is another one')
  }
  const meant = plain(path)
  let seen = path
  for (const step of steps) seen = READINGS[step]?.(seen) ?? seen
  if (!steps.some((step) => step === 'decode' || step === 'decodeOverlong')) seen = plain(seen)
  // Surrounding space is text in a segment; it must only never make one of dots.
  const spaces = steps.includes('trimSegments')
  const same = (text: string) => folded(spaces ? (READINGS['trimSegments']?.(text) ?? '') : text)
  const reread = removeDotSegments(seen)
  if (same(reread) !== same(meant)) {
    throw new Error(`read as ${JSON.stringify(reread)}, meant ${JSON.stringify(meant)}`)
  }
  if (!steps.includes('lower') && !steps.includes('upper') && !spaces && reread !== meant) {
    throw new Error(`read as ${JSON.stringify(reread)}, meant ${JSON.stringify(meant)}`)
  }
}

const hex = (text: string, upper = true) =>
  [...Buffer.from(text)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .map((two) => `%${upper ? two.toUpperCase() : two}`)
    .join('')

const word = fc.constantFrom('v1', 'public', 'admin', 'dns', 'example.com', 'x', 'auth', '...', '')
const structural = fc.constantFrom('/', '\\', '.', '..', ';', '?', '#', '%', '//', '/../', '/./')
const alike = fc.constantFrom(
  ...['\uff0e', '\u2024', '\u2025', '\u2026', '\ufe52', '\u3002', '\uff61', '\uff0f', '\u2044'],
  ...['\u2215', '\uff3c', '\ufe68', '\u2216', '\uff1b', '\u037e', '\ufe54', '\uff1f', '\ufe56'],
  ...['\uff03', '\ufe5f', '\uff05', '\ufe6a', '\u2100', '\u2101', '\u2105', '\u2106', '\u00bd'],
  ...['\u00ad', '\u200b', '\u200d', '\u2060', '\ufe0f', '\u180e', '\u00a0', '\u3000', '\u2488'],
  ...['\uff12', '\uff46', '\uff55', '\u212a', '\u017f', '\u00b2', '\ufb01', 'é', 'e\u0301', 'İ'],
)
const control = fc.integer({ min: 0, max: 0x20 }).map((code) => String.fromCharCode(code))
const someText = fc.oneof(
  { weight: 4, arbitrary: structural },
  { weight: 3, arbitrary: alike },
  { weight: 1, arbitrary: control },
  { weight: 2, arbitrary: word },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
)
const OVERLONG: Readonly<Record<string, readonly string[]>> = {
  '.': ['%c0%ae', '%e0%80%ae', '%f0%80%80%ae', '%C0%2E', '%u002e', '%u002E', '%uff0e'],
  '/': ['%c0%af', '%e0%80%af', '%f0%80%80%af', '%u002f', '%u2215', '%uff0f'],
  '\\': ['%c1%9c', '%c1%pc', '%u005c', '%u2216'],
}
/** The ways to write one text into a path. */
const written = fc.tuple(someText, fc.nat({ max: 6 }), fc.nat()).map(([text, way, pick]) => {
  const once = hex(text, pick % 2 === 0)
  switch (way) {
    case 0:
      return text
    case 1:
    case 2:
      return once
    case 3:
      return once.replaceAll('%', '%25')
    case 4:
      return once.replaceAll('%', '%2525')
    case 5:
      return once.replaceAll(/[0-9A-Fa-f]/g, (digit) => (digit > '5' ? hex(digit) : digit))
    default: {
      const ways = OVERLONG[text] ?? [once.replaceAll('%', `%25${hex('\uff05')}`)]
      return ways[pick % ways.length] ?? ''
    }
  }
})
const encodedText = fc.constantFrom('%25', '%20', '%C3%BC', '%e2%82%ac', '%25u', '%7C', '%22')
const piece = fc.oneof(
  { weight: 3, arbitrary: written },
  { weight: 3, arbitrary: word },
  { weight: 3, arbitrary: fc.constant('/') },
  { weight: 2, arbitrary: encodedText },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9a-fu]{1,4}$/) },
)
const hostile = fc
  .tuple(
    fc.constantFrom('/v1/', '/v1/dns/', '/', '', '/v1/public/'),
    fc.array(piece, { maxLength: 8 }),
  )
  .map(([start, pieces]) => start + pieces.join(''))
const readers = fc.array(fc.constantFrom('decode', 'decode', ...STEPS), {
  minLength: 1,
  maxLength: 6,
})

const segment = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9\-._~!$&'()*+,=:@]{0,12}$/),
  fc.stringMatching(/^(?:[a-z0-9]|%20|%22|%7C|%C3%BC|%E2%82%AC|%F0%9F%98%80){1,6}[a-z]$/),
)
const benign = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.boolean(), fc.webQueryParameters())
  .map(([segments, slash, query]) => `/${segments.join('/')}${slash ? '/' : ''}?${query}`)

/** Paths composed of everything that was ever read as a dot or a slash, and harmless ones. */
export const pathSubject = still(
  'path',
  6_000,
  fc.property(hostile, readers, check),
  fc.property(benign, (target) => {
    const result = canonicalTarget(target)
    if ('refused' in result) throw new Error(`a harmless path is refused: ${result.refused}`)
    check(target, ['decode', 'decode', 'compatibility', 'dots'])
  }),
)
