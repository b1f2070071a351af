// With what the requests of a consumer go out: its own credential, at the origin of that one alone, and the
// organization that it is bound to, whatever the client says.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { gateway } from '../support/gateway.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { send, valuesOf } from '../support/wire-client.ts'

const OWN = 'organization_01h45ytscbebyvny4gc8cr8ma2'
const OTHER = 'organization_01h45ytscbebyvny4gc8cr8mzz'
const SANDBOX = 'opk_sandbox_not_a_secret_1234567890'

test('each goes out with its credential, to its origin, for its organization', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'credential-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key')
  writeFileSync(file, SANDBOX, { mode: 0o600 })
  const answer = () =>
    rawUpstream(({ socket, whole }) => void whole.then(() => socket.write(plainReply('{}'))))
  const [production, sandbox] = [await answer(), await answer()]
  const proxy = await gateway({
    base: production.origin,
    consumers: {
      live: 'grants: [admin]',
      trial: `grants: [admin], credential: sandbox, organization: ${OWN}`,
    },
    config: `credentials: { sandbox: { base: '${sandbox.origin}', credential: { api_key: 'file:${file}' } } }\n`,
  })
  onTestFinished(async () => {
    await proxy.stop()
    await Promise.all([production.close(), sandbox.close()])
  })
  const ask = (consumer: string) =>
    send(proxy.port, {
      path: '/v1/tags',
      headers: ['X-Api-Key', proxy.keys[consumer] ?? '', 'X-Organization-Context', OTHER],
    })
  // The look at a credential when it is first used is none of theirs.
  const asked = ({ requests }: RawUpstream) =>
    requests
      .filter(({ target }) => target === '/v1/tags')
      .map(({ fields }) =>
        ['x-api-key', 'x-organization-context'].map((name) => valuesOf(fields, name)),
      )

  expect((await ask('live')).status).toBe(200)
  const [[key, context] = []] = asked(production)
  expect(key).toHaveLength(1)
  expect(key).not.toEqual([SANDBOX])
  expect(context).toEqual([])
  expect(asked(sandbox)).toEqual([])

  expect((await ask('trial')).status).toBe(200)
  expect(asked(sandbox)).toEqual([[[SANDBOX], [OWN]]])
  expect(asked(production)).toHaveLength(1)
})
