// Finds the port that a reader expects, or any other when somebody else has it.

import { createServer } from 'node:net'

/** `preferred` if nobody listens there on 127.0.0.1, else 0: any free one. */
export function portOrAny(preferred: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(0))
    probe.listen(preferred, '127.0.0.1', () => probe.close(() => resolve(preferred)))
  })
}
