// The tour: a few requests through the proxy, and what the client and OpusDNS saw of each.

import { setTimeout as sleep } from 'node:timers/promises'

import type { RecordedRequest } from '../opusdns/requests.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { ask, member } from './client.ts'
import type { Answer } from './client.ts'
import type { Narrator } from './narrator.ts'
import { credentialsOf, tokensIn } from './witness.ts'

/** What the tour is shown with. */
export interface TourDeps {
  readonly narrator: Narrator
  readonly simulator: Simulator
  /** Origin of the proxy. */
  readonly proxy: string
  /** Seconds that a token lives. */
  readonly tokenLife: number
}

const ZONE = '/v1/dns/example.com'
const PAUSE = 250
/** After a refresh the proxy waits half a life before the next: a storm of 401s cannot drive it. */
const SPACING = 0.55

/** Walks through everything once; takes a little longer than two tokens live. Resolves with its requests. */
export async function tour(given: TourDeps): Promise<number> {
  let sent = 0
  const deps: Deps = {
    ...given,
    ask(...request) {
      sent += 1
      return ask(...request)
    },
  }
  await withoutCredential(deps)
  await withPlaceholder(deps)
  await revoked(deps)
  await refreshed(deps)
  await blocked(deps)
  await notCanonical(deps)
  return sent
}

interface Deps extends TourDeps {
  readonly ask: typeof ask
}

async function withoutCredential({ narrator, simulator, proxy, ask: send }: Deps): Promise<void> {
  narrator.step(
    'A request without a credential',
    'The client knows no key and no token. The proxy got a token with the client id and secret ' +
      'that only it has, and attaches it.',
  )
  const answer = await send(proxy, 'GET', ZONE)
  narrator.fact('client sent', `GET ${ZONE}  (no credential)`)
  narrator.fact('OpusDNS saw', lastCredential(simulator, ZONE))
  narrator.fact('client got', `${answer.status} ${zoneIn(answer)}`)
  narrator.fact('token requests', `${simulator.tokenRequests} so far`)
}

async function withPlaceholder({ narrator, simulator, proxy, ask: send }: Deps): Promise<void> {
  narrator.step(
    'A client that insists on sending a key',
    'Give it any placeholder. It ends at the proxy; OpusDNS never sees it.',
  )
  const answer = await send(proxy, 'GET', ZONE, { 'X-Api-Key': 'placeholder' })
  narrator.fact('client sent', `GET ${ZONE}  with X-Api-Key: placeholder`)
  narrator.fact('OpusDNS saw', lastCredential(simulator, ZONE))
  narrator.fact('client got', `${answer.status} ${zoneIn(answer)}`)
}

async function revoked({ narrator, simulator, proxy, tokenLife, ask: send }: Deps): Promise<void> {
  await spacing(simulator, tokenLife)
  narrator.step(
    'A token that OpusDNS takes back',
    'Every token is revoked now. The next request meets a 401, which the proxy heals: one new ' +
      'token, and the request once more.',
  )
  simulator.revokeTokens()
  const from = simulator.requests.length
  const before = simulator.tokenRequests
  const answer = await send(proxy, 'GET', ZONE)
  narrator.fact('client sent', `GET ${ZONE}  once`)
  const seen = since(simulator, from).filter(({ target }) => target === ZONE)
  await answered(seen)
  for (const request of seen) {
    narrator.fact('OpusDNS saw', `${credentialsOf(request)} -> ${request.status ?? 'open'}`)
  }
  narrator.fact('client got', `${answer.status} ${zoneIn(answer)}`)
  narrator.fact('token requests', `${simulator.tokenRequests - before} for this`)
}

async function refreshed({
  narrator,
  simulator,
  proxy,
  tokenLife,
  ask: send,
}: Deps): Promise<void> {
  const seconds = tokenLife + 1
  narrator.step(
    'A token that expires',
    `Tokens live ${tokenLife} s here. For ${seconds} s, a request every ${PAUSE} ms: the token is ` +
      'refreshed behind the scenes before it expires, and no request notices.',
  )
  const from = simulator.requests.length
  const before = simulator.tokenRequests
  const answers: Answer[] = []
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    answers.push(await send(proxy, 'GET', ZONE))
    await sleep(PAUSE)
  }
  const good = answers.filter(({ status }) => status === 200).length
  const slowest = Math.max(...answers.map(({ milliseconds }) => milliseconds))
  const seen = since(simulator, from).filter(({ target }) => target === ZONE)
  await answered(seen)
  const refused = seen.filter(({ status }) => status === 401).length
  narrator.fact(
    'client got',
    `${good} of ${answers.length} answers are 200; slowest ${Math.ceil(slowest)} ms`,
  )
  narrator.fact(
    'OpusDNS saw',
    `${tokensIn(seen)} different tokens, and refused ${refused} of ${seen.length} requests`,
  )
  narrator.fact(
    'token requests',
    `${simulator.tokenRequests - before} more, ${simulator.tokenRequests} so far`,
  )
}

async function blocked(deps: Deps): Promise<void> {
  deps.narrator.step(
    'An operation that is blocked by default',
    'Whoever reaches the proxy acts with your credential. So it never mints or reveals ' +
      'credentials, and never changes users or rights, unless you write it down.',
  )
  await refusedAt(deps, 'POST', '/v1/auth/client_credentials')
}

async function notCanonical(deps: Deps): Promise<void> {
  deps.narrator.step(
    'A path in disguise',
    'A path that servers could read in two ways is refused, not repaired: what is judged is, byte ' +
      'for byte, what is forwarded.',
  )
  await refusedAt(deps, 'GET', '/v1/dns/..%2Fauth%2Fclient_credentials')
}

async function refusedAt(deps: Deps, method: string, target: string): Promise<void> {
  const { narrator, simulator, proxy, ask: send } = deps
  const answer = await send(proxy, method, target)
  const reached = simulator.count((request) => request.target === target)
  narrator.fact('client sent', `${method} ${target}`)
  narrator.fact('OpusDNS saw', reached === 0 ? 'nothing' : `${reached} requests`)
  narrator.fact('client got', `${answer.status} ${member(answer.body, 'code')}`)
  narrator.fact('', member(answer.body, 'detail'))
}

function since(simulator: Simulator, from: number): RecordedRequest[] {
  return simulator.requests.slice(from)
}

/** Waits until the simulator has noted how it answered; that may be a moment after the client read it. */
async function answered(requests: readonly RecordedRequest[]): Promise<void> {
  const deadline = performance.now() + 1000
  while (performance.now() < deadline && requests.some(({ status }) => status === undefined)) {
    await sleep(10)
  }
}

function lastCredential({ requests }: Simulator, target: string): string {
  const last = requests.findLast((request) => request.target === target)
  return last === undefined ? 'nothing' : credentialsOf(last)
}

function zoneIn({ body }: Answer): string {
  const name = member(body, 'name')
  return name === '' ? member(body, 'code') : `(the zone ${name})`
}

/** Waits until a rejected token would be replaced at once: see `SPACING`. */
async function spacing({ requests }: Simulator, tokenLife: number): Promise<void> {
  const minted = requests.filter(({ target }) => target === '/v1/auth/token')
  if (minted.length < 2) return
  const open = (minted.at(-1)?.at ?? 0) + tokenLife * 1000 * SPACING
  await sleep(Math.max(0, open - Date.now()))
}
