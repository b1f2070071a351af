// How the proxy becomes somebody to a Vault: one function for each auth method, with one outcome.

import { Fault } from '../base/fault.ts'
import { Secret } from '../base/secret.ts'
import type { SecretReference } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromText } from './value.ts'
import { foreignReply, loginDefect, VaultDefect } from './vault-defect.ts'
import type { VaultAuth } from './vault-options.ts'
import { numberIn, objectIn, parsed } from './vault-reply.ts'
import { vaultVariable } from './vault-server.ts'
import type { VaultServer } from './vault-server.ts'
import type { VendorReply } from './vendor-http.ts'

/** Milliseconds for a login or a renewal, which belong to all who wait for them. */
export const LOGIN_TIMEOUT_MS = 10_000

/** A client token, and what the server promised about it. */
export interface Grant {
  readonly token: Secret
  /** Seconds from now; 0 when it does not end, or when nobody said. */
  readonly seconds: number
  readonly renewable: boolean
}

/** See `vaultLogin`. */
export interface VaultLoginDependencies {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The source of a secret that is needed to log in. */
  readonly secret: (reference: SecretReference) => SecretSource
  readonly server: VaultServer
}

/**
 * The login of the method. Each call logs in anew, from secrets that are read anew, and rejects with
 * a VaultDefect. Built without I/O.
 */
export function vaultLogin(auth: VaultAuth, deps: VaultLoginDependencies): () => Promise<Grant> {
  const { server } = deps

  async function ask(mount: string, body: Readonly<Record<string, string>>): Promise<Grant> {
    const path = `auth/${mount}/login`
    const reply = await server.ask({ method: 'POST', path, body, timeout: LOGIN_TIMEOUT_MS })
    if (reply.status !== 200) throw loginDefect(reply)
    return granted(reply)
  }

  switch (auth.method) {
    case 'token':
      return async function handedOut() {
        return described(await tokenOf(auth.token, deps), server)
      }
    case 'approle':
      return async function approle() {
        const { mount, roleId, secretId } = auth
        if (secretId === undefined) return ask(mount, { role_id: roleId })
        const secret = await needed(secretId, deps)
        return ask(mount, { role_id: roleId, secret_id: secret.reveal() })
      }
    case 'kubernetes':
    case 'jwt':
      return async function signed() {
        const { mount, role, tokenFile } = auth
        const jwt = await needed({ kind: 'file', path: tokenFile }, deps)
        return ask(mount, { role, jwt: jwt.reveal() })
      }
  }
}

/** The grant in the reply to a login or a renewal. */
export function granted(reply: VendorReply): Grant {
  const auth = objectIn(parsed(reply), 'auth')
  const token = auth?.['client_token']
  const secret = typeof token === 'string' ? secretFromText(token) : undefined
  if (auth === undefined || !(secret instanceof Secret)) throw foreignReply()
  return {
    token: secret,
    seconds: numberIn(auth, 'lease_duration'),
    renewable: auth['renewable'] === true,
  }
}

async function tokenOf(
  reference: SecretReference | undefined,
  deps: VaultLoginDependencies,
): Promise<Secret> {
  if (reference !== undefined) return needed(reference, deps)
  const text = vaultVariable('TOKEN', deps.environment)
  const found = text === undefined ? undefined : secretFromText(text)
  if (found instanceof Secret) return found
  throw new VaultDefect(
    found === undefined
      ? 'has no token to log in with'
      : 'cannot log in with what VAULT_TOKEN holds',
    'set VAULT_TOKEN, or choose another method in secrets.vault.auth',
  )
}

/** What the server knows of a token. A token that may not ask that is used as it is. */
async function described(token: Secret, server: VaultServer): Promise<Grant> {
  const path = 'auth/token/lookup-self'
  const reply = await server.ask({ method: 'GET', path, token, timeout: LOGIN_TIMEOUT_MS })
  if (reply.status === 403) return { token, seconds: 0, renewable: false }
  if (reply.status !== 200) throw loginDefect(reply)
  const data = objectIn(parsed(reply), 'data')
  if (data === undefined) throw foreignReply()
  return { token, seconds: numberIn(data, 'ttl'), renewable: data['renewable'] === true }
}

async function needed(reference: SecretReference, deps: VaultLoginDependencies): Promise<Secret> {
  try {
    return await deps.secret(reference).read()
  } catch (error) {
    // A Fault of a source is fixed words that name the place and the remedy.
    if (!(error instanceof Fault)) throw error
    throw new VaultDefect('cannot log in', error.message.replace(/\.$/, ''))
  }
}
