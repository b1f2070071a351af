// Writes log lines to a file descriptor without making requests wait for it.

import pino from 'pino'

import type { Cancel, Clock } from '../base/clock.ts'
import type { LogSink } from './log.ts'

const GATHERED_BYTES = 32 * 1024
const GATHERED_TIME = 100
const WAITING_BYTES = 8 * 1024 * 1024
/** UTF-8 needs at most this many bytes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3

/**
 * A sink that gathers lines and writes them at 32 KiB or after 100 ms, off the event loop. A reader
 * that stalls costs at most 8 MiB of memory; then lines are dropped, and counted.
 *
 * Lines are turned into bytes at once: kept as text, the pieces that they are made of would survive
 * into the old generation of the heap, at a cost larger than that of the line.
 */
export function descriptorSink(fd: number, clock: Clock): LogSink {
  let lost = 0
  let lines = 0
  let chunk = Buffer.allocUnsafeSlow(GATHERED_BYTES)
  let used = 0
  let cancel: Cancel | undefined
  const sink = pino.destination({
    fd,
    sync: false,
    contentMode: 'buffer',
    maxWrite: 4 * GATHERED_BYTES,
    maxLength: WAITING_BYTES,
  })
  const loseChunk = () => {
    lost += lines
  }
  sink.on('drop', loseChunk)
  // A closed pipe or a full disk must not end the program: the requests still need serving.
  sink.on('error', loseChunk)

  function pass(bytes: Buffer): void {
    sink.write(bytes as unknown as string) // its types know only text
    lines = 0
  }
  function gathered(): void {
    cancel?.()
    cancel = undefined
    if (used === 0) return
    const full = chunk.subarray(0, used)
    chunk = Buffer.allocUnsafeSlow(GATHERED_BYTES)
    used = 0
    pass(full)
  }
  return {
    write(line) {
      const most = line.length * BYTES_PER_UNIT
      if (used + most > GATHERED_BYTES) gathered()
      lines += 1
      if (most > GATHERED_BYTES) {
        pass(Buffer.from(line))
        return
      }
      used += chunk.write(line, used)
      cancel ??= clock.after(GATHERED_TIME, gathered)
    },
    flushSync() {
      gathered()
      sink.flushSync()
    },
    lost: () => lost,
  }
}
