// How one listening address is written: as a text, or as a mapping with what goes with it.

import { z } from './schema.ts'

const NO_ENTRY =
  'is neither an address nor a mapping with one; ' +
  "write '127.0.0.1:8080', or { address: … } with tls, mode or owner beside it"

const NO_MODE = "is not a file mode; write octal digits in quotes, such as '0660'"

const NO_OWNER =
  "is not a numeric owner; write uid:gid, uid or :gid in quotes, such as '1000:1000' (see id -u, id -g)"

const tls = z
  .strictObject({
    certificate_file: z
      .string()
      .min(1)
      .describe('PEM file with the certificate and those between it and its CA.'),
    key_file: z.string().min(1).describe('PEM file with the private key, without a passphrase.'),
    client_ca_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Under listen: PEM file with the CAs whose client certificates are trusted; a client is asked for one.',
      ),
    client_certificate: z
      .enum(['required', 'optional'])
      .optional()
      .describe(
        'Whether a client without a certificate is turned away (required, the default with client_ca_file) or may say otherwise who it is.',
      ),
  })
  .describe('Serve HTTPS with this certificate; read again when it changes.')

const mapping = z.strictObject({
  address: z.string().describe('host:port, [::1]:port or unix:/path.'),
  mode: z
    .string()
    .regex(/^0?[0-7]{3}$/, NO_MODE)
    .optional()
    .describe("Of a unix socket: who may connect, as an octal mode; '0660' if left out."),
  owner: z
    .string()
    .regex(/^(?:\d{1,9}(?::\d{1,9})?|:\d{1,9})$/, NO_OWNER)
    .optional()
    .describe(
      'Of a unix socket: uid:gid, uid or :gid, in digits; those of the process if left out.',
    ),
  tls: tls.optional(),
})

/** Schema of a listening address; src/config parses it. */
export const listenEntry = z.union([z.string(), mapping], { error: NO_ENTRY })
