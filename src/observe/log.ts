// Structured logs, and the home of pino. One JSON object a line, on stdout. Nothing that could hold a
// secret is passed in: callers name fields one by one and never log a header list, a body or a query.

import pino from 'pino'

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
  /** True when lines of `level` are written; lets the hot path skip building one. */
  enabled(level: LogLevel): boolean
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

/**
 * A sink to a file descriptor that gathers lines: written at 4 KiB or every 100 ms, off the event
 * loop. A reader that stalls costs at most 8 MiB of memory; then lines are dropped, and counted.
 * Requests never wait for the log.
 */
export function descriptorSink(fd: number): LogSink {
  let lost = 0
  const sink = pino.destination({
    fd,
    sync: false,
    minLength: 4096,
    maxLength: 8 * 1024 * 1024,
    periodicFlush: 100,
  })
  sink.on('drop', () => {
    lost += 1
  })
  // A closed pipe or a full disk must not end the program: the requests still need serving.
  sink.on('error', () => {
    lost += 1
  })
  return {
    write: (line) => void sink.write(line),
    flushSync: () => sink.flushSync(),
    lost: () => lost,
  }
}

/** Builds the log. Does no I/O until the first line. */
export function log(options: LogOptions, sink: LogSink): Log {
  const shape = { base: null, formatters: { level: (label: string) => ({ level: label }) } }
  const logger = pino({ ...shape, level: options.level }, sink)
  const announcer = pino({ ...shape, level: 'info' }, sink)
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'): Write =>
    (fields, message) =>
      logger[level](fields, message)
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
    enabled: (level) => logger.isLevelEnabled(level),
    announce(fields, message) {
      announcer.info(fields, message)
      flush()
    },
    flush,
  }
}
