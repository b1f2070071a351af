// What the head of a reply says of a purchase: done, refused, or not to be known.

/** See the top of the file. */
export type PurchaseOutcome = 'done' | 'refused' | 'unclear'

/**
 * The outcome by status and raw header list of the final reply. Refused only where nothing can have been
 * bought: 5xx, redirects and time-outs tell nothing, for what stands between may have given up on a
 * request that went through.
 */
export function purchaseOutcome(status: number, rawHeaders: readonly Buffer[]): PurchaseOutcome {
  if (status >= 200 && status <= 299) return 'done'
  if (status < 400 || status > 499) return 'unclear'
  // 408 comes from who waited for the whole request, and from who waited for an answer; 499 is no
  // status of the API.
  if (status === 408 || status === 499) return 'unclear'
  // OpusDNS refuses with it (a wrong price, a domain that exists). An intermediary such as a second
  // proxy of this kind says with it that nobody knows, and marks itself (RFC 9209).
  if (status === 409) return fromIntermediary(rawHeaders) ? 'unclear' : 'refused'
  return 'refused'
}

function fromIntermediary(rawHeaders: readonly Buffer[]): boolean {
  return rawHeaders.some(
    (name, at) => at % 2 === 0 && name.toString('latin1').toLowerCase() === 'proxy-status',
  )
}
