import { describe, expect, test } from 'vitest'

import { framesOf } from '../../src/base/frames.ts'
import { hygieneProblems } from '../../src/cli/hygiene.ts'
import type { ProcessFacts } from '../../src/cli/hygiene.ts'

const limits = (soft: string) => `Max core file size        ${soft}         unlimited      bytes\n`
const SOUND: ProcessFacts = {
  flags: ['--disable-sigusr1', '--expose-gc', ''],
  undone: new Map([['NODE_TLS_REJECT_UNAUTHORIZED', undefined]]),
  debug: undefined,
  uid: 65_532,
  limits: limits('0'),
  coreFilter: '00000000\n',
}
const places = (facts: Partial<ProcessFacts>) =>
  hygieneProblems({ ...SOUND, ...facts }).map(({ place }) => place)

describe('the process', () => {
  test('as `npm start` makes it is sound', () => {
    expect(places({})).toEqual([])
    expect(places({ limits: undefined, coreFilter: undefined, uid: undefined })).toEqual([])
  })

  test.each([
    '--inspect',
    '--inspect=127.0.0.1:9229',
    '--inspect-brk',
    '--inspect_wait',
    '--experimental-network-inspection',
    '--heapsnapshot-signal=SIGUSR2',
    '--heapsnapshot-near-heap-limit=3',
    '--tls-keylog=/var/keys',
    '--abort-on-uncaught-exception',
    '--report-on-fatalerror',
    '--report-on-signal',
    '--report-uncaught-exception',
    '--diagnostic-dir=/var/dumps',
  ])('is warned of %s, whose value is not shown', (flag) => {
    const [problem, ...others] = hygieneProblems({ ...SOUND, flags: [flag, flag] })
    expect(others).toEqual([])
    expect(problem?.place).toBe(flag.replace(/=.*/, '').replaceAll('_', '-'))
    expect(JSON.stringify(problem)).not.toMatch(/9229|\/var/)
  })

  test.each(['--report-exclude-env', '--report-signal=SIGUSR2', '--import=./inspect.mjs'])(
    'is not warned of %s',
    (flag) => expect(places({ flags: [flag] })).toEqual([]),
  )

  test('is warned of core dumps only when they would hold memory', () => {
    expect(places({ limits: limits('unlimited') })).toEqual([])
    expect(places({ limits: limits('unlimited'), coreFilter: '00000033\n' })).toEqual([
      'core dumps',
    ])
    expect(places({ limits: limits('1024'), coreFilter: undefined })).toEqual(['core dumps'])
    expect(places({ coreFilter: '00000033\n' })).toEqual([])
  })

  test('is warned of the user root, and of a TLS switch that has no effect', () => {
    const undone = (value: string) => new Map([['NODE_TLS_REJECT_UNAUTHORIZED', value]])
    expect(places({ uid: 0, undone: undone('0') })).toEqual([
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'user',
    ])
    expect(places({ undone: undone('1') })).toEqual([])
  })

  test('is warned of variables that make libraries talk', () => {
    const undone = new Map([['GOOGLE_SDK_NODE_LOGGING', 'all']])
    expect(places({ undone, debug: 'net' })).toEqual(['GOOGLE_SDK_NODE_LOGGING', 'NODE_DEBUG'])
  })
})

describe('the frames of an error', () => {
  test('name places and nothing of the message, however many lines it has', () => {
    const frames = framesOf(new TypeError('bad: opk_one\nopk_two\n    at opk_three (file)'))
    expect(frames.length).toBeGreaterThan(0)
    expect(frames.join('\n')).toContain('hygiene.test.ts')
    expect(frames.join('\n')).not.toContain('opk_')
  })

  test('are none where the message cannot be told from the stack, and for what is no error', () => {
    const changed = new Error('opk_one\n    at opk_two')
    expect(changed.stack).toContain('opk_one')
    changed.message = 'other'
    expect(framesOf(changed)).toEqual([])
    expect(framesOf('opk_one\n    at opk_two')).toEqual([])
  })
})
