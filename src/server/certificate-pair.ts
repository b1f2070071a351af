// Whether a certificate and a key can serve together, before a TLS server gets them. Messages name
// files and never quote them.

import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'

import { errorCode } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'

/** A pair that can serve. */
export interface CertificatePair {
  readonly cert: Buffer
  readonly key: Buffer
  /** The CAs that client certificates are judged by, in PEM; `undefined` when none is asked for. */
  readonly clientCa: Buffer | undefined
  /** Of the first certificate of the chain to expire; milliseconds since 1970. */
  readonly expiresAt: number
}

const BEGIN = '-----BEGIN CERTIFICATE-----'
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The pair, or what is wrong with it; `names` are how the two files are called in messages
 * of their own, and `chain` how the certificate's is called in the key's. */
export function judgePair(
  cert: Buffer,
  key: Buffer,
  names: { readonly certificate: string; readonly key: string; readonly chain: string },
): CertificatePair | Problem {
  const chain = certificatesIn(cert, names.certificate)
  if ('fault' in chain) return chain
  const leaf = chain[0] as X509Certificate
  let secret: KeyObject
  try {
    secret = createPrivateKey(key)
  } catch {
    const locked = key.includes('ENCRYPTED')
    return {
      place: names.key,
      fault: locked ? 'holds a key with a passphrase' : 'holds no private key in PEM form',
      remedy: locked
        ? 'Write it without one, readable by the proxy alone: openssl pkey -in old.pem -out new.pem'
        : 'Put the private key of the certificate there.',
    }
  }
  if (!leaf.checkPrivateKey(secret)) {
    return {
      place: names.key,
      fault: `does not belong to the first certificate of ${names.chain}`,
      remedy: 'Name the two files of one pair; the own certificate comes first in its file.',
    }
  }
  try {
    createSecureContext({ cert, key, minVersion: 'TLSv1.2' })
  } catch (error) {
    return {
      place: names.certificate,
      fault: `cannot be used for TLS (${errorCode(error) || 'error'})`,
      remedy: 'Have a certificate made with an RSA key of 2048 bits or more, or an ECDSA key.',
    }
  }
  return {
    cert,
    key,
    clientCa: undefined,
    expiresAt: Math.min(...chain.map((one) => one.validToDate.getTime())),
  }
}

/** Whether both trust the same clients. */
export function sameClientCa(one: CertificatePair, other: CertificatePair): boolean {
  if (one.clientCa === undefined || other.clientCa === undefined) {
    return one.clientCa === other.clientCa
  }
  return one.clientCa.equals(other.clientCa)
}

/** What is wrong with a file of CAs for client certificates, or `undefined`. */
export function judgeClientCa(pem: Buffer, place: string): Problem | undefined {
  const found = certificatesIn(pem, place)
  if ('fault' in found) return found
  // One that signed itself may stand for itself.
  if (found.every((one) => one.ca || one.checkIssued(one))) return undefined
  return {
    place,
    fault: 'holds a certificate that is no CA, so that it vouches for nobody',
    remedy: 'Put the CA there that signs the certificates of clients, up to its root.',
  }
}

/** At least one. */
function certificatesIn(pem: Buffer, place: string): X509Certificate[] | Problem {
  const text = pem.toString('latin1')
  const blocks = text.match(BLOCK) ?? []
  // A chain that is cut would serve, but only clients that know the missing part would trust it.
  if (blocks.length === 0 || blocks.length !== text.split(BEGIN).length - 1) {
    return {
      place,
      fault: `holds ${blocks.length === 0 ? 'no certificate in PEM form' : 'a certificate that is cut short'}`,
      remedy: 'Put the certificate there, then those between it and its CA, each whole.',
    }
  }
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return {
      place,
      fault: 'holds a certificate that cannot be read',
      remedy: 'Write it anew, as PEM.',
    }
  }
}
