// The audit file over its life: restarts, rotation, crashes, full disks, and two writers.

import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'

import { auditFile } from '../../src/observe/audit-file.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock } from '../support/manual-clock.ts'
import { DONE, PURCHASE, READ, WRITE, folder, records, subject, verified } from './audit-support.ts'
import { WRITER } from './audit-writer.ts'

function written(file: string, count = 2): void {
  const { audit } = subject(file)
  audit.start()
  for (let n = 0; n < count; n++) audit.open(READ).close(DONE)
  audit.stop()
}

describe('after a restart', () => {
  test('a new chain follows the last record of the file', () => {
    const file = join(folder(), 'audit.jsonl')
    for (let start = 0; start < 3; start++) written(file)
    const [stopped, resumed] = records(file).slice(3)
    expect(resumed).toMatchObject({
      seq: 1,
      event: 'resumed',
      after: { chain: stopped?.['chain'], seq: 4 },
    })
    expect(verified(file)).toMatchObject({ chains: 3, records: 12, torn: 0 })
  })

  test('the piece of a line that a crash left is kept, and told of', () => {
    const file = join(folder(), 'audit.jsonl')
    written(file)
    const piece = readFileSync(file).subarray(0, 150)
    for (const length of [1, 9, 30, 150]) {
      const before = readFileSync(file, 'utf8')
      appendFileSync(file, piece.subarray(0, length))
      written(file)
      const text = readFileSync(file, 'utf8')
      expect(text.startsWith(`${before}${piece.subarray(0, length).toString()}\n{`)).toBe(true)
    }
    expect(records(file).filter(({ torn }) => torn === true)).toHaveLength(4)
    expect(verified(file)).toMatchObject({ chains: 5, torn: 4, endsTorn: false })
  })

  test('a last line that lacks only its newline is whole', () => {
    const file = join(folder(), 'audit.jsonl')
    written(file)
    truncateSync(file, statSync(file).size - 1)
    written(file)
    expect(verified(file)).toMatchObject({ chains: 2, records: 8, torn: 0 })
  })

  test('a file that holds something else is written on, whatever its size', () => {
    const file = join(folder(), 'audit.jsonl')
    for (const text of ['something', '\n\n\n', '{"a":1}\n', `${'x'.repeat(3_000_000)}\n`]) {
      writeFileSync(file, text)
      written(file)
      expect(records(file).at(-1)).toMatchObject({ event: 'stopped', seq: 4 })
    }
  })

  test('a process that still drains may go on beside the new one', () => {
    const file = join(folder(), 'audit.jsonl')
    const one = subject(file).audit
    const two = subject(file).audit
    one.start()
    one.open(READ).close(DONE)
    two.start()
    for (let n = 0; n < 3; n++) for (const audit of [one, two]) audit.open(WRITE).close(DONE)
    one.stop()
    two.open(READ).close(DONE)
    expect(verified(file)).toMatchObject({ chains: 2, decisions: 8, open: 0 })
  })
})

describe('after its end', () => {
  test('the file is not opened anew, neither for a late record nor when it is told to', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit, said, lost } = subject(file)
    audit.start()
    const late = audit.open(PURCHASE)
    audit.stop()
    const before = readFileSync(file, 'utf8')
    rmSync(file)
    audit.reopen()
    expect(late.close(DONE)).toBe('lost')
    expect(before).toMatch(/"event":"stopped"}\n$/)
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined()
    expect(lost()).toBe(1)
    expect(said).toEqual(['error: audit records cannot be written {"code":"EBADF"}'])
  })
})

describe('rotation', () => {
  test('by another name is noticed within a second, and the chain goes on in the new file', async () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit, clock } = subject(file)
    audit.start()
    audit.open(READ).close(DONE)
    renameSync(file, `${file}.1`)
    await clock.advance(500)
    audit.open(READ).close(DONE)
    await clock.advance(500)
    audit.open(READ).close(DONE)
    expect(records(`${file}.1`).map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(records(file).map(({ seq }) => seq)).toEqual([4])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(verified(`${file}.1`, file)).toMatchObject({ chains: 1, records: 4, beginsAt: 1 })
    expect(verified(file)).toMatchObject({ records: 1, beginsAt: 4 })
    expect(verified(file, `${file}.1`)).toContain('out of order')
  })

  test('is followed at once when it is told of', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    audit.start()
    renameSync(file, `${file}.1`)
    writeFileSync(file, '', { mode: 0o640 })
    audit.reopen()
    audit.open(READ).close(DONE)
    expect(records(file).map(({ seq }) => seq)).toEqual([2])
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('to a file that ends in the middle of a line begins a new one there', async () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit, clock } = subject(file)
    audit.start()
    for (const end of ['something', 'something\n']) {
      renameSync(file, `${file}.1`)
      writeFileSync(file, end)
      await clock.advance(1000)
      audit.open(READ).close(DONE)
      expect(records(file)).toHaveLength(1)
    }
  })

  test('told of twice leaves the piece of a line apart from the next', () => {
    const file = join(folder(), 'audit.jsonl')
    writeFileSync(file, '{"chain":"')
    const { audit } = subject(file)
    audit.start()
    audit.reopen()
    audit.reopen()
    audit.stop()
    const sink = auditFile(
      { path: file },
      { clock: manualClock(), log: { info: () => undefined, error: () => undefined } },
    )
    appendFileSync(file, 'piece')
    sink.open()
    sink.reopen()
    sink.append(['next\n'])
    sink.close()
    expect(readFileSync(file, 'utf8').endsWith('piece\nnext\n')).toBe(true)
    expect(records(file).map(({ event }) => event)).toEqual(['resumed', 'stopped'])
  })

  test('by copy and truncate goes on at the new end', async () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit, clock } = subject(file)
    audit.start()
    audit.open(READ).close(DONE)
    copyFileSync(file, `${file}.1`)
    truncateSync(file)
    await clock.advance(1000)
    audit.open(READ).close(DONE)
    expect(verified(`${file}.1`, file)).toMatchObject({ chains: 1, records: 3 })
  })

  test('to where no file can be made goes on in the old one, with an alarm', async () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit, clock, said } = subject(file)
    audit.start()
    renameSync(file, `${file}.1`)
    mkdirSync(file)
    for (let n = 0; n < 3; n++) {
      await clock.advance(1000)
      expect(audit.open(PURCHASE).refuse).toBe(false)
    }
    expect(records(`${file}.1`)).toHaveLength(4)
    expect(said).toEqual(['error: audit file cannot be opened anew {"code":"EISDIR"}'])
    rmSync(file, { recursive: true })
    await clock.advance(1000)
    audit.open(READ).close(DONE)
    expect(verified(`${file}.1`, file)).toMatchObject({ records: 5 })
  })

  test('a file that was deleted takes no record, not even within the second', () => {
    const file = join(folder(), 'audit.jsonl')
    const { audit } = subject(file)
    audit.start()
    rmSync(file)
    expect(audit.open(PURCHASE)).toMatchObject({ refuse: false })
    expect(records(file)).toMatchObject([{ event: 'decision', seq: 2 }])
    expect(audit.status()).toMatchObject({ ok: true, lost: 0 })
  })

  test('a file that was deleted with its folder refuses at once what must be recorded', () => {
    const place = join(folder(), 'logs')
    mkdirSync(place)
    const { audit } = subject(join(place, 'audit.jsonl'))
    audit.start()
    rmSync(place, { recursive: true })
    expect(audit.open(PURCHASE).refuse).toBe(true)
    expect(audit.status()).toMatchObject({ ok: false, lost: 1, error: 'ENOENT' })
  })

  test('a file that was deleted with its folder takes no record, until there is a place', async () => {
    const place = join(folder(), 'place')
    const file = join(place, 'audit.jsonl')
    mkdirSync(place)
    const { audit, clock, lost } = subject(file)
    audit.start()
    rmSync(place, { recursive: true })
    await clock.advance(1000)
    expect(audit.open(PURCHASE).refuse).toBe(true)
    expect(lost()).toBe(1)
    expect(audit.status()).toEqual({ ok: false, lost: 1, error: 'ENOENT' })
    mkdirSync(place)
    expect(audit.open(PURCHASE).refuse).toBe(false)
    expect(records(file)[0]).toMatchObject({ event: 'resumed', lost: 1 })
    expect(audit.status()).toEqual({ ok: true, lost: 1, error: undefined })
  })
})

/** Runs the writer; `blocks` bounds the size of the files that it may write, in units of the shell. */
function writer(
  file: string,
  blocks?: number,
): ChildProcessByStdio<null, Readable, null> & {
  said: () => string[]
} {
  const limit = blocks === undefined ? '' : `ulimit -f ${blocks}; `
  const args = ['-c', `${limit}exec "$@"`, 'sh', process.execPath, WRITER, file]
  const child = spawn('/bin/sh', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  // The last line may be cut by the kill.
  const said = () =>
    output
      .slice(0, output.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1)
  return Object.assign(child, { said })
}

async function killed(child: ReturnType<typeof writer>): Promise<void> {
  const over = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await over
}

describe('a process that is killed under load', () => {
  test('has lost no record that it went on from, and the next one goes on', async () => {
    const file = join(folder(), 'audit.jsonl')
    let claimed = 0
    for (let round = 0; round < 3; round++) {
      const child = writer(file)
      await eventually(() => child.said().length > 500)
      await killed(child)
      claimed += child.said().filter((line) => line.startsWith('written')).length
      const ahead = records(file).filter((record) => record['ahead'] === true)
      expect(ahead.length).toBeGreaterThanOrEqual(claimed)
      // One more per round at most: written, and killed before it could say so.
      claimed = ahead.length
    }
    const summary = verified(file)
    expect(summary).toMatchObject({ chains: 3 })
    expect(summary).toMatchObject({ decisions: claimed })
  })
})

describe('a disk that fills up under load', () => {
  test('cuts no line, refuses what is not written, and goes on when there is room', async () => {
    const parent = folder()
    const file = join(parent, 'audit.jsonl')
    const child = writer(file, 100)
    await eventually(() => child.said().at(-1) === 'waiting')
    const full = readFileSync(file)
    expect(full.length).toBeGreaterThan(10_000)
    expect(full.at(-1)).toBe(10)
    expect(verified(file)).toMatchObject({ torn: 0, endsTorn: false, lost: 0 })
    // An operator makes room, by copy and truncate.
    copyFileSync(file, `${file}.copy`)
    truncateSync(file)
    renameSync(`${file}.copy`, `${file}.1`)
    await eventually(() => statSync(file).size > 1000)
    await killed(child)
    expect(readdirSync(parent)).toHaveLength(2)
    const [resumed] = records(file)
    expect(resumed).toMatchObject({ event: 'resumed', lost: expect.any(Number) })
    expect(resumed).not.toHaveProperty('torn')
    const ids = new Set(
      [...records(`${file}.1`), ...records(file)]
        .filter((record) => record['ahead'] === true)
        .map((record) => record['id']),
    )
    const said = child.said().filter((line) => line !== 'waiting')
    for (const line of said) {
      const [outcome, id] = line.split(' ')
      expect(ids.has(id), line).toBe(outcome === 'written')
    }
    // The kill may have come between a piece of a line and its end.
    expect(verified(`${file}.1`, file)).toMatchObject({ chains: 1, torn: 0 })
  })
})
