// Questions to a 1Password Connect server (its API 1.7): lists and items, as JSON. Neither a reply's
// text nor the token ever gets into an error.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { Secret } from '../base/secret.ts'
import type { OnepasswordSettings } from './onepassword-options.ts'
import type { SecretReference } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromText } from './value.ts'
import { askVendor, isPrivateWay, VendorFailure } from './vendor-http.ts'
import type { VendorReply } from './vendor-http.ts'

/** See `connectServer`. */
export interface ConnectDependencies {
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The source of a secret that is needed to log in. */
  readonly secret: (reference: SecretReference) => SecretSource
}

/** Asks for `path` below `/v1/`; resolves with the JSON of the reply. */
export type AskConnect = (path: string) => Promise<unknown>

/**
 * Begins one read: all questions of it share `place.timeout` and one token, which is read now.
 * Rejects, as they do, with a Fault `secret_unavailable` that names `place.reference`.
 */
export async function connectServer(
  place: { readonly reference: string; readonly timeout: number },
  settings: OnepasswordSettings,
  deps: ConnectDependencies,
): Promise<AskConnect> {
  const { clock } = deps
  const until = clock.now() + place.timeout
  const fault = (what: string, remedy: string) =>
    new Fault('secret_unavailable', { detail: `${place.reference} ${what}: ${remedy}.` })
  const base = origin()
  const token = await login()

  function origin(): string {
    const written = settings.address ?? deps.environment['OP_CONNECT_HOST'] ?? ''
    if (written === '' || !URL.canParse(written)) {
      throw fault(
        'has no Connect server',
        'set OP_CONNECT_HOST to its address, or write secrets.onepassword.address',
      )
    }
    if (!settings.allowPlainHttp && !isPrivateWay(new URL(written))) {
      throw fault(
        'would travel over plain http to another machine',
        'use https, or write secrets.onepassword.allow_plain_http where you trust the network',
      )
    }
    return written.replace(/\/+$/, '')
  }

  async function login(): Promise<Secret> {
    if (settings.token === undefined) {
      const found = secretFromText(deps.environment['OP_CONNECT_TOKEN'] ?? '')
      if (found instanceof Secret) return found
      throw fault(
        `needs OP_CONNECT_TOKEN, which ${found.fault}`,
        'set it to the access token, or name its place by secrets.onepassword.token',
      )
    }
    const source = deps.secret(settings.token)
    try {
      return await source.read()
    } catch {
      throw fault(
        `needs ${source.reference}, which cannot be read`,
        'put the access token of the Connect server there',
      )
    }
  }

  async function ask(path: string): Promise<VendorReply> {
    try {
      return await askVendor(
        {
          url: `${base}/v1/${path}`,
          method: 'GET',
          headers: { authorization: `Bearer ${token.reveal()}`, accept: 'application/json' },
          timeout: Math.max(0, until - clock.now()),
          plainHttp: settings.allowPlainHttp,
        },
        clock,
      )
    } catch (error) {
      const code = error instanceof VendorFailure ? error.code : 'FAILED'
      throw fault(
        `cannot be had from the Connect server (${code})`,
        code === 'TIMEOUT'
          ? 'look at the server, or give the reference a longer timeout'
          : 'check its address, and that the server runs',
      )
    }
  }

  return async function askConnect(path) {
    const { status, body } = await ask(path)
    if (status !== 200) {
      throw fault(`was answered ${status} by the Connect server`, remedyOf(status))
    }
    try {
      const tree: unknown = JSON.parse(body.toString('utf8'))
      return tree
    } catch {
      throw fault(
        'was answered with no JSON',
        'check that secrets.onepassword.address is a Connect server',
      )
    }
  }
}

function remedyOf(status: number): string {
  if (status === 401) return 'check the access token, which may be wrong or have expired'
  if (status === 403) return 'give the access token the vault'
  if (status === 404) return 'check the vault and the item'
  return 'look at the server; it is asked again'
}
