// Writes log lines to a file descriptor without making requests wait for it. Its own, for the usual
// library retries for ever where a disk is full or a reader stalls, and so keeps a process from ending.

import { write, writeSync } from 'node:fs'

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'
import type { LogSink } from './log.ts'

const GATHERED_BYTES = 32 * 1024
const GATHERED_TIME = 100
const RETRY_TIME = 50
const WAITING_BYTES = 8 * 1024 * 1024
/** UTF-8 needs at most this many bytes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3
/** Tries of a flush against a reader that takes nothing, 10 ms apart. */
const FLUSH_TRIES = 20

interface Chunk {
  bytes: Buffer
  readonly lines: number
}

const isBusy = (error: unknown) => ['EAGAIN', 'EBUSY'].includes(errorCode(error))

/**
 * A sink that gathers lines and writes them at 32 KiB or after 100 ms, off the event loop. A reader
 * that stalls costs at most 8 MiB of memory; then lines are dropped, and counted, as they are when a
 * write fails. A flush gives up after 0.2 s.
 *
 * Lines are turned into bytes at once: kept as text, the pieces that they are made of would survive
 * into the old generation of the heap, at a cost larger than that of the line.
 */
export function descriptorSink(fd: number, clock: Clock): LogSink {
  const waiting: Chunk[] = []
  let waitingBytes = 0
  let writing = false
  let lost = 0
  let chunk = Buffer.allocUnsafeSlow(GATHERED_BYTES)
  let used = 0
  let lines = 0
  let armed = false

  function enqueue(bytes: Buffer, count: number): void {
    if (waitingBytes + bytes.length > WAITING_BYTES) {
      lost += count
      return
    }
    waiting.push({ bytes, lines: count })
    waitingBytes += bytes.length
  }
  function gather(): void {
    if (used === 0) return
    enqueue(chunk.subarray(0, used), lines)
    chunk = Buffer.allocUnsafeSlow(GATHERED_BYTES)
    used = 0
    lines = 0
  }
  /** Takes what was written off the first chunk; the whole chunk when `written` is undefined. */
  function take(first: Chunk, written: number | undefined): void {
    const size = written ?? first.bytes.length
    waitingBytes -= size
    if (size === first.bytes.length) waiting.shift()
    else first.bytes = first.bytes.subarray(size)
  }
  function drop(first: Chunk): void {
    lost += first.lines
    take(first, undefined)
  }
  function next(): void {
    const [first] = waiting
    if (writing || first === undefined) return
    writing = true
    write(fd, first.bytes, (error, written) => {
      writing = false
      if (error === null) take(first, written)
      else if (isBusy(error)) {
        clock.after(RETRY_TIME, next)
        return
      } else drop(first)
      next()
    })
  }
  return {
    write(line) {
      const most = line.length * BYTES_PER_UNIT
      if (used + most > GATHERED_BYTES) gather()
      if (most > GATHERED_BYTES) {
        enqueue(Buffer.from(line), 1)
        next()
        return
      }
      lines += 1
      used += chunk.write(line, used)
      if (armed) return
      armed = true
      clock.after(GATHERED_TIME, () => {
        armed = false
        gather()
        next()
      })
    },
    flushSync() {
      gather()
      // The first chunk is in the hands of the system; what follows would come before it.
      if (writing) return
      let tries = FLUSH_TRIES
      for (let [first] = waiting; first !== undefined; [first] = waiting) {
        try {
          take(first, writeSync(fd, first.bytes))
        } catch (error) {
          if (!isBusy(error)) drop(first)
          else if (--tries > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
          else return
        }
      }
    },
    lost: () => lost,
  }
}
