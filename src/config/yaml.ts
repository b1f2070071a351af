// The home of the yaml package: from the text of a configuration file to a plain tree, with the line
// of every key. Its own error texts quote the file, which may hold a secret, and are never shown.

import type { Document, isMap, isScalar, isSeq, Node } from 'yaml'

import type { Problem } from '../base/fault.ts'

/** A parsed file. */
export interface YamlTree {
  /** The value of the document; `undefined` when the file is empty or not YAML. */
  readonly tree: unknown
  /** What is wrong with the text itself; then `tree` is undefined. */
  readonly problems: readonly Problem[]
  /** The line (from 1) of the deepest key of `path` that stands in the file. */
  lineOf(path: readonly PropertyKey[]): number | undefined
}

const FAULTS: Partial<Record<string, readonly [fault: string, remedy: string]>> = {
  DUPLICATE_KEY: ['holds the same key twice', 'keep one of the two'],
  TAB_AS_INDENT: ['is indented with a tab', 'indent with spaces'],
  BAD_INDENT: ['is indented in a way that does not fit', 'indent by two spaces for each level'],
  MULTIPLE_DOCS: ['holds more than one document', 'keep one document in the file'],
  NON_STRING_KEY: ['has a key that is no plain word', 'put quotes around templates and odd keys'],
  TAG_RESOLVE_FAILED: ['uses a YAML tag', 'write the value without a tag'],
}

/** Parses YAML 1.2. Aliases are refused: no setting needs one, and they can be made to explode. */
export async function parseYaml(text: string, path: string): Promise<YamlTree> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: true,
    logLevel: 'error',
  })
  const at = (offset: number) => lines.linePos(offset).line

  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => {
    const [fault, remedy] = FAULTS[error.code] ?? [
      `is not YAML (${error.code})`,
      'mend the syntax of this line or the one before it',
    ]
    return { place: `${path}:${at(error.pos[0])}`, fault, remedy }
  })
  yaml.visit(document, {
    Alias(_key, node) {
      problems.push({
        place: `${path}:${at(node.range?.[0] ?? 0)}`,
        fault: 'uses an alias (*)',
        remedy: 'write the value out',
      })
    },
  })

  return {
    tree: problems.length === 0 ? (document.toJS() ?? undefined) : undefined,
    problems,
    lineOf: (keys) => lineOf(yaml, document, keys, at),
  }
}

/** What is needed of the package, which is loaded only when there is a file. */
interface Looks {
  readonly isMap: typeof isMap
  readonly isScalar: typeof isScalar
  readonly isSeq: typeof isSeq
}

function lineOf(
  yaml: Looks,
  document: Document,
  path: readonly PropertyKey[],
  at: (offset: number) => number,
): number | undefined {
  let node: unknown = document.contents
  let line: number | undefined
  for (const key of path) {
    let here: Node | undefined
    if (yaml.isMap<Node, Node | null>(node)) {
      const pair = node.items.find((item) => yaml.isScalar(item.key) && item.key.value === key)
      here = pair?.key
      node = pair?.value
    } else if (yaml.isSeq<Node>(node)) {
      here = node.items[Number(key)]
      node = here
    }
    if (here?.range == null) break
    line = at(here.range[0])
  }
  return line
}
