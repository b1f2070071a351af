// Which operation of the API a request asks for. Used for labels, log lines and rules; it never
// decides where a request goes.

import { OPERATION_TABLE } from './operation-table.ts'

/** One operation of the API, or the one that stands for everything not in the table. */
export interface Operation {
  /** Upper-case method, or `*` for the unknown operation. */
  readonly method: string
  /** Path with its parameters named, such as `/v1/dns/{zone_name}`; `unknown` when not in the table. */
  readonly template: string
  /** True when the operation costs money, or may: see the table. */
  readonly billable: boolean
  /** True when one request may carry thousands of commands: see the table. */
  readonly bulk: boolean
}

/** How large a request body may be: an option of its own for each. */
export type BodyClass = 'read' | 'write' | 'bulk'

/** Stands for every request that matches no operation of the table. */
export const UNKNOWN_OPERATION: Operation = {
  method: '*',
  template: 'unknown',
  billable: false,
  bulk: false,
}

interface Node {
  readonly literals: Map<string, Node>
  parameter: Node | undefined
  readonly operations: Map<string, Operation>
}

const node = (): Node => ({ literals: new Map(), parameter: undefined, operations: new Map() })

function parseLine(line: string): Operation {
  const [method = '', template = '', ...flags] = line.split(' ')
  return { method, template, billable: flags.includes('billable'), bulk: flags.includes('bulk') }
}

function plant(root: Node, operation: Operation): void {
  let at = root
  for (const segment of operation.template.slice(1).split('/')) {
    let next: Node
    if (segment.startsWith('{')) {
      next = at.parameter ??= node()
    } else {
      next = at.literals.get(segment) ?? node()
      at.literals.set(segment, next)
    }
    at = next
  }
  at.operations.set(operation.method, operation)
}

// A literal wins over a parameter where both lead to an operation: `/v1/dns/summary` is no zone.
function find(at: Node, path: string, from: number, method: string): Operation | undefined {
  if (from > path.length) return at.operations.get(method)
  let end = path.indexOf('/', from)
  if (end < 0) end = path.length
  const literal = at.literals.get(path.slice(from, end))
  const found = literal && find(literal, path, end + 1, method)
  if (found) return found
  // An empty segment (a trailing slash) is no parameter value.
  return at.parameter && end > from ? find(at.parameter, path, end + 1, method) : undefined
}

/** All operations of the table. */
export const OPERATIONS: readonly Operation[] = OPERATION_TABLE.trim().split('\n').map(parseLine)

const ROOT = node()
for (const operation of OPERATIONS) plant(ROOT, operation)

/** The operation that `method` on the canonical `path` asks for. Case matters in both. */
export function operationOf(method: string, path: string): Operation {
  return find(ROOT, path, 1, method) ?? UNKNOWN_OPERATION
}

const WRITING = new Set(['POST', 'PUT', 'PATCH'])

/** The class of bodies that a request with `method` for `operation` belongs to. */
export function bodyClassOf(method: string, operation: Operation): BodyClass {
  if (operation.bulk) return 'bulk'
  return WRITING.has(method) ? 'write' : 'read'
}

/** Operations whose replies are streams that may be silent for long (server-sent events). */
export function isEventStream(operation: Operation): boolean {
  return operation.template === '/v1/availability/stream'
}
