// A stand-in for the OpusDNS API on a real socket: its authentication, its replies, its quirks, and
// faults on demand. Knows nothing of the proxy, so that it can witness against it.

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call } from './call.ts'
import { NOBODY, callerDesk, forbidden, headerValues, type ApiKey } from './callers.ts'
import { control } from './control.ts'
import { deliver } from './deliver.ts'
import { adorned, closeLater, flawed } from './flaws.ts'
import { faultSwitches, type Faults, type Switches } from './faults.ts'
import { takeIn, type Intake } from './intake.ts'
import { OPERATIONS } from './operations.ts'
import { organisation } from './organisation.ts'
import { plain, type Reply } from './problems.ts'
import { requestLog, type RecordedRequest } from './requests.ts'
import { router, splitTarget } from './router.ts'
import { SEED_CLIENT, SEED_KEY } from './seed.ts'
import { tokenDesk, type Client } from './tokens.ts'

/** See `startSimulator`. */
export interface SimulatorOptions {
  /** Default 127.0.0.1 and a free port. */
  readonly listen?: { readonly host?: string; readonly port?: number }
  /** Default `SEED_KEY` alone. */
  readonly apiKeys?: readonly ApiKey[]
  /** Default `SEED_CLIENT` alone. */
  readonly clients?: readonly Client[]
  /** Seconds that a token lives, fractions allowed. Default 3600. */
  readonly tokenLife?: number
  /** Wall clock in milliseconds, that lifetimes and Date follow. Default the machine's. */
  readonly now?: () => number
  /** Requests that are remembered. Default 50,000; 0 for benchmarks. */
  readonly keep?: number
  /** Milliseconds between availability events. Default 10. */
  readonly eventDelay?: number
  /** Milliseconds that an unused connection stays open. Default 5,000, as uvicorn has it. */
  readonly idleTimeout?: number
}

/** A running simulator. */
export interface Simulator {
  /** `http://host:port`. */
  readonly origin: string
  readonly port: number
  /** Everything that arrived under any path but the control's, oldest first. Live. */
  readonly requests: readonly RecordedRequest[]
  /** Requests to the token endpoint, whatever came of them. */
  readonly tokenRequests: number
  /** Keys and clients that are good now. Live: change them to revoke or rotate. */
  readonly apiKeys: ApiKey[]
  readonly clients: Client[]
  readonly faults: Faults
  /** How many remembered requests satisfy `predicate`. */
  count(predicate: (request: RecordedRequest) => boolean): number
  /** Every token handed out so far answers 401 from now on. */
  revokeTokens(): void
  /** Closes connections that wait for a request. */
  closeIdleConnections(): void
  /** Back to the start: data, faults, records, tokens, keys and clients. */
  reset(): void
  /** Ends every connection, also those that hang. */
  close(): Promise<void>
}

const TOKEN_PATH = '/v1/auth/token'
/** `POST /v1/jobs` carries tens of megabytes; every other JSON body is small. */
const MOST_JSON = 128 * 1024 * 1024
const KEPT_UPLOAD = 1024 * 1024
const MOST_HEAD = 128 * 1024

/** Starts a simulator; resolves when it listens. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { now = Date.now, eventDelay = 10 } = options
  const apiKeys: ApiKey[] = []
  const clients: Client[] = []
  const faults = faultSwitches()
  const log = requestLog(options.keep ?? 50_000)
  const tokens = tokenDesk({ clients, life: options.tokenLife ?? 3600, now })
  const callers = callerDesk({ apiKeys, now, acceptsToken: tokens.accepts })
  const route = router(OPERATIONS)
  const used = new WeakSet<Socket>()
  let answer = organisation({ id: SEED_CLIENT.id, now, eventDelay })
  let tokenRequests = 0

  function restore(): void {
    apiKeys.splice(0, Infinity, ...(options.apiKeys ?? [SEED_KEY]))
    clients.splice(0, Infinity, ...(options.clients ?? [SEED_CLIENT]))
  }
  restore()

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, search } = splitTarget(request.url ?? '')
    const method = request.method ?? ''
    if (path.startsWith('/__') && path !== '/__elsewhere') {
      const { kept } = await takeIn(request, MOST_JSON)
      return deliver(
        response,
        control(simulator, method, path, kept) ?? plain(404, 'Not Found'),
        {},
        head({}),
      )
    }
    const record = log.open(request, response, now())
    const forToken = path === TOKEN_PATH && method === 'POST'
    if (forToken) tokenRequests++
    const flaws = faults.take(forToken ? 'token' : 'api', path)
    const reused = used.has(request.socket)
    used.add(request.socket)
    if (flaws.reset === 'head' || (flaws.resetReused && reused))
      return void request.socket.resetAndDestroy()
    closeLater(request.socket, response, flaws)
    const intake = await takeIn(request, path === '/v1/simulator/upload' ? KEPT_UPLOAD : MOST_JSON)
    log.fill(record, intake)
    const delay = (forToken ? flaws.tokenDelay : flaws.delay) ?? 0
    if (delay > 0) await sleep(delay, undefined, { ref: false })
    if (flaws.reset || flaws.tokenReset) return void request.socket.resetAndDestroy()
    if (flaws.hang || flaws.tokenHang) return
    const reply = flawed(flaws) ?? respond({ request, method, path, search, intake, flaws })
    await deliver(response, adorned(reply, flaws), flaws, head(flaws, request))
  }

  function respond(asked: Asked): Reply {
    const { request, method, path, search, flaws, intake } = asked
    if (path === '/__elsewhere') return tokens.give()
    const match = route({ method, path, search, host: request.headers.host ?? '' })
    if ('status' in match) return match
    const caller = match.operation.open
      ? NOBODY
      : callers.identify(request.rawHeaders, flaws.rejectAllTokens ?? false)
    if ('status' in caller) return caller
    const call: Call = {
      method,
      path,
      params: match.params,
      query: new URLSearchParams(search),
      contentType:
        (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
      body: intake.kept,
      bytes: intake.bytes,
      sha256: intake.sha256,
      caller,
    }
    if (path === TOKEN_PATH) return tokens.answer(call, flaws)
    return forbidden(caller, method, path) ?? answer(match.key, call)
  }

  function head(flaws: Switches, request?: IncomingMessage): string[] {
    const date = new Date(now() + (flaws.dateSkew ?? 0) * 1000).toUTCString()
    const id = randomUUID()
    const asked = request && headerValues(request.rawHeaders, 'x-request-id')[0]
    return [
      'date',
      date,
      'server',
      'uvicorn',
      'x-server-request-id',
      id,
      'x-request-id',
      asked ?? id,
    ]
  }

  const server = createServer({
    maxHeaderSize: MOST_HEAD,
    keepAliveTimeout: options.idleTimeout ?? 5000,
    keepAliveTimeoutBuffer: 0,
  })
  server.requestTimeout = 0
  server.on('request', (request, response) => {
    // A client that goes away in the middle of its body is an ordinary event here.
    serve(request, response).catch(() => response.destroy())
  })

  const simulator: Simulator = {
    get origin() {
      return `http://${authority(server.address() as AddressInfo)}`
    },
    get port() {
      return (server.address() as AddressInfo).port
    },
    get tokenRequests() {
      return tokenRequests
    },
    requests: log.list,
    apiKeys,
    clients,
    faults,
    count: (predicate) => log.list.filter(predicate).length,
    revokeTokens: () => tokens.revoke(),
    closeIdleConnections: () => server.closeIdleConnections(),
    reset() {
      restore()
      faults.clear()
      log.clear()
      tokens.revoke()
      tokenRequests = 0
      answer = organisation({ id: SEED_CLIENT.id, now, eventDelay })
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen?.port ?? 0, options.listen?.host ?? '127.0.0.1', resolve)
  })
  return simulator
}

interface Asked {
  readonly request: IncomingMessage
  readonly method: string
  readonly path: string
  readonly search: string
  readonly intake: Intake
  readonly flaws: Switches
}

function authority({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}
