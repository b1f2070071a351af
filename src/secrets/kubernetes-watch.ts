// Follows one Secret through a watch of the Kubernetes API, and tells when it is another than the one
// that was read. Only metadata is asked for: no value comes this way. Whatever breaks is tried anew
// after a back-off; nothing here fails a read.

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { request as SendRequest } from 'node:https'
import { createRequire } from 'node:module'

import { backoff } from '../base/backoff.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { KubernetesRequest } from './kubernetes-api.ts'
import { isPrivateWay, MAX_REPLY_BYTES } from './vendor-http.ts'

/** See `kubernetesWatch`. */
export interface KubernetesWatchOptions {
  /** Name of the Secret. */
  readonly name: string
  /** Milliseconds until the API server must have begun its answer. */
  readonly timeout: number
}

/** See `kubernetesWatch`. */
export interface KubernetesWatchDependencies {
  readonly clock: Clock
  readonly random?: (() => number) | undefined
  readonly request: () => Promise<KubernetesRequest>
}

/** A watch on one Secret. */
export interface KubernetesWatch {
  /** Begins to tell of changes, from the next `follow` on. Returns the function that ends it. */
  start(changed: () => void): () => void
  /** Says which version was read; the watch goes on from there, or begins. */
  follow(version: string | undefined): void
  /** A sentence that tells that the Secret cannot be watched, or `undefined`. */
  caveat(reference: string): string | undefined
}

interface Event {
  readonly type?: string
  readonly version?: string
}

/** Seconds after which the API server ends a watch, and it is opened anew. */
const LIFE_S = 290
const RETRY = { first: 500, max: 30_000 } as const

// As src/server/node-http.ts says: an `import` would load far more, and this only when it is needed.
const require = createRequire(import.meta.url)

/** Follows the Secret `name`. Built without I/O. */
export function kubernetesWatch(
  options: KubernetesWatchOptions,
  deps: KubernetesWatchDependencies,
): KubernetesWatch {
  const { clock } = deps
  const waits = backoff(RETRY, deps.random)
  // The version that was read, and the latest one that the stream told of.
  let version: string | undefined
  let refused: number | undefined
  let tell: (() => void) | undefined
  let goneAt = Number.NEGATIVE_INFINITY
  // The one attempt under way, or the wait before the next: what ends it.
  let end: Cancel | undefined

  function open(): void {
    if (tell === undefined || version === undefined || end !== undefined) return
    const query = new URLSearchParams({
      watch: 'true',
      fieldSelector: `metadata.name=${options.name}`,
      resourceVersion: version,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(LIFE_S),
    })
    const opened = clock.now()
    let ended = false
    let request: ClientRequest | undefined
    let cancel = clock.after(options.timeout, again)
    end = stop

    function stop(): void {
      ended = true
      end = undefined
      cancel()
      request?.destroy()
    }
    /** Opens another stream, also after one that ended well, but never in a tight loop. */
    function again(): void {
      if (ended) return
      stop()
      if (clock.now() - opened > RETRY.max) waits.reset()
      wait(open)
    }
    /**
     * The server knows this version no more: only a read, which the listener makes, finds another. At
     * once, for a change may have been missed; but a server that says so again and again must wait.
     */
    function gone(): void {
      stop()
      version = undefined
      const isFirst = clock.now() - goneAt > 2 * RETRY.max
      goneAt = clock.now()
      if (isFirst) tell?.()
      else wait(() => tell?.())
    }
    function answered(reply: IncomingMessage): void {
      const status = reply.statusCode ?? 0
      refused = status === 401 || status === 403 ? status : undefined
      if (status === 410) gone()
      // Without the permission the lifetime does it, and each read tries again.
      else if (status === 403) stop()
      else if (status === 200) stream(reply)
      else again()
    }
    function stream(reply: IncomingMessage): void {
      cancel()
      cancel = clock.after(LIFE_S * 1000 + options.timeout, again)
      let rest = ''
      reply.setEncoding('utf8')
      reply.on('error', again)
      reply.on('end', again)
      reply.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (!ended && line.trim() !== '') event(parsed(line))
        if (rest.length > MAX_REPLY_BYTES) again()
      })
    }
    function event({ type, version: at }: Event): void {
      if (type === 'ERROR') return gone()
      if (type === undefined || at === undefined) return again()
      waits.reset()
      const isNew = at !== version
      version = at
      if (type !== 'BOOKMARK' && isNew) tell?.()
      return undefined
    }

    deps
      .request()
      .then((to) => {
        if (ended) return
        request = send(`${to.secrets}?${query.toString()}`, to)
        request.on('error', again)
        request.on('close', again)
        request.on('response', answered)
        request.end()
      })
      .catch(again)
  }

  function wait(then: () => void): void {
    end = clock.after(waits.next(), () => {
      end = undefined
      then()
    })
  }

  return {
    start(changed) {
      tell = changed
      open()
      return () => {
        tell = undefined
        end?.()
        end = undefined
      }
    },
    follow(read) {
      version = read
      open()
    },
    caveat: (reference) =>
      refused === undefined
        ? undefined
        : `${reference} cannot be watched (${refused}), so a change is seen only after its lifetime: ` +
          `let the service account watch secrets with the name ${options.name} (RBAC).`,
  }
}

function send(written: string, { headers, ca }: KubernetesRequest): ClientRequest {
  const url = new URL(written)
  if (!isPrivateWay(url)) throw new Error('plain http')
  const { request } = require(url.protocol === 'http:' ? 'node:http' : 'node:https') as {
    request: typeof SendRequest
  }
  return request(url, {
    method: 'GET',
    headers: { ...headers, accept: METADATA },
    agent: false,
    // Explicit, for NODE_TLS_REJECT_UNAUTHORIZED would change the default.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
  })
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

/** Type and version of an event; both `undefined` for what is none. Keeps nothing else of the line. */
function parsed(line: string): Event {
  try {
    const { type, object } = JSON.parse(line) as {
      type?: unknown
      object?: { metadata?: { resourceVersion?: unknown } }
    }
    const version = object?.metadata?.resourceVersion
    return {
      ...(typeof type === 'string' ? { type } : {}),
      ...(typeof version === 'string' ? { version } : {}),
    }
  } catch {
    return {}
  }
}
