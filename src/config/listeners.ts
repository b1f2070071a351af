// The addresses to listen on: each one valid, none twice, and none that lets strangers in unawares.

import type { Problem } from '../base/fault.ts'
import { worldwideNetworks } from '../consumers/options.ts'
import type { ConsumerSettings } from '../consumers/options.ts'
import { addressText, collide, isLocal } from './address.ts'
import { parseEndpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import type { PlaceOf } from './problems.ts'

/** See `resolveListeners`. What has not the shape of an entry is skipped: the schema reports that. */
export interface ListenersInput {
  readonly listen: unknown
  readonly admin: unknown
  /** `insecure_allow_anonymous`; `undefined` when it is faulty. */
  readonly anonymous: boolean | undefined
  /** Who is told apart, as far as they are valid; `undefined` when nobody is. */
  readonly consumers: readonly (readonly [string, ConsumerSettings])[] | undefined
  /** Whether these are all: none of them was faulty. */
  readonly allConsumers: boolean
}

/** See `resolveListeners`. */
export interface ResolvedListeners {
  /** Those that are valid. */
  readonly listen: readonly Endpoint[]
  readonly admin: Endpoint | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

type Parsed = Endpoint | undefined

/** Parses all addresses, and says everything that is wrong with them. */
export function resolveListeners(input: ListenersInput, placeOf: PlaceOf): ResolvedListeners {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const report = { problems, warnings }
  const entries: unknown[] = Array.isArray(input.listen) ? input.listen : []
  const clients = entries.map((entry, index) =>
    parseEndpoint(entry, ['listen', index], placeOf, report),
  )
  const admin = parseEndpoint(input.admin, ['admin', 'listen'], placeOf, report)
  checkListeners(clients, admin, placeOf, problems)
  if (admin?.tls?.client !== undefined) {
    problems.push({
      place: admin.tls.client.place,
      fault: "is not taken for the operators' listener, which the command healthcheck must reach",
      remedy: 'remove it; keep others out by a loopback address, or a unix socket with its mode',
    })
  }
  if (input.consumers === undefined) {
    if (input.anonymous === false) checkAnonymous(clients, placeOf, problems)
  } else {
    const open = input.anonymous === true
    for (const [name, one] of input.consumers) {
      checkConsumer(name, one, { clients, open, placeOf, problems })
    }
    // One that is faulty may be meant for the address.
    if (input.allConsumers) checkReach(input.consumers, clients, placeOf, problems)
  }
  return { listen: clients.filter((one) => one !== undefined), admin, problems, warnings }
}

function checkListeners(
  clients: readonly Parsed[],
  operators: Parsed,
  placeOf: PlaceOf,
  problems: Problem[],
): void {
  for (const [index, one] of clients.entries()) {
    if (one === undefined) continue
    const place = placeOf(['listen', index])
    if (clients.slice(0, index).some((other) => other !== undefined && collide(one, other))) {
      problems.push({
        place,
        fault: `cannot be open beside another address of listen (${addressText(one)})`,
        remedy: 'keep one of them, or choose another port',
      })
    }
    if (operators !== undefined && collide(one, operators)) {
      problems.push({
        place: placeOf(['admin', 'listen']),
        fault: `is the same address as ${place}, so that clients would reach the operators' pages`,
        remedy: 'choose another port for one of them',
      })
    }
  }
}

/** Off loopback, whoever reaches the port would act with the operator's credential. */
function checkAnonymous(clients: readonly Parsed[], placeOf: PlaceOf, problems: Problem[]): void {
  for (const [index, one] of clients.entries()) {
    if (one === undefined || isLocal(one)) continue
    problems.push({
      place: placeOf(['listen', index]),
      fault: `lets other machines act with your credential without saying who they are (${addressText(one)})`,
      remedy:
        'listen on 127.0.0.1, [::1] or unix:/path; or, if the network itself keeps strangers out, ' +
        'write insecure_allow_anonymous: true into the configuration file',
    })
  }
}

interface Surroundings {
  readonly clients: readonly Parsed[]
  /** `insecure_allow_anonymous`. */
  readonly open: boolean
  readonly placeOf: PlaceOf
  readonly problems: Problem[]
}

/**
 * What identifies a consumer must be there, and must tell it from strangers. (`anonymous` does: it holds
 * on loopback addresses and unix sockets alone.)
 */
function checkConsumer(
  name: string,
  settings: ConsumerSettings,
  { clients, open, placeOf, problems }: Surroundings,
): void {
  const { mtls, sockets } = settings
  for (const [index, path] of sockets.entries()) {
    if (clients.some((one) => one?.kind === 'unix' && one.path === path)) continue
    problems.push({
      place: placeOf(['consumers', name, 'sockets', index]),
      fault: 'is no socket of listen',
      remedy: `write unix:${path} under listen, or remove it`,
    })
  }
  if (mtls.length > 0 && clients.every((one) => one?.tls?.client === undefined)) {
    problems.push({
      place: placeOf(['consumers', name, 'mtls']),
      fault: 'can never match, for no listener asks for client certificates',
      remedy: 'write tls.client_ca_file for one of listen, or remove it',
    })
  }
  if (open || clients.every((one) => one === undefined || isLocal(one))) return
  for (const index of worldwideNetworks(settings)) {
    problems.push({
      place: placeOf(['consumers', name, 'networks', index]),
      fault: 'is so wide that it lets other machines be this consumer without saying who they are',
      remedy:
        'write smaller networks, no wider than 10.0.0.0/8 or fc00::/7; or, if the network itself keeps strangers out, ' +
        'write insecure_allow_anonymous: true into the configuration file',
    })
  }
}

/** An address off loopback is for consumers who can be told from strangers there. */
function checkReach(
  consumers: readonly (readonly [string, ConsumerSettings])[],
  clients: readonly Parsed[],
  placeOf: PlaceOf,
  problems: Problem[],
): void {
  const settings = consumers.map(([, one]) => one)
  if (settings.some(({ keys, networks }) => keys.length > 0 || networks.length > 0)) return
  const certified = settings.some(({ mtls }) => mtls.length > 0)
  for (const [index, one] of clients.entries()) {
    if (one === undefined || isLocal(one)) continue
    if (certified && one.tls?.client !== undefined) continue
    problems.push({
      place: placeOf(['listen', index]),
      fault: `is open to other machines, and no consumer can be identified there (${addressText(one)})`,
      remedy: 'give a consumer keys, networks or mtls, or listen on 127.0.0.1, [::1] or unix:/path',
    })
  }
}
