// The demo as a new user runs it: what it teaches, what it never shows, and how it ends.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { ask } from './client.ts'

const MAIN = join(import.meta.dirname, 'main.ts')
const REAL_KEY = 'a-real-key-of-the-user'

// A folder as users have it: with their own credential lying about.
const folder = mkdtempSync(join(tmpdir(), 'demo-'))
writeFileSync(join(folder, '.env'), `OPUSDNS_API_KEY=${REAL_KEY}\n`)
const started: { kill(signal: 'SIGKILL'): boolean }[] = []
const held: Server[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  for (const server of held.splice(0)) server.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

function run(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], OPUSDNS_API_KEY: REAL_KEY },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let output = ''
  const add = (piece: Buffer) => {
    output += piece.toString()
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  return { child, exit: once(child, 'exit'), output: () => output }
}

/** Takes a port, unless somebody else has it already. */
async function hold(port: number): Promise<void> {
  const server = createServer((socket) => socket.destroy())
  held.push(server)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch(() => undefined)
}

describe('the demo', () => {
  test('teaches what the proxy does, within 20 seconds, and shows no secret', async () => {
    const began = performance.now()
    const { exit, output } = run('--once')
    expect(await exit).toEqual([0, null])
    expect(performance.now() - began).toBeLessThan(20_000)

    const text = output()
    // One line of its own for each sentence that wrapping may break.
    const flat = text.replace(/\s+/g, ' ')
    const bearer = String.raw`Authorization: Bearer <sha256 ([0-9a-f]{12})>`
    expect(flat).toMatch(
      new RegExp(
        `\\(no credential\\) OpusDNS saw ${bearer} client got 200 .* token requests 1 so far`,
      ),
    )
    expect(flat).toMatch(new RegExp(`X-Api-Key: placeholder OpusDNS saw ${bearer} client got 200`))
    const healed = new RegExp(`${bearer} -> 401 OpusDNS saw ${bearer} -> 200 client got 200`)
    const [, old, fresh] = healed.exec(flat) ?? []
    expect(old).toBeDefined()
    expect(fresh).not.toBe(old)
    expect(flat).toContain('token requests 1 for this')
    expect(flat).toMatch(/client got (\d+) of \1 answers are 200/)
    expect(flat).toMatch(/OpusDNS saw [2-9] different tokens, and refused 0 of \d+ requests/)
    expect(flat).toMatch(/OpusDNS saw nothing client got 403 blocked_by_default .*policy\.allow/)
    expect(flat).toMatch(/OpusDNS saw nothing client got 400 path_not_canonical/)
    const origin = /proxy +(http:\S+)/.exec(text)?.[1]
    const admin = /operators +(http:\S+)/.exec(text)?.[1]
    for (const line of [
      `curl ${origin}/v1/dns/example.com`,
      `curl -N '${origin}/v1/availability/stream?`,
      `curl ${admin}/readyz`,
      `curl -s ${admin}/metrics`,
      `page in a browser: ${admin}/`,
      'OPUSDNS_API_KEY=opk_... npm start',
    ]) {
      expect(text).toContain(line)
    }

    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const secret of [SEED_CLIENT.secret, REAL_KEY, 'eyJ', '\u001B']) {
      expect(text).not.toContain(secret)
    }
  })

  test('takes other ports when its own are taken, tells of visitors, and ends with 0 on Ctrl-C', async () => {
    await hold(8080)
    await hold(9090)
    const { child, exit, output } = run()
    await expect.poll(output, { timeout: 20_000 }).toContain('Ctrl-C ends the demo')
    const origin = /proxy +(http:\S+)/.exec(output())?.[1] ?? ''
    const admin = /operators +(http:\S+)/.exec(output())?.[1] ?? ''
    expect(origin).not.toMatch(/:8080$/)
    expect(admin).not.toMatch(/:9090$/)

    expect((await ask(admin, 'GET', '/readyz')).status).toBe(200)
    expect((await ask(origin, 'GET', '/v1/domains')).status).toBe(200)
    await expect.poll(output).toMatch(/GET \/v1\/domains -> 200 by OpusDNS; \d+ token requests/)
    expect((await ask(origin, 'GET', '/elsewhere')).status).toBe(404)
    await expect.poll(output).toContain('GET /elsewhere -> 404 by the proxy (not_found)')
    // Nothing of the tour itself, whose last requests were refused.
    const told = output().split('Ctrl-C ends the demo.')[1] ?? ''
    expect(told.match(/ -> \d+ by/g)).toHaveLength(2)

    // Twice, as npm and the terminal do together.
    child.kill('SIGINT')
    child.kill('SIGINT')
    expect(await exit).toEqual([0, null])
    await expect(ask(origin, 'GET', '/v1/domains')).rejects.toThrow('ECONNREFUSED')
    await expect(ask(admin, 'GET', '/livez')).rejects.toThrow('ECONNREFUSED')
  })

  test('ends with 0 in the middle of the tour, and leaves no proxy behind', async () => {
    const { child, exit, output } = run()
    await expect.poll(output, { timeout: 20_000 }).toContain('token requests 1 so far')
    const origin = /proxy +(http:\S+)/.exec(output())?.[1] ?? ''
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
    await expect(ask(origin, 'GET', '/v1/domains')).rejects.toThrow('ECONNREFUSED')
  })
})
