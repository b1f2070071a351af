// How the AWS SDK reaches the network from here: one bounded exchange that follows no redirect.

import { Readable } from 'node:stream'

import type { Clock } from '../base/clock.ts'
import { askVendor } from './vendor-http.ts'

/** What the SDK asks for, as far as its JSON protocols use it. */
interface AwsRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** The SDK's `requestHandler`. `timeout` in milliseconds, for each exchange. */
export function awsTransport(timeout: number, clock: Clock) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: AwsRequest) {
      const { protocol, hostname, port, path, headers, body } = request
      const reply = await askVendor(
        {
          url: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`,
          method: 'POST',
          headers,
          ...(typeof body === 'string' || body instanceof Uint8Array ? { body } : {}),
          timeout,
        },
        clock,
      )
      return {
        response: {
          statusCode: reply.status,
          headers: singles(reply.headers),
          body: Readable.from([reply.body]),
        },
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  }
}

function singles(headers: Readonly<Record<string, string | string[] | undefined>>) {
  const single: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') single[name] = value
  }
  return single
}
