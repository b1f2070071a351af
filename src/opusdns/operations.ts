// Which operation of the API a request asks for: used for labels, log lines, limits and grants. It
// never decides where a request goes. What is not written exactly as in the table is unknown: no
// second spelling of a path may be judged by a milder operation.

import { OPERATION_CLASSES } from './operation-class.ts'
import type { OperationClass } from './operation-class.ts'
import { OPERATION_TABLE, WITHDRAWN_TABLE } from './operation-table.ts'

/** One operation of the API, or the one that stands for everything not in the table. */
export interface Operation {
  /** Upper-case method, or `*` for the unknown operation. */
  readonly method: string
  /** Path with its parameters named, as `/v1/dns/{zone_name}`; `unknown` when not in the table. */
  readonly template: string
  /** The chapter of the specification, such as `dns`; empty for the unknown operation. */
  readonly tag: string
  /** Permissions that OpusDNS asks for, such as `dns:read`. None does not mean open. */
  readonly permissions: readonly string[]
  /** What it does; never empty. */
  readonly classes: readonly OperationClass[]
  /** True when it costs money, or may: a lost answer must never make a client buy again. */
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
  tag: '',
  permissions: [],
  classes: ['unknown'],
  billable: false,
  bulk: false,
}

/**
 * The operations of `table`, in its order. Throws for a line that is not of the form, or that names
 * a class that there is not: without it the operation would be easier to get than was meant.
 */
export function parseOperations(table: string): readonly Operation[] {
  return table.trim().split('\n').map(parseLine)
}

const LINE = /^([A-Z]+) (\/\S+) ([a-z_]+) (\S+) (\S+)$/
const CLASS_NAMES: ReadonlySet<string> = new Set(OPERATION_CLASSES)

function parseLine(line: string): Operation {
  const [, method = '', template = '', tag = '', permissions = '', words = ''] =
    LINE.exec(line) ?? []
  const classes = words.split(',')
  if (!classes.every((word) => CLASS_NAMES.has(word))) {
    throw new Error(`this is no line of the table of operations: ${line}`)
  }
  return {
    method,
    template,
    tag,
    permissions: permissions === '-' ? [] : permissions.split(','),
    classes: classes as OperationClass[],
    billable: classes.includes('billable'),
    bulk: classes.includes('bulk'),
  }
}

/** Operations that the specification no longer lists, and that may still be answered. */
export const WITHDRAWN_OPERATIONS: readonly Operation[] = parseOperations(WITHDRAWN_TABLE)

/** All operations that the proxy knows, the withdrawn ones last. */
export const OPERATIONS: readonly Operation[] = [
  ...parseOperations(OPERATION_TABLE),
  ...WITHDRAWN_OPERATIONS,
]

interface Node {
  readonly literals: Map<string, Node>
  parameter: Node | undefined
  readonly operations: Map<string, Operation>
}

const node = (): Node => ({ literals: new Map(), parameter: undefined, operations: new Map() })

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

const ROOT = node()
for (const operation of OPERATIONS) plant(ROOT, operation)

/**
 * The path as OpusDNS knows it: of the only operation that ends in a slash, the path without it would be
 * redirected. All others are as they were.
 */
export function canonicalRoute(path: string): string {
  return path === '/v1/tlds' ? '/v1/tlds/' : path
}

/** The operation that `method` on the canonical `path` asks for. Case matters in both. */
export function operationOf(method: string, path: string): Operation {
  return find(ROOT, path, 1, method) ?? UNKNOWN_OPERATION
}

/**
 * The operation that a consumer must be granted for `method` on the canonical `path`: as
 * `operationOf`, but HEAD asks for what GET does, since the upstream may carry it out like one.
 */
export function grantedOperationOf(method: string, path: string): Operation {
  return operationOf(method === 'HEAD' ? 'GET' : method, path)
}

/** A segment of a template: a literal, or a parameter with its name. */
interface Segment {
  readonly literal: string
  readonly name: string | undefined
}

function segmentsOf({ template }: Operation): readonly Segment[] {
  return template
    .slice(1)
    .split('/')
    .map((literal) => ({
      literal,
      name: literal.startsWith('{') ? literal.slice(1, -1) : undefined,
    }))
}

const SEGMENTS: ReadonlyMap<Operation, readonly Segment[]> = new Map(
  OPERATIONS.map((operation) => [operation, segmentsOf(operation)]),
)

/**
 * The parameters in the canonical `path` of `operation`, by their names in its template and
 * percent-decoded: `{ zone_name: 'example.com' }`. None for the unknown operation. Throws when the
 * path is of another operation.
 */
export function parametersOf(
  operation: Operation,
  path: string,
): Readonly<Partial<Record<string, string>>> {
  const parameters: Partial<Record<string, string>> = {}
  if (operation === UNKNOWN_OPERATION) return parameters
  let from = 1
  for (const { literal, name } of SEGMENTS.get(operation) ?? segmentsOf(operation)) {
    const slash = path.indexOf('/', from)
    const end = slash < 0 ? path.length : slash
    if (name !== undefined && end > from) parameters[name] = decoded(path.slice(from, end))
    else if (path.slice(from, end) !== literal) throw new Error('the path is not of this operation')
    from = end + 1
  }
  if (from !== path.length + 1) throw new Error('the path is not of this operation')
  return parameters
}

function decoded(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment
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
