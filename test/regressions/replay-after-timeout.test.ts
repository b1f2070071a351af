// The fault: a request whose 401 waited for another key ran into total_timeout. It was answered 504, then
// sent once more with the new key.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'

test('a request that ran out of time is not sent again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'))
  const command = join(folder, 'key.sh')
  const asked = join(folder, 'asked')
  const answer = join(folder, 'answer')
  // The second time it waits to be told to answer.
  writeFileSync(
    command,
    `#!/bin/sh
if mkdir ${asked}; then echo opk_first_first_first; exit; fi
until [ -e ${answer} ]; do sleep 0.05; done
echo opk_second_second_second
`,
  )
  chmodSync(command, 0o755)
  const upstream = await rawUpstream()
  const proxy = await localProxy({
    base: upstream.origin,
    credential: {},
    config: `credential: { api_key: 'exec:${command}' }\nlimits: { total_timeout: 700ms }`,
  })
  const client = connect(proxy.port, '127.0.0.1')
  let broken = false
  client.on('error', () => (broken = true))
  client.resume()
  try {
    upstream.script = async (request) => {
      await request.whole
      if (request.fields.some((it) => it.startsWith('opk_first'))) {
        request.socket.write(plainReply('{}', 'HTTP/1.1 401 Unauthorized'))
      } else request.socket.write(plainReply())
    }
    const host = `Host: 127.0.0.1:${proxy.port}\r\n`
    await eventually(async () => (await proxy.metric('secret_reloads_total')) === 1)
    client.write(`POST /v1/dns HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`)
    await proxy.accessLine(({ cause }) => cause === 'total_timeout')
    writeFileSync(answer, '')
    await eventually(async () => (await proxy.metric('secret_reloads_total')) === 2)
    // Goes the same way, behind whatever waited for the key.
    expect((await fetch(`http://127.0.0.1:${proxy.port}/v1/dns`)).status).toBe(200)
    expect(upstream.requests.map((it) => it.method)).toEqual(['POST', 'GET'])
    expect(broken).toBe(false)
  } finally {
    client.destroy()
    await proxy.stop()
    await upstream.close()
    rmSync(folder, { recursive: true })
  }
}, 20_000)
