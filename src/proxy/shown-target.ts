// What the records show of a request target that was refused before it was judged.

const LONGEST = 1000
const ORIGIN = /^https?:\/\/[^/?#]*/i
/** Where a query may begin, also one that was encoded, once or twice, and what else may carry a secret. */
const QUERY = /[?#;]|%(?:2[35]|3[bf])/i
const UNPRINTABLE = /[^\x21-\x7e]/g

/**
 * The path in `target`, for people: up to its query, at most 1,000 characters, with `\x1b` for what no
 * terminal should print, and `…` behind what was cut. Empty for what is no path, such as `user:secret@host`.
 */
export function shownTarget(target: string): string {
  const path = target.replace(ORIGIN, '')
  if (!path.startsWith('/')) return ''
  const [plain = ''] = path.slice(0, LONGEST).split(QUERY, 1)
  const shown = plain.replace(
    UNPRINTABLE,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  const whole = plain.length === path.length || path[plain.length] === '?'
  return whole && shown.length <= LONGEST ? shown : `${shown.slice(0, LONGEST)}…`
}
