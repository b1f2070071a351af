// Fuzzes the configuration: spoiled texts of the reference file, and random trees near the schema. The
// outcome is settings, or every problem with place, fault and remedy; a pasted secret is never quoted.

/* oxlint-disable unicorn/no-useless-spread -- many short texts on a line read better than a line for each */

import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'

import fc from 'fast-check'

import { Fault } from '../../src/base/fault.ts'
import { fileSchema } from '../../src/config/schema.ts'
import { loadSettings } from '../../src/config/load.ts'
import { mutated, mutations } from './mutations.ts'
import { still } from './subject.ts'

const REFERENCE = readFileSync(new URL('../../config/reference.yaml', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => !/^\s*(?:#|$)/.test(line) || /^\s*# \w+: /.test(line))
/** Looks like what people paste by mistake. */
const PASTED = 'opkq_9hRb2PASTEDx81_Secret'
const SLOW = 3_000

async function judge(text: string, env: Record<string, string> = {}): Promise<void> {
  const began = performance.now()
  try {
    const { settings } = await loadSettings({
      env: { ...env },
      file: { path: 'proxy.yaml', text },
      readText: () => 'organization_01h45ytscbebyvny4gc8cr8ma2',
    })
    if (settings.listen.length === 0) throw new Error('settings without a listener')
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'config_invalid') {
      throw new Error(`another exception: ${String(error)}`, { cause: error })
    }
    const { problems } = error
    if (problems === undefined || problems.length === 0)
      throw new Error('no problem is named', { cause: error })
    for (const { place, fault, remedy } of problems) {
      if (place === '' || fault === '' || remedy === '') {
        throw new Error(
          `a problem is not told in full: ${JSON.stringify([place, fault, remedy])}`,
          { cause: error },
        )
      }
    }
    if (inspect(error, { depth: 9 }).includes(PASTED)) {
      throw new Error(`a secret is quoted: ${JSON.stringify(problems)}`, { cause: error })
    }
  }
  const took = performance.now() - began
  if (took > SLOW) throw new Error(`it took ${Math.round(took)} ms`)
}

const odd = fc.constantFrom<unknown>(
  ...[
    PASTED,
    `env:${PASTED}`,
    `file:${PASTED}`,
    `exec:${PASTED}`,
    'env:OPUSDNS_API_KEY',
    'file:/x',
  ],
  ...[
    `http://u:${PASTED}@127.0.0.1`,
    `https://${PASTED}/path`,
    `https://h/?${PASTED}`,
    'exec:/bin/x a',
  ],
  ...[
    '0s',
    '30s',
    '-1s',
    '1e9d',
    '64KiB',
    '1YiB',
    '',
    ' ',
    '127.0.0.1:0',
    'unix:/run/x',
    '[::1]:x',
  ],
  ...[
    `unix:${PASTED}`,
    `${PASTED}:80`,
    '0.0.0.0:80',
    'true',
    'null',
    '~',
    '*',
    '&',
    '!',
    '\0',
    '\uffff',
  ],
  ...[0, -1, 1.5, 1e308, true, false, null, [], {}, [[]], { [PASTED]: 1 }, [PASTED], 'constructor'],
  ...['__proto__', 'toString', 'https://api.opusdns.com', 'http://localhost:1', 'info', 'auth'],
)
const sections = Object.keys(fileSchema.shape)
const inner = REFERENCE.flatMap((line) => /^\s*(?:# )?([a-z_]+):/.exec(line)?.[1] ?? [])
const key = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...inner) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      PASTED,
      '__proto__',
      'constructor',
      'toString',
      '',
      `{api_key:${PASTED}}`,
    ),
  },
)
const value = fc.oneof(
  { weight: 6, arbitrary: odd },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 2, arbitrary: fc.array(odd, { maxLength: 3 }) },
)
const section = fc.oneof(
  { weight: 1, arbitrary: value },
  {
    weight: 3,
    arbitrary: fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value, { maxKeys: 3 })), {
      maxKeys: 4,
    }),
  },
)
const tree = fc.dictionary(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...sections) }, { weight: 1, arbitrary: key }),
  section,
  { maxKeys: 5 },
)
const env = fc.dictionary(
  fc.constantFrom(
    ...['OPUSDNS_API_KEY', 'OPUSDNS_API_KEY_FILE', 'OPUSDNS_CLIENT_ID', 'OPUSDNS_CLIENT_SECRET'],
    ...[
      'OPUSDNS_API_BASE',
      'OPUSDNS_PROXY_LISTEN',
      'OPUSDNS_PROXY_ADMIN',
      'OPUSDNS_PROXY_LOG_LEVEL',
    ],
    ...['OPUSDNS_CLIENT_ID_FILE', 'OPUSDNS_CLIENT_SECRET_FILE', 'OPUSDNS_PROXY_LISTN'],
  ),
  odd.filter((it) => typeof it === 'string'),
  { maxKeys: 4 },
)

type Edit = readonly [what: number, at: number, other: number]
const edits = fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 500 }), fc.nat({ max: 500 })), {
  maxLength: 5,
})
const INSERTED = [
  ...[`  ${PASTED}: 1`, `api_key: ${PASTED}`, `- ${PASTED}`, PASTED, `x: {a:${PASTED}}`, '---'],
  ...[`? [${PASTED}]`, 'a: &a [*a, *a]', '<<: *x', `!!binary ${PASTED}`, '%YAML 1.1', `'${PASTED}`],
  ...[`"${PASTED}`, `key: |\n  ${PASTED}`, '\t- x', `"\\u${PASTED}"`, `credential: ${PASTED}`],
]

/** The reference file with lines doubled, dropped, moved, indented or replaced. */
function edited(changes: readonly Edit[]): string {
  const lines = [...REFERENCE]
  for (const [what, one, other] of changes) {
    const at = one % lines.length
    const line = lines[at] ?? ''
    const put = INSERTED[other % INSERTED.length] ?? ''
    if (what === 0) lines.splice(at, 1)
    else if (what === 1) lines.splice(at, 0, line)
    else if (what === 2) lines.splice(other % lines.length, 0, ...lines.splice(at, 1))
    else if (what === 3) lines[at] = ' '.repeat(other % 5) + line.trim()
    else if (what === 4) lines[at] = line.replace(/:.*/, `: ${PASTED}`)
    else if (what === 5) lines[at] = line.replace('# ', '')
    else lines.splice(at, 0, ' '.repeat(other % 3) + put)
  }
  return lines.join('\n')
}

// Made to take long: aliases that explode, deep nesting, very many keys and errors.
const bomb = fc
  .tuple(fc.nat({ max: 7 }), fc.integer({ min: 1, max: 20_000 }))
  .map(([kind, size]) => {
    switch (kind) {
      case 0:
        return `a0: &a0 x\n${Array.from({ length: size % 60 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`).join('\n')}`
      case 1:
        return '['.repeat(size)
      case 2:
        return '{a: '.repeat(size % 3_000)
      case 3:
        return Array.from({ length: size % 3_000 }, (_, n) => `k${n}: 1`).join('\n')
      case 4:
        return '- '.repeat(size)
      case 5:
        return `x: ${'"'.repeat(size)}`
      case 6:
        return Array.from({ length: size % 400 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')
      default:
        return `listen: [${'"x",'.repeat(size % 4_000)}]`
    }
  })

const env1 = { OPUSDNS_API_KEY: PASTED }

/** Configuration files and variables. */
export const configSubject = still(
  'config',
  150,
  fc.asyncProperty(edits, mutations, fc.boolean(), (lines, changes, keyed) =>
    judge(mutated(edited(lines), changes), keyed ? env1 : {}),
  ),
  fc.asyncProperty(tree, env, (it, variables) => judge(JSON.stringify(it), variables)),
  fc.asyncProperty(bomb, (text) => judge(text, env1)),
)
