// Cleans the head of an upstream reply: hop-by-hop fields out, redirects to the upstream's own host
// turned into redirects to us. Everything else passes byte for byte.

import { Fault } from '../base/fault.ts'
import type { EchoFilter } from '../credentials/echo.ts'
import { HOP_BY_HOP, dropNamed, namedIn } from './hop-by-hop.ts'

/** What a reply head says, ready to be written. */
export interface ReplyHead {
  /** Flat list of fields for the client. */
  readonly fields: string[]
  /** Declared length; `undefined` when chunked or ended by the connection. */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  /** `x-server-request-id`, or else `x-request-id`. */
  readonly upstreamId: string | undefined
  /** Coding of the body (RFC 9110 section 8.4); `undefined` for none. */
  readonly encoding: string | undefined
}

const DROPPED = new Set([
  ...HOP_BY_HOP,
  // Speaks for the upstream's origin: other ports and protocols that would bypass this proxy.
  'alt-svc',
  // State between the upstream and us; shared with a client it would be a credential.
  'set-cookie',
  'set-cookie2',
  // Credentials, or about the one that we sent; no client has any.
  'authorization',
  'x-api-key',
  'authentication-info',
  'proxy-authentication-info',
  // Lets a page of another site measure what it may not read.
  'timing-allow-origin',
])

/** The upstream speaks to browsers for itself; for this proxy no page of another site may read. */
const CORS = 'access-control-'

/** See `readReplyHead`. */
export interface ReplyContext {
  /** Our name in `Via`. */
  readonly pseudonym: string
  /** `X-Request-Id` for a reply that brings none. */
  readonly id: string
  /** Origin of the upstream. */
  readonly origin: string
  /** Further fields, a flat list. */
  readonly more?: readonly string[] | undefined
}

/**
 * Rewrites a `Location` on the upstream's own host, whatever its scheme, to a path on ours. FastAPI
 * redirects to `http://<Host>/…`: a client that followed it would send its key there in clear text.
 */
export function rewriteLocation(location: string, origin: string): string {
  if (!/^(?:[a-z][a-z0-9+.-]*:)?\/\//i.test(location)) return location
  const target = URL.parse(location, origin)
  const own = new URL(origin)
  if (target === null || target.hostname !== own.hostname) return location
  // The upstream knows its own scheme badly behind a load balancer: `http://…:443/` is seen.
  if (!['', '80', '443', own.port].includes(target.port)) return location
  // Two slashes at the beginning would name another host.
  return `${target.pathname.replace(/^\/+/, '/')}${target.search}${target.hash}`
}

/**
 * Reads and cleans a reply head from the raw buffers of the client library. Where it shows the
 * credential that was sent, `echo` masks it.
 */
export function readReplyHead(
  raw: readonly Buffer[],
  context: ReplyContext,
  echo: EchoFilter,
): ReplyHead {
  const fields: string[] = []
  let contentLength: number | undefined
  let chunked = false
  let serverId: string | undefined
  let requestId: string | undefined
  let named: Set<string> | undefined
  let via: string | undefined
  let encoding: string | undefined

  for (let index = 0; index < raw.length; index += 2) {
    const rawName = text(raw[index], echo)
    const value = text(raw[index + 1], echo)
    const name = rawName.toLowerCase()
    switch (name) {
      case 'content-length':
        if (contentLength !== undefined) {
          throw new Fault('upstream_protocol', { detail: 'The upstream gave two lengths.' })
        }
        // The client library counts a space behind the digits as another digit.
        if (!/^\d{1,15}$/.test(value)) {
          throw new Fault('upstream_protocol', { detail: 'The upstream gave no plain length.' })
        }
        contentLength = Number(value)
        break
      case 'transfer-encoding':
        if (chunked || value.trimEnd().toLowerCase() !== 'chunked') {
          throw new Fault('upstream_protocol', {
            detail: 'The upstream used a transfer coding other than chunked.',
          })
        }
        chunked = true
        break
      case 'content-encoding':
        encoding = encoding === undefined ? value : `${encoding}, ${value}`
        break
      case 'x-server-request-id':
        serverId = value
        break
      case 'x-request-id':
        requestId = value
        break
      case 'via':
        via = via === undefined ? value : `${via}, ${value}`
        continue
      case 'connection':
        named = namedIn(value, named)
        break
      case 'location':
      case 'content-location':
        // Once more, for rewriting takes out tabs that may stand within the credential.
        fields.push(rawName, text(Buffer.from(rewriteLocation(value, context.origin)), echo))
        continue
      default:
    }
    if (!DROPPED.has(name) && !name.startsWith(CORS)) fields.push(rawName, value)
  }

  if (chunked && contentLength !== undefined) {
    throw new Fault('upstream_protocol', { detail: 'The upstream gave a length and chunks.' })
  }
  if (named !== undefined) dropNamed(fields, named)
  const ours = `1.1 ${context.pseudonym}`
  fields.push('Via', via === undefined ? ours : `${via}, ${ours}`)
  if (requestId === undefined) fields.push('X-Request-Id', context.id)
  if (context.more !== undefined) fields.push(...context.more)
  return {
    fields,
    contentLength,
    chunked,
    upstreamId: serverId ?? requestId,
    encoding: codingOf(encoding),
  }
}

/** `undefined` for the coding that is none. */
function codingOf(value: string | undefined): string | undefined {
  const coding = value?.trim().toLowerCase()
  return coding === '' || coding === 'identity' ? undefined : coding
}

/** The bytes as they are (Latin-1), but for the credential. */
function text(bytes: Buffer | undefined, echo: EchoFilter): string {
  if (bytes === undefined) return ''
  return (bytes.length < echo.minLength ? bytes : echo.redact(bytes)).toString('latin1')
}
