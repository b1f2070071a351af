// Who may open a unix socket, from its first moment on.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { bind } from '../../src/server/bind.ts'
import { testListener, hello } from './support.ts'

const run = promisify(execFile)

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'socket-file-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
const socket = (path: string) =>
  ({ kind: 'unix', path, mode: 0o660, owner: undefined, tls: undefined }) as const
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]

describe('a socket file', () => {
  test.each([0o660, 0o600, 0o666, 0o620])('has the mode that was asked for: %o', async (mode) => {
    const path = join(folder(), 'x.sock')
    await testListener(hello, { endpoint: { ...socket(path), mode } })
    expect(statSync(path).mode & 0o777).toBe(mode)
  })

  test('has the owner that was asked for, in halves too', async () => {
    const path = join(folder(), 'x.sock')
    await testListener(hello, { endpoint: { ...socket(path), owner: { uid, gid: undefined } } })
    expect(statSync(path)).toMatchObject({ uid, gid })
    // Only root may give a socket away.
    if (uid !== 0) return
    const given = join(folder(), 'y.sock')
    const owner = { uid: 12_345, gid: 54_321 }
    await testListener(hello, { endpoint: { ...socket(given), owner } })
    expect(statSync(given)).toMatchObject(owner)
    expect(statSync(given).mode & 0o777).toBe(0o660)
  })

  test.skipIf(uid === 0)('that cannot get its owner ends the start, and is gone', async () => {
    const path = join(folder(), 'x.sock')
    const endpoint = { ...socket(path), owner: { uid: 0, gid: undefined } }
    const error: unknown = await testListener(hello, { endpoint }).catch(
      (reason: unknown) => reason,
    )
    if (!(error instanceof Fault)) throw new Error('was accepted')
    expect(error.problems[0]).toMatchObject({ place: `unix:${path}` })
    expect(error.problems[0]?.fault).toContain('owner or mode')
    expect(existsSync(path)).toBe(false)
  })

  test('is private from the moment when it appears, whatever the mask of the process', async () => {
    const path = join(folder(), 'x.sock')
    // A child, for a mask belongs to a whole process, and workers may not set it.
    const script = `
      import { createServer } from 'node:net'
      import { statSync } from 'node:fs'
      import { bind } from '${import.meta.resolve('../../src/server/bind.ts')}'
      process.umask(0)
      const server = createServer()
      const modes = []
      const real = server.listen
      server.listen = (...given) => {
        const result = real.apply(server, given)
        modes.push(statSync(${JSON.stringify(path)}).mode & 0o777)
        return result
      }
      const endpoint = { kind: 'unix', path: ${JSON.stringify(path)}, mode: 0o660 }
      await bind(server, endpoint, process.argv[1] === 'mask' ? process.umask : undefined)
      modes.push(statSync(endpoint.path).mode & 0o777, process.umask(0))
      console.log(JSON.stringify(modes))
      server.close()`
    const modes = async (how: string) => {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, how])
      return JSON.parse(stdout) as number[]
    }
    expect(await modes('mask')).toEqual([0o600, 0o660, 0])
    // What the mask is for: without it, everybody could have come in.
    expect(await modes('no mask')).toEqual([0o777, 0o660, 0])
  })

  test('of a living server is left alone and the start fails', async () => {
    const path = join(folder(), 'x.sock')
    const living = createServer()
    await new Promise<void>((resolve) => void living.listen({ path, backlog: 1 }, resolve))
    onTestFinished(() => void living.close())
    await expect(bind(createServer(), socket(path), undefined)).rejects.toThrow(
      'something else listens there',
    )
    await new Promise<void>((resolve, reject) => {
      const client = connect(path, () => {
        client.destroy()
        resolve()
      })
      client.on('error', reject)
    })
  })
})
