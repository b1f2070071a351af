import { describe, expect, test } from 'vitest'

import { secretMask } from '../../src/proxy/secret-mask.ts'

const masked = (text: string) => secretMask()(Buffer.from(text)).toString()

describe('a secret mask', () => {
  test.each([
    ['a transfer code', '{"auth_code":"Xy-1"}', '{"auth_code":"****"}'],
    ['space around', '{ "auth_code" :\n "Xy-1" }', '{ "auth_code" :\n "****" }'],
    ['a deep one', '{"a":[{"b":{"auth_code":"Xy"}}]}', '{"a":[{"b":{"auth_code":"**"}}]}'],
    ['escapes in the value', '{"auth_code":"a\\"b\\\\"}', '{"auth_code":"******"}'],
    ['an escaped name', '{"auth\\u005fcode":"Xy"}', '{"auth\\u005fcode":"**"}'],
    ['another spelling', '{"AuthCode":"Xy"}', '{"AuthCode":"**"}'],
    ['a number', '{"auth_code":1234,"a":5}', '{"auth_code":1111,"a":5}'],
    ['a list', '{"auth_code":["Xy",{"a":"b"}],"c":"d"}', '{"auth_code":["**",{"*":"*"}],"c":"d"}'],
    ['null', '{"auth_code":null,"a":"b"}', '{"auth_code":null,"a":"b"}'],
    ['a name that is longer', '{"auth_code_expires_on":"2027"}', '{"auth_code_expires_on":"2027"}'],
    ['the name as a value', '{"a":"auth_code","b":"c"}', '{"a":"auth_code","b":"c"}'],
    ['the name in a text', '{"a":"\\"auth_code\\":\\"Xy\\""}', '{"a":"\\"auth_code\\":\\"Xy\\""}'],
    ['nothing secret', '{"name":"example.com"}', '{"name":"example.com"}'],
  ])('%s', (_what, text, expected) => {
    expect(masked(text)).toBe(expected)
  })

  test('does the same wherever the body is cut', () => {
    const text =
      '{"a":"b\\\\","auth\\u005fcode" : "X\\"y-1","p":{"password":["q",7]},"z":"auth_code"}'
    const whole = masked(text)
    expect(whole).not.toContain('y-1')
    for (let first = 0; first <= text.length; first++) {
      for (const second of [first, first + 1, first + 3]) {
        const mask = secretMask()
        const bytes = Buffer.from(text)
        const parts = [
          bytes.subarray(0, first),
          bytes.subarray(first, second),
          bytes.subarray(second),
        ]
        expect(Buffer.concat(parts.map((part) => mask(part))).toString()).toBe(whole)
      }
    }
  })

  test('leaves the bytes of others alone', () => {
    const bytes = Buffer.from('{"name":"example.com"}')
    expect(secretMask()(bytes)).toBe(bytes)
  })
})
