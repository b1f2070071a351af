// Reads TypeScript just well enough to see imports and code without comments. TypeScript 7 offers no
// API to scripts, and these tests need no more than this.

const STATEMENT =
  /^(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,?\s*)?(?:\*(?:\s+as\s+[\w$]+)?\s*)?(?:\{[^}]*\}\s*)?from\s*['"]([^'"]+)['"]/gm
const BARE = /^import\s*['"]([^'"]+)['"]/gm
const CALL = /\bimport\(\s*(?:['"]([^'"]+)['"])?/g

// In order of precedence: comments; then everything that may hold what looks like a comment.
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?{};+]\s*|\breturn\s+|^\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\//gm

/** `source` without comments; strings and regular expressions stay. */
export function withoutComments(source: string): string {
  return source.replace(TOKEN, (token) => (/^\/[/*]/.test(token) ? ' ' : token))
}

/** What `source` imports or re-exports, in every form; `?` for an import that is computed. */
export function importsOf(source: string): string[] {
  const code = withoutComments(source)
  return [STATEMENT, BARE, CALL].flatMap((form) =>
    [...code.matchAll(form)].map((match) => match[1] ?? '?'),
  )
}
