// The JSON Schema of the configuration file, for editors (config/schema.json) and for suggestions.

import { z } from '../base/schema.ts'
import { fileSchema } from './schema.ts'

/** As much of JSON Schema as is looked at here. */
export interface JsonSchema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  /** `false`, or what stands under any other key. */
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly [keyword: string]: unknown
}

/** The schema of what users write (draft 2020-12). */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-2020-12' }) as JsonSchema
}

/** The text of config/schema.json: two spaces, and short lists on one line, as the formatter wants. */
export function jsonSchemaText(): string {
  const text = JSON.stringify(jsonSchema(), undefined, 2)
  const folded = text.replaceAll(/^( *(?:"[^"]*": )?)\[\n([^[\]{}]*?)\n *\](,?)$/gm, fold)
  return `${folded}\n`
}

function fold(whole: string, before: string, inner: string, after: string): string {
  const items = inner.split('\n').map((line) => line.trim())
  const line = `${before}[${items.join(' ')}]${after}`
  return line.length <= 100 ? line : whole
}

/** What may stand at `path`; `undefined` when it leads nowhere. Of alternatives, the one with keys. */
export function schemaAt(path: readonly PropertyKey[], root: JsonSchema): JsonSchema | undefined {
  let here = withShape(root)
  for (const key of path) {
    here = withShape(
      typeof key === 'number' ? here?.items : (here?.properties?.[String(key)] ?? anyKey(here)),
    )
  }
  return here
}

/** The keys that may stand at `path`; empty when the path leads nowhere, or users choose the names. */
export function keysAt(path: readonly PropertyKey[], root: JsonSchema): string[] {
  return Object.keys(schemaAt(path, root)?.properties ?? {})
}

function withShape(schema: JsonSchema | undefined): JsonSchema | undefined {
  const branch = schema?.anyOf?.find((one) => one.properties !== undefined || anyKey(one))
  return branch === undefined ? schema : { ...schema, ...branch }
}

/** What stands under names that users choose. */
function anyKey(schema: JsonSchema | undefined): JsonSchema | undefined {
  const { additionalProperties } = schema ?? {}
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}
