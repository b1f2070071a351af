// Steps through JSON text without reading it: where strings, values and space end. All of it takes
// for granted that the text is valid; on any other it stops at the end of the text at the latest.

/** The first place at or behind `at` that is no JSON white space. */
export function afterSpace(text: string, at: number): number {
  let next = at
  while (isSpace(text.charCodeAt(next))) next += 1
  return next
}

/** The place behind the string whose opening quote is at `at`. */
export function endOfString(text: string, at: number): number {
  for (let next = at + 1; next < text.length; next += 1) {
    const code = text.charCodeAt(next)
    if (code === 0x22) return next + 1
    if (code === 0x5c) next += 1
  }
  return text.length
}

/** The place behind the value that begins at `at`. */
export function endOfValue(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return endOfString(text, at)
  if (first === '{' || first === '[') return endOfGroup(text, at)
  let next = at
  while (next < text.length && !endsWord(text.charCodeAt(next))) next += 1
  return next
}

function endOfGroup(text: string, at: number): number {
  let depth = 0
  for (let next = at; next < text.length; next += 1) {
    const code = text.charCodeAt(next)
    if (code === 0x22) next = endOfString(text, next) - 1
    else if (code === 0x5b || code === 0x7b) depth += 1
    else if (code === 0x5d || code === 0x7d) {
      depth -= 1
      if (depth === 0) return next + 1
    }
  }
  return text.length
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function endsWord(code: number): boolean {
  return code === 0x2c || code === 0x5d || code === 0x7d || isSpace(code)
}
