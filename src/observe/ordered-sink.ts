// Stdout for log and audit together. The usual sink writes from another thread, so that a record written
// past it could land in the middle of a log line; here one thread writes all, and waits for nobody.

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'
import type { LogSink } from './log.ts'

const GATHERED_BYTES = 32 * 1024
const GATHERED_TIME = 100
const RETRY_TIME = 50
const WAITING_BYTES = 8 * 1024 * 1024

/** A `LogSink` with a way past the gathering. */
export interface OrderedSink extends LogSink {
  /**
   * Writes `text` behind all that was gathered, at once; returns undefined, or the code of the error
   * that kept all of it out. (Of more than 4 KiB into a pipe that is nearly full, the rest may follow.)
   */
  writeNow(text: string): string | undefined
  flushSync(): void
  lost(): number
  close(): void
}

/**
 * A sink to `fd` that gathers lines as `descriptorSink` does, and keeps 8 MiB for a reader that
 * stalls. A pipe is opened a second time, so that writing to it never blocks; a socket (stdout under
 * systemd) or a terminal may block.
 */
export function orderedSink(fd: number, clock: Clock): OrderedSink {
  let target: number | undefined
  let own = false
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let gathered: string[] = []
  let gatheredUnits = 0
  let lost = 0
  let armed = false

  function opened(): number {
    if (target !== undefined) return target
    target = fd
    if (fstatSync(fd).isFIFO()) {
      try {
        target = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
        own = true
      } catch {
        // Not Linux: a reader that stalls makes the process wait.
      }
    }
    return target
  }
  function gather(): void {
    if (gathered.length === 0) return
    const bytes = Buffer.from(gathered.join(''))
    if (waitingBytes + bytes.length > WAITING_BYTES) lost += gathered.length
    else {
      waiting.push(bytes)
      waitingBytes += bytes.length
    }
    gathered = []
    gatheredUnits = 0
  }
  /** Writes what waits, as far as it goes; returns the code of what stopped it. */
  function push(): string | undefined {
    gather()
    for (let [first] = waiting; first !== undefined; [first] = waiting) {
      try {
        const written = writeSync(opened(), first)
        waitingBytes -= written
        if (written === first.length) waiting.shift()
        else waiting[0] = first.subarray(written)
      } catch (error) {
        const code = errorCode(error)
        if (code === 'EAGAIN') {
          arm(RETRY_TIME)
          return code
        }
        // A full disk, or a reader that is gone for good: as `descriptorSink`, nothing is kept for it.
        lost += waiting.reduce((sum, chunk) => sum + linesOf(chunk), 0)
        waiting = []
        waitingBytes = 0
        return code
      }
    }
    return undefined
  }
  function arm(time: number): void {
    if (armed) return
    armed = true
    clock.after(time, () => {
      armed = false
      push()
    })
  }

  return {
    write(line) {
      gathered.push(line)
      gatheredUnits += line.length
      if (gatheredUnits >= GATHERED_BYTES) push()
      else arm(GATHERED_TIME)
    },
    writeNow(text) {
      const code = push()
      if (code !== undefined) return code
      const bytes = Buffer.from(text)
      try {
        const written = writeSync(opened(), bytes)
        if (written < bytes.length) {
          waiting.push(bytes.subarray(written))
          waitingBytes += bytes.length - written
          arm(RETRY_TIME)
        }
        return undefined
      } catch (error) {
        return errorCode(error)
      }
    },
    flushSync: () => void push(),
    lost: () => lost,
    close() {
      push()
      if (own && target !== undefined) closeSync(target)
      own = false
    },
  }
}

function linesOf(bytes: Buffer): number {
  let count = 0
  for (const byte of bytes) if (byte === 10) count += 1
  return Math.max(1, count)
}
