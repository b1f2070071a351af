// The names in a client's certificate, read so that no character in one of them can pass for another
// name (CVE-2021-44531 to 44533): what had to be escaped is no name that anybody configures.

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

import { canonicalAddress } from './networks.ts'

/** How a name is written, in the configuration and here: `URI:…`, `DNS:…`, `IP:…`, `email:…`, `CN=…`. */
export type CertificateName = string

// Node.js puts quotes around a value that holds a comma, a quote, a backslash or a control character,
// and writes a comma in it as \u002c.
const ALTERNATIVE = /([A-Za-z][A-Za-z0-9 ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/** Parses an entry of `mtls`, or says what is wrong with it. */
export function parseCertificateName(text: string): { name: CertificateName } | { fault: string } {
  const subject = /^(?:CN|OU|O)=./.test(text)
  // A subject is not read from a list, in which a comma would be two names.
  if (/["\\\p{C}]/u.test(text) || (!subject && text.includes(','))) {
    return { fault: 'holds a character that no such name has; write it without' }
  }
  if (subject) return { name: text }
  const dns = /^DNS:(?=.{1,253}$)(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.exec(text)
  if (dns !== null) return { name: `DNS:${text.slice(4).toLowerCase()}` }
  if (/^email:[^@\s]+@[^@\s]+$/.test(text)) return { name: text }
  const ip = /^IP:(.+)$/.exec(text)?.[1]
  if (ip !== undefined && isIP(ip) !== 0) return { name: `IP:${canonicalAddress(ip)}` }
  const uri = /^(?:URI:)?([a-z][a-z0-9+.-]*:\/\/\S+)$/i.exec(text)?.[1]
  if (uri !== undefined) return { name: `URI:${uri}` }
  return {
    fault:
      "is no name of a certificate; write 'spiffe://…', 'URI:…', 'DNS:…', 'IP:…', 'email:…', 'CN=…', 'OU=…' or 'O=…'",
  }
}

/**
 * The names of `certificate`, as `parseCertificateName` writes them. A part that is there twice is
 * ambiguous and names nobody: two of one part of the subject, or two URIs (as SPIFFE has it). Exact texts: a wildcard
 * in a certificate matches only the same wildcard in the configuration.
 */
export function certificateNames(certificate: X509Certificate): CertificateName[] {
  const names: CertificateName[] = []
  const uris: string[] = []
  for (const [kind, value] of alternativesOf(certificate.subjectAltName ?? '')) {
    if (kind === 'DNS') names.push(`DNS:${value.toLowerCase()}`)
    if (kind === 'URI') uris.push(`URI:${value}`)
    if (kind === 'email') names.push(`email:${value}`)
    if (kind === 'IP Address' && isIP(value) !== 0) names.push(`IP:${canonicalAddress(value)}`)
  }
  // A SPIFFE id belongs to a leaf; a CA that carries one signs, and does not call.
  if (uris.length === 1 && !(certificate.ca && uris[0]?.startsWith('URI:spiffe://') === true)) {
    names.push(...uris)
  }
  // Not `subject`, whose lines a value could imitate; here each value is one text, as it is.
  const subject = certificate.toLegacyObject().subject as Record<string, string | string[]>
  for (const part of ['CN', 'OU', 'O']) {
    const value = subject[part]
    if (typeof value === 'string') names.push(`${part}=${value}`)
  }
  return names
}

/** Kind and value of each; nothing at all if a single one cannot be told. */
function alternativesOf(text: string): (readonly [kind: string, value: string])[] {
  const found: (readonly [string, string])[] = []
  ALTERNATIVE.lastIndex = 0
  while (ALTERNATIVE.lastIndex < text.length) {
    const match = ALTERNATIVE.exec(text)
    if (match === null) return []
    const [, kind = '', value = ''] = match
    // A quoted URI counts, so that there are two; it is equal to none that is configured.
    found.push([kind, value])
  }
  return found
}
