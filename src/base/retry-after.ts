// `Retry-After` in both of its forms (RFC 9110 section 10.2.3).

/** Of an HTTP date; `Date.parse` alone takes far too much for one. */
const HTTP_DATE = /^[A-Z][a-z]{2,8}, .{8,30} GMT$/

/**
 * Milliseconds to wait by `value`, at least 0 and perhaps very many; `undefined` for what is neither
 * seconds nor a date. `wallNow` is the sender's time, in milliseconds since 1970.
 */
export function retryAfter(value: string | undefined, wallNow: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - wallNow)
}
