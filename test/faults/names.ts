// A stand-in for the name service of this process: answers the names that it was given, and leaves all
// others to the system.

import dns from 'node:dns'

/** An address, several, an error, or `null`: no answer at all. */
export type NameAnswer = string | readonly string[] | { readonly code: string } | null

/** Names and their answers; changes hold from the next question on. */
export const names = new Map<string, NameAnswer>()

type Callback = (error: Error | null, address?: unknown, family?: number) => void
type Lookup = (name: string, options: unknown, done?: Callback) => void

const system = dns.lookup as unknown as Lookup

// node:net asks whatever stands here at the time.
Object.assign(dns, {
  lookup(name: string, options: unknown, done?: Callback): void {
    const answer = names.get(name)
    const callback = typeof options === 'function' ? (options as Callback) : done
    if (answer === undefined || callback === undefined) return system(name, options, done)
    if (answer === null) return
    if (typeof answer === 'object' && 'code' in answer) {
      const { code } = answer
      const error = Object.assign(new Error(`getaddrinfo ${code}`), {
        code,
        syscall: 'getaddrinfo',
      })
      setImmediate(() => callback(error))
      return
    }
    const addresses = typeof answer === 'string' ? [answer] : answer
    const all = (options as { all?: boolean } | undefined)?.all === true
    setImmediate(() => {
      if (all)
        callback(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        )
      else callback(null, addresses[0], 4)
    })
  },
})
