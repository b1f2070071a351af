// Options of the credential for OpusDNS (`credential:` in the file): places of secrets, no secrets.

import { z } from '../base/schema.ts'
import { secretReference } from '../secrets/options.ts'
import type { SecretReference } from '../secrets/reference-options.ts'

/** What the proxy authenticates with: an API key, or OAuth2 client credentials. */
export type CredentialSettings =
  | {
      readonly kind: 'api_key'
      readonly key: SecretReference
      /** Another live key, tried when OpusDNS rejects the first. */
      readonly previous: SecretReference | undefined
    }
  | {
      readonly kind: 'oauth'
      /** Not secret: `organization_…`. */
      readonly clientId: string
      readonly secret: SecretReference
      /** Another live secret, tried when OpusDNS rejects the first. */
      readonly previous: SecretReference | undefined
      /** How the token request is encoded. */
      readonly tokenRequest: 'form' | 'json'
    }

interface Written {
  readonly api_key?: SecretReference | undefined
  readonly previous_api_key?: SecretReference | undefined
  readonly client_id?: string | undefined
  readonly client_secret?: SecretReference | undefined
  readonly previous_client_secret?: SecretReference | undefined
  readonly token_request?: 'form' | 'json' | undefined
}

const keyKind = (it: Written) => it.api_key !== undefined || it.previous_api_key !== undefined
const oauthKind = (it: Written) =>
  it.client_id !== undefined ||
  it.client_secret !== undefined ||
  it.previous_client_secret !== undefined ||
  it.token_request !== undefined

// Also when a single value is wrong, so that everything is reported at once.
const when = (payload: { value: unknown }) =>
  typeof payload.value === 'object' && payload.value !== null

/** Schema of `credential`: exactly one kind. */
export const credentialOptions = z
  .strictObject({
    api_key: secretReference
      .optional()
      .describe('Place of the API key. Environment: OPUSDNS_API_KEY.'),
    previous_api_key: secretReference
      .optional()
      .describe('Place of a second live key, used while OpusDNS rejects the first.'),
    client_id: z
      .string()
      .min(1)
      .optional()
      .describe(
        'OAuth2 client id (organization_…), or env:NAME or file:/path. Environment: OPUSDNS_CLIENT_ID.',
      ),
    client_secret: secretReference
      .optional()
      .describe('Place of the OAuth2 client secret. Environment: OPUSDNS_CLIENT_SECRET.'),
    previous_client_secret: secretReference
      .optional()
      .describe('Place of a second live secret, used while OpusDNS rejects the first.'),
    token_request: z
      .enum(['form', 'json'])
      .optional()
      .describe('How the token request is encoded; form unless written.'),
  })
  .refine((it) => !(keyKind(it) && oauthKind(it)), {
    error: 'holds both kinds of credential; keep api_key, or client_id and client_secret',
    when,
  })
  .refine((it) => keyKind(it) || oauthKind(it), {
    error: 'holds no credential; write api_key, or client_id and client_secret',
    when,
  })
  .refine((it) => it.previous_api_key === undefined || it.api_key !== undefined, {
    error: 'has previous_api_key but no api_key; write api_key too',
    when,
  })
  .refine((it) => keyKind(it) || !oauthKind(it) || it.client_id !== undefined, {
    error: 'has no client_id; write client_id beside client_secret',
    when,
  })
  .refine((it) => keyKind(it) || !oauthKind(it) || it.client_secret !== undefined, {
    error: 'has no client_secret; write client_secret beside client_id',
    when,
  })
  .transform((written): CredentialSettings => {
    if (written.api_key !== undefined) {
      return { kind: 'api_key', key: written.api_key, previous: written.previous_api_key }
    }
    const { client_id: clientId, client_secret: secret } = written
    if (clientId === undefined || secret === undefined) return z.NEVER
    return {
      kind: 'oauth',
      clientId,
      secret,
      previous: written.previous_client_secret,
      tokenRequest: written.token_request ?? 'form',
    }
  })
