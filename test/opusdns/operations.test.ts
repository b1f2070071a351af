import { describe, expect, test } from 'vitest'

import { OPERATIONS, UNKNOWN_OPERATION, operationOf } from '../../src/opusdns/operations.ts'

describe('an operation', () => {
  test('is found for every line of the table by its own template', () => {
    expect(OPERATIONS.length).toBeGreaterThanOrEqual(214)
    for (const operation of OPERATIONS) {
      const path = operation.template.replaceAll(/\{[^}]+\}/g, 'value')
      expect(operationOf(operation.method, path).template).toBe(operation.template)
    }
  })

  test('a literal segment wins over a parameter', () => {
    expect(operationOf('GET', '/v1/dns/summary').template).toBe('/v1/dns/summary')
    expect(operationOf('GET', '/v1/dns/summary.example').template).toBe('/v1/dns/{zone_name}')
    expect(operationOf('PATCH', '/v1/dns/summary/rrsets').template).toBe(
      '/v1/dns/{zone_name}/rrsets',
    )
  })

  test.each([
    ['GET', '/v1/nothing'],
    ['GET', '/v1/dns/example.com/'],
    ['GET', '/V1/dns'],
    ['get', '/v1/dns'],
    ['DELETE', '/v1/dns'],
    ['GET', '/v1/constructor'],
    ['GET', '/v1/__proto__'],
    ['GET', '/'],
  ])('%s %s is unknown', (method, path) => {
    expect(operationOf(method, path)).toBe(UNKNOWN_OPERATION)
  })

  test('that costs money is marked', () => {
    expect(operationOf('POST', '/v1/domains').billable).toBe(true)
    expect(operationOf('POST', '/v1/domains/example.com/renew').billable).toBe(true)
    expect(operationOf('POST', '/v1/jobs').billable).toBe(true)
    expect(operationOf('GET', '/v1/domains').billable).toBe(false)
  })
})
