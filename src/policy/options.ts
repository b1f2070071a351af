// Options of what may pass (`policy:` in the file).

import { z } from '../base/schema.ts'
import { BLOCK_GROUPS } from './block-list.ts'
import type { BlockGroup } from './block-list.ts'

/** What may pass besides the ordinary. */
export interface PolicySettings {
  /** Groups that are blocked by default and may pass here. */
  readonly allow: readonly BlockGroup[]
}

const groups = Object.keys(BLOCK_GROUPS) as BlockGroup[]

/** Schema of `policy`. */
export const policyOptions = z
  .strictObject({
    allow: z
      .array(z.enum(groups))
      .default([])
      .describe(`Groups of operations that are blocked unless named here: ${groups.join(', ')}.`),
  })
  .prefault({})
  .transform((written): PolicySettings => ({ allow: [...new Set(written.allow)] }))
