// Requests by method and path, for what the catalogue of operations does not know: `GET /v1/contacts/**`.

import { canonicalRoute } from '../opusdns/operations.ts'

const PATTERN =
  /^(\*|[A-Z]{3,7}) (\/v1\/(?:\*\*?|[A-Za-z0-9._~-]+)(?:\/(?:\*\*?|[A-Za-z0-9._~-]+))*\/?)$/

/** `METHOD PATH` or `* PATH`; in the path `*` is one segment, and a final `**` at least one. */
export interface PathPattern {
  readonly method: string
  readonly path: RegExp
}

/** The pattern that `text` writes, or `undefined` when it is none. */
export function pathPattern(text: string): PathPattern | undefined {
  const [, method, path] = PATTERN.exec(text) ?? []
  if (method === undefined || path === undefined) return undefined
  const segments = canonicalRoute(path).slice(1).split('/')
  if (segments.slice(0, -1).includes('**')) return undefined
  const source = segments.map((segment) => {
    if (segment === '**') return '.+'
    return segment === '*' ? '[^/]+' : segment.replaceAll('.', String.raw`\.`)
  })
  return { method, path: new RegExp(`^/${source.join('/')}$`) }
}

/** Whether a request falls under the pattern. HEAD counts as GET; `path` is canonical. */
export function matchesPath(pattern: PathPattern, method: string, path: string): boolean {
  const asked = method === 'HEAD' ? 'GET' : method
  return (pattern.method === '*' || pattern.method === asked) && pattern.path.test(path)
}
