// Every file that is shipped in config/ is what it claims to be.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { jsonSchema, jsonSchemaText } from '../../src/config/json-schema.ts'
import type { JsonSchema } from '../../src/config/json-schema.ts'
import { loadSettings } from '../../src/config/load.ts'

const folder = new URL('../../config/', import.meta.url)
const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8')
const FILES = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const KEY = { OPUSDNS_API_KEY: 'opk_a' }

/** Every key of the schema as a path, and its default; none in a section that may be left out. */
function options(
  schema: JsonSchema,
  above: readonly string[] = [],
  absent = false,
): [string[], unknown][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]): [string[], unknown][] => {
    const path = [...above, key]
    return inner.properties === undefined
      ? [[path, absent ? undefined : inner['default']]]
      : options(inner, path, absent || inner['default'] === undefined)
  })
}

describe('config/', () => {
  test('holds the files that the documentation names', () => {
    expect(FILES).toEqual(
      expect.arrayContaining(['minimal.yaml', 'example.yaml', 'reference.yaml']),
    )
  })

  test.each(FILES)('%s loads without a problem or a warning', async (name) => {
    const text = textOf(name)
    const env = text.includes('env:OPUSDNS_API_KEY') ? KEY : {}
    const { warnings } = await loadSettings({ env, file: { path: name, text } })
    expect(warnings).toEqual([])
  })

  test.each(['minimal.yaml', 'example.yaml', 'reference.yaml'])(
    '%s tells editors where its schema is',
    (name) => {
      expect(textOf(name).split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json')
    },
  )

  test('schema.json is up to date (npm run schema)', () => {
    expect(textOf('schema.json')).toBe(jsonSchemaText())
  })
})

describe('reference.yaml', () => {
  const text = textOf('reference.yaml')
  const written: unknown = parse(text)

  const all = options(jsonSchema()).map(([path, value]) => ({ path, value, name: path.join('.') }))
  const found = (path: readonly string[]) =>
    path.reduce<unknown>(
      (node, key) => (node as Record<string, unknown> | undefined)?.[key],
      written,
    )

  test.each(all.filter(({ value }) => value !== undefined))(
    'has $name with its default',
    ({ path, value }) => {
      expect(found(path)).toEqual(value)
    },
  )

  test.each(all.filter(({ value }) => value === undefined))(
    'has $name, or a comment that shows it',
    ({ path }) => {
      const shown = new RegExp(`^ *# *${path.at(-1)}: \\S`, 'm').test(text)
      expect(shown || found(path) !== undefined).toBe(true)
    },
  )

  test('changes nothing against a start without a file', async () => {
    const { settings } = await loadSettings({ env: KEY, file: { path: 'r', text } })
    expect(settings).toEqual((await loadSettings({ env: KEY })).settings)
  })

  test('shows lines that work when their # is removed', async () => {
    const oauth = text
      .replace(/^ {2}api_key: .*$/m, '')
      .replaceAll(/^( *)# ([a-z_]+: \S+)$/gm, '$1$2')
    const file = { path: 'r', text: oauth.replace(/^ {2}previous_api_key: .*$/m, '') }
    const { settings } = await loadSettings({ env: {}, file })
    expect(settings.upstream.caFile).toBe('/etc/ssl/company-ca.pem')
    expect(settings.credential).toMatchObject({ kind: 'oauth', previous: { kind: 'file' } })
  })
})

describe('the consumer and the listener in reference.yaml', () => {
  const text = textOf('reference.yaml')
  const [block = ''] = /^# consumers:.*\n(?:#.*\n)+/m.exec(text) ?? []
  const uncommented = block.replaceAll(/^# ?/gm, '')
  const consumer = (parse(uncommented) as { consumers: Record<string, unknown> }).consumers[
    'certbot'
  ]

  /** Every option below `schema` as a path; of grants each alternative. */
  function paths(schema: JsonSchema, above = '', into: string[] = []): string[] {
    for (const branch of [schema, ...(schema.anyOf ?? [])]) {
      for (const [key, inner] of Object.entries(branch.properties ?? {})) {
        into.push(`${above}.${key}`)
        paths(inner, `${above}.${key}`, into)
      }
      if (branch.items !== undefined) paths(branch.items, `${above}[]`, into)
    }
    return into
  }
  function writtenPaths(value: unknown, above = '', into: string[] = []): string[] {
    if (Array.isArray(value)) for (const one of value) writtenPaths(one, `${above}[]`, into)
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        into.push(`${above}.${key}`)
        writtenPaths(inner, `${above}.${key}`, into)
      }
    }
    return into
  }

  test('show every option', () => {
    const schema = jsonSchema()
    const one = schema.properties?.['consumers']?.additionalProperties as JsonSchema
    expect(paths(one).length).toBeGreaterThan(30)
    expect(new Set(writtenPaths(consumer))).toEqual(new Set(paths(one)))
    const listen = schema.properties?.['listen']?.items as JsonSchema
    for (const path of paths(listen)) {
      expect(text).toMatch(new RegExp(`^#.*\\b${path.split('.').at(-1)}: `, 'm'))
    }
  })

  test('load, and have the defaults that they say', async () => {
    const rest = `
listen: ['unix:/run/proxy.sock', { address: '127.0.0.1:1', tls: { certificate_file: c, key_file: k, client_ca_file: a } }]
ledger: file:/l.db
credentials: { sandbox: { credential: { api_key: env:OPUSDNS_API_KEY } } }
`
    const read = async (some: string) => {
      const { settings, warnings } = await loadSettings({
        env: KEY,
        file: { path: 'r', text: `${some}${rest}` },
      })
      expect(warnings).toEqual([])
      return settings.consumers
    }
    const defaults = uncommented.replaceAll(/^.*# default.*\n/gm, '')
    expect(defaults).not.toBe(uncommented)
    expect(await read(defaults)).toEqual(await read(uncommented))
  })
})

describe('the schema', () => {
  test('describes every option, and every section', () => {
    const bare: string[] = []
    const look = (schema: JsonSchema, path: string) => {
      for (const [key, inner] of Object.entries(schema.properties ?? {})) {
        if (typeof inner['description'] !== 'string') bare.push(`${path}${key}`)
        look(inner, `${path}${key}.`)
      }
    }
    look(jsonSchema(), '')
    expect(bare).toEqual([])
  })

  test('refuses unknown keys at every level', () => {
    const open: string[] = []
    const look = (schema: JsonSchema, path: string) => {
      if (schema.properties !== undefined && schema['additionalProperties'] !== false)
        open.push(path)
      for (const [key, inner] of Object.entries(schema.properties ?? {}))
        look(inner, `${path}.${key}`)
      for (const branch of schema.anyOf ?? []) look(branch, path)
    }
    look(jsonSchema(), '$')
    expect(open).toEqual([])
  })
})
