// CRC32C (Castagnoli; RFC 3720 section 12.1), with which Google Secret Manager guards what it sends.

const POLYNOMIAL = 0x82f63b78

/** CRC32C of `bytes`, from 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) === 1 ? POLYNOMIAL : 0)
  }
  return (sum ^ 0xffffffff) >>> 0
}
