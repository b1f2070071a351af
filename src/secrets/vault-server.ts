// The server, as the options and the environment name it. The environment is looked at by the first
// question, not when this is built.

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import { readSmallFile } from './small-file.ts'
import { isVaultAddress } from './vault-address.ts'
import { VaultDefect } from './vault-defect.ts'
import type { VaultSettings } from './vault-options.ts'
import { askVendor, VendorFailure } from './vendor-http.ts'
import type { VendorReply } from './vendor-http.ts'

/** One question. */
export interface VaultQuestion {
  readonly method: 'GET' | 'POST'
  /** Below `/v1/`, with the query. */
  readonly path: string
  /** Sent as JSON. May hold secrets. */
  readonly body?: Readonly<Record<string, string>>
  /** Who asks; absent for a login. */
  readonly token?: Secret
  /** Milliseconds. */
  readonly timeout: number
}

/** A Vault or OpenBao. */
export interface VaultServer {
  /** Its origin, for messages; `undefined` while none that may be shown is known. */
  readonly origin: string | undefined
  /** The whole reply, whatever its status. Rejects with a VaultDefect when there is none. */
  ask(question: VaultQuestion): Promise<VendorReply>
}

/** See `vaultServer`. */
export interface VaultServerDependencies {
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A variable of OpenBao, or else of Vault, as OpenBao's own client does it. Empty counts as unset. */
export function vaultVariable(
  name: 'ADDR' | 'NAMESPACE' | 'CACERT' | 'TOKEN',
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return environment[`BAO_${name}`] || environment[`VAULT_${name}`] || undefined
}

/** The server that the options name. Built without I/O. */
export function vaultServer(settings: VaultSettings, deps: VaultServerDependencies): VaultServer {
  const { clock, environment } = deps
  const variable = (name: 'ADDR' | 'NAMESPACE' | 'CACERT') => vaultVariable(name, environment)

  const written = settings.address ?? variable('ADDR')

  return {
    // Of an address that is none it may be a password, or a token in the wrong variable.
    origin: written !== undefined && isVaultAddress(written) ? new URL(written).origin : undefined,
    async ask({ method, path, body, token, timeout }) {
      const origin = written
      if (origin === undefined) {
        throw new VaultDefect('has no server', 'set secrets.vault.address or VAULT_ADDR')
      }
      if (!isVaultAddress(origin)) {
        const open = URL.canParse(origin) && new URL(origin).protocol === 'http:'
        throw open
          ? new VaultDefect(
              'would travel over plain http to another machine',
              'set VAULT_ADDR to https://host:port',
            )
          : new VaultDefect(
              'has a server address that is no origin',
              'set VAULT_ADDR to https://host:port alone, or to http:// on this machine',
            )
      }
      const namespace = settings.namespace ?? variable('NAMESPACE')
      const ca = await authorities(settings.caFile ?? variable('CACERT'))
      try {
        return await askVendor(
          {
            url: new URL(`/v1/${path}`, origin),
            method,
            headers: {
              // What a Vault Agent or Proxy may insist on, against requests that a browser was made to send.
              'x-vault-request': 'true',
              ...(token === undefined ? {} : { 'x-vault-token': token.reveal() }),
              ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
              ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
            ca,
            timeout,
          },
          clock,
        )
      } catch (error) {
        throw unreachable(error)
      }
    },
  }
}

/** Read for each question: it is small, questions are rare, and authorities change. */
async function authorities(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readSmallFile(path)
  } catch (error) {
    throw new VaultDefect(
      `needs a file of authorities that cannot be read (${errorCode(error)})`,
      'check secrets.vault.ca_file or VAULT_CACERT',
    )
  }
}

function unreachable(error: unknown): VaultDefect {
  const code = error instanceof VendorFailure ? error.code : 'FAILED'
  switch (code) {
    case 'TIMEOUT':
      return new VaultDefect(
        'was not answered in time',
        'check the server and the network, or give it a longer timeout',
      )
    case 'REPLY_TOO_LARGE':
      return new VaultDefect(
        'comes with more than 256 KiB',
        'keep it in a smaller secret of its own',
      )
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return new VaultDefect(
        `cannot be asked for because the certificate is for another name (${code})`,
        'write the name that is in the certificate of the server as its address',
      )
    default:
      return new VaultDefect(
        `cannot be asked for (${code})`,
        'check the address, the network and, for a certificate, secrets.vault.ca_file',
      )
  }
}
