// Opening a secret is rare and visible: every place in src that does is listed here. A new one
// belongs into the list only after someone has asked where the text goes from there.

import { describe, expect, test } from 'vitest'

import { withoutComments } from './scan.ts'
import { filesBelow, textOf } from './tree.ts'

// The word alone counts too: `secrets.map((it) => it.reveal)` opens as well as a call does.
const WORD = /\breveal\b/g

/** How often each file opens a secret, and what for. */
const SITES: Readonly<Record<string, number>> = {
  // Into the outgoing Authorization header.
  'src/credentials/access-token.ts': 1,
  // Into the outgoing X-Api-Key header.
  'src/credentials/api-key.ts': 1,
  // Into the search for it in replies, to mask it there.
  'src/credentials/echo.ts': 1,
  // Into the body of the token request.
  'src/credentials/token-endpoint.ts': 1,
  // Into the next reading of the configuration, as the variable that it was.
  'src/cli/configuration.ts': 1,
  // Onto stdout, once, to whoever made the consumer key.
  'src/cli/keys.ts': 2,
  // Into the search for one field of what a variable holds.
  'src/secrets/env.ts': 1,
  // Into a request to the place that keeps the secret, or into the log-in there.
  'src/secrets/kubernetes-api.ts': 1,
  'src/secrets/onepassword-connect.ts': 1,
  'src/secrets/vault-login.ts': 2,
  'src/secrets/vault-server.ts': 1,
}

function sitesOf(sources: ReadonlyMap<string, string>): Record<string, number> {
  const counts = [...sources].map(([file, source]): [string, number] => [
    file,
    [...withoutComments(source).matchAll(WORD)].length,
  ])
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

describe('secrets', () => {
  test('a site is seen as a call, as a mention and by destructuring, but not in a comment', () => {
    const sources = new Map([
      ['a', 'x.reveal()\nx?.reveal()'],
      ['b', 'xs.map(({ reveal }) => 1)'],
      ['c', "x['reveal']()"],
      ['d', '// x.reveal()\nunrevealed()'],
    ])
    expect(sitesOf(sources)).toEqual({ a: 2, b: 1, c: 1 })
  })

  test('are opened only where this file says', () => {
    const files = filesBelow('src', '.ts').filter((file) => file !== 'src/base/secret.ts')
    expect(sitesOf(new Map(files.map((file) => [file, textOf(file)])))).toEqual(SITES)
  })
})
