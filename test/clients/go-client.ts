// The Go client by its command line, which sends a request again after 429 and 5xx, whatever it was.

import { runClient } from './programs.ts'
import { must } from './scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

function opusdns(
  { endpoint, proxy }: Stage,
  path: string,
  consumer: string,
  args: readonly string[],
) {
  return runClient(path, args, {
    OPUSDNS_API_ENDPOINT: endpoint,
    OPUSDNS_API_KEY: proxy.keys[consumer] ?? '',
  })
}

function scenario(
  title: string,
  consumer: string,
  args: readonly string[],
  expected: { readonly code: 0 | 1; readonly reached: number; readonly says: RegExp },
): Scenario {
  return {
    title: `Go client (${consumer}): ${title}`,
    needs: ['opusdns'],
    async play(stage, path) {
      let said = ''
      const seen = await stage.witnessed(async () => {
        const ended = await opusdns(stage, path('opusdns'), consumer, args)
        must(ended.code === expected.code, `exit code ${ended.code}`, ended.said)
        said = ended.said
      })
      must(seen.length === expected.reached, `${seen.length} requests reached OpusDNS`, said)
      const line = expected.says.exec(said)?.[0]
      must(line !== undefined, 'it says something else', said)
      return line ?? ''
    },
  }
}

/** Scenarios of the Go client. */
export const GO_CLIENT: readonly Scenario[] = [
  scenario('its zone alone in the list', 'acme', ['zones', 'list'], {
    code: 0,
    reached: 1,
    says: /Found 1 zone\(s\)/,
  }),
  scenario('no deletion', 'acme', ['zones', 'delete', 'example.com', '--force'], {
    code: 1,
    reached: 0,
    says: /No grant covers DELETE[^\n]*/,
  }),
  scenario('a zone that is granted', 'dns', ['zones', 'get', 'example.com'], {
    code: 0,
    reached: 1,
    says: /"name": "example\.com\.?"/,
  }),
  scenario('a zone that is not', 'dns', ['zones', 'get', 'example.org'], {
    code: 1,
    reached: 0,
    says: /[Nn]o grant covers[^\n]*|[Nn]ot found[^\n]*/,
  }),
  scenario('only its own zones in the list', 'dns', ['zones', 'list'], {
    code: 0,
    reached: 1,
    says: /Found 2 zone\(s\)/,
  }),
  scenario('no deletion', 'dns', ['zones', 'delete', 'example.com', '--force'], {
    code: 1,
    reached: 0,
    says: /No grant covers DELETE[^\n]*/,
  }),
  scenario('reads the list of domains', 'read', ['domains', 'list'], {
    code: 0,
    reached: 1,
    says: /example\.com/,
  }),
  scenario(
    'no renewal, and no second try',
    'read',
    ['domains', 'renew', 'example.com', '--period', '1', '--force'],
    {
      code: 1,
      reached: 0,
      says: /No grant covers POST[^\n]*/,
    },
  ),
]
