// What can go wrong with a Vault, in fixed words. What the server says is looked at to choose among
// them, and never quoted: an error text of a server may hold what it was sent.

import type { VendorReply } from './vendor-http.ts'

/** A failure without the reference that it befell. Both texts are fixed words. */
export class VaultDefect extends Error {
  override readonly name = 'VaultDefect'
  readonly remedy: string

  constructor(what: string, remedy: string) {
    super(what)
    this.remedy = remedy
  }
}

/** A 200 whose body is not what the documentation says. */
export function foreignReply(): VaultDefect {
  return new VaultDefect(
    'got an answer that is none of Vault or OpenBao',
    'check the address, and what stands before the server',
  )
}

/** Why the server handed out no secret. `pinned` when a version was asked for. */
export function readDefect(reply: VendorReply, pinned: boolean): VaultDefect {
  switch (reply.status) {
    case 403:
      return new VaultDefect(
        'is not permitted (HTTP 403)',
        'see that the token is valid, and that a policy of it has the capability read on this path, data/ included for version 2 of the engine',
      )
    case 404:
      return absent(reply, pinned)
    default:
      return commonDefect(reply)
  }
}

/** Why the server logged nobody in. */
export function loginDefect(reply: VendorReply): VaultDefect {
  switch (reply.status) {
    case 400:
    case 403:
      return new VaultDefect(
        `cannot log in (HTTP ${reply.status})`,
        'check the mount, the role and the secret of secrets.vault.auth, and that none has expired',
      )
    case 404:
      return namespaceMissing(reply)
        ? NO_NAMESPACE()
        : new VaultDefect('cannot log in (HTTP 404)', 'check secrets.vault.auth.mount')
    default:
      return commonDefect(reply)
  }
}

/** What the read and the login have in common. */
export function commonDefect({ status }: VendorReply): VaultDefect {
  if (status === 503) {
    return new VaultDefect(
      'is on a server that is sealed or under maintenance (HTTP 503)',
      'unseal it',
    )
  }
  if (status === 429) {
    return new VaultDefect('was asked for too often (HTTP 429)', 'raise the rate limit quota')
  }
  if (status >= 300 && status < 400) {
    return new VaultDefect(
      `is behind a redirect (HTTP ${status}), which is not followed`,
      'write the address of the active node, or of what balances the load',
    )
  }
  if (status >= 500) {
    return new VaultDefect(
      `met a failure of the server (HTTP ${status})`,
      "look into the server's log",
    )
  }
  return new VaultDefect(`was refused (HTTP ${status})`, 'check the path and the namespace')
}

const NO_NAMESPACE = () =>
  new VaultDefect(
    'is in a namespace that does not exist (HTTP 404)',
    'check secrets.vault.namespace',
  )

/** A 404 has five causes, which only its body tells apart. */
function absent(reply: VendorReply, pinned: boolean): VaultDefect {
  const { body } = reply
  if (namespaceMissing(reply)) return NO_NAMESPACE()
  if (body.includes('no handler for route')) {
    return new VaultDefect('is below no mount (HTTP 404)', 'check the first part of the path')
  }
  if (body.includes('Invalid path for a versioned K/V')) {
    return new VaultDefect(
      'is in version 2 of the engine, whose paths have data/ in them (HTTP 404)',
      'write data/ behind the mount, such as secret/data/opusdns',
    )
  }
  if (body.includes('"deletion_time"')) {
    return new VaultDefect(
      'was deleted or destroyed in this version (HTTP 404)',
      pinned ? 'undelete it, or name another version' : 'undelete it, or store it anew',
    )
  }
  return new VaultDefect(
    'is not there (HTTP 404)',
    pinned
      ? 'check the path, and whether that version exists'
      : 'check the path, which has data/ behind the mount for version 2 of the engine and not for version 1',
  )
}

function namespaceMissing({ body }: VendorReply): boolean {
  return body.includes('namespace not found')
}
