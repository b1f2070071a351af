import { expect, test } from 'vitest'

import { tokenFault } from '../../src/credentials/token-fault.ts'
import type { MintRefusal } from '../../src/credentials/token-reply.ts'

const because = (result: MintRefusal['result']): MintRefusal => ({
  ok: false,
  result,
  detail: 'CANARY',
})

// Found by the property test: the rounding errors of monotonic time made a minute 61 seconds.
test.each([
  [60_000.000_000_06, 60],
  [59_999.999_999_9, 60],
  [1_200, 2],
  [0, 1],
  [Number.NEGATIVE_INFINITY, 1],
])('%f ms until the next try are told as %i s', (retryIn, seconds) => {
  expect(tokenFault(undefined, retryIn).retryAfter).toBe(seconds)
})

test.each([
  ['terminal', 'credential_rejected'],
  ['secret_unavailable', 'secret_unavailable'],
  ['timeout', 'token_unavailable'],
  ['http_5xx', 'token_unavailable'],
] as const)('after %s the client hears %s, in fixed words', (result, code) => {
  const fault = tokenFault(because(result), 1_000)
  expect(fault).toMatchObject({ code, status: 503, source: 'token' })
  expect(fault.message).not.toContain('CANARY')
})
