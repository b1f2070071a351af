// How Azure's SDK reaches a key vault from here: one bounded exchange that follows no redirect.

import type { SecretClientOptions } from '@azure/keyvault-secrets'

import type { Clock } from '../base/clock.ts'
import { askVendor } from './vendor-http.ts'

type HttpClient = NonNullable<SecretClientOptions['httpClient']>
type HttpHeaders = Awaited<ReturnType<HttpClient['sendRequest']>>['headers']

/** The SDK's `httpClient`. `timeout` in milliseconds, for each exchange. */
export function azureTransport(timeout: number, clock: Clock): HttpClient {
  return {
    async sendRequest(request) {
      const headers = request.headers.toJSON()
      // Nothing here unpacks a reply.
      delete headers['accept-encoding']
      const reply = await askVendor({ url: request.url, method: 'GET', headers, timeout }, clock)
      return {
        request,
        status: reply.status,
        headers: asHeaders(reply.headers),
        bodyAsText: reply.body.toString('utf8'),
      }
    },
  }
}

function asHeaders(found: Readonly<Record<string, string | string[] | undefined>>): HttpHeaders {
  const headers = new Headers()
  for (const [name, value] of Object.entries(found)) {
    if (typeof value === 'string') headers.set(name, value)
  }
  return {
    get: (name) => headers.get(name) ?? undefined,
    has: (name) => headers.has(name),
    set: (name, value) => headers.set(name, String(value)),
    delete: (name) => headers.delete(name),
    toJSON: () => Object.fromEntries(headers),
    [Symbol.iterator]: () => headers[Symbol.iterator](),
  }
}
