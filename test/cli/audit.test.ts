// `audit verify` as an operator runs it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'

import { auditVerifyCommand } from '../../src/cli/audit.ts'
import { DONE, READ, WRITE, folder, subject } from '../observe/audit-support.ts'
import { runCommand } from '../support/running-proxy.ts'

function file(requests = 3): string {
  const path = join(folder(), 'audit.jsonl')
  const { audit } = subject(path)
  audit.start()
  for (let n = 0; n < requests; n++) audit.open(n % 2 === 0 ? WRITE : READ).close(DONE)
  audit.stop()
  return path
}

async function verify(...files: readonly string[]) {
  let out = ''
  let err = ''
  const world = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  }
  return { code: await auditVerifyCommand(files, world), out, err }
}

describe('audit verify', () => {
  test('is a command of the program: 0 and counts, or 1 and the first place that breaks', async () => {
    const path = file()
    expect(await runCommand({ args: ['audit', 'verify', path] })).toMatchObject({
      code: 0,
      stdout: 'OK: 7 records (3 decisions) in 1 chains\n',
      stderr: '',
    })
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('"consumer":"certbot"', '"consumer":"x"'),
    )
    expect(await runCommand({ args: ['audit', 'verify', path] })).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^BROKEN at .*audit\.jsonl:3: record 3 of chain [0-9a-f]{16} /),
    })
    const bare = await runCommand({ args: ['audit', 'verify'] })
    expect(bare.code).toBe(1)
    expect(bare.stderr).toContain('files')
  })

  test('reads files in the order given, packed or not, as one sequence', async () => {
    const path = file(20)
    const lines = readFileSync(path, 'utf8').split(/(?<=\n)/)
    writeFileSync(`${path}.2.gz`, gzipSync(lines.slice(0, 9).join('')))
    writeFileSync(`${path}.1`, lines.slice(9, 20).join(''))
    writeFileSync(path, lines.slice(20).join(''))
    expect(await verify(`${path}.2.gz`, `${path}.1`, path)).toMatchObject({ code: 0 })
    const swapped = await verify(`${path}.1`, `${path}.2.gz`, path)
    expect(swapped.code).toBe(1)
    expect(swapped.out).toContain('.2.gz:1: ')
    const missing = await verify(`${path}.2.gz`, path)
    expect(missing.out).toContain(`${path}:1: record 21 of chain`)
    expect(missing.out).toContain('follows 9: 11 missing')
  })

  test('says what it could not look at', async () => {
    const path = file()
    expect(await verify(join(folder(), 'nowhere'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENOENT'),
    })
    writeFileSync(`${path}.gz`, 'not packed')
    expect(await verify(`${path}.gz`)).toMatchObject({ code: 1, out: '' })
    writeFileSync(path, '{"level":"info"}\n')
    expect(await verify(path)).toMatchObject({ code: 1, out: expect.stringContaining('no audit') })
    writeFileSync(path, 'x'.repeat(3_000_000))
    expect(await verify(path)).toMatchObject({ code: 1, out: expect.stringContaining('too long') })
  })

  test('says what is not there, as far as the chain tells', async () => {
    const path = file()
    const lines = readFileSync(path, 'utf8').split(/(?<=\n)/)
    writeFileSync(
      path,
      [...lines.slice(1, -2), 'a log line\n', (lines.at(-1) ?? '').slice(0, 50)].join(''),
    )
    const { code, out } = await verify(path)
    expect(code).toBe(0)
    expect(out).toContain('the first record is number 2')
    expect(out).toContain('1 allowed without an outcome')
    expect(out).toContain('1 other lines')
  })
})
