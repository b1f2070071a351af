// The operators' listener: health, metrics and a status page. Reads snapshots only; it knows nothing
// of the proxy's requests and can change nothing.

import type { IncomingMessage, ServerResponse } from 'node:http'

import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'

import type { Problem } from '../base/fault.ts'
import { readiness } from './health.ts'
import type { Checks } from './health.ts'
import { statusPage } from './status-page.ts'
import type { StatusFacts } from './status-page.ts'

/** What the admin pages are made of. */
export interface AdminDeps {
  readonly checks: Checks
  readonly facts: () => StatusFacts
  readonly metrics: { text(): Promise<string>; readonly contentType: string }
  /** Reloads the configuration; resolves with `undefined` where that cannot be done. */
  readonly reload: () => Promise<ReloadOutcome | undefined>
  /** Says whether the `Host` of a request names this listener (DNS rebinding). */
  readonly hostAllowed: (request: IncomingMessage) => boolean
}

/** How a reload went. */
export type ReloadOutcome =
  /** `warnings`: what could not be read again, and stays in use as it was. */
  | { readonly ok: true; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const SAME_SITE = new Set<string | undefined>([undefined, 'none', 'same-origin'])

/** Builds the listener. */
export function adminListener(
  deps: AdminDeps,
): (request: IncomingMessage, response: ServerResponse) => void {
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>()

  app.use(async (c, next) => {
    c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
    c.header('X-Frame-Options', 'DENY')
    // Of two, one is not ours (RFC 9112 section 3.2); `headers` holds the first alone.
    const { rawHeaders } = c.env.incoming
    const named = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
    if (named.length !== 1 || !deps.hostAllowed(c.env.incoming)) {
      return c.text('The Host field names another server. List the name under admin.hosts.\n', 421)
    }
    // A navigation (a link someone clicked, no form) may read the page; scripts of other sites may not.
    const site = c.req.header('sec-fetch-site')
    const navigation = c.req.method === 'GET' && c.req.header('sec-fetch-mode') === 'navigate'
    const foreign = c.req.header('origin') !== undefined || (!SAME_SITE.has(site) && !navigation)
    if (foreign) return c.text('Other sites may not read this.\n', 403)
    await next()
    return undefined
  })
  app.get('/livez', (c) => c.json({ status: 'alive' }))
  app.get('/readyz', (c) => {
    const state = readiness(deps.checks())
    return c.json(state, state.status === 'ready' ? 200 : 503)
  })
  app.get('/metrics', async (c) =>
    c.body(await deps.metrics.text(), 200, { 'Content-Type': deps.metrics.contentType }),
  )
  app.post('/reload', async (c) => {
    const outcome = await deps.reload()
    if (outcome === undefined)
      return c.text('This proxy was started without a configuration.\n', 501)
    if (outcome.ok) return c.json({ status: 'reloaded', warnings: outcome.warnings })
    c.header('Content-Type', 'application/problem+json')
    const title = 'The configuration was not taken; the old one stays'
    return c.body(JSON.stringify({ title, status: 422, problems: outcome.problems }), 422)
  })
  app.get('/', (c) => c.html(statusPage(deps.facts(), deps.checks())))
  app.notFound((c) => c.text('Here are /, /livez, /readyz, /metrics and POST /reload.\n', 404))

  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (request, response) => void listener(request, response)
}
