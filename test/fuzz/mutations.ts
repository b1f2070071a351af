// Spoils valid HTTP messages the way attackers and broken software do. A message is a list of lines
// and a body, so that a mutation can hit what matters; at last single bytes are flipped.

/* oxlint-disable unicorn/no-useless-spread -- many short texts on a line read better than a line for each */

import fc from 'fast-check'

/** A change of a text; a change that finds nothing to do leaves it alone. */
export type Mutation = (text: string, at: number) => string

const splice = (text: string, at: number, drop: number, put: string) =>
  text.slice(0, at) + put + text.slice(at + drop)
const position = (text: string, at: number) => (text.length === 0 ? 0 : at % text.length)

/** The `at`-th place of `what`, counted around. */
function places(text: string, what: RegExp): number[] {
  return [...text.matchAll(what)].map(({ index }) => index)
}
function onePlace(text: string, what: RegExp, at: number): number | undefined {
  const found = places(text, what)
  return found.length === 0 ? undefined : found[at % found.length]
}
const near =
  (what: RegExp, change: (text: string, place: number) => string): Mutation =>
  (text, at) => {
    const place = onePlace(text, what, at)
    return place === undefined ? text : change(text, place)
  }

const LINE_ENDS = [
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  ' \r\n',
  '\r\n ',
  '\r\n\t',
  '\0\r\n',
  '',
  '\r\n\r\n',
]
const ODD_BYTES = [
  '\0',
  '\r',
  '\n',
  '\t',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x80',
  '\xff',
  ' ',
  ':',
  ';',
  ',',
]

const lineEnds: Mutation[] = LINE_ENDS.map((put) =>
  near(/\r\n/g, (text, place) => splice(text, place, 2, put)),
)
const beforeColon: Mutation[] = [' ', '\t', '\0', '_', '\x0b', '\r\n '].map((put) =>
  near(/:/g, (text, place) => splice(text, place, 0, put)),
)
const afterColon: Mutation[] = ['\t', '\x0b', '\x0c', '+', '-', '0', ',', '"', '\r\n ', '\0'].map(
  (put) => near(/: /g, (text, place) => splice(text, place + 1, 0, put)),
)
const oddBytes: Mutation[] = ODD_BYTES.map(
  (put) => (text, at) => splice(text, position(text, at), at % 2, put),
)
const bytes: Mutation[] = [
  (text, at) => splice(text, position(text, at), 1, ''),
  (text, at) => text.slice(0, position(text, at)),
  (text, at) => {
    const place = position(text, at)
    const flipped = (text.charCodeAt(place) || 0) ^ (1 << (at % 8))
    return splice(text, place, 1, String.fromCharCode(flipped & 0xff))
  },
  (text, at) => {
    const place = position(text, at)
    return splice(text, place, 0, text.slice(place, place + (at % 40)))
  },
]
const doubledLine: Mutation = near(/\r\n[^\r\n]+(?=\r\n)/g, (text, place) => {
  const end = text.indexOf('\r\n', place + 2)
  return splice(text, end, 0, text.slice(place, end))
})

const FRAMING = [
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding: xchunked'],
  ...['Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity, chunked'],
  ...['Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: gzip, chunked'],
  ...['Transfer-Encoding: "chunked"', 'Transfer-Encoding: chunked;q=1', 'Transfer-Encoding:'],
  ...['Transfer-Encoding:\x0bchunked', 'Transfer-Encoding : chunked', 'Transfer_Encoding: chunked'],
  ...[
    'X: y\nTransfer-Encoding: chunked',
    'X: y\rTransfer-Encoding: chunked',
    'Transfer-encoding: CHUNKED',
  ],
  ...['Content-Length: 0', 'Content-Length: 5', 'Content-Length: +5', 'Content-Length: 5, 5'],
  ...['Content-Length: 0x5', 'Content-Length: -1', 'Content-Length: 5 5', 'Content-Length:'],
  ...['Content-Length: 99999999999999999999', 'Content-Length : 5', 'Content_Length: 5'],
  ...['Content-Length: 18446744073709551616', 'Content-Length: 05', 'Content-Length: 5\0'],
]
const HEADERS = [
  ...['Connection: close', 'Connection: x-api-key', 'Connection: host, content-length, via'],
  ...['Connection: keep-alive, transfer-encoding', 'Keep-Alive: timeout=5', 'TE: trailers, gzip'],
  ...['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  ...['Trailer: Content-Length', 'Proxy-Authorization: Basic c3RvbGVu', 'Proxy-Connection: x'],
  ...[
    'Host: evil.example',
    'host: 127.0.0.1',
    'Host:',
    'X-Api-Key: stolen',
    'Authorization: Bearer stolen',
  ],
  ...['X_Api_Key: stolen', 'Cookie: stolen=1', 'X-Forwarded-Host: stolen', 'Forwarded: for=stolen'],
  ...[
    'Expect: 100-continue',
    'Expect: stolen',
    'Max-Forwards: 0',
    '__proto__: x',
    'constructor: y',
  ],
  ...[
    ': empty',
    'X Y: z',
    '(): x',
    ' leading: x',
    'X: \xfc',
    'X: a\x01b',
    'X-Http-Method-Override: DELETE',
  ],
  ...['Accept-Encoding: gzip', 'If-None-Match: "x"', 'Range: bytes=0-1', 'Content-Type: a/b'],
]
const insertedLines: Mutation[] = [...FRAMING, ...FRAMING, ...HEADERS].map((line) =>
  near(/\r\n/g, (text, place) => splice(text, place, 0, `\r\n${line}`)),
)
const SIZES = [
  '0',
  '5',
  '00000005',
  '0x5',
  '+5',
  '-5',
  ' 5',
  '5 ',
  'g',
  '',
  '5;a=b',
  '5;',
  '5;\n',
  '5\n',
]
const MORE_SIZES = [
  'ffffffffffffffff',
  '10000000000000005',
  '5 ;x',
  '5;"\r\n"',
  '5\t',
  '5,5',
  '5;\r',
  '5;a\0',
]
const chunkSizes: Mutation[] = [...SIZES, ...MORE_SIZES].map((size) =>
  near(/(?<=\r\n)[0-9a-f]{1,3}(?=\r\n)/g, (text, place) => {
    const end = text.indexOf('\r\n', place)
    return splice(text, place, end - place, size)
  }),
)

const families: readonly (readonly Mutation[])[] = [
  lineEnds,
  beforeColon,
  afterColon,
  oddBytes,
  bytes,
  [doubledLine],
  insertedLines,
  insertedLines,
  chunkSizes,
]

/** A list of mutations with their places, to be applied by `mutated`. */
export const mutations: fc.Arbitrary<readonly (readonly [number, number, number])[]> = fc.array(
  fc.tuple(fc.nat({ max: families.length - 1 }), fc.nat({ max: 200 }), fc.nat({ max: 4_000 })),
  { maxLength: 4 },
)

/** `text` with all `changes` made to it, one after the other. */
export function mutated(
  text: string,
  changes: readonly (readonly [number, number, number])[],
): string {
  let changed = text
  for (const [family, which, at] of changes) {
    const all = families[family] ?? []
    changed = all[which % all.length]?.(changed, at) ?? changed
  }
  return changed
}
