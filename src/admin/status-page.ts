// The page an operator sees at `/` of the admin listener: plain HTML, no script, nothing from afar.

import { html } from 'hono/html'

import type { Check } from './health.ts'

/** Facts shown on the page besides the checks. */
export interface StatusFacts {
  readonly version: string
  readonly upstream: string
  readonly listen: readonly string[]
  /** Whole seconds since the start. */
  readonly uptime: number
}

function factsOf({ facts = {} }: Check) {
  const known = Object.entries(facts).filter(([, value]) => value !== null)
  if (known.length === 0) return ''
  return html`<br /><small>${known.map(([name, value]) => `${name}: ${value}`).join(', ')}</small>`
}

/** Renders the page; every value is escaped. */
export function statusPage(facts: StatusFacts, checks: readonly Check[]) {
  const ready = checks.every((check) => check.ok)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta http-equiv="refresh" content="10" />
        <title>opusdns-auth-proxy: ${ready ? 'ready' : 'not ready'}</title>
        <style>
          body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; padding: 0 1rem }
          table { border-collapse: collapse; width: 100% }
          th, td { border-bottom: 1px solid #ddd; padding: .4rem .6rem; text-align: left; vertical-align: top }
          .ok { color: #0a6b2c } .bad { color: #b00020 } .warn { color: #8a5a00 }
        </style>
      </head>
      <body>
        <h1>opusdns-auth-proxy is <span class="${ready ? 'ok' : 'bad'}">${ready ? 'ready' : 'not ready'}</span></h1>
        <table>
          <tr><th>Check</th><th>State</th><th>What it says</th></tr>
          ${checks.map(
            (check) => html`<tr>
              <td>${check.name}</td>
              <td class="${check.ok ? 'ok' : 'bad'}">${check.ok ? 'ok' : 'failing'}</td>
              <td>${check.detail}${factsOf(check)}${(check.warnings ?? []).map((text) => html`<br /><span class="warn">${text}</span>`)}</td>
            </tr>`,
          )}
        </table>
        <p>
          Version ${facts.version}, up ${facts.uptime} s, forwarding ${facts.listen.join(', ')} to
          ${facts.upstream}. See also <a href="/readyz">/readyz</a>, <a href="/livez">/livez</a> and
          <a href="/metrics">/metrics</a>.
        </p>
      </body>
    </html>`
}
