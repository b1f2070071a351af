// Faults of the token endpoint. A request without a token waits at most 5 s and is answered 503, never
// forwarded bare; a token at hand serves on; when the endpoint is well again, so is the proxy.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Switches } from '../opusdns/faults.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { plainReply } from '../support/raw-upstream.ts'
import type { Script } from '../support/raw-upstream.ts'
import { ask, tally } from './answer.ts'
import { SHORT } from './bench.ts'
import type { Bench } from './bench.ts'
import type { Fault, Measured } from './fault.ts'
import { drip } from './upstream-heads.ts'

const UNAVAILABLE = '503 token_unavailable'
/** The first retries are 0.5 and 1 s away at most; a request that waits hastens them. */
const SOON = 8000

const late = { family: 'token', recovers: SOON } as const
const token = { ...late, quick: true, expected: UNAVAILABLE, sent: 0 } as const

/** Lets nothing but the wait of a request be short. */
const PATIENT = 'upstream: { head_timeout: 20s, body_idle_timeout: 20s }'

/** The first token cannot be had. */
function endpoint(switches: Switches, config = SHORT): Fault['run'] {
  return async (bench) => {
    const simulator = await bench.simulator()
    Object.assign(simulator.faults, switches)
    const { port } = await bench.proxy({ base: simulator.origin, credential: 'oauth', config })
    return withRetryAfter(await ask(port))
  }
}

/** The same with bytes of our own; every other request is answered well. */
function endpointSays(script: Script, config = SHORT): Fault['run'] {
  return async (bench) => {
    const upstream = await bench.upstream((request) =>
      request.target === '/v1/auth/token'
        ? script(request)
        : void request.socket.write(plainReply()),
    )
    const { port } = await bench.proxy({ base: upstream.origin, credential: 'oauth', config })
    return withRetryAfter(await ask(port))
  }
}

function withRetryAfter(timed: Awaited<ReturnType<typeof ask>>): Measured {
  const says = timed.reply?.rawHeaders.some((it) => it.toLowerCase() === 'retry-after')
  return { ...timed, wrong: says === true ? [] : ['no Retry-After'] }
}

/** What a fault that comes after the first token does to the requests behind it. */
function later(
  cause: (simulator: Simulator) => unknown,
  count: number,
  tokensAtMost: number,
): Fault['run'] {
  return async (bench) => {
    const simulator = await bench.simulator()
    const { port } = await bench.proxy({ base: simulator.origin, credential: 'oauth' })
    const first = await ask(port)
    await cause(simulator)
    const startedAt = performance.now()
    const answers = await Promise.all(Array.from({ length: count }, () => ask(port)))
    const ms = performance.now() - startedAt
    const wrong = first.answer === '200' ? [] : [`before it ${first.answer}`]
    const asked = simulator.tokenRequests
    if (asked > tokensAtMost) wrong.push(`${asked} token requests, not ${tokensAtMost} at most`)
    const note = `${asked} token requests`
    return { answer: tally(answers.map(({ answer }) => answer)), ms, wrong, note }
  }
}

/** A token that is nearly over is handed out again and again. */
async function nearExpired(bench: Bench): Promise<Measured> {
  const simulator = await bench.simulator()
  simulator.faults.tokenBody = 'near-expired-same'
  const { port } = await bench.proxy({ base: simulator.origin, credential: 'oauth' })
  const answers: string[] = []
  const startedAt = performance.now()
  while (performance.now() - startedAt < 4000) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    answers.push((await ask(port)).answer)
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(20)
  }
  const { tokenRequests } = simulator
  const odd = answers.filter((answer) => answer !== '200' && answer !== UNAVAILABLE)
  const wrong = odd.length === 0 ? [] : [tally(odd)]
  if (simulator.count(({ status }) => status === 401) > 0) wrong.push('an expired token was sent')
  if (tokenRequests > 5) wrong.push(`${tokenRequests} token requests in 4 s`)
  return {
    answer: answers.includes('200') ? '200 while it lives' : tally(answers),
    ms: performance.now() - startedAt,
    wrong,
    note: `${tally(answers)}; ${tokenRequests} token requests`,
  }
}

/** The client secret is refused, until its file holds another one. */
async function refusedSecret(bench: Bench): Promise<Measured> {
  const path = join(bench.folder(), 'secret')
  writeFileSync(path, 'a-secret-that-was-revoked', { mode: 0o600 })
  const simulator = await bench.simulator()
  const { port } = await bench.proxy({
    base: simulator.origin,
    credential: { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET_FILE: path },
  })
  bench.heals(() => writeFileSync(path, SEED_CLIENT.secret))
  const measured = await ask(port)
  await Promise.all(Array.from({ length: 20 }, () => ask(port)))
  const storm = simulator.tokenRequests > 2
  return { ...measured, wrong: storm ? [`${simulator.tokenRequests} token requests`] : [] }
}

/** See the head of this file. */
export const TOKEN_ENDPOINT: readonly Fault[] = [
  { ...token, name: '500', run: endpoint({ tokenStatus: 500 }) },
  { ...token, name: '429 with Retry-After', run: endpoint({ tokenStatus: 429, retryAfter: 1 }) },
  { ...token, name: '503 without more', run: endpoint({ tokenStatus: 503 }) },
  { ...token, name: 'a web page', run: endpoint({ tokenBody: 'html' }) },
  { ...token, name: 'JSON that is cut', run: endpoint({ tokenBody: 'truncated' }) },
  { ...token, name: 'a reply of 1 MiB', run: endpoint({ tokenBody: 'huge' }) },
  { ...token, name: 'random bytes', run: endpoint({ tokenBody: 'garbage' }) },
  { ...token, name: 'nothing in the body', run: endpoint({ tokenBody: 'empty' }) },
  { ...token, name: 'a redirect, which is not followed', run: endpoint({ tokenBody: 'redirect' }) },
  { ...token, name: 'a token of the wrong type', run: endpoint({ tokenBody: 'wrong-type' }) },
  { ...token, name: 'a token that is no header value', run: endpoint({ tokenBody: 'bad-token' }) },
  { ...token, name: 'a reset', run: endpoint({ tokenReset: true }) },
  {
    ...token,
    name: 'a head of 64 KiB',
    run: endpointSays(({ socket }) => {
      socket.write(plainReply('{}', `HTTP/1.1 200 OK\r\nX-Huge: ${'a'.repeat(65_536)}`))
    }),
  },
  {
    ...token,
    name: 'a body shorter than its length',
    run: endpointSays(({ socket }) => {
      socket.end(
        'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"access_token":"t","token_type":"Bearer"}',
      )
    }),
  },
  {
    ...token,
    quick: false,
    name: 'it hangs',
    takes: [4500, 6500],
    // The one attempt has 10 s.
    recovers: 12_000,
    run: endpoint({ tokenHang: true }, PATIENT),
  },
  {
    ...token,
    quick: false,
    name: 'its reply drips, a byte each 50 ms',
    takes: [4500, 6500],
    recovers: 12_000,
    run: endpointSays(
      (request) => drip(request, plainReply(`{"access_token":"${'a'.repeat(400)}"}`), 50),
      PATIENT,
    ),
  },
  {
    ...late,
    name: 'the same nearly expired token again and again',
    expected: '200 while it lives',
    takes: [4000, 8000],
    recovers: 8000,
    run: nearExpired,
  },
  {
    ...token,
    name: '401: the client secret is refused, until its file changes',
    expected: '503 credential_rejected',
    run: refusedSecret,
  },
  {
    family: 'token',
    quick: true,
    name: 'down while the token at hand is good',
    expected: '20 × 200',
    sent: 21,
    run: later((simulator) => (simulator.faults.tokenStatus = 500), 20, 1),
  },
  {
    family: 'token',
    quick: true,
    name: 'every token is revoked: each request is sent once more',
    expected: '20 × 200',
    recovers: SOON,
    run: later((simulator) => simulator.revokeTokens(), 20, 2),
  },
  {
    family: 'token',
    quick: true,
    name: 'every token is revoked, and the endpoint is down',
    expected: '20 × 401',
    takes: [0, 6000],
    recovers: 8000,
    run: later(
      (simulator) => {
        simulator.revokeTokens()
        simulator.faults.tokenStatus = 500
      },
      20,
      3,
    ),
  },
  {
    family: 'token',
    quick: true,
    name: 'a storm of 401 whatever the token',
    expected: '200 × 401',
    takes: [0, 6000],
    recovers: 8000,
    run: later((simulator) => (simulator.faults.rejectAllTokens = true), 200, 2),
  },
]
