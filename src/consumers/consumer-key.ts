// The key of a consumer: `opxk_<id>_<secret><check>`. The secret exists in whole only where it was made
// and where it is used; the proxy keeps its digest.

import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { Secret } from '../base/secret.ts'

/** Beginning of every consumer key; tells it from the placeholders that clients send. */
export const KEY_PREFIX = 'opxk_'

/**
 * What an id looks like: 39 random bits in base32 (RFC 4648, small letters), a letter first, or YAML would
 * take some for numbers. No secret.
 */
export const KEY_ID = /^[a-z][a-z2-7]{7}$/

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SECRET_BYTES = 32
/** 256 bits, and 32 bits, in base62. */
const SECRET_LENGTH = 43
const CHECK_LENGTH = 6
const SHAPE = /(?:^|\s)opxk_([a-z][a-z2-7]{7})_[0-9A-Za-z]{49}$/
const KEY = /^opxk_([a-z][a-z2-7]{7})_[0-9A-Za-z]{43}([0-9A-Za-z]{6})$/

/** A key that was just made. */
export interface NewConsumerKey {
  readonly id: string
  /** The whole text, to be shown once. */
  readonly key: Secret
  /** SHA-256 of the whole text, in hex: what the configuration holds. */
  readonly sha256: string
}

/** What the text of a key says by itself. */
export interface ReadConsumerKey {
  readonly id: string
  /** SHA-256 of the whole text, 32 bytes. */
  readonly digest: Buffer
}

/** Makes a key from 256 random bits. */
export function newConsumerKey(): NewConsumerKey {
  const id = Array.from(randomBytes(8), (byte, at) => BASE32[byte % (at === 0 ? 16 : 32)]).join('')
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`))
  const body = `${KEY_PREFIX}${id}_${secret}`
  const text = body + checkOf(body)
  return { id, key: Secret.of(text), sha256: digestOf(text).toString('hex') }
}

/**
 * The id and digest of `text`, or `undefined` for what no `keys new` ever printed: mistyped, or cut. One
 * round of SHA-256 is enough: against 256 random bits nobody can guess, so that a slow hash would cost
 * every request and win nothing.
 */
export function readConsumerKey(text: string): ReadConsumerKey | undefined {
  const match = KEY.exec(text)
  if (match === null) return undefined
  const [, id = '', check] = match
  if (checkOf(text.slice(0, -CHECK_LENGTH)) !== check) return undefined
  return { id, digest: digestOf(text) }
}

/**
 * The id in what was sent as a key, alone or behind `Bearer`, if it has the shape of one; for the record of
 * a key that is refused. Says nothing of whether there is such a key.
 */
export function claimedKeyId(sent: string | undefined): string | undefined {
  return sent === undefined ? undefined : SHAPE.exec(sent)?.[1]
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Finds typing errors; no secret goes into it that is not beside it. */
function checkOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  while (text.length < CHECK_LENGTH) {
    text = `${BASE62[rest % 62]}${text}`
    rest = Math.floor(rest / 62)
  }
  return text
}

function base62(number: bigint): string {
  let rest = number
  let text = ''
  while (text.length < SECRET_LENGTH) {
    text = `${BASE62[Number(rest % 62n)]}${text}`
    rest /= 62n
  }
  return text
}
