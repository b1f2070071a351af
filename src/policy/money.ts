// Money, exactly: integers of a ten-thousandth of the API's currency, never floating point.

/** Ten-thousandths of the currency of the account at OpusDNS. */
export type Money = bigint

const DECIMAL = /^(\d{1,9})(?:\.(\d{1,4}))?$/

/** `12.50` as money; `undefined` for a text that is no such decimal. */
export function parseMoney(text: string): Money | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, whole = '', part = ''] = match
  return BigInt(whole) * 10_000n + BigInt(part.padEnd(4, '0'))
}

/** Money as `12.50`; with four places where two do not do. */
export function moneyText(money: Money): string {
  const part = String(money % 10_000n).padStart(4, '0')
  return `${money / 10_000n}.${part.endsWith('00') ? part.slice(0, 2) : part}`
}
