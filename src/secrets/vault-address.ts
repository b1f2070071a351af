// What may stand as the address of a server.

import { isPrivateWay } from './vendor-http.ts'

/** For messages: what is wrong, and what to do. */
export const NO_ADDRESS =
  'is not an origin that secrets may travel to; write https://host:port, or http:// to this machine'

/** True for an origin, `https:` or `http:` to a loopback address, with nothing behind it but one slash. */
export function isVaultAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const bare = url.pathname === '/' && url.search === '' && url.hash === ''
  return bare && url.username === '' && url.password === '' && isPrivateWay(url)
}
