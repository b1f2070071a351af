// Where the admin listener is, for commands that only talk to a running proxy and must not fail for
// a credential that they do not need.

import { adminOptions } from '../admin/options.ts'
import { Fault } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import { parseDotenv } from './dotenv.ts'
import { parseEndpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { overlay, variables } from './environment.ts'
import type { LoadInput } from './load.ts'

/** The admin address of the configuration; looks at nothing else in it. */
export async function adminAddress(input: LoadInput): Promise<Endpoint> {
  const dotenv = input.dotenv === undefined ? {} : await parseDotenv(input.dotenv)
  let tree: unknown
  if (input.file !== undefined) {
    const { parseYaml } = await import('./yaml.ts')
    tree = (await parseYaml(input.file.text, input.file.path)).tree
  }
  const from = variables(input.env, dotenv)
  const merged = overlay(typeof tree === 'object' && tree !== null ? { ...tree } : {}, from).tree
  const admin = adminOptions.safeParse(merged['admin'])
  const problems: Problem[] = []
  const endpoint = admin.success
    ? parseEndpoint(admin.data.listen, ['admin', 'listen'], String, { problems, warnings: [] })
    : undefined
  if (endpoint !== undefined && problems.length === 0) return endpoint
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
