// Where the admin listener is, for commands that only talk to a running proxy and must not fail for
// a credential that they do not need.

import { adminOptions } from '../admin/options.ts'
import { Fault } from '../base/fault.ts'
import { parseAddress } from './address.ts'
import type { ListenAddress } from './address.ts'
import { parseDotenv } from './dotenv.ts'
import { overlay, variables } from './environment.ts'
import type { LoadInput } from './load.ts'

/** The admin address of the configuration; looks at nothing else in it. */
export async function adminAddress(input: LoadInput): Promise<ListenAddress> {
  const dotenv = input.dotenv === undefined ? {} : await parseDotenv(input.dotenv)
  let tree: unknown
  if (input.file !== undefined) {
    const { parseYaml } = await import('./yaml.ts')
    tree = (await parseYaml(input.file.text, input.file.path)).tree
  }
  const from = variables(input.env, dotenv)
  const merged = overlay(typeof tree === 'object' && tree !== null ? { ...tree } : {}, from).tree
  const admin = adminOptions.safeParse(merged['admin'])
  const address = admin.success ? parseAddress(admin.data.listen) : undefined
  if (address !== undefined && 'kind' in address) return address
  throw new Fault('config_invalid', {
    detail: 'The address of the admin listener is not valid.',
    problems: [
      {
        place: 'admin.listen',
        fault: 'is not an address',
        remedy: 'write host:port, or run the command check, which tells more',
      },
    ],
  })
}
