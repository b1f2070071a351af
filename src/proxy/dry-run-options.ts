// Options of dry runs (`dry_run:` of a consumer).

import { z } from '../base/schema.ts'

/** Options of a consumer that a dry run is. */
export const dryRunShape = {
  dry_run: z
    .boolean()
    .default(false)
    .describe(
      'Answers what its writes to zones would change, and writes nothing; refuses all other writes.',
    ),
}
