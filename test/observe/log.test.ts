import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'
import { systemClock } from '../../src/base/clock.ts'
import { descriptorSink } from '../../src/observe/descriptor-sink.ts'
import { LOG_LEVELS, log } from '../../src/observe/log.ts'
import type { LogLevel } from '../../src/observe/log.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock } from '../support/manual-clock.ts'

function make(level: LogLevel) {
  const lines: string[] = []
  const journal = log({ level }, { write: (line) => void lines.push(line) }, systemClock)
  return {
    journal,
    lines,
    parsed: () => lines.map((line) => JSON.parse(line) as { level: string }),
  }
}

describe('the log', () => {
  test('is one JSON object a line, with level in words, time and message', () => {
    const { journal, lines } = make('info')
    journal.info({ path: 'a\nb', none: undefined }, 'hello')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.any(Number),
      path: 'a\nb',
      msg: 'hello',
    })
  })

  test.each(LOG_LEVELS)('at %s writes that level and what is above it', (level) => {
    const { journal, parsed } = make(level)
    const speaking = ['debug', 'info', 'warn', 'error', 'fatal'] as const
    for (const each of speaking) journal[each]({}, each)
    const from = LOG_LEVELS.indexOf(level)
    const expected = speaking.filter((each) => LOG_LEVELS.indexOf(each) >= from)
    expect(parsed().map((line) => line.level)).toEqual(expected)
  })

  test.each(['info', 'error', 'silent'] as const)(
    'at %s still announces what others wait for, and at once',
    (level) => {
      let flushed = 0
      const lines: string[] = []
      const sink = {
        write: (line: string) => void lines.push(line),
        flushSync: () => void flushed++,
      }
      log({ level }, sink, systemClock).announce({ listen: ['127.0.0.1:1'] }, 'ready')
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'ready' })
      expect(flushed).toBe(1)
    },
  )

  test('hides a secret that was passed in by mistake', () => {
    const { journal, lines } = make('info')
    journal.info({ secret: Secret.of('opk_very_secret') }, 'oops')
    expect(lines.join()).not.toContain('very_secret')
    expect(lines.join()).toContain('[secret]')
  })

  const RECORD = {
    level: 'info',
    id: 'a-1',
    method: 'GET',
    operation: '/v1/dns/{zone_name}',
    path: '/v1/dns/example.com',
    status: 200,
    source: 'upstream',
    consumer: 'anonymous',
    ms: 1.23456,
    upstreamMs: undefined,
    upstreamId: undefined,
    attempts: 1,
    code: undefined,
    cause: undefined,
    complete: true,
  } as const

  test('writes a request as one line of the same form', () => {
    const { journal, parsed } = make('info')
    journal.access(RECORD)
    journal.access({
      ...RECORD,
      level: 'warn',
      upstreamMs: 2,
      upstreamId: 'u"1\n',
      path: '/v1/x"y',
      attempts: 2,
      code: 'upstream_timeout',
      cause: 'UND_ERR',
      complete: false,
    })
    const time = expect.any(Number)
    const { level, id, method, operation, path, status, source, consumer } = RECORD
    const same = { time, id, method, operation, status, source, consumer, ms: 1.23, msg: 'request' }
    expect(parsed()).toEqual([
      { ...same, level, path },
      {
        ...same,
        level: 'warn',
        path: '/v1/x"y',
        upstream_ms: 2,
        upstream_id: 'u"1\n',
        attempts: 2,
        code: 'upstream_timeout',
        cause: 'UND_ERR',
        complete: false,
      },
    ])
  })

  test('writes no request below its level', () => {
    const { journal, lines } = make('warn')
    journal.access(RECORD)
    expect(lines).toEqual([])
    journal.access({ ...RECORD, level: 'warn' })
    expect(lines).toHaveLength(1)
  })

  test('does not end the program when its sink cannot be flushed', () => {
    const sink = {
      write: () => undefined,
      flushSync() {
        throw new Error('gone')
      },
    }
    expect(() => log({ level: 'info' }, sink, systemClock).flush()).not.toThrow()
  })
})

describe('a sink to a descriptor', () => {
  test('writes lines within moments, and what is left when it is flushed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'log-'))
    const file = join(folder, 'out.log')
    const descriptor = openSync(file, 'w')
    const sink = descriptorSink(descriptor, systemClock)
    sink.write('first\n')
    await eventually(() => readFileSync(file, 'utf8') === 'first\n')
    sink.write('second\n')
    sink.flushSync?.()
    // At once, or right behind the write that is under way.
    await eventually(() => readFileSync(file, 'utf8') === 'first\nsecond\n')
    expect(sink.lost?.()).toBe(0)
    closeSync(descriptor)
    rmSync(folder, { recursive: true })
  })

  test('flushes at once while nothing is under way', () => {
    const folder = mkdtempSync(join(tmpdir(), 'log-'))
    const file = join(folder, 'out.log')
    const descriptor = openSync(file, 'w')
    const sink = descriptorSink(descriptor, manualClock())
    sink.write('first\n')
    sink.write('last ü\n')
    sink.flushSync?.()
    const text = readFileSync(file, 'utf8')
    expect(text).toBe('first\nlast ü\n')
    closeSync(descriptor)
    rmSync(folder, { recursive: true })
  })

  test('writes a line larger than its buffer whole and in order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'log-'))
    const file = join(folder, 'out.log')
    const descriptor = openSync(file, 'w')
    const sink = descriptorSink(descriptor, systemClock)
    const large = 'ü'.repeat(100_000)
    sink.write('first\n')
    sink.write(`${large}\n`)
    sink.write('last\n')
    await eventually(() => readFileSync(file, 'utf8').endsWith('last\n'))
    expect(readFileSync(file, 'utf8') === `first\n${large}\nlast\n`).toBe(true)
    closeSync(descriptor)
    rmSync(folder, { recursive: true })
  })

  test('counts the lines that a full disk does not take, and goes on', async () => {
    const descriptor = openSync('/dev/full', 'w')
    const sink = descriptorSink(descriptor, systemClock)
    sink.write('one\n')
    sink.write('two\n')
    sink.flushSync?.()
    expect(sink.lost?.()).toBe(2)
    sink.write('three\n')
    await eventually(() => sink.lost?.() === 3)
    closeSync(descriptor)
  })

  test('gives up a flush to a reader that takes nothing, and keeps the lines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'log-'))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    const sink = descriptorSink(descriptor, systemClock)
    for (let line = 0; line < 3000; line++) sink.write(`${'y'.repeat(99)}\n`)
    const before = performance.now()
    sink.flushSync?.()
    expect(performance.now() - before).toBeLessThan(5000)
    expect(sink.lost?.()).toBe(0)
    // The reader comes back: everything arrives.
    let bytes = 0
    const buffer = Buffer.alloc(65_536)
    await eventually(() => {
      try {
        bytes += readSync(descriptor, buffer)
      } catch {
        // Empty for the moment.
      }
      return bytes === 300_000
    })
    closeSync(descriptor)
    rmSync(folder, { recursive: true })
  })
})
