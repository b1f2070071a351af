// The JSON Schema of the configuration file, for editors (config/schema.json) and for suggestions.

import { z } from '../base/schema.ts'
import { fileSchema } from './schema.ts'

/** As much of JSON Schema as is looked at here. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
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

/** The keys that may stand at `path`; empty when the path leads nowhere. */
export function keysAt(path: readonly PropertyKey[], root: JsonSchema = jsonSchema()): string[] {
  let here: JsonSchema | undefined = root
  for (const key of path) {
    here =
      typeof key === 'number' ? withShape(here)?.items : withShape(here)?.properties?.[String(key)]
  }
  return Object.keys(withShape(here)?.properties ?? {})
}

function withShape(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema?.anyOf?.find((branch) => branch.properties !== undefined) ?? schema
}
