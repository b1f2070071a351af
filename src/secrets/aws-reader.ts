// What the two places of AWS have in common for the source.

/** See `AwsReader`. */
export interface AwsReaderOptions {
  /** Name or ARN. */
  readonly id: string
  /** Undefined for the one that the SDK finds. */
  readonly region: string | undefined
  /** Origin; undefined for the public one. */
  readonly endpoint: string | undefined
  /** Milliseconds of each exchange. */
  readonly timeout: number
  /** For errors. */
  readonly reference: string
}

/** Reads once; `undefined` when there is an answer without a value. Rejects with what the SDK throws. */
export type AwsReader = (signal: AbortSignal) => Promise<Uint8Array | undefined>
