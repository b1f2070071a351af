// Takes the one sentence about a secret that cannot be read apart again.

/** What is wrong, and what to do about it. */
export interface Complaint {
  readonly fault: string
  /** `undefined` when the sentence has none. */
  readonly remedy: string | undefined
}

/** The two parts of a detail as sources write it: `<reference> <what is wrong>: <what to do>.` */
export function complaint(detail: string): Complaint {
  const at = detail.lastIndexOf(': ')
  if (at < 0) return { fault: detail.replace(/\.$/, ''), remedy: undefined }
  return { fault: detail.slice(0, at), remedy: detail.slice(at + 2).replace(/\.$/, '') }
}
