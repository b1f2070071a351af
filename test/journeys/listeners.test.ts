// Where clients are served: TCP, IPv6, unix sockets, several at once; and what stands in the way.

import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'
import { send } from '../support/wire-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'listeners-'))
let upstream: RawUpstream
const env = (listen: string) => ({
  OPUSDNS_API_BASE: upstream.origin,
  OPUSDNS_API_KEY: SEED_KEY.key,
  OPUSDNS_PROXY_LISTEN: listen,
})
const hasV6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

beforeAll(async () => {
  upstream = await rawUpstream()
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a unix socket', () => {
  test('serves, may be opened by owner and group alone, and goes with its proxy', async () => {
    const path = join(folder, 'one.sock')
    const proxy = await startRunningProxy({ env: env(`unix:${path}`) })
    expect(proxy.listen).toEqual([`unix:${path}`])
    expect(statSync(path).mode & 0o777).toBe(0o660)
    // No browser reaches a unix socket, so any valid Host will do.
    const reply = await send(0, { socketPath: path, host: 'any.name' })
    expect(reply).toMatchObject({ status: 200, text: '{}' })
    proxy.kill('SIGTERM')
    expect((await proxy.exited).code).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  test('that a dead process left behind is replaced', async () => {
    const path = join(folder, 'stale.sock')
    const dead = await startRunningProxy({ env: env(`unix:${path}`) })
    await dead.stop()
    expect(existsSync(path)).toBe(true)
    await startRunningProxy({ env: env(`unix:${path}`) })
    expect((await send(0, { socketPath: path })).status).toBe(200)
  })

  test('on which somebody answers is left alone, and the start fails clearly', async () => {
    const path = join(folder, 'live.sock')
    await startRunningProxy({ env: env(`unix:${path}`) })
    const { code, stderr } = await runCommand({ env: env(`unix:${path}`) })
    expect(code).toBe(1)
    expect(stderr).toContain(path)
    expect(stderr).toContain('something else listens there')
    expect((await send(0, { socketPath: path })).status).toBe(200)
  })

  test('is not made in place of a file', async () => {
    const path = join(folder, 'file.txt')
    writeFileSync(path, 'precious')
    const { code, stderr } = await runCommand({ env: env(`unix:${path}`) })
    expect(code).toBe(1)
    expect(stderr).toContain(path)
    expect(statSync(path).size).toBe(8)
  })

  test('in a folder that is not there: the start fails clearly', async () => {
    const { code, stderr } = await runCommand({ env: env(`unix:${folder}/none/x.sock`) })
    expect(code).toBe(1)
    expect(stderr).toContain('the folder does not exist')
  })
})

describe('several listeners', () => {
  test('serve at once, and the ready line names them all in order', async () => {
    const path = join(folder, 'several.sock')
    const proxy = await startRunningProxy({ env: env(`127.0.0.1:0, unix:${path}, 127.0.0.2:0`) })
    const [first = '', second, third = ''] = proxy.listen
    expect(first).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(second).toBe(`unix:${path}`)
    expect(third).toMatch(/^127\.0\.0\.2:\d+$/)
    expect((await send(Number(first.split(':')[1]))).status).toBe(200)
    expect((await send(Number(third.split(':')[1]), { host: '127.0.0.2' })).status).toBe(200)
    expect((await send(0, { socketPath: path })).status).toBe(200)
  })

  test('are all closed again when one of them cannot be opened', async () => {
    const path = join(folder, 'closed-again.sock')
    const { code } = await runCommand({ env: env(`unix:${path},unix:${folder}/none/x.sock`) })
    expect(code).toBe(1)
    expect(existsSync(path)).toBe(false)
  })

  test.skipIf(!hasV6)('may be on IPv6 loopback', async () => {
    const proxy = await startRunningProxy({ env: env('[::1]:0') })
    const port = Number(/^\[::1\]:(\d+)$/.exec(proxy.listen[0] ?? '')?.[1])
    const reply = await fetch(`http://[::1]:${port}/v1/dns`)
    expect(reply.status).toBe(200)
  })
})

describe('a port that is in use', () => {
  test.each(['OPUSDNS_PROXY_LISTEN', 'OPUSDNS_PROXY_ADMIN'])(
    '(%s) ends the start with its address and exit code 1',
    async (name) => {
      const other = createServer()
      await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
      const address = `127.0.0.1:${(other.address() as AddressInfo).port}`
      const { code, stderr, stdout } = await runCommand({
        env: { ...env('127.0.0.1:0'), [name]: address },
      })
      await new Promise((resolve) => void other.close(resolve))
      expect(code).toBe(1)
      expect(stderr).toContain(address)
      expect(stderr).toContain('something else listens there')
      expect(stderr).toContain('remedy')
      expect(stdout).not.toContain('"msg":"ready"')
    },
  )
})
