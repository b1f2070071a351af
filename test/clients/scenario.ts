// What one client does as one consumer, and what must come of it.

import type { Stage } from './stage.ts'
import type { Tool, Toolbox } from './toolbox.ts'

/** One scenario. `play` rejects when something is not as it must be. */
export interface Scenario {
  readonly title: string
  readonly needs: readonly (keyof Toolbox)[]
  /** Whether it must run in a network of its own, with the addresses of public resolvers. */
  readonly resolvers?: boolean
  /** Resolves with what the client said to its user, in a line. */
  play(stage: Stage, path: (tool: keyof Toolbox) => string): Promise<string>
}

/** Throws with `what` and what the client said unless `holds`. */
export function must(holds: boolean, what: string, said = ''): void {
  if (!holds) throw new Error(`${what}${said === '' ? '' : `\n${said.trim().slice(-1500)}`}`)
}

/** Why a scenario cannot be played; `undefined` when it can. */
export function lackOf(
  { needs, resolvers = false }: Scenario,
  tools: Toolbox,
  hasResolvers: boolean,
): string | undefined {
  for (const need of needs) {
    const tool: Tool = tools[need]
    if ('lacking' in tool) return tool.lacking
  }
  return resolvers && !hasResolvers ? 'needs a network namespace (root, unshare, ip)' : undefined
}
