// Whoever copies a command from a document, an example or a help text gets what is shown: all are written
// in the one form that runs from a checkout, and name commands and options that there are.

import { describe, expect, test } from 'vitest'

import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'
import { filesBelow, manifest, textOf } from './tree.ts'

const FILES = [
  ...filesBelow('.', '.md'),
  ...filesBelow('config').filter((file) => /\.ya?ml$/.test(file)),
  ...filesBelow('src/cli', '.ts'),
  'docker-compose.yml',
  'src/main.ts',
]
const COMMANDS = 'serve|check|healthcheck|token|doctor|keys|explain|learn|budget|audit|version'

/** Forms that do not run: there is no such program, or not with this Node.js, or not this script. */
const WRONG = new RegExp(
  String.raw`\bopusdns-auth-proxy (?:${COMMANDS})\b|(?<!/)\b(?:npx )?node src/main\.ts\b|npm start -- (?:${COMMANDS})\b`,
  'g',
)
const SHOWN = /npm run -s cli --( [^\n`]*)?/g

async function helpOf(words: readonly string[]): Promise<string> {
  let out = ''
  const world = { out: (text: string) => void (out += text), err: () => undefined }
  expect(await runProgram([...words, '--help'], world as unknown as World)).toBe(0)
  return out
}

/** Words that name a command, and the options behind them. */
function parsed(line: string): { words: string[]; options: string[] } {
  const all = line
    .replace(/[)>|\\].*$/, '')
    .trim()
    .split(/ +/)
  const words = all.filter(
    (word, at) => at === 0 || (at === 1 && /^(?:new|verify|show|clear)$/.test(word)),
  )
  // Its own default command.
  if (words.length === 1 && words[0] === 'budget') words.push('show')
  return { words, options: all.filter((word) => word.startsWith('--')) }
}

describe('commands that users copy', () => {
  test('are told from those that do not run', () => {
    const text = 'a opusdns-auth-proxy keys new b, npx node src/main.ts check, npm start -- keys'
    expect(text.match(WRONG)).toHaveLength(3)
    expect('opusdns-auth-proxy is [/nodejs/bin/node, /app/src/main.ts]'.match(WRONG)).toBeNull()
    expect(parsed(' keys new --consumer a >a.key')).toEqual({
      words: ['keys', 'new'],
      options: ['--consumer'],
    })
  })

  test.each(FILES)('%s shows them in the form that runs', (file) => {
    expect(textOf(file).match(WRONG) ?? []).toEqual([])
  })

  test('run the program', () => {
    expect(manifest().scripts['cli']).toBe('node src/main.ts')
  })

  const lines = new Set(
    FILES.flatMap((file) => [...textOf(file).matchAll(SHOWN)].map((match) => match[1] ?? '')),
  )
  const shown = [...lines].filter((line) => /^ [a-z]/.test(line))

  test('are seen', () => {
    expect(shown.length).toBeGreaterThan(5)
  })

  test.each(shown)('npm run -s cli --%s: there is such a command', async (line) => {
    const { words, options } = parsed(line)
    const help = await helpOf(words)
    expect(help).toContain(`Usage: opusdns-auth-proxy ${words.join(' ')}`)
    for (const option of options) expect(help).toContain(`${option.split('=')[0] ?? ''} `)
  })
})
