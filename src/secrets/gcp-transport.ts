// How Google's SDK reaches the network from here: bounded exchanges that follow no redirect.

import type { Clock } from '../base/clock.ts'
import { askVendor, isPrivateWay } from './vendor-http.ts'

/** An `adapter` for the SDK's requests. `timeout` in milliseconds, for each exchange. */
export function gcpTransport(timeout: number, clock: Clock) {
  async function exchange(input: string | URL | Request, init: RequestInit = {}) {
    const url = new URL(input instanceof Request ? input.url : input)
    const body = Buffer.from(await new Response(init.body ?? null).arrayBuffer())
    const reply = await askVendor(
      {
        url,
        method: init.method === 'POST' ? 'POST' : 'GET',
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(body.length > 0 ? { body } : {}),
        timeout,
      },
      clock,
    )
    const headers = new Headers()
    for (const [name, value] of Object.entries(reply.headers)) {
      if (typeof value === 'string') headers.set(name, value)
    }
    const { status } = reply
    const empty = status === 204 || status === 304
    return new Response(empty ? null : new Uint8Array(reply.body), { status, headers })
  }

  return function adapter<Options extends { readonly url: URL }, Reply>(
    options: Options,
    usual: (options: Options) => Promise<Reply>,
  ): Promise<Reply> {
    // Plain http is for the metadata servers of clouds, within the network of the machine itself.
    return usual(
      isPrivateWay(options.url)
        ? { ...options, fetchImplementation: exchange }
        : { ...options, redirect: 'error' },
    )
  }
}
