import { describe, expect, test } from 'vitest'

import { FAULTS, Fault } from '../../src/base/fault.ts'
import type { FaultCode } from '../../src/base/fault.ts'
import { problemBody, problemFields } from '../../src/proxy/refusal.ts'

const CODES = Object.keys(FAULTS) as FaultCode[]
const valueOf = (fields: readonly string[], name: string) => fields[fields.indexOf(name) + 1]

describe('every fault', () => {
  test.each(CODES)('%s is a problem that clients can read and that says who it is from', (code) => {
    const fault = new Fault(code, { detail: 'Something.', cause: new Error('canary') })
    const body = problemBody(fault, 'id-1')
    expect(JSON.parse(body)).toEqual({
      type: `urn:opusdns-auth-proxy:problem:${code}`,
      title: fault.title,
      status: fault.status,
      detail: 'Something.',
      code,
      message: 'Something.',
      error_code: code,
      request_id: 'id-1',
    })
    const fields = problemFields(fault, 'id-1', body.length)
    expect(valueOf(fields, 'Content-Type')).toBe('application/problem+json')
    expect(valueOf(fields, 'Cache-Control')).toBe('no-store')
    expect(valueOf(fields, 'Content-Length')).toBe(String(body.length))
    expect(valueOf(fields, 'X-Request-Id')).toBe('id-1')
    expect(valueOf(fields, 'Proxy-Status')).toBe(
      `opusdns-auth-proxy; error=${fault.proxyStatus}; details="${code}"`,
    )
    expect(body + fields.join()).not.toContain('canary')
    expect(body).not.toContain('dnssec_status')
  })

  test('of policy is a 4xx, and one that may have cost money is no 5xx', () => {
    for (const code of CODES) {
      const { source, status } = new Fault(code, { detail: '' })
      if (source === 'policy') expect(Math.floor(status / 100)).toBe(4)
    }
    expect(new Fault('outcome_unknown', { detail: '' }).status).toBe(409)
  })
})

describe('fields of some faults alone', () => {
  const fieldsOf = (code: FaultCode, retryAfter?: number) =>
    problemFields(new Fault(code, { detail: '', ...(retryAfter ? { retryAfter } : {}) }), 'id', 0)

  test('Retry-After is there when the fault knows when', () => {
    expect(valueOf(fieldsOf('overloaded', 3), 'Retry-After')).toBe('3')
    expect(fieldsOf('overloaded')).not.toContain('Retry-After')
  })

  test('a 401 has WWW-Authenticate, a 405 has Allow', () => {
    expect(valueOf(fieldsOf('invalid_token'), 'WWW-Authenticate')).toContain('Bearer')
    expect(valueOf(fieldsOf('method_not_allowed'), 'Allow')).toContain('PATCH')
    expect(fieldsOf('bad_request')).not.toContain('Allow')
  })
})
