// Reads the head of a request once: refuses what is ambiguous, and lists what may be forwarded.
// Works on `rawHeaders`, for `headers` has already merged or dropped duplicates.

import type { IncomingMessage } from 'node:http'

import { Fault } from '../base/fault.ts'
import { HOP_BY_HOP, dropNamed, namedIn } from './hop-by-hop.ts'

/** What a request head says, after everything that must not be forwarded was taken out. */
export interface RequestHead {
  /** Flat list of fields to forward, in their order. No credential, no hop-by-hop field. */
  readonly fields: string[]
  readonly host: string
  /** Declared length of the body; 0 without a body; `undefined` when chunked. */
  readonly contentLength: number | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Value of the inbound `X-Api-Key` field, which may name a consumer. */
  readonly apiKey: string | undefined
  /** Value of the inbound `Authorization` field, from which a consumer may be identified. */
  readonly authorization: string | undefined
  /** Value of `X-Forwarded-For`, its fields joined in their order; believed of a trusted hop alone. */
  readonly forwardedFor: string | undefined
  /** True when a browser sent it from another site (`Origin`, `Sec-Fetch-Site`). */
  readonly crossOrigin: boolean
  /** Value of `Max-Forwards` without leading zeros, if it is a number. */
  readonly maxForwards: string | undefined
  /** True when `Prefer: dry-run` is among the fields. */
  readonly dryRun: boolean
}

// Fields that never reach the upstream, with the reason. Everything else passes as it is.
const DROPPED = new Set([
  ...HOP_BY_HOP,
  'http2-settings',
  // Set by us, or by the client library from facts that we checked.
  'host',
  'content-length',
  'expect',
  'x-request-id',
  'via',
  'max-forwards',
  // Credentials of the caller: placeholders, or the names of consumers.
  'authorization',
  'x-api-key',
  'cookie',
  'cookie2',
  // Switches a call to another organisation (opusdns/API.md, block by default 7).
  'x-organization-context',
  // Claims about where the request came from, which the upstream may trust.
  'forwarded',
  'x-forwarded',
  'x-host',
  'x-real-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-originating-ip',
  'client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  // Would turn the judged method or path into another one.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-original-host',
  'x-original-path',
  'x-rewrite-url',
  'x-rewrite-path',
  // Becomes the variable HTTP_PROXY of a CGI program (httpoxy, CVE-2016-5385).
  'proxy',
])

const DIGITS = /^\d{1,15}$/
// RFC 7240. Whoever writes the word in any way means nothing to happen, also with a hyphen of another
// kind, which is three bytes of UTF-8, or with more around it.
const DRY_RUN = /dry[^a-z0-9]{0,8}run/i
const PREFER: ReadonlySet<string> = new Set(['prefer'])
const HOPS = /^\d{1,9}$/
const SAME_SITE = new Set(['same-origin', 'none'])

function malformed(detail: string): Fault {
  return new Fault('bad_request', { detail })
}

/** The value of a field of which two would let two readers disagree. */
function only(name: string, before: string | undefined, value: string): string {
  if (before !== undefined) throw malformed(`The field ${name} occurs twice.`)
  return value
}

/** RFC 9110 section 5.3: several fields of a list are one, in their order. */
function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`
}

function readVia(value: string, pseudonym: string): void {
  // RFC 9110 section 7.6.3: our own name in it means that the request came round in a circle.
  if (value.includes(pseudonym)) {
    throw new Fault('loop_detected', {
      detail: 'This proxy has already forwarded this request. Check OPUSDNS_API_BASE.',
    })
  }
}

/**
 * Reads and cleans the head of `request`. `pseudonym` is our name in `Via`. Throws a Fault for a
 * head that two readers could understand differently (RFC 9112 section 6; CWE-444).
 */
export function readRequestHead(request: IncomingMessage, pseudonym: string): RequestHead {
  const raw = request.rawHeaders
  const fields: string[] = []
  let host: string | undefined
  let apiKey: string | undefined
  let expect: string | undefined
  let length: string | undefined
  let coding: string | undefined
  let contentType: string | undefined
  let contentEncoding: string | undefined
  let authorization: string | undefined
  let maxForwards: string | undefined
  let via: string | undefined
  let forwardedFor: string | undefined
  let origin: string | undefined
  let crossOrigin = false
  let dryRun = false
  let named: Set<string> | undefined

  for (let index = 0; index < raw.length; index += 2) {
    const rawName = raw[index] ?? ''
    const value = raw[index + 1] ?? ''
    const name = rawName.toLowerCase()
    switch (name) {
      case 'host':
        host = only(name, host, value)
        break
      case 'content-length':
        length = only(name, length, value)
        break
      case 'transfer-encoding':
        coding = only(name, coding, value)
        break
      case 'content-type':
        contentType = only(name, contentType, value)
        break
      case 'content-encoding':
        contentEncoding = joined(contentEncoding, value)
        break
      case 'authorization':
        authorization = only(name, authorization, value)
        break
      case 'x-api-key':
        apiKey = only(name, apiKey, value)
        break
      case 'max-forwards':
        maxForwards = only(name, maxForwards, value)
        break
      case 'via':
        readVia(value, pseudonym)
        via = joined(via, value)
        break
      case 'x-forwarded-for':
        forwardedFor = joined(forwardedFor, value)
        break
      case 'origin':
        // Of two different ones, one is not ours.
        crossOrigin ||= origin !== undefined && origin !== value
        origin = value
        break
      case 'access-control-request-method':
      case 'access-control-request-headers':
      case 'access-control-request-private-network':
        // A preflight: what follows it would come from another site.
        crossOrigin = true
        break
      case 'prefer':
        dryRun ||= DRY_RUN.test(value)
        break
      case 'sec-fetch-site':
        crossOrigin ||= !SAME_SITE.has(value)
        break
      case 'expect':
        expect = only(name, expect, value)
        if (value.toLowerCase() !== '100-continue') {
          throw new Fault('expectation_failed', {
            detail: 'The only expectation that can be met is 100-continue.',
          })
        }
        break
      case 'connection':
        named = namedIn(value, named)
        break
      default:
    }
    if (DROPPED.has(name) || name.startsWith('x-forwarded-')) continue
    // Some servers read `_` as `-`, so that `X_Api_Key` would become a second credential.
    if (name.includes('_')) continue
    fields.push(rawName, value)
  }

  if (host === undefined || host === '') throw malformed('The field Host is missing or empty.')
  if (coding !== undefined) {
    if (length !== undefined) {
      throw malformed('Content-Length and Transfer-Encoding exclude each other.')
    }
    if (request.httpVersionMinor === 0 || coding.trim().toLowerCase() !== 'chunked') {
      throw malformed('The only transfer coding that is understood is one final chunked.')
    }
  }
  if (length !== undefined && !DIGITS.test(length)) {
    throw malformed('Content-Length is not a plain decimal number.')
  }
  // It is for us: OpusDNS knows no dry run, and what it made of it nobody knows.
  if (dryRun) dropNamed(fields, PREFER)
  if (named !== undefined) dropNamed(fields, named)
  if (maxForwards !== undefined) {
    maxForwards = HOPS.test(maxForwards) ? String(Number(maxForwards)) : undefined
    // RFC 9110 section 7.6.2: it means nothing but in OPTIONS (and TRACE, which is refused).
    if (maxForwards !== undefined && maxForwards !== '0' && request.method === 'OPTIONS') {
      fields.push('Max-Forwards', String(Number(maxForwards) - 1))
    }
  }
  if (origin !== undefined) crossOrigin ||= !sameOrigin(origin, host)
  const ours = `1.${request.httpVersionMinor} ${pseudonym}`
  fields.push('Via', joined(via, ours))
  return {
    fields,
    host,
    contentLength: coding === undefined ? Number(length ?? 0) : undefined,
    contentType,
    contentEncoding,
    apiKey,
    authorization,
    forwardedFor,
    crossOrigin,
    maxForwards,
    dryRun,
  }
}

function sameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}
