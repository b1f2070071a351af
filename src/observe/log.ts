// Structured logs, and the home of pino. One JSON object a line, on stdout. Nothing that could hold a
// secret is passed in: callers name fields one by one and never log a header list, a body or a query.

import pino from 'pino'

import type { Clock } from '../base/clock.ts'
import { accessLine } from './access-line.ts'
import type { AccessRecord } from './access-line.ts'

/** Severity, lowest first; `silent` writes nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** See `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number]

type Write = (fields: Record<string, unknown>, message: string) => void

/** What the program says. Fields first, a short lower-case message second. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  readonly fatal: Write
  /** Writes an info line whatever the level, and at once: for the lines that other programs wait for. */
  readonly announce: Write
  /** Writes the line of one request, if its level is written. */
  access(record: Omit<AccessRecord, 'time'>): void
  /** Writes out what is buffered, at once. Call it before the process ends. */
  flush(): void
}

/** Where lines go. */
export interface LogSink {
  write(line: string): void
  /** Writes what was gathered, at once. */
  flushSync?(): void
  /** Lines that could not be written so far. */
  lost?(): number
}

/** See `log`. */
export interface LogOptions {
  readonly level: LogLevel
}

/** Builds the log. Does no I/O until the first line. */
export function log(options: LogOptions, sink: LogSink, clock: Pick<Clock, 'wall'>): Log {
  const shape = { base: null, formatters: { level: (label: string) => ({ level: label }) } }
  const logger = pino({ ...shape, level: options.level }, sink)
  const announcer = pino({ ...shape, level: 'info' }, sink)
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'): Write =>
    (fields, message) =>
      logger[level](fields, message)
  const infos = logger.isLevelEnabled('info')
  const warnings = logger.isLevelEnabled('warn')
  function flush(): void {
    try {
      sink.flushSync?.()
    } catch {
      // The sink is not open yet, or its reader is gone; there is nobody to tell.
    }
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    access(record) {
      if (!(record.level === 'info' ? infos : warnings)) return
      sink.write(accessLine({ ...record, time: clock.wall() }))
    },
    announce(fields, message) {
      announcer.info(fields, message)
      flush()
    },
    flush,
  }
}
