// INTERMEDIARY rule 31: the unix socket, who may open it, and what may stand in its place.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import { BEHIND, get, head, post, rulesKit } from './support.ts'

const kit = rulesKit()
const folder = mkdtempSync(join(tmpdir(), 'rules-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (path: string) => localProxy({ base: kit.upstream.origin, listen: `unix:${path}` })

describe('rule 31: the unix socket', () => {
  test('rule 31: its mode is 0660, whatever the umask, and it goes with its proxy', async () => {
    const path = join(folder, 'mode.sock')
    const proxy = await start(path)
    try {
      expect(statSync(path).mode & 0o777).toBe(0o660)
    } finally {
      await proxy.stop()
    }
    expect(existsSync(path)).toBe(false)
  })

  test('rule 31: it serves any name, and refuses as the others do', async () => {
    const path = join(folder, 'serve.sock')
    const proxy = await start(path)
    const to = { path }
    try {
      const one = await kit.exchange(head('GET /v1/x', 'Host: any.name'), { replies: 1, to })
      expect(one.statuses).toEqual([200])
      for (const [bytes, status] of [
        [`${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400],
        [head('GET /v1/x', 'Host: a', 'Host: b'), 400],
        [get('/v1/%2e%2e/x'), 400],
        ['GARBAGE\r\n\r\n', 400],
      ] as const) {
        const { statuses, end, requests } = await kit.exchange(bytes + BEHIND, { to })
        expect([statuses, end, requests]).toEqual([[status], 'fin', []])
      }
      const page = await kit.exchange(get('/v1/x', 'Origin: https://evil.example'), {
        replies: 1,
        to,
      })
      expect(page.statuses).toEqual([403])
    } finally {
      await proxy.stop()
    }
  })

  test('rule 31: one that a dead process left behind is replaced', async () => {
    const path = join(folder, 'stale.sock')
    const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    expect(() => execFileSync(process.execPath, ['-e', leave])).toThrow(/SIGKILL|Command failed/)
    expect(statSync(path).isSocket()).toBe(true)
    const proxy = await start(path)
    try {
      const { statuses } = await kit.exchange(get('/v1/x'), { replies: 1, to: { path } })
      expect(statuses).toEqual([200])
    } finally {
      await proxy.stop()
    }
  })

  test('rule 31: one on which somebody listens stays his', async () => {
    const path = join(folder, 'live.sock')
    const other = createServer((socket) => {
      socket.on('error', () => undefined).resume()
      socket.end('HTTP/1.1 204 Mine\r\n\r\n')
    })
    await new Promise<void>((resolve) => void other.listen(path, resolve))
    try {
      await expect(start(path)).rejects.toThrow(/something else listens there/)
      const { statuses } = await kit.exchange(get('/v1/x'), { replies: 1, to: { path } })
      expect(statuses).toEqual([204])
    } finally {
      await new Promise<void>((resolve) => void other.close(() => resolve()))
    }
  })

  test('rule 31: a file, a folder or a link in its place is left alone', async () => {
    const file = join(folder, 'precious.txt')
    writeFileSync(file, 'precious')
    chmodSync(file, 0o600)
    const link = join(folder, 'link.sock')
    symlinkSync(file, link)
    for (const path of [file, link, folder])
      await expect(start(path)).rejects.toThrow(/Cannot listen/)
    expect(statSync(file)).toMatchObject({ size: 8, mode: 0o100600 })
  })
})
