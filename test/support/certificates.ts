// A private CA and server certificates for tests, written as DER by hand, for Node.js can read
// certificates but not make them. Keys are P-256 and live as long as the test.

import { createPrivateKey, generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** A certificate with its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** See `Authority.issue`. */
export interface LeafOptions {
  /** DNS name that the certificate is for. Default `localhost`. */
  readonly name?: string
  /** Alternative names in place of that one, as they are: no byte is judged or escaped. */
  readonly alternatives?: readonly (readonly [kind: keyof typeof GENERAL_NAMES, value: string])[]
  /** Common names, if not `name`. */
  readonly commonNames?: readonly string[]
  /** Organizations and their units, before the common names. */
  readonly organizations?: readonly string[]
  readonly units?: readonly string[]
  /** Says that it is a CA's. */
  readonly ca?: boolean
  /** Default from yesterday until tomorrow. */
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** A private CA. */
export interface Authority {
  /** Its own certificate, in PEM. */
  readonly cert: string
  /** A server certificate signed by it. */
  issue(options?: LeafOptions): Certificate
}

const DAY = 86_400_000

/** A new CA with this common name. */
export function authority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { name, key: keys.privateKey }
  const constraints = extension('551d13', sequence(boolean(true)), true)
  const usage = extension('551d0f', Buffer.from('03020106', 'hex'), true)
  return {
    cert: certificate({
      issuer,
      subject: [['CN', name]],
      publicKey: keys.publicKey,
      extensions: [constraints, usage, ...keyIds(keys.publicKey, keys.publicKey)],
    }),
    issue(options = {}) {
      const { name: host = 'localhost', notBefore, notAfter } = options
      const { alternatives = [['dns', host]], commonNames = [host] } = options
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = alternatives.map(([kind, value]) =>
        tagged(GENERAL_NAMES[kind], Buffer.from(value, 'latin1')),
      )
      const extensions = names.length === 0 ? [] : [extension('551d11', sequence(...names))]
      extensions.push(...keyIds(leaf.publicKey, keys.publicKey))
      if (options.ca === true) extensions.push(constraints)
      return {
        cert: certificate({
          issuer,
          subject: [
            ...(options.organizations ?? []).map((value) => ['O', value] as const),
            ...(options.units ?? []).map((value) => ['OU', value] as const),
            ...commonNames.map((value) => ['CN', value] as const),
          ],
          publicKey: leaf.publicKey,
          extensions,
          notBefore,
          notAfter,
        }),
        key: createPrivateKey(leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }))
          .export({ type: 'pkcs8', format: 'pem' })
          .toString(),
      }
    },
  }
}

type Attribute = readonly [type: keyof typeof ATTRIBUTES, value: string]

interface Content {
  readonly issuer: { readonly name: string; readonly key: KeyObject }
  readonly subject: readonly Attribute[]
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly notBefore?: Date | undefined
  readonly notAfter?: Date | undefined
}

// RFC 5280 section 4.2.1.6.
const GENERAL_NAMES = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const
// RFC 5280 appendix A.1.
const ATTRIBUTES = { CN: '550403', O: '55040a', OU: '55040b' } as const

// ecdsa-with-SHA256 (RFC 5758 section 3.2).
const ALGORITHM = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')))

/** RFC 5280 section 4.1. */
function certificate(content: Content): string {
  const { notBefore = new Date(Date.now() - DAY), notAfter = new Date(Date.now() + DAY) } = content
  const serial = randomBytes(8)
  // Positive, and without a leading zero byte.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    ALGORITHM,
    distinguished([['CN', content.issuer.name]]),
    sequence(time(notBefore), time(notAfter)),
    distinguished(content.subject),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...content.extensions)),
  )
  const signature = sign('sha256', body, content.issuer.key)
  const der = sequence(body, ALGORITHM, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : size)]), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]))
}

/** GeneralizedTime; OpenSSL reads it for any year. */
function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(date.toISOString().replaceAll(/[-:T]|\.\d+/g, ''), 'ascii'))
}

/** A name, each attribute as UTF8String. */
function distinguished(attributes: readonly Attribute[]): Buffer {
  const parts = attributes.map(([type, value]) =>
    sequence(tagged(0x06, Buffer.from(ATTRIBUTES[type], 'hex')), tagged(0x0c, Buffer.from(value))),
  )
  return sequence(...parts.map((part) => tagged(0x31, part)))
}

/** Subject and authority key identifier, without which Python 3.13 trusts no certificate. */
function keyIds(subject: KeyObject, issuer: KeyObject): Buffer[] {
  const id = (key: KeyObject) => hash('sha1', key.export({ type: 'spki', format: 'der' }), 'buffer')
  return [
    extension('551d0e', tagged(0x04, id(subject))),
    extension('551d23', sequence(tagged(0x80, id(issuer)))),
  ]
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  const parts = [tagged(0x06, Buffer.from(oid, 'hex'))]
  if (critical) parts.push(boolean(true))
  return sequence(...parts, tagged(0x04, value))
}
