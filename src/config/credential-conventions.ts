// The credential in files with well-known names, where Docker, Kubernetes and systemd put secrets:
// found without any configuration, and only when nothing else gives a credential. Reads no file.

import { dirname, join } from 'node:path'

import type { Problem } from '../base/fault.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import type { SecretReference } from '../secrets/reference-options.ts'
import type { Variables } from './environment.ts'

const KEY = 'opusdns_api_key'
const ID = 'opusdns_client_id'
const SECRET = 'opusdns_client_secret'
const PREVIOUS_KEY = 'opusdns_previous_api_key'
const PREVIOUS_SECRET = 'opusdns_previous_client_secret'

/** The best known place of all, for messages. */
export const CONVENTIONAL_KEY = `/run/secrets/${KEY}`

/**
 * Looks whether something is at a path, whatever it is. `hidden`: nobody may look there. What is `there`
 * and of no use (a directory, a file that may not be read) is told by the first read.
 */
export type Look = (path: string) => 'there' | 'absent' | 'hidden'

interface Found {
  readonly path: string
  readonly reference: SecretReference
}

/**
 * The credential in the files `opusdns_api_key`, or `opusdns_client_id` and `opusdns_client_secret`
 * (and `opusdns_previous_api_key`, `opusdns_previous_client_secret`), in systemd's credentials
 * directory, `/run/secrets` or `/run/secrets/opusdns`. `undefined` when none is there, or after
 * reporting to `problems` what is wrong with those that are, or that none can be seen. A client id is a
 * reference, as in `credentialFromEnvironment`.
 */
export function credentialFromConventions(
  from: Variables,
  look: Look,
  problems: Problem[],
): CredentialSettings | undefined {
  // Of .env `systemdSource` knows nothing.
  const credentials = from.real('CREDENTIALS_DIRECTORY')
  const places: readonly ((name: string) => Found)[] = [
    ...(credentials === undefined ? [] : [systemd(credentials)]),
    file('/run/secrets'),
    file('/run/secrets/opusdns'),
  ]
  const found = new Map<string, Found>()
  const hidden = new Set<string>()
  const before = problems.length
  for (const name of [KEY, ID, SECRET, PREVIOUS_KEY, PREVIOUS_SECRET]) {
    const there: Found[] = []
    for (const at of places) {
      const one = at(name)
      const seen = look(one.path)
      if (seen === 'there') there.push(one)
      if (seen === 'hidden') hidden.add(dirname(one.path))
    }
    const [first] = there
    if (first !== undefined) found.set(name, first)
    if (there.length > 1) report(there, 'are both there', 'keep one of them')
  }
  if (found.size === 0) problems.push(...[...hidden].map(unseen))
  if (found.size === 0 || problems.length > before) return undefined

  function report(files: Iterable<Found>, fault: string, remedy: string): void {
    problems.push({ place: [...files].map(({ path }) => path).join(', '), fault, remedy })
  }
  const key = found.get(KEY)
  const id = found.get(ID)
  const secret = found.get(SECRET)
  const isOauth = id !== undefined || secret !== undefined || found.has(PREVIOUS_SECRET)
  if (isOauth && (key !== undefined || found.has(PREVIOUS_KEY))) {
    report(found.values(), 'give two kinds of credential', `keep ${KEY}, or ${ID} and ${SECRET}`)
    return undefined
  }
  if (key !== undefined) {
    return { kind: 'api_key', key: key.reference, previous: found.get(PREVIOUS_KEY)?.reference }
  }
  if (id !== undefined && secret !== undefined) {
    return {
      kind: 'oauth',
      clientId: `file:${id.path}`,
      secret: secret.reference,
      previous: found.get(PREVIOUS_SECRET)?.reference,
      tokenRequest: 'form',
    }
  }
  const missing = [ID, SECRET].filter((name) => !found.has(name)).join(' and ')
  const lacking = isOauth ? missing : KEY
  report(found.values(), `is of no use without ${lacking}`, `put ${lacking} beside it`)
  return undefined
}

function unseen(directory: string): Problem {
  return {
    place: directory,
    fault: 'may hold the credential, and cannot be looked into',
    remedy: "let the proxy's user enter it, or give the credential in another way",
  }
}

function systemd(directory: string) {
  return (name: string): Found => ({
    path: join(directory, name),
    reference: { kind: 'systemd', name },
  })
}

function file(directory: string) {
  return (name: string): Found => {
    const path = join(directory, name)
    return { path, reference: { kind: 'file', path } }
  }
}
