// The short form of the fault suite: every fault that takes little time. The whole table, with the slow
// ones, is `npm run faults`.

import { describe, expect, test } from 'vitest'

import { send } from '../support/wire-client.ts'
import { ask } from './answer.ts'
import type { Fault } from './fault.ts'
import { FAULTS } from './table.ts'
import { lineOf, trial } from './trial.ts'

const QUICK = FAULTS.filter(({ quick }) => quick === true)

describe.concurrent('a fault is answered as it should be, and the next request works', () => {
  test.each(QUICK.map((fault) => [fault.family, fault.name, fault] as const))(
    '%s: %s',
    { timeout: 60_000 },
    async (_family, _name, fault) => {
      const verdict = await trial(fault)
      expect(verdict.wrong, lineOf(verdict)).toEqual([])
    },
  )
})

test('the table holds at least 50 faults, each with a name of its own', () => {
  const names = FAULTS.map(({ family, name }) => `${family} ${name}`)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThanOrEqual(50)
})

describe('a trial finds fault', () => {
  const fault: Omit<Fault, 'run'> = { name: 'made up', family: 'upstream', expected: '200' }

  test('with another answer, a slow one, and one that reached the upstream too often', async () => {
    const { wrong } = await trial({
      ...fault,
      expected: '404',
      takes: [5000, 6000],
      sent: 2,
      async run(bench) {
        const upstream = await bench.upstream()
        const { port } = await bench.proxy({ base: upstream.origin })
        return ask(port)
      },
    })
    expect(wrong).toEqual([
      'answered 200',
      expect.stringMatching(/^took \d+ ms, not 5000 to 6000$/),
      'reached the upstream 1 times, not 2',
    ])
  })

  test('with an unsafe request that reached the upstream twice', async () => {
    const { wrong } = await trial({
      ...fault,
      async run(bench) {
        const upstream = await bench.upstream()
        const { port } = await bench.proxy({ base: upstream.origin })
        const purchase = { method: 'POST', path: '/v1/domains', headers: ['X-Request-Id', 'one'] }
        await send(upstream.port, purchase)
        return ask(port, purchase)
      },
    })
    expect(wrong).toEqual(['doubled: POST one'])
  })

  test('with a next request that fails, or gets a reply that is not its own', async () => {
    const said: string[] = []
    for (const status of ['500 Oops', '200 OK']) {
      const { wrong } = await trial({
        ...fault,
        async run(bench) {
          const upstream = await bench.upstream()
          bench.heals(() => {
            upstream.script = ({ socket }) => {
              const body = '{"target":"/of-somebody-else"}'
              socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
            }
          })
          const { port } = await bench.proxy({ base: upstream.origin })
          return ask(port)
        },
      })
      said.push(...wrong.map((text) => text.replace(/ in \d+ ms$/, '')))
    }
    expect(said).toEqual([
      'next request: 500 with a foreign reply',
      'next request: 200 with a foreign reply',
    ])
  })

  test('with a fault that cannot be caused', async () => {
    const { wrong, measured } = await trial({
      ...fault,
      run: () => Promise.reject(new Error('no power')),
    })
    expect(measured).toBeUndefined()
    expect(wrong.join()).toContain('no power')
  })
})
