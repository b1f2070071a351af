// Reads a Dockerfile just well enough to judge it, and to do by hand what its COPY lines do.

/** One instruction, its continuation lines joined. */
export interface Instruction {
  /** Upper case. */
  readonly name: string
  readonly rest: string
}

/** One FROM with what follows it. */
export interface Stage {
  readonly name: string
  readonly image: string
  readonly instructions: readonly Instruction[]
}

/** The stages of a Dockerfile, in order; the last one is what a plain build yields. */
export function stagesOf(text: string): Stage[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\s*\\\n\s*/g, ' ')
  const instructions = joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? []
      return { name: name.toUpperCase(), rest }
    })
  const starts = instructions.flatMap(({ name }, at) => (name === 'FROM' ? [at] : []))
  return starts.map((start, index) => {
    const [image = '', , name = ''] = (instructions[start]?.rest ?? '').split(/\s+/)
    return { name, image, instructions: instructions.slice(start + 1, starts[index + 1]) }
  })
}

/** What the instructions called `name` of a stage say. */
export function said(stage: Stage, name: string): string[] {
  return stage.instructions.filter((it) => it.name === name).map((it) => it.rest)
}

/** The words of an instruction in exec form, or `undefined` when a shell would read it. */
export function execForm(text: string): string[] | undefined {
  const json = /\[.*\]$/.exec(text)?.[0]
  if (json === undefined || !text.replace(json, '').match(/^(?:--\S+ )*(?:CMD )?$/))
    return undefined
  return JSON.parse(json) as string[]
}
