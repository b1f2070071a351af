// The OAuth client id. It is no secret, so that it may stand in the file, and is resolved while loading.

import { errorCode } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import type { Variables } from './environment.ts'

const VARIABLE = 'OPUSDNS_CLIENT_ID'

/** See `withClientId`. */
export interface ClientIdInput {
  readonly variables: Variables
  /** Reads a small text file. */
  readonly readText: (path: string) => string
  /** The place of a key in the file; `undefined` when the environment gives the credential. */
  readonly place: (key: string) => string | undefined
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

/** The settings with the client id itself where a reference to it stood; reports what is wrong. */
export function withClientId(
  settings: CredentialSettings,
  input: ClientIdInput,
): CredentialSettings {
  if (settings.kind !== 'oauth') return settings
  const { variables, problems } = input
  const written = settings.clientId
  let place = input.place('client_id') ?? VARIABLE
  let clientId = written
  if (written.startsWith('env:')) {
    const name = written.slice('env:'.length)
    place = variables.place(/^[A-Z_][A-Z0-9_]*$/.test(name) ? name : VARIABLE)
    clientId = variables.get(name) ?? ''
  } else if (written.startsWith('file:')) {
    const path = written.slice('file:'.length)
    const named = variables.get(`${VARIABLE}_FILE`) === path
    place = input.place('client_id') ?? (named ? variables.place(`${VARIABLE}_FILE`) : path)
    try {
      clientId = input.readText(path)
    } catch (error) {
      const what = place === path ? 'cannot be read' : 'names a file that cannot be read'
      problems.push({
        place,
        fault: `${what} (${errorCode(error) || 'error'})`,
        remedy: "check the path, and that the proxy's user may read it",
      })
      return settings
    }
  }
  clientId = clientId.trim()
  if (!/^[\x21-\x7e]{1,256}$/.test(clientId)) {
    problems.push({
      place,
      fault: clientId === '' ? 'is empty' : 'is not a client id',
      remedy: 'put the client id there (organization_…)',
    })
  } else if (!clientId.startsWith('organization_')) {
    input.warnings.push({
      place,
      fault: 'does not look like an OpusDNS client id',
      remedy: 'client ids begin with organization_; see whether another value got there',
    })
  }
  return { ...settings, clientId }
}
