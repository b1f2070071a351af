// Passes a 103 on (RFC 8297): its links alone, for nothing else in it means anything to anybody.

import type { EchoFilter } from '../credentials/echo.ts'
import type { Exchange } from './exchange.ts'

/**
 * A part of what Node.js writes; for another form it throws. No byte fits in two ways, here or there:
 * Node's own pattern takes hours for some texts that do not fit.
 */
const LINK = /^<[^<>\s]*>(?:\s*;\s*[\w-]+(?:=(?:"[^";=\s]*"|[^";=\s]+))?)*$/
const MOST = 32

/**
 * Writes a 103 with `links`, the values of its `Link` fields. Not to a client of HTTP/1.0, which knows
 * no informational replies (RFC 9110 section 15.2), and not once the reply has begun.
 */
export function writeEarlyHints(
  exchange: Exchange,
  links: readonly string[],
  echo: EchoFilter,
): void {
  const { request, response } = exchange
  if (exchange.settled || request.httpVersionMinor === 0) return
  // Behind a reply that is not over: Node.js would put it between the head and the body of its own.
  if (response.socket === null) return
  const link = links
    .map((text) => echo.redact(Buffer.from(text, 'latin1')).toString('latin1'))
    .flatMap((text) => text.split(/,(?=\s*<)/))
    .map((text) => text.trim())
    .filter((text) => LINK.test(text))
    .slice(0, MOST)
  if (link.length > 0) response.writeEarlyHints({ link })
}
