// Decides whether a request target is written in the one canonical way. What is not is refused and
// never normalised, so that what is judged is, byte for byte, what is forwarded: FastAPI decodes a
// path before it routes, so `%2F`, dot segments and look-alikes would slip past any rule.

/** The outcome of `canonicalTarget`: the path to judge, or a reason for a person. */
export type CanonicalTarget =
  | { readonly path: string; readonly query: string }
  | { readonly refused: string }

// RFC 3986 pchar without `%` and `;`, in non-empty segments that are not `.` or `..`; a final slash
// may follow.
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9\-._~!$&'()*+,=:@]+)+\/?$/
const PERCENT_OR_PCHAR = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/
const ENCODED_UNRESERVED = /%(?:2[dDeE]|3[0-9]|4[1-9A-Fa-f]|5[0-9aAfF]|6[1-9A-Fa-f]|7[0-9aAeE])/
// `%25u002f` too: IIS and its likes know that form of a slash.
const ENCODED_DELIMITER = /%(?:2[fF]|5[cC]|3[bB]|3[fF]|23|25(?:[0-9A-Fa-f]{2}|[uU][0-9A-Fa-f]{4}))/
// What name libraries drop without a word counts as control: `.` and a soft hyphen may become `.`.
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
// Signs that some servers or name libraries fold into `/`, `\`, `.` or `%` beyond what NFKC does.
const LOOK_ALIKE = /[\u2044\u2215\u29f8\u29f5\u2216\u3002\uff61\u2024\ufe52]/
const ONLY_DOTS_AND_SPACE = /^[\s.]+$/u

/** Characters of a segment in which some are encoded. */
const LONGEST = 1000

function refusal(path: string): string | undefined {
  if (!path.startsWith('/')) return 'It does not begin with a slash.'
  if (path.includes('//')) return 'It has an empty segment (//).'
  if (path.includes(';')) return 'It has a path parameter (;).'
  if (path.includes('\\')) return 'It has a backslash.'
  if (!PERCENT_OR_PCHAR.test(path)) {
    return 'It has a character that must be percent-encoded, or a broken percent-encoding.'
  }
  if (ENCODED_DELIMITER.test(path)) return 'It has an encoded delimiter (/ \\ ; ? # or %).'
  if (ENCODED_UNRESERVED.test(path)) return 'It encodes a character that needs no encoding.'
  for (const segment of path.split('/')) {
    if (segment === '.' || segment === '..') return 'It has a dot segment.'
    if (!segment.includes('%')) continue
    let decoded: string
    try {
      decoded = decodeURIComponent(segment)
    } catch {
      return 'It encodes bytes that are not UTF-8.'
    }
    if (CONTROL.test(decoded)) return 'It encodes a control character.'
    if (ONLY_DOTS_AND_SPACE.test(decoded)) return 'It has a dot segment.'
    if (LOOK_ALIKE.test(decoded)) {
      return 'It has a character that other software takes for a dot or a slash.'
    }
    // Ordering marks takes longer the more there are of them; no name or id of the API is as long.
    if (decoded.length > LONGEST) return `It has a segment of more than ${LONGEST} characters.`
    // NFKC turns a fullwidth dot into a dot, and a fullwidth `auth` into a path that is blocked.
    if (decoded.normalize('NFKC') !== decoded) {
      return 'It has a character that other software takes for another one (write it in NFKC).'
    }
  }
  return undefined
}

/**
 * Splits an origin-form target at the first `?` and says whether its path is canonical. The query
 * is handed back untouched, with its `?`; only a `#` in it is refused, since it never belongs in a
 * request (RFC 9112 section 3.2).
 */
export function canonicalTarget(target: string): CanonicalTarget {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark)
  if (query.includes('#')) return { refused: 'It has a fragment (#).' }
  if (PLAIN.test(path)) return { path, query }
  if (path === '/') return { path, query }
  const refused = refusal(path)
  return refused === undefined ? { path, query } : { refused }
}
