// What the limits cost for each request: of a consumer, toward OpusDNS, and of waiting in turn.

import { systemClock } from '../../src/base/clock.ts'
import { queue } from '../../src/opusdns/queue.ts'
import type { Release } from '../../src/opusdns/queue.ts'
import { upstreamLimit } from '../../src/opusdns/upstream-limit.ts'
import { consumerLimit } from '../../src/proxy/consumer-limit.ts'
import { cost } from './decision.ts'
import type { DecisionCost } from './decision.ts'

/** Measures all of them in this process. */
export function measureLimits(): readonly DecisionCost[] {
  const rate = { interval: 0.001, burst: 1_000_000 }
  const consumer = consumerLimit({ rate, concurrency: 100 }, systemClock)
  const places = queue(128)
  const limit = upstreamLimit(
    { most: 128 },
    { clock: systemClock, busy: () => places.busy, resize: places.resize },
  )
  const line = queue(1)
  const held: Release[] = []
  const begin = (release: Release) => void held.push(release)
  const parties = Array.from({ length: 20 }, (_, at) => `consumer-${at}`)
  for (const party of parties) {
    for (let at = 0; at < 100; at++) line.take(party, begin)
  }
  let next = 0
  return [
    cost('limits of a consumer, RateLimit fields', () => {
      consumer.enter((leave) => leave())
      return consumer.pay()
    }),
    cost('limit toward OpusDNS, with a free place', () => {
      const target = ` GET /v1/dns/example-${next++}.com`
      if (limit.refusalOf(target, 10_000) > 0) throw new Error('held')
      places.take('consumer', end)
      limit.answered({ status: 200, wait: undefined, target, round: limit.round })
    }),
    cost('a turn in a queue of 2,000 by 20', () => {
      line.take(parties[next++ % parties.length] ?? '', begin)
      held.shift()?.()
    }),
  ]
}

function end(release: Release): void {
  release()
}
