// Tries the credential as the proxy would: for OAuth one token request, for either kind one question to
// OpusDNS about itself. The token is thrown away.

import type { Clock } from '../../base/clock.ts'
import type { Secret } from '../../base/secret.ts'
import { accessToken } from '../../credentials/access-token.ts'
import { apiKey } from '../../credentials/api-key.ts'
import { echoFilter } from '../../credentials/echo.ts'
import { introspect } from '../../credentials/introspection.ts'
import type { KeyFacts, Triable } from '../../credentials/introspection.ts'
import { expiryWarning, keyWarnings } from '../../credentials/key-expiry.ts'
import type { CredentialSettings } from '../../credentials/options.ts'
import { tokenEndpoint } from '../../credentials/token-endpoint.ts'
import type { MintResult } from '../../credentials/token-reply.ts'
import type { Answer, Question } from '../../opusdns/question.ts'
import type { Upstream } from '../../opusdns/upstream.ts'
import { liveSecret } from '../../secrets/live-secret.ts'
import type { LiveSecret } from '../../secrets/live-secret.ts'
import { examined, skipped, weighed } from './finding.ts'
import type { Finding, Task, Verdict } from './finding.ts'

const TOKEN_DEADLINE = 6_000
const TRIAL_DEADLINE = 5_000
const NAME = 'default'

/** See `examineCredential`. */
export interface CredentialNeeds {
  readonly clock: Clock
  readonly upstream: Pick<Upstream, 'ask' | 'origin'>
  /** Values as they were read; `undefined` for one that is not configured, or could not be read. */
  readonly current: Secret | undefined
  readonly previous: Secret | undefined
  /** Why nothing can be tried; `undefined` when it can. */
  readonly obstacle: string | undefined
}

/** Yields the findings `token` (of OAuth alone) and `credential`. */
export async function examineCredential(
  settings: CredentialSettings,
  needs: CredentialNeeds,
): Promise<Finding[]> {
  const { upstream, current, previous } = needs
  const trial: Task = {
    check: 'credential',
    side: 'remote',
    did: `asked ${upstream.origin} about the credential itself`,
    deadline: TRIAL_DEADLINE,
  }
  const token: Task = {
    check: 'token',
    side: 'remote',
    did: `asked ${upstream.origin}/v1/auth/token for one token (the only effect of this command)`,
    deadline: TOKEN_DEADLINE,
  }
  const oauth = settings.kind === 'oauth'
  const unread = (current ?? previous) === undefined ? 'no secret could be read' : undefined
  const why = needs.obstacle ?? unread
  if (why !== undefined) return (oauth ? [token, trial] : [trial]).map((task) => skipped(task, why))
  if (!oauth) return [await examined(trial, needs.clock, () => tryKey(needs))]

  let minted: MintResult | undefined
  const first = await examined(token, needs.clock, async () => {
    minted = await mintOne(settings, needs)
    return ofToken(minted, needs)
  })
  if (minted?.ok !== true) return [first, skipped(trial, 'there is no token (see token)')]
  const { token: value, life, assumed } = minted
  const attachment = accessToken({ life, since: needs.clock.now(), assumed }, value, () => 0)
  const credential: Triable = {
    name: NAME,
    kind: 'oauth',
    obtain: () => attachment,
    reject: async () => undefined,
    status: () => ({ usable: true, detail: '', warnings: [], serving: 'current', refused: false }),
    start() {},
    stop() {},
  }
  const second = await examined(trial, needs.clock, async () => {
    const facts = await introspect(credential, discreet(needs, value))
    return ofFacts(facts, needs.clock.wall())
  })
  return [first, second]
}

/** The other secret is tried only when the first is refused for good, as the proxy does. */
async function mintOne(
  { clientId, tokenRequest }: Extract<CredentialSettings, { kind: 'oauth' }>,
  { clock, upstream, current, previous }: CredentialNeeds,
): Promise<MintResult & { side: 'current' | 'previous' }> {
  const mint = tokenEndpoint({ encoding: tokenRequest }, upstream, clock)
  if (current !== undefined) {
    const minted = await mint(clientId, current)
    const over = minted.ok || minted.result !== 'terminal' || previous === undefined
    if (over) return { ...minted, side: 'current' }
  }
  return { ...(await mint(clientId, previous as Secret)), side: 'previous' }
}

function ofToken(
  minted: MintResult & { side?: 'current' | 'previous' },
  { current }: CredentialNeeds,
): Verdict {
  if (!minted.ok) {
    const remedy =
      minted.result === 'terminal'
        ? 'Compare client id, client secret and upstream.base with the OpusDNS Dashboard; production and sandbox know different ones.'
        : 'The proxy tries again by itself; if it stays so, ask OpusDNS, or look at what stands between.'
    return { outcome: 'fail', saw: minted.detail, remedy }
  }
  const { life, assumed, token, side } = minted
  const said = assumed ? 'a life that it did not tell, taken as' : 'a life of'
  const saw = `a token with ${said} ${Math.round(life / 1000)} s, fingerprint ${token.fingerprint}, by the ${side ?? 'current'} secret`
  const switched = side === 'previous' && current !== undefined
  return weighed(saw, switched ? [SWITCHED] : [])
}

const SWITCHED = {
  outcome: 'warn',
  remedy:
    'OpusDNS refuses the current secret and only the previous one works: put the right one in its place.',
} as const

/** The upstream with every echo of what it was asked with masked, so that no role or status is one. */
function discreet({ upstream, current, previous }: CredentialNeeds, token?: Secret) {
  const { redact } = echoFilter([current, previous, token].filter((one) => one !== undefined))
  return {
    async ask(question: Question): Promise<Answer> {
      const answer = await upstream.ask(question)
      return { ...answer, body: redact(answer.body) }
    },
  }
}

async function tryKey(needs: CredentialNeeds): Promise<Verdict> {
  const { clock, current, previous } = needs
  const lives = [current, previous].filter((value) => value !== undefined).map(held)
  const [first, second] = lives
  if (first === undefined) return { outcome: 'skip', saw: 'no secret could be read' }
  const deps = { current: first, previous: second, clock, observe: () => undefined }
  const credential = apiKey({ name: NAME }, deps)
  credential.start()
  try {
    await Promise.all(lives.map((live) => live.ready()))
    const facts = await introspect(credential, discreet(needs))
    const verdict = ofFacts(facts, clock.wall())
    if (credential.status().serving === 'current' || verdict.outcome === 'fail') return verdict
    return {
      outcome: 'warn',
      saw: `${verdict.saw} It is the previous key.`,
      remedy: SWITCHED.remedy,
    }
  } finally {
    credential.stop()
  }

  /** What was read already is not read again. */
  function held(value: Secret): LiveSecret {
    const source = { kind: 'env', reference: 'env:READ', read: async () => value } as const
    return liveSecret(source, { clock, observe: () => undefined })
  }
}

function ofFacts(facts: KeyFacts, wall: number): Verdict {
  const { outcome, detail, role, expiresOn, status } = facts
  const saw = [
    detail,
    ...(role === undefined ? [] : [`Role ${role}.`]),
    ...(status === undefined ? [] : [`Status ${status}.`]),
    expiresOn === undefined ? '' : `Expires on ${new Date(expiresOn).toISOString()}.`,
  ]
    .join(' ')
    .trimEnd()
  if (outcome === 'rejected') {
    return {
      outcome: 'fail',
      saw,
      remedy:
        'Check the key, its expiry and its role in the OpusDNS Dashboard, and that upstream.base is where it belongs: production and sandbox have keys of their own.',
    }
  }
  if (outcome === 'unreachable') {
    return {
      outcome: 'fail',
      saw,
      remedy: 'OpusDNS has a fault, or a limit was reached. Try again later.',
    }
  }
  const expiry = expiryWarning(expiresOn, wall)
  const warnings = [...keyWarnings(facts), ...(expiry === undefined ? [] : [expiry])]
  if (outcome === 'unknown') warnings.push('The credential may still work: try a request.')
  return weighed(
    saw,
    warnings.map((remedy) => ({ outcome: 'warn', remedy })),
  )
}
