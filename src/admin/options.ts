// Options of the operators' listener (`admin:` in the file).

import { listenEntry } from '../base/listen-entry.ts'
import { hostNames, z } from '../base/schema.ts'

/** Schema of `admin`; src/config parses the address. */
export const adminOptions = z
  .strictObject({
    listen: listenEntry
      .default('127.0.0.1:9090')
      .describe(
        'Where health, metrics and the status page are served: host:port, [::1]:port, unix:/path, or a mapping as in listen. Environment: OPUSDNS_PROXY_ADMIN.',
      ),
    hosts: hostNames().describe('Further names that are accepted in Host there.'),
  })
  .prefault({})
