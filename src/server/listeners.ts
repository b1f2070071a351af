// All listeners of the proxy: those for clients and the one for operators, with their certificates.

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import type { Endpoint } from '../config/endpoint.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Umask } from './bind.ts'
import { liveCertificate } from './certificate.ts'
import type { LiveCertificate } from './certificate.ts'
import type { ConnectionBounds } from './descriptors.ts'
import {
  ADMIN_CONNECTIONS,
  connectionBounds,
  descriptorsLeft,
  watchDescriptors,
} from './descriptors.ts'
import { listenerObserver } from './listener-events.ts'
import { openListener } from './listener.ts'
import type { Listener } from './listener.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** See `openListeners`. */
export interface ListenersDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly umask: Umask | undefined
  /** Whether clients are told apart now. */
  readonly identifies: () => boolean
}

/** How the certificate of one listener stands. */
export interface CertificateState {
  /** The listener's address. */
  readonly listener: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Why its files as they are now are not in use. */
  readonly failure: Problem | undefined
}

/** Listeners that are open. */
export interface Listeners {
  readonly clients: readonly Listener[]
  readonly admin: Listener
  /** Open connections by address. */
  connections(): ReadonlyMap<string, number>
  certificates(): readonly CertificateState[]
  /** Looks at all certificates at once. Never rejects. */
  reload(): Promise<void>
  /** Ends the watch on certificates and descriptors; closes no listener. */
  stop(): void
}

/**
 * Opens all of them, or none: rejects with a Fault `config_invalid` that names every certificate that
 * cannot be used, or the first address that cannot be listened on.
 */
export async function openListeners(
  settings: Pick<Settings, 'listen' | 'admin' | 'limits' | 'upstream'>,
  deps: ListenersDeps,
  serve: { readonly clients: Serve; readonly admin: Serve },
): Promise<Listeners> {
  const { clock, metrics } = deps
  const observe = listenerObserver(deps.log, metrics, clock)
  const endpoints = [...settings.listen, settings.admin.listen]
  const certificates = await readCertificates(endpoints, clock)
  const bounds = boundsOf(settings, deps.log)
  const open: Listener[] = []
  try {
    for (const [index, endpoint] of endpoints.entries()) {
      const forClients = index < settings.listen.length
      const handle = forClients ? serve.clients : serve.admin
      const bound = forClients ? bounds : adminBounds(bounds)
      const certificate = certificates[index]
      const identifies = forClients ? deps.identifies : undefined
      const needs = { clock, observe, certificate, umask: deps.umask, identifies }
      // oxlint-disable-next-line no-await-in-loop -- the first that fails is the one to report
      open.push(await openListener({ ...settings.limits, ...bound, endpoint }, needs, handle))
    }
  } catch (error) {
    for (const listener of open) {
      listener.stopAccepting()
      listener.destroy()
    }
    throw error
  }
  const secure = open.flatMap(({ address }, index) => {
    const certificate = certificates[index]
    return certificate === undefined ? [] : [{ address, certificate }]
  })
  for (const { address, certificate } of secure) follow(address, certificate, deps)
  const endWatch = watchDescriptors(clock, (cause) => {
    observe.acceptFailed(cause)
    // Those of connections that nobody uses come first.
    for (const listener of open) listener.closeIdle()
  })

  return {
    clients: open.slice(0, -1),
    admin: open.at(-1) as Listener,
    connections: () => new Map(open.map((one) => [one.address, one.connections()])),
    certificates: () =>
      secure.map(({ address, certificate }) => ({
        listener: address,
        expiresAt: certificate.current().expiresAt,
        failure: certificate.failure(),
      })),
    async reload() {
      await Promise.all(secure.map(({ certificate }) => certificate.reload()))
    },
    stop() {
      endWatch()
      for (const { certificate } of secure) certificate.stop()
    },
  }
}

/** The bounds of every listener; says so when descriptors do not suffice for what was asked. */
function boundsOf(
  { listen, limits, upstream }: Pick<Settings, 'listen' | 'limits' | 'upstream'>,
  journal: Log,
): ConnectionBounds {
  const { connections } = limits
  const left = descriptorsLeft()
  const bounds = connectionBounds({
    connections,
    listeners: listen.length,
    upstream: upstream.connections,
    left,
  })
  if (bounds.connections < connections) {
    journal.warn(
      { wanted: connections, connections: bounds.connections, descriptors: left },
      'limits.connections lowered: too few file descriptors (ulimit -n)',
    )
  }
  return bounds
}

/** Operators are few; what they need is kept free for them, however many clients there are. */
function adminBounds({ connections, surplus }: ConnectionBounds): ConnectionBounds {
  return {
    connections: Math.min(ADMIN_CONNECTIONS, connections),
    surplus: Math.min(ADMIN_CONNECTIONS / 4, surplus),
  }
}

/** In the order of `endpoints`; `undefined` where there is no TLS. */
async function readCertificates(
  endpoints: readonly Endpoint[],
  clock: Clock,
): Promise<readonly (LiveCertificate | undefined)[]> {
  const problems: Problem[] = []
  const read = endpoints.map(async ({ tls }) => {
    if (tls === undefined) return undefined
    try {
      return await liveCertificate(tls, clock)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      problems.push(...error.problems)
      return undefined
    }
  })
  const certificates = await Promise.all(read)
  if (problems.length === 0) return certificates
  const detail = 'A certificate cannot be used.'
  throw new Fault('config_invalid', { detail, problems })
}

/** Keeps an eye on the certificate of one listener, for log and metrics. */
function follow(
  listener: string,
  certificate: LiveCertificate,
  { log, metrics, clock }: ListenersDeps,
): void {
  const { expiresAt } = certificate.current()
  metrics.certificateExpiry.set({ listener }, expiresAt / 1000)
  if (expiresAt < clock.wall()) {
    log.warn({ listener, expired: new Date(expiresAt).toISOString() }, 'certificate expired')
  }
  certificate.onEvent((event) => {
    metrics.certificateReloads.inc({ listener, result: event.kind })
    if (event.kind === 'failed') {
      log.warn({ listener, ...event.problem }, 'certificate not taken; the last good one stays')
      return
    }
    metrics.certificateExpiry.set({ listener }, event.expiresAt / 1000)
    log.info({ listener, expires: new Date(event.expiresAt).toISOString() }, 'certificate changed')
  })
  certificate.start()
}
