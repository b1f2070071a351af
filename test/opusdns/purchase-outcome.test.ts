import { expect, test } from 'vitest'

import { purchaseOutcome } from '../../src/opusdns/purchase-outcome.ts'

const headers = (...fields: string[]) => fields.map((text) => Buffer.from(text))
const NONE = headers('Content-Type', 'application/problem+json')

test.each([200, 201, 202, 204])('%i is a purchase', (status) => {
  expect(purchaseOutcome(status, NONE)).toBe('done')
})

test.each([400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 425, 429, 451])(
  '%i is none',
  (status) => {
    expect(purchaseOutcome(status, NONE)).toBe('refused')
  },
)

test.each([0, 100, 301, 307, 308, 408, 499, 500, 502, 503, 504, 599, 600])(
  '%i says nothing',
  (status) => {
    expect(purchaseOutcome(status, NONE)).toBe('unclear')
  },
)

test('a 409 of an intermediary says that nobody knows', () => {
  const marked = headers('PROXY-STATUS', 'opusdns-auth-proxy; details="outcome_unknown"')
  expect(purchaseOutcome(409, marked)).toBe('unclear')
  expect(purchaseOutcome(403, marked)).toBe('refused')
  expect(purchaseOutcome(409, headers('X-Note', 'proxy-status'))).toBe('refused')
})
