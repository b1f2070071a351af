// Fuzzes the masking of echoed secrets: every form, written in every mixture of escapes, in pieces cut
// anywhere. The oracle knows where the echo was put, and needs no decoder.

import fc from 'fast-check'

import { Secret } from '../../src/base/secret.ts'
import { echoFilter } from '../../src/credentials/echo.ts'
import { cutAt } from './byte-client.ts'
import { still } from './subject.ts'

const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
const secretText = fc.oneof(
  fc.string({ unit: visible, minLength: 8, maxLength: 40 }),
  fc.stringMatching(/^opk_[0-9a-z]{8}_[0-9A-Za-z]{10}$/),
  // Repetition, and characters that are escapes themselves.
  fc.string({
    unit: fc.constantFrom('a', 'b', '%', '\\', 'u', '4', '1'),
    minLength: 8,
    maxLength: 20,
  }),
)

const hex = (char: string) => char.charCodeAt(0).toString(16).padStart(2, '0')
const ESCAPES: readonly ((char: string) => string)[] = [
  (char) => char,
  (char) => char,
  (char) => `%${hex(char)}`,
  (char) => `%${hex(char).toUpperCase()}`,
  (char) => `\\u00${hex(char)}`,
  (char) => `\\u00${hex(char).toUpperCase()}`,
  (char) => ('/"\\'.includes(char) ? `\\${char}` : char),
]

interface Echo {
  readonly text: string
  /** The part of `text` that shows nothing but the secret. */
  readonly from: number
  readonly to: number
}

const whole = (text: string): Echo => ({ text, from: 0, to: text.length })

/** One of the forms of `secret`; `ways` chooses. */
function echoOf(secret: string, form: number, ways: readonly number[]): Echo {
  switch (form) {
    case 0:
      return whole(secret)
    case 1:
      return whole(Buffer.from(secret).toString('hex'))
    case 2:
      return whole(Buffer.from(secret).toString('hex').toUpperCase())
    case 3:
    case 4: {
      const before = (ways[0] ?? 0) % 5
      const around = `${'k:;.-'.slice(0, before)}${secret}${'}],'.slice(0, (ways[1] ?? 0) % 4)}`
      return {
        text: Buffer.from(around).toString(form === 3 ? 'base64' : 'base64url'),
        from: Math.ceil((before * 8) / 6),
        to: Math.floor(((before + secret.length) * 8) / 6),
      }
    }
    default: {
      const chars = [...secret].map((char, at) => {
        const way = ways[at % Math.max(1, ways.length)] ?? 0
        return ESCAPES[(form === 5 ? way : form) % ESCAPES.length]?.(char) ?? char
      })
      return whole(chars.join(''))
    }
  }
}

const filler = (secret: string) =>
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...secret, '%', '\\', 'u', '0', '4'), maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 20 }).map((it) => Buffer.from(it).toString('latin1')),
    fc.constant(secret.slice(0, -1)),
    fc.constant(''),
  )

const scene = secretText.chain((secret) =>
  fc.record({
    secret: fc.constant(secret),
    before: filler(secret),
    after: filler(secret),
    form: fc.nat({ max: 9 }),
    ways: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 40 }),
    cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
    bytewise: fc.boolean(),
  }),
)

const masked = fc.property(scene, ({ secret, before, after, form, ways, cuts, bytewise }) => {
  const filter = echoFilter([Secret.of(secret)])
  const echo = echoOf(secret, form, ways)
  const text = `${before}${echo.text}${after}`
  const once = filter.redact(Buffer.from(text, 'latin1')).toString('latin1')
  const stream = filter.stream()
  const pieces = bytewise ? [...text] : cutAt(text, cuts)
  const out: string[] = []
  for (const piece of pieces)
    out.push(stream.push(Buffer.from(piece, 'latin1'))?.toString('latin1') ?? '')
  out.push(stream.end()?.toString('latin1') ?? '')
  const streamed = out.join('')

  if (streamed !== once) throw new Error(`in pieces ${streamed}, whole ${once}, of ${text}`)
  if (once.length !== text.length) throw new Error('another length')
  for (const [at, char] of [...text].entries()) {
    if (once[at] !== char && once[at] !== '*') throw new Error(`byte ${at} is another one`)
  }
  const shown = once.slice(before.length + echo.from, before.length + echo.to)
  if (/[^*]/.test(shown)) throw new Error(`it shows ${shown} of ${echo.text}`)
})

const untouched = fc.property(
  secretText,
  fc.string({ unit: fc.constantFrom('é', '\u0001', ' ', '\n', '\u00ff'), maxLength: 200 }),
  (secret, text) => {
    const filter = echoFilter([Secret.of(secret)])
    const bytes = Buffer.from(text)
    if (filter.redact(bytes) !== bytes) throw new Error('what holds no echo became another object')
  },
)

/** Echoes of a secret in a body. */
export const echoSubject = still('echo', 2_500, masked, untouched)
