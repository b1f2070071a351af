// `keys new` as a user runs it: the key once on stdout, and nothing of it anywhere else.

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'
import { consumersOf, fromPeer, bare, gateway } from '../consumers/support.ts'
import type { Written } from '../consumers/support.ts'

/** Runs it in a world that has no files, no environment and no signals. */
async function run(...args: string[]) {
  const seen = { stdout: '', stderr: '' }
  const world = new Proxy(
    {
      out: (text: string) => void (seen.stdout += text),
      err: (text: string) => void (seen.stderr += text),
    },
    {
      get(target, name) {
        if (name in target) return target[name as keyof typeof target]
        throw new Error(`keys looked at ${String(name)}`)
      },
    },
  ) as unknown as World
  const code = await runProgram(['keys', 'new', ...args], world)
  return { code, ...seen }
}

describe('keys new', () => {
  test('prints the key alone to stdout, and the lines that let it in to stderr', async () => {
    const { code, stdout, stderr } = await run('--consumer', 'certbot', '--expires', '90d')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^opxk_[a-z][a-z2-7]{7}_[0-9A-Za-z]{49}\n$/)
    expect(stderr).not.toContain(stdout.slice(14, 30))
    const { consumers } = parse(stderr) as { consumers: Record<string, Written> }
    const [[, settings] = ['', undefined]] = consumersOf(consumers)
    expect((settings?.keys[0]?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(89.9 * 86_400_000)
    const { identify } = gateway(consumers)
    const call = { ...bare(fromPeer('203.0.113.1')), apiKey: stdout.trim() }
    expect(identify(call)).toMatchObject({ consumer: 'certbot', by: 'key' })
  })

  test('stores what anybody can compute: the SHA-256 of the whole key', async () => {
    const { stdout, stderr } = await run('--json', '--expires', '2126-01-31')
    expect(stderr).toBe('')
    const { id, key, sha256, expires } = JSON.parse(stdout) as Record<string, string>
    expect(key?.split('_')[1]).toBe(id)
    expect(createHash('sha256').update(`${key}`).digest('hex')).toBe(sha256)
    expect(expires).toBe('2126-01-31T00:00:00Z')
  })

  test('never makes the same key twice', async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, async () => (await run()).stdout))
    expect(new Set(keys).size).toBe(50)
  })

  test.each([
    ['--expires', '2126-02-30'],
    ['--expires', '2020-01-01'],
    ['--expires', 'soon'],
    ['--expires', '0d'],
    ['--consumer', 'Cert Bot'],
    ['--consumer', '__proto__'],
  ])('refuses %s %s and makes none', async (...args) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(args[0])
    expect(stderr).toContain('remedy:')
  })
})
