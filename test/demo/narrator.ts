// Prints the tour for a person: plain text, at most 80 columns, colours on a terminal only.

/** How the tour speaks. */
export interface Narrator {
  /** A numbered heading, and a sentence or two below it. */
  step(title: string, text: string): void
  /** Who did what: a short label and what to say of it, wrapped. */
  fact(label: string, text: string): void
  /** A paragraph on its own. */
  say(text: string): void
  /** A heading without a number, and lines below it that must not be wrapped. */
  list(title: string, lines: readonly string[]): void
}

/** See `narrator`. */
export interface NarratorOptions {
  /** Receives whole lines with their newline. */
  readonly write: (text: string) => void
  readonly colours: boolean
}

const COLUMNS = 80
const LABEL = 15
const BOLD = '1'
const DIM = '2'

/** Builds a narrator; it counts the steps itself. */
export function narrator(options: NarratorOptions): Narrator {
  const { write } = options
  const paint = (code: string, text: string) =>
    options.colours ? `\u001B[${code}m${text}\u001B[0m` : text
  let steps = 0

  return {
    step(title, text) {
      steps += 1
      write(`\n${paint(BOLD, `${steps}. ${title}`)}\n`)
      for (const line of wrapped(text, COLUMNS - 3)) write(`   ${line}\n`)
    },
    fact(label, text) {
      const [first = '', ...rest] = wrapped(text, COLUMNS - 3 - LABEL)
      write(`   ${paint(DIM, label.padEnd(LABEL))}${first}\n`)
      for (const line of rest) write(`   ${' '.repeat(LABEL)}${line}\n`)
    },
    say(text) {
      write('\n')
      for (const line of wrapped(text, COLUMNS)) write(`${line}\n`)
    },
    list(title, lines) {
      write(`\n${paint(BOLD, title)}\n`)
      for (const line of lines) write(`  ${line}\n`)
    },
  }
}

/** `text` in lines of at most `width` characters; longer words stand alone. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
