// `npm run catalogue -- FILE`: what stands differently in our table of operations and in FILE, a
// published OpenAPI document of OpusDNS (JSON). Exit code 1 when anything does, 2 when FILE cannot
// be read.

import { readFileSync } from 'node:fs'

import { differences } from './differences.ts'

const [file, ...more] = process.argv.slice(2)
if (file === undefined || more.length > 0) {
  process.stderr.write('usage: npm run catalogue -- FILE, an OpenAPI document in JSON\n')
  process.exit(2)
}
try {
  const found = differences(JSON.parse(readFileSync(file, 'utf8')))
  for (const line of found) process.stdout.write(`${line}\n`)
  process.stdout.write(found.length === 1 ? '1 difference\n' : `${found.length} differences\n`)
  process.exitCode = found.length > 0 ? 1 : 0
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : 'unreadable'}\n`)
  process.exitCode = 2
}
