import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

import { differences } from './differences.ts'
import { OPERATIONS, WITHDRAWN_OPERATIONS } from '../../src/opusdns/operations.ts'

type Item = Record<string, unknown>

/** A document that says just what our table says. */
function faithful(): { paths: Record<string, Item> } {
  const paths: Record<string, Item> = {}
  for (const operation of OPERATIONS) {
    if (WITHDRAWN_OPERATIONS.includes(operation)) continue
    const item = (paths[operation.template] ??= { parameters: [] })
    item[operation.method.toLowerCase()] = {
      tags: [operation.tag, 'a_part_of_it'],
      'x-required-permissions': operation.permissions,
    }
  }
  return { paths }
}

/** As `faithful`, with `items` in place of those of their paths. */
function withItems(items: Record<string, Item>): unknown {
  return { openapi: '3.1.0', paths: { ...faithful().paths, ...items } }
}

describe('the differences', () => {
  test('are none when the document says what the table says', () => {
    expect(differences(faithful())).toEqual([])
  })

  test('are whatever is new, gone, changed or back', () => {
    const document = withItems({
      '/v1/dns/summary': { get: { tags: ['zones'], 'x-required-permissions': ['dns:read'] } },
      '/v1/contacts': { get: { tags: ['contact'], 'x-required-permissions': ['contacts:read'] } },
      '/v1/email-forwards': {
        get: { tags: ['email_forward'] },
        // Order is no difference.
        post: {
          tags: ['email_forward'],
          'x-required-permissions': ['email_forwards:manage', 'dns:manage'],
        },
      },
      '/v1/shop/{item}': { post: { tags: ['shop'], 'x-required-permissions': ['shop:manage'] } },
      '/v1/open': { get: {} },
      '/v1/auth/client_credentials': { get: { tags: ['authentication'] } },
    })
    expect(differences(document).toSorted()).toEqual([
      'back GET /v1/auth/client_credentials authentication -',
      'changed GET /v1/dns/summary: tag dns, now zones',
      'changed GET /v1/email-forwards: permissions email_forwards:read, now -',
      'gone POST /v1/contacts',
      'new GET /v1/open - -',
      'new POST /v1/shop/{item} shop shop:manage',
    ])
  })

  test('cannot steer a terminal', () => {
    const [line] = differences(withItems({ '/v1/\u001b[2J': { get: { tags: ['a\nb'] } } }))
    expect(line).toBe('new GET /v1/?[2J a?b -')
  })

  test.each([[null], [[]], ['text'], [{}], [{ paths: [] }]])('of %j are an error', (document) => {
    expect(() => differences(document)).toThrow('no OpenAPI document')
  })
})

describe('npm run catalogue', () => {
  const folder = mkdtempSync(join(tmpdir(), 'catalogue-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const script = fileURLToPath(new URL('main.ts', import.meta.url))

  function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [script, ...args], (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err })
      })
    })
  }
  function fileOf(name: string, text: string): string {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  test('ends with 0 when nothing differs, and with 1 when something does', async () => {
    const same = await run(fileOf('same.json', JSON.stringify(faithful())))
    expect(same).toEqual({ code: 0, out: '0 differences\n', err: '' })
    const other = withItems({ '/v1/open': { get: { tags: ['open'] } } })
    expect(await run(fileOf('other.json', JSON.stringify(other)))).toEqual({
      code: 1,
      out: 'new GET /v1/open open -\n1 difference\n',
      err: '',
    })
  })

  test('ends with 2 when there is nothing to compare with', async () => {
    for (const args of [[], ['a', 'b'], [join(folder, 'none')], [fileOf('bad.json', '{')]]) {
      // One at a time: this machine may be small.
      const { code, out, err } = await run(...args)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toMatch(/^(?:error|usage): /)
    }
  })
})
