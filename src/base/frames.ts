// Where an unexpected error happened, and nothing of what it says.

const FRAMES = 5

/**
 * The first lines of the stack that name a place in the code. The message may quote a secret, and may
 * have several lines of its own, so it is cut off first.
 */
export function framesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const { stack = '', message } = error
  const after = message === '' ? 0 : stack.indexOf(message)
  // A message that was changed later cannot be found: then nothing is safe to show.
  if (after < 0) return []
  const lines = stack.slice(after + message.length).split('\n')
  return lines.filter((line) => /^ {4}at /.test(line)).slice(0, FRAMES)
}
