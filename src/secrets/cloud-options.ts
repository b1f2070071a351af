// An endpoint of a cloud's service, as users write it.

import { z } from '../base/schema.ts'
import { isPrivateWay } from './vendor-http.ts'

/** Schema of the origin of a service: https, or http to this machine. Yields it without a slash at its end. */
export const cloudEndpoint = z
  .string()
  .superRefine((text, context) => {
    const message = defectOf(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })
  .transform((text) => new URL(text).origin)

/** Why `text` is no endpoint, or `undefined`. Quotes nothing: it may hold a password. */
function defectOf(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL; write for example https://service.example.com'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    return 'holds a user name or password; remove it, the SDK logs in by itself'
  }
  if (url.pathname !== '/' || text.includes('?') || text.includes('#')) {
    return 'holds more than an origin; remove what follows the host'
  }
  if (!isPrivateWay(url)) {
    return 'is not https, which would show the secret to the network; write https://'
  }
  return undefined
}
