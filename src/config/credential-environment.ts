// The credential that environment variables give: a key or an OAuth pair, each directly or as the path
// of a file (`_FILE`), never two and never a half. No text here quotes a value.

import type { Problem } from '../base/fault.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import type { SecretReference } from '../secrets/reference-options.ts'
import { CONVENTIONAL_KEY, credentialFromConventions } from './credential-conventions.ts'
import type { Look } from './credential-conventions.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import type { Variables } from './environment.ts'

const KEY = 'OPUSDNS_API_KEY'
const ID = 'OPUSDNS_CLIENT_ID'
const SECRET = 'OPUSDNS_CLIENT_SECRET'

/** Variables that give a credential; the program deletes them from its environment. */
export const CREDENTIAL_VARIABLES = [KEY, ID, SECRET].flatMap((name) => [name, `${name}_FILE`])

/**
 * The credential that the variables give; when there are none, the one in files with well-known
 * names; or `undefined` after reporting to `problems` why there is none. An OAuth client id is still
 * a reference (`env:…`, `file:…`), see `withClientId`.
 */
export function credentialFromEnvironment(
  from: Variables,
  look: Look,
  problems: Problem[],
): CredentialSettings | undefined {
  const before = problems.length
  const report = (names: readonly string[], fault: string, remedy: string) =>
    void problems.push({ place: names.map((name) => from.place(name)).join(', '), fault, remedy })
  const isSet = (name: string) => from.get(name) !== undefined
  const given = CREDENTIAL_VARIABLES.filter(isSet)
  if (given.length === 0) {
    const conventional = credentialFromConventions(from, look, problems)
    if (conventional === undefined && problems.length === before) problems.push(nothingGiven(from))
    return conventional
  }
  for (const name of [KEY, ID, SECRET]) {
    if (isSet(name) && isSet(`${name}_FILE`)) {
      report([name, `${name}_FILE`], 'are both set', 'keep one of the two')
    }
  }
  const has = (name: string) => isSet(name) || isSet(`${name}_FILE`)
  if (has(KEY) && (has(ID) || has(SECRET))) {
    report(given, 'give two kinds of credential', `keep ${KEY}, or ${ID} and ${SECRET}`)
  } else if (!has(KEY) && !(has(ID) && has(SECRET))) {
    const missing = has(ID) ? SECRET : ID
    report(
      given,
      `is of no use without ${missing}${from.isEmpty(missing) ? ', which is set but empty' : ''}`,
      `set ${missing} or ${missing}_FILE too`,
    )
  }
  if (problems.length > before) return undefined
  const reference = (name: string): SecretReference => {
    const path = from.get(`${name}_FILE`)
    return path === undefined ? { kind: 'env', name } : { kind: 'file', path }
  }
  if (has(KEY)) return { kind: 'api_key', key: reference(KEY), previous: undefined }
  const idFile = from.get(`${ID}_FILE`)
  return {
    kind: 'oauth',
    clientId: idFile === undefined ? `env:${ID}` : `file:${idFile}`,
    secret: reference(SECRET),
    previous: undefined,
    tokenRequest: 'form',
  }
}

function nothingGiven(from: Variables): Problem {
  const empty = CREDENTIAL_VARIABLES.filter((name) => from.isEmpty(name))
  const slips = from.names.flatMap((name) => {
    if (!/^OPUSDNS/i.test(name) || name.startsWith('OPUSDNS_PROXY_')) return []
    if (CREDENTIAL_VARIABLES.includes(name) || name.startsWith('OPUSDNS_API_BASE')) return []
    const meant = didYouMean(name, CREDENTIAL_VARIABLES)
    return meant === undefined ? [] : [` (${name} is set; did you mean ${meant}?)`]
  })
  const why = empty.length === 0 ? '' : ` (${empty.join(', ')} is set but empty)`
  return {
    place: 'credential',
    fault: `is not given, so there is nothing to attach${why}${slips.join('')}`,
    remedy:
      `set ${KEY}, or ${ID} and ${SECRET}, in the environment or in a .env file; or ${KEY}_FILE, ` +
      `or ${ID} and ${SECRET}_FILE, with the path of a file; or mount ${CONVENTIONAL_KEY}; or ` +
      'write credential into a configuration file (--config FILE or OPUSDNS_PROXY_CONFIG). ' +
      'To try without an account: npm run demo',
  }
}
