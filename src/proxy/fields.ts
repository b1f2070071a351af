// Walks over the header fields of a message. They are kept as Node.js takes them: one flat list of names
// and values in turn.

/** The fields of whose name, in small letters, `drops` says no. */
export function without(fields: readonly string[], drops: (name: string) => boolean): string[] {
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (!drops(name.toLowerCase())) kept.push(name, fields[index + 1] ?? '')
  }
  return kept
}

/** The fields whose name is one of `names`, which are in small letters. */
export function only(fields: readonly string[], names: ReadonlySet<string>): string[] {
  return without(fields, (name) => !names.has(name))
}

/** The first value of the field `name`, which is in small letters. */
export function valueOf(fields: readonly string[], name: string): string | undefined {
  const at = fields.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return at < 0 ? undefined : fields[at + 1]
}
