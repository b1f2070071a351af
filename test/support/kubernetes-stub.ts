// A stub of the Kubernetes API server on a real TLS socket, for one Secret: written from the API's
// documentation (Secret, "Efficient detection of changes", Status), and no Kubernetes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { authority } from './certificates.ts'

/** How the stub answers requests for the Secret. */
export type KubernetesMood =
  | 'well'
  | 'missing'
  | 'denied'
  | 'expired'
  | 'garbage'
  | 'error'
  | 'hang'
  | 'redirect'

/** The stub. */
export interface KubernetesStub {
  /** `https://localhost:<port>`. */
  readonly address: string
  /** Directory with `token`, `ca.crt` and `namespace`, as it is mounted into a pod. */
  readonly serviceAccount: string
  /** Method, path and query of each request, in order. */
  readonly requests: readonly string[]
  /** Watches that are open. */
  watches(): number
  /** Stores `value` under the key, with a new version, and tells the watches. */
  set(value: string): void
  /** Removes the Secret, and tells the watches. */
  remove(): void
  /** Answers like this from now on; every text of it holds `canary`. */
  mood(mood: KubernetesMood, canary?: string): void
  /** How watches are answered: 200, or a refusal. */
  watchStatus(status: number): void
  /** Sends an event to all watches. */
  send(event: object): void
  /** Breaks all watches: in the midst of a line, or at their proper end. */
  breakWatches(how: 'cut' | 'end'): void
  /** Replaces the service account's token; the old one is refused. */
  rotateToken(): void
  /** Stops listening, until `listen`. */
  silence(): Promise<void>
  listen(): Promise<void>
  close(): Promise<void>
}

/** See `startKubernetesStub`. */
export interface KubernetesStubOptions {
  /** Default `dns`. */
  readonly namespace?: string
  /** Default `opusdns`. */
  readonly name?: string
  /** Default `api_key`. */
  readonly key?: string
}

/** Starts the stub with no Secret in it. */
export async function startKubernetesStub(
  options: KubernetesStubOptions = {},
): Promise<KubernetesStub> {
  const { namespace = 'dns', name = 'opusdns', key = 'api_key' } = options
  const folder = mkdtempSync(join(tmpdir(), 'service-account-'))
  const root = authority('kubernetes')
  writeFileSync(join(folder, 'ca.crt'), root.cert)
  writeFileSync(join(folder, 'namespace'), namespace)
  let token = ''
  let tokens = 0
  function rotateToken(): void {
    token = `service-account-token-${++tokens}`
    writeFileSync(join(folder, 'token'), token, { mode: 0o600 })
  }
  rotateToken()

  const requests: string[] = []
  const watches = new Set<ServerResponse>()
  let version = 100
  let value: string | undefined
  let mood: KubernetesMood = 'well'
  let canary = ''
  let watchStatus = 200

  const collection = `/api/v1/namespaces/${namespace}/secrets`
  const metadata = () => ({ name, namespace, resourceVersion: String(version) })
  const secret = () => ({
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: metadata(),
    data: { [key]: Buffer.from(value ?? '').toString('base64'), other: 'YQ==' },
    type: 'Opaque',
  })
  const partial = () => ({
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: metadata(),
  })
  const failure = (code: number, reason: string) => ({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `secrets "${name}": ${reason} ${canary}`,
    reason,
    code,
  })

  function json(reply: ServerResponse, status: number, body: object): void {
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const refuse = (reply: ServerResponse, code: number, reason: string) =>
    json(reply, code, failure(code, reason))

  function answer(request: IncomingMessage, reply: ServerResponse): void {
    const url = new URL(request.url ?? '', 'https://localhost')
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    if (mood === 'hang') return
    if (request.headers.authorization !== `Bearer ${token}`) {
      refuse(reply, 401, 'Unauthorized')
    } else if (mood === 'denied') refuse(reply, 403, 'Forbidden')
    else if (mood === 'expired') refuse(reply, 401, 'Unauthorized')
    else if (mood === 'error') refuse(reply, 500, 'InternalError')
    else if (mood === 'garbage') reply.end(`{"kind":"Secret","data":${canary}`)
    else if (mood === 'redirect') {
      reply.writeHead(302, { location: `https://localhost:1/${canary}` }).end()
    } else if (url.pathname === `${collection}/${name}`) {
      if (value === undefined) refuse(reply, 404, 'NotFound')
      else json(reply, 200, secret())
    } else if (url.pathname === collection && url.searchParams.get('watch') === 'true') {
      watch(request, url.searchParams, reply)
    } else refuse(reply, 404, 'NotFound')
  }

  function watch(request: IncomingMessage, query: URLSearchParams, reply: ServerResponse): void {
    // RBAC with resourceNames lets a watch through only with this selector.
    if (query.get('fieldSelector') !== `metadata.name=${name}`) refuse(reply, 403, 'Forbidden')
    else if (watchStatus !== 200) refuse(reply, watchStatus, 'Refused')
    else if (!(request.headers.accept ?? '').includes('as=PartialObjectMetadata')) {
      refuse(reply, 406, 'NotAcceptable')
    } else {
      reply.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      watches.add(reply)
      reply.on('close', () => watches.delete(reply))
      // What happened since that version.
      if (Number(query.get('resourceVersion')) < version) write(reply, 'MODIFIED')
    }
  }

  const write = (reply: ServerResponse, type: string) =>
    void reply.write(`${JSON.stringify({ type, object: partial() })}\n`)

  const server = createServer(root.issue(), answer)
  let port = 0
  const listen = () =>
    new Promise<void>((resolve) => {
      server.listen(port, 'localhost', () => {
        port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  const silence = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen()

  return {
    address: `https://localhost:${port}`,
    serviceAccount: folder,
    requests,
    watches: () => watches.size,
    set(stored) {
      const type = value === undefined ? 'ADDED' : 'MODIFIED'
      value = stored
      version++
      for (const reply of watches) write(reply, type)
    },
    remove() {
      value = undefined
      version++
      for (const reply of watches) write(reply, 'DELETED')
    },
    mood(now, text = '') {
      mood = now
      canary = text
    },
    watchStatus: (status) => void (watchStatus = status),
    send(event) {
      for (const reply of watches) reply.write(`${JSON.stringify(event)}\n`)
    },
    breakWatches(how) {
      for (const reply of watches) {
        if (how === 'end') reply.end()
        else reply.write('{"type":"MODI', () => reply.destroy())
      }
    },
    rotateToken,
    silence,
    listen,
    async close() {
      if (server.listening) await silence()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
