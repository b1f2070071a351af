// Keeps memory flat while large bodies stream. Each piece of a body is a buffer outside the heap that
// only a garbage collection frees; the heap itself hardly grows meanwhile, so V8 would wait until some
// 60 to 80 MB of dead pieces lie about.

/** Counts bytes that were streamed. */
export type StreamGarbage = (bytes: number) => void

/** See `streamGarbage`. */
export interface StreamGarbageOptions {
  /** Streamed bytes between two collections. */
  readonly every: number
}

/**
 * Calls `collect` once for every `options.every` bytes. `collect` should free young objects only (a
 * fraction of a millisecond); `undefined` when the process cannot (started without `--expose-gc`).
 */
export function streamGarbage(
  options: StreamGarbageOptions,
  collect: (() => void) | undefined,
): StreamGarbage {
  let bytes = 0
  return function streamed(more) {
    bytes += more
    if (bytes < options.every) return
    bytes = 0
    collect?.()
  }
}
