// What must not be in the repository: traces of the machine it was written on, and credentials.

import { describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { filesBelow, textOf } from './tree.ts'

// Put together from pieces, so that this file does not find itself.
const pattern = (...pieces: string[]) => new RegExp(pieces.join(''))
const TRACES = [
  pattern('/wor', 'k/[a-z.]'),
  pattern('/hom', 'e/[a-z]+/'),
  pattern('/Use', 'rs/[a-z]+/'),
  pattern('registry\\.npm', 'js'),
  pattern('npm', 'js\\.org/'),
  pattern('py', 'pi\\.org'),
  pattern('proxy\\.gol', 'ang\\.org'),
  pattern('deb\\.deb', 'ian'),
  pattern('-----BEGIN [A-Z ]*PRIV', 'ATE KEY-----[^.…]{40}'),
]
// The shape of a real key; the simulator's own is the one exception.
const KEY = pattern('opk', '_[0-9a-z]{26}_[0-9A-Za-z]{30}_[0-9a-z]{6}')

function tracesIn(text: string): string[] {
  const found = [...TRACES, KEY].map((trace) => trace.exec(text.replaceAll(SEED_KEY.key, ''))?.[0])
  return found.filter((it) => it !== undefined)
}

describe('the repository', () => {
  test('would notice a machine path and a key', () => {
    expect(tracesIn(['see /wor', 'k/main/src'].join(''))).toEqual([['/wor', 'k/m'].join('')])
    const key = ['opk', 'a'.repeat(26), 'B'.repeat(30), 'c'.repeat(6)].join('_')
    expect(tracesIn(`x ${key} y`)).toEqual([key])
    expect(tracesIn(`x ${SEED_KEY.key} y`)).toEqual([])
  })

  test('holds no trace of a machine, and no key', () => {
    const files = filesBelow('.')
    expect(files).toContain('package.json')
    expect(
      files
        .map((file) => ({ file, traces: tracesIn(textOf(file)) }))
        .filter(({ traces }) => traces.length > 0),
    ).toEqual([])
  })
})
