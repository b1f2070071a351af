// `npm run schema`: writes config/schema.json. A test fails when it was forgotten.

import { writeFileSync } from 'node:fs'

import { jsonSchemaText } from './json-schema.ts'

writeFileSync(new URL('../../config/schema.json', import.meta.url), jsonSchemaText())
