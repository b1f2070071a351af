// What users copy must work: example configurations pass `check`, commands in the documents exist,
// and links lead somewhere.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { ROOT, filesBelow, manifest, textOf } from './tree.ts'

const EXAMPLES = filesBelow('config').filter((file) => /\.ya?ml$/.test(file))
const DOCUMENTS = [...filesBelow('.', '.md')]
const empty = mkdtempSync(join(tmpdir(), 'examples-'))
afterAll(() => rmSync(empty, { recursive: true }))

function check(file: string): Promise<{ code: number; output: string }> {
  const text = textOf(file).replace(/^\s*#.*$/gm, '')
  // As a user would: what the file refers to is there, and a file without a credential gets one.
  const names = [...text.matchAll(/\benv:([A-Z_][A-Z0-9_]*)/g)].map((match) => match[1] ?? '')
  if (!/^credential:/m.test(text)) names.push('OPUSDNS_API_KEY')
  const env = Object.fromEntries(names.map((name) => [name, 'placeholder-for-check']))
  return new Promise((resolve) => {
    const args = [join(ROOT, 'src/main.ts'), 'check', '--config', join(ROOT, file)]
    execFile(process.execPath, args, { cwd: empty, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
  })
}

describe('every example configuration', () => {
  test('is seen', () => {
    expect(EXAMPLES).toContain('config/compose.yaml')
  })

  test.each(EXAMPLES)('%s passes check', async (file) => {
    const { code, output } = await check(file)
    expect(output).not.toContain('placeholder-for-check')
    expect({ code, output }).toMatchObject({ code: 0 })
  })
})

const FENCE = /^ {0,3}```(?:bash|sh|console|shell)[^\n]*\n([\s\S]*?)^ {0,3}```/gm
const SCRIPT = /\bnpm (?:run (?:-s |--silent )?([\w:-]+)|(start|test)\b)/g

/** npm scripts that the shell blocks of `text` use. */
function scriptsIn(text: string): string[] {
  return [...text.matchAll(FENCE)].flatMap((fence) =>
    [...(fence[1] ?? '').matchAll(SCRIPT)].map((match) => match[1] ?? match[2] ?? ''),
  )
}

/** Files that `text` links to, or passes to --config, relative to its own folder. */
function linksIn(text: string): string[] {
  const prose = text.replace(/^ {0,3}```[\s\S]*?^ {0,3}```/gm, '')
  return [...prose.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(
    (match) => match[1] ?? '',
  )
}

describe('the documents', () => {
  test('are read as users read them', () => {
    const text = '[a](b.md#c) [d](https://e) [f](#g)\n```sh\nnpm run x && npm test\n[no](z)\n```\n'
    expect(linksIn(text)).toEqual(['b.md'])
    expect(scriptsIn(text)).toEqual(['x', 'test'])
  })

  test.each(DOCUMENTS)('%s names only npm scripts that exist', (file) => {
    const { scripts } = manifest()
    expect(scriptsIn(textOf(file)).filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test.each(DOCUMENTS)('%s links only to files that exist', (file) => {
    const dead = linksIn(textOf(file)).filter(
      (link) => !existsSync(join(ROOT, dirname(file), decodeURI(link))),
    )
    expect(dead).toEqual([])
  })

  test.each(DOCUMENTS)('%s shows only YAML that parses', (file) => {
    const blocks = [...textOf(file).matchAll(/^ {0,3}```ya?ml\n([\s\S]*?)^ {0,3}```/gm)]
    const errors = blocks.flatMap((block) =>
      parseAllDocuments(block[1] ?? '').flatMap((document) => document.errors),
    )
    expect(errors).toEqual([])
  })

  test.each(DOCUMENTS)('%s names only example files that exist', (file) => {
    const named = [...textOf(file).matchAll(/(?<![\w/.-])(?:\.\/)?(config\/[\w-]+\.ya?ml)/g)]
    expect(
      named.map((match) => match[1] ?? '').filter((path) => !existsSync(join(ROOT, path))),
    ).toEqual([])
  })
})
