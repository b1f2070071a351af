// Log and audit on one descriptor: in order, and never waiting for a reader.

import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { auditStdout } from '../../src/observe/audit-stdout.ts'
import { orderedSink } from '../../src/observe/ordered-sink.ts'
import { manualClock } from '../support/manual-clock.ts'
import { DONE, PURCHASE, READ, WRITE, folder, judged, subject, verified } from './audit-support.ts'

function opened(path: string, flags: string | number): number {
  const fd = openSync(path, flags)
  onTestFinished(() => closeSync(fd))
  return fd
}

function pipe() {
  const path = join(folder(), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = opened(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader, writer: opened(path, 'w') }
}

function drained(fd: number): Buffer {
  const pieces: Buffer[] = []
  for (;;) {
    const piece = Buffer.alloc(65_536)
    let length = 0
    try {
      length = readSync(fd, piece)
    } catch {
      return Buffer.concat(pieces)
    }
    if (length === 0) return Buffer.concat(pieces)
    pieces.push(piece.subarray(0, length))
  }
}

describe('stdout for log and audit', () => {
  test('keeps the order, and writes a record at once', async () => {
    const file = join(folder(), 'out.log')
    const clock = manualClock()
    const sink = orderedSink(opened(file, 'w'), clock)
    sink.write('one\n')
    expect(readFileSync(file, 'utf8')).toBe('')
    expect(sink.writeNow('two\n')).toBeUndefined()
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
    sink.write('three\n')
    await clock.advance(100)
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\nthree\n')
  })

  test('of a reader that stalls refuses records without waiting, and loses no log line', async () => {
    const { reader, writer } = pipe()
    const clock = manualClock()
    const sink = orderedSink(writer, clock)
    const { audit } = subject(auditStdout(sink))
    audit.start()
    const logLine = `{"msg":"${'y'.repeat(1000)}"}\n`
    for (let n = 0; n < 200; n++) sink.write(logLine)
    expect(audit.open(PURCHASE).refuse).toBe(true)
    expect(audit.status()).toMatchObject({ ok: false, error: 'EAGAIN' })
    // The reader comes back.
    const got: Buffer[] = []
    for (let round = 0; round < 10; round++) {
      got.push(drained(reader))
      await clock.advance(100)
    }
    expect(audit.open(PURCHASE).refuse).toBe(false)
    got.push(drained(reader))
    expect(sink.lost()).toBe(0)
    expect(judged(Buffer.concat(got))).toMatchObject({ others: 200, decisions: 1, lost: 1 })
    sink.close()
  })

  test('of a reader that stalls for ever keeps 8 MiB, then counts', () => {
    const { writer } = pipe()
    const sink = orderedSink(writer, manualClock())
    const line = `${'y'.repeat(99_999)}\n`
    for (let n = 0; n < 100; n++) sink.write(line)
    expect(sink.lost()).toBeGreaterThan(10)
    expect(sink.lost()).toBeLessThan(20)
    sink.close()
  })

  test('writes records larger than a pipe takes at once whole, when it is read', async () => {
    const { reader, writer } = pipe()
    const clock = manualClock()
    const sink = orderedSink(writer, clock)
    const { audit } = subject(auditStdout(sink))
    audit.start()
    const names = Array.from({ length: 100 }, (_, n) => `${'x'.repeat(240)}${n}.example.com`)
    const got: Buffer[] = []
    for (let n = 0; n < 10; n++) {
      audit.open({ ...WRITE, names }).close(DONE)
      got.push(drained(reader))
      await clock.advance(50)
    }
    got.push(drained(reader))
    expect(judged(Buffer.concat(got))).toMatchObject({ decisions: 10, open: 0, lost: 0 })
    sink.close()
  })

  test('on a full disk counts what it loses, and goes on', () => {
    const sink = orderedSink(opened('/dev/full', 'w'), manualClock())
    sink.write('one\n')
    sink.write('two\n')
    expect(sink.writeNow('record\n')).toBe('ENOSPC')
    expect(sink.lost()).toBe(2)
    expect(sink.writeNow('record\n')).toBe('ENOSPC')
    expect(sink.lost()).toBe(2)
  })

  test('is a chain that verifies when it goes to a file', () => {
    const file = join(folder(), 'out.log')
    const sink = orderedSink(opened(file, 'a'), manualClock())
    for (let start = 0; start < 2; start++) {
      const { audit } = subject(auditStdout(sink))
      audit.start()
      sink.write('{"msg":"request"}\n')
      audit.open(READ).close(DONE)
      audit.stop()
    }
    sink.flushSync()
    expect(verified(file)).toMatchObject({ chains: 2, records: 6, others: 2 })
  })
})
