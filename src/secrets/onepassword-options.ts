// Options of 1Password Connect (`secrets.onepassword:` in the file).

import { z } from '../base/schema.ts'
import { secretReference } from './options.ts'
import type { SecretReference } from './reference-options.ts'
import { isPrivateWay } from './vendor-http.ts'

/** How 1Password Connect is reached. */
export interface OnepasswordSettings {
  /** Origin of the Connect server; `undefined` for that of `OP_CONNECT_HOST`. */
  readonly address: string | undefined
  /** Place of the access token; `undefined` for the variable `OP_CONNECT_TOKEN`. */
  readonly token: SecretReference | undefined
  /** True when `http:` may go to another machine. */
  readonly allowPlainHttp: boolean
}

const LOCAL: ReadonlySet<string> = new Set(['env', 'file', 'systemd', 'exec'])

/** Schema of `secrets.onepassword`. */
export const onepasswordOptions = z
  .strictObject({
    address: z
      .url()
      .optional()
      .describe('Origin of the Connect server. Environment: OP_CONNECT_HOST.'),
    token: secretReference
      .refine((it) => LOCAL.has(it.kind), {
        error: 'is kept in another remote place; write env:, file:, systemd: or exec:',
      })
      .optional()
      .describe('Place of the access token of the Connect server. Environment: OP_CONNECT_TOKEN.'),
    allow_plain_http: z
      .boolean()
      .default(false)
      .describe(
        'True lets the token and the secrets travel unencrypted to another machine, as to the usual installation in a cluster. Only for a network that you trust.',
      ),
  })
  .prefault({})
  .refine(
    (it) =>
      it.allow_plain_http ||
      it.address === undefined ||
      !URL.canParse(it.address) ||
      isPrivateWay(new URL(it.address)),
    {
      error:
        'is http: to another machine; use https:, or write allow_plain_http: true where you trust the network',
      path: ['address'],
    },
  )
  .transform((written): OnepasswordSettings => ({
    address: written.address,
    token: written.token,
    allowPlainHttp: written.allow_plain_http,
  }))
