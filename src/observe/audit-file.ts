// The audit file: append only, for its owner alone, and followed when an operator's tool moves it away
// or empties it. A line that a full disk cuts is taken back, so that the next one does not join it.

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs'
import type { Stats } from 'node:fs'

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import type { Appended, AuditSink } from './audit-sink.ts'
import { auditTail } from './audit-tail.ts'
import type { Log } from './log.ts'

/** See `auditFile`. */
export interface AuditFileOptions {
  /** Absolute path; made with mode 0600 if it is not there. */
  readonly path: string
}

/** See `auditFile`. */
export interface AuditFileDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Log, 'info' | 'error'>
}

const LOOK_EVERY = 1000
// A pipe without a reader would make the open wait.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

/**
 * The sink of a file. Looks at most once a second whether another file stands at its path, and each time
 * whether its own was deleted.
 */
export function auditFile({ path }: AuditFileOptions, { clock, log }: AuditFileDeps): AuditSink {
  let fd: number | undefined
  /** Whether what comes next must begin with a newline. */
  let midLine = false
  /** Where the file ends if nobody else writes to it. */
  let end = 0
  let lookedAt = 0
  let stuck = false
  let closed = false

  function openFile(): number {
    const opened = openSync(path, FLAGS, 0o600)
    const stats = fstatSync(opened)
    if (stats.isFile() || stats.isCharacterDevice()) return opened
    closeSync(opened)
    throw Object.assign(new Error('not a file'), { code: 'EINVAL' })
  }
  function shut(): void {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }
  function swap(): void {
    if (closed) return
    try {
      const next = openFile()
      const stats = fstatSync(next)
      const moved = fd === undefined || !same(stats, fstatSync(fd))
      shut()
      fd = next
      end = stats.size
      // Nobody knows how the other file ends; an empty line does no harm.
      if (moved) midLine = stats.size > 0
      stuck = false
      log.info({}, 'audit file opened anew')
    } catch (error) {
      // A file that was moved goes on to be written; one that was deleted would swallow records.
      if (fd !== undefined && fstatSync(fd).nlink === 0) shut()
      if (!stuck) log.error({ code: errorCode(error) }, 'audit file cannot be opened anew')
      stuck = true
    }
  }
  function look(): void {
    const now = clock.now()
    const mine = fd === undefined ? undefined : fstatSync(fd)
    // A deleted file would swallow what must not go unrecorded, so that is looked at each time (2 µs).
    if (mine !== undefined && mine.nlink > 0 && now - lookedAt < LOOK_EVERY) return
    lookedAt = now
    const there = statSync(path, { throwIfNoEntry: false })
    if (there === undefined || mine === undefined || !same(there, mine)) swap()
    else {
      // Emptied in place (copytruncate): a cut line is gone with the rest.
      if (mine.size === 0) midLine = false
      end = mine.size
    }
  }
  function put(target: number, bytes: Buffer): Appended {
    let done = 0
    let error: string | undefined
    try {
      while (done < bytes.length) {
        const written = writeSync(target, bytes, done)
        if (written === 0) break
        done += written
      }
    } catch (thrown) {
      error = errorCode(thrown)
    }
    if (done === bytes.length) {
      end += done
      midLine = false
      return { whole: lines(bytes, done), torn: false, error: undefined }
    }
    error ??= 'EIO'
    if (done === 0 || undone(target, end, done)) return { whole: 0, torn: false, error }
    end += done
    midLine = bytes[done - 1] !== NEWLINE
    // All but its newline is a whole line: the next one brings that.
    const whole = lines(bytes, done) + (bytes[done] === NEWLINE ? 1 : 0)
    return { whole, torn: midLine && bytes[done] !== NEWLINE, error }
  }

  return {
    open() {
      try {
        fd = openFile()
        lookedAt = clock.now()
        const stats = fstatSync(fd)
        end = stats.size
        const { open, ...before } = stats.isFile()
          ? auditTail(path)
          : { open: false, last: undefined, torn: false }
        midLine = open
        return before
      } catch (error) {
        shut()
        throw unusable(path, error)
      }
    },
    append(texts) {
      try {
        look()
        if (fd === undefined) return { whole: 0, torn: false, error: closed ? 'EBADF' : 'ENOENT' }
        const prefix = midLine ? '\n' : ''
        const result = put(fd, Buffer.from(prefix + texts.join('')))
        // The first newline ended the line before.
        return prefix === '' ? result : { ...result, whole: Math.max(0, result.whole - 1) }
      } catch (error) {
        return { whole: 0, torn: false, error: errorCode(error) }
      }
    },
    reopen: swap,
    close() {
      closed = true
      shut()
    },
  }
}

const NEWLINE = 10

function same(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev
}

function lines(bytes: Buffer, end: number): number {
  let count = 0
  for (
    let at = bytes.indexOf(NEWLINE);
    at !== -1 && at < end;
    at = bytes.indexOf(NEWLINE, at + 1)
  ) {
    count += 1
  }
  return count
}

/** Takes back `done` bytes behind `end`, if nothing else stands there: another process may write too. */
function undone(target: number, end: number, done: number): boolean {
  try {
    const stats = fstatSync(target)
    if (!stats.isFile() || stats.size !== end + done) return false
    ftruncateSync(target, end)
    return true
  } catch {
    return false
  }
}

function unusable(path: string, error: unknown): Fault {
  return new Fault('config_invalid', {
    detail: 'The audit log cannot be opened.',
    cause: error,
    problems: [
      {
        place: 'audit.to',
        fault: `file:${path} cannot be opened (${errorCode(error) || 'not readable'})`,
        remedy: 'name a file in a folder in which the proxy may write, and which it may read',
      },
    ],
  })
}
