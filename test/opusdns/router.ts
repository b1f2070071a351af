// Which operation a request means. As in Starlette: the path is percent-decoded first (`%2F` too), and a
// path that differs by a final slash is redirected to an absolute http:// address of the Host header.

import type { PathOperations } from './operations.ts'
import { plain, type Reply } from './problems.ts'

/** A matched operation. */
export interface Match {
  readonly operation: PathOperations
  /** `METHOD path`, the key of a handler. */
  readonly key: string
  readonly params: readonly string[]
}

/** See `Router`. */
export interface Wanted {
  readonly method: string
  /** Decoded. */
  readonly path: string
  /** Undecoded, with its `?`, or ''. */
  readonly search: string
  readonly host: string
}

/** Finds the operation, or the redirect, 404 or 405 of the framework. */
export type Router = (wanted: Wanted) => Match | Reply

/** A router over `operations`, of which the first that fits wins. */
export function router(operations: readonly PathOperations[]): Router {
  const byLength = new Map<number, { segments: string[]; operation: PathOperations }[]>()
  for (const operation of operations) {
    const segments = operation.path.split('/')
    const same = byLength.get(segments.length) ?? []
    byLength.set(segments.length, [...same, { segments, operation }])
  }

  function fitting(path: string): { operation: PathOperations; params: string[] }[] {
    const parts = path.split('/')
    return (byLength.get(parts.length) ?? []).flatMap(({ segments, operation }) => {
      const params: string[] = []
      for (const [at, segment] of segments.entries()) {
        const part = parts[at] ?? ''
        if (segment.startsWith('{') && part !== '') params.push(part)
        else if (segment !== part) return []
      }
      return [{ operation, params }]
    })
  }

  return function route({ method, path, search, host }) {
    const found = fitting(path)
    const full = found.find(({ operation }) => operation.methods.includes(method))
    if (full) return { ...full, key: `${method} ${full.operation.path}` }
    const [partial] = found
    if (partial)
      return plain(405, 'Method Not Allowed', ['allow', partial.operation.methods.join(', ')])
    const other = path.endsWith('/') ? path.replace(/\/+$/, '') : `${path}/`
    if (fitting(other).length === 0) return plain(404, 'Not Found')
    const location = `http://${host}${quoted(other)}${search}`
    return { status: 307, headers: ['location', location], body: Buffer.alloc(0) }
  }
}

/** Splits a request target (origin-form or absolute-form) into decoded path and raw query. */
export function splitTarget(target: string): { path: string; search: string } {
  const local = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '')
  const at = local.indexOf('?')
  if (at < 0) return { path: unquoted(local), search: '' }
  return { path: unquoted(local.slice(0, at)), search: local.slice(at) }
}

/** Percent-decoding that never fails: bad UTF-8 becomes U+FFFD, a lone `%` stays. */
function unquoted(path: string): string {
  return path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}

function quoted(path: string): string {
  return encodeURI(path).replaceAll('%25', '%').replaceAll('%5B', '[').replaceAll('%5D', ']')
}
