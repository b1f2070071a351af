// Replies in which secrets are masked: what is asked of the upstream so that they can be read, and
// which of them cannot.

import { Fault } from '../base/fault.ts'
import { mayShowSecrets } from '../opusdns/reply-secrets.ts'
import type { Policy } from '../policy/policy.ts'
import type { Exchange } from './exchange.ts'
import { without } from './fields.ts'
import type { ReplyHead } from './reply-head.ts'
import { mayHaveBody } from './reply-writer.ts'

/**
 * Whether secrets are masked in the reply to `exchange`. In report mode too: without consumers they
 * are, and a trial must not show more. An operation that is there to hand out a secret does so to
 * whom it was granted.
 */
export function masksReply({ noted, operation, path }: Exchange, { reveals }: Policy): boolean {
  if (reveals || !mayShowSecrets(operation, path)) return false
  const granted = noted?.decision.kind === 'allowed'
  return !(granted && operation.classes.includes('credential'))
}

/** Fields that ask for a part of a body, or for one in a coding. */
const CODINGS: ReadonlySet<string> = new Set(['accept-encoding', 'range', 'if-range'])

/** `fields` for a reply whose body comes whole and in no coding. */
export function withoutCodings(fields: readonly string[]): string[] {
  const kept = without(fields, (name) => CODINGS.has(name))
  kept.push('Accept-Encoding', 'identity')
  return kept
}

/** Throws a Fault `reply_not_readable` for a reply in which nothing could be masked. */
export function maskable(status: number, head: ReplyHead, method: string | undefined): void {
  if (!mayHaveBody(status, method)) return
  if (head.encoding === undefined && status !== 206) return
  throw new Fault('reply_not_readable', {
    detail:
      'OpusDNS answered in a coding, or with a part, that was not asked for, so that secrets in it ' +
      'could not be masked.',
  })
}
