// Options of the operators' listener (`admin:` in the file).

import { z } from '../base/schema.ts'

const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])$/

/** Schema of `admin`; src/config parses the address. */
export const adminOptions = z
  .strictObject({
    listen: z
      .string()
      .default('127.0.0.1:9090')
      .describe(
        'Where health, metrics and the status page are served: host:port, [::1]:port or unix:/path. Environment: OPUSDNS_PROXY_ADMIN.',
      ),
    hosts: z
      .array(
        z.string().regex(HOST, 'is not a host name; write the name alone, without scheme and port'),
      )
      .default([])
      .describe('Further names that are accepted in Host there.'),
  })
  .prefault({})
