// TLS to the upstream: the protocol, whose certificate is shown, and whether it is trusted as the proxy
// trusts. Nothing is sent over the connection.

import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { connect, getCACertificates } from 'node:tls'
import type { PeerCertificate, TLSSocket } from 'node:tls'

import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/fault.ts'
import { examined, visible } from './finding.ts'
import type { Finding, Verdict } from './finding.ts'
import type { Target } from './network.ts'

const DEADLINE = 4_000
const DAY = 86_400_000
const SOON = 7 * DAY

/** Shakes hands at `address`. `caFile` is one that was read before, for the proxy's own upstream. */
export function examineTls(
  target: Target,
  address: string,
  caFile: string | undefined,
  clock: Clock,
): Promise<Finding> {
  const trusting = caFile === undefined ? 'the usual CAs' : `the usual CAs and ${caFile}`
  return examined(
    {
      check: 'tls',
      side: 'remote',
      did: `shook hands with ${address} as ${target.host}, trusting ${trusting}`,
      deadline: DEADLINE,
    },
    clock,
    async () => {
      const ca =
        caFile === undefined ? undefined : [...getCACertificates('default'), await readFile(caFile)]
      return judged(await shakeHands(target, address, ca, clock), clock.wall())
    },
  )
}

interface Handshake {
  /** Why it failed; `undefined` when all is well. */
  readonly code: string | undefined
  readonly protocol: string | null
  /** Absent when it did not come so far. */
  readonly certificate: PeerCertificate | undefined
}

function shakeHands(
  { host, port }: Target,
  address: string,
  ca: (string | Buffer)[] | undefined,
  clock: Clock,
): Promise<Handshake> {
  return new Promise((resolve) => {
    let certificate: PeerCertificate | undefined
    let protocol: string | null = null
    const socket: TLSSocket = connect({
      host: address,
      port,
      // As src/opusdns/upstream.ts has it; a name in SNI must not be an address (RFC 6066 section 3).
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(ca === undefined ? {} : { ca }),
    })
    const end = (code: string | undefined) => {
      cancel()
      socket.destroy()
      resolve({ code, protocol, certificate })
    }
    const cancel = clock.after(DEADLINE - 200, () => end('ETIMEDOUT'))
    // Before the verdict, after which a refused certificate is gone: it is what tells an operator that
    // something between here and there opens TLS.
    socket.prependListener('secure', () => {
      const shown = socket.getPeerCertificate()
      if (Object.keys(shown).length > 0) certificate = shown
      protocol = socket.getProtocol()
    })
    socket.once('secureConnect', () => end(undefined))
    socket.once('error', (error) => end(errorCode(error) || 'error'))
    socket.once('close', () => end('ECONNRESET'))
  })
}

function judged({ code, protocol, certificate }: Handshake, wall: number): Verdict {
  const parts = [
    ...(protocol === null ? [] : [visible(protocol)]),
    ...(certificate === undefined ? [] : described(certificate)),
  ]
  if (code !== undefined) {
    return {
      outcome: 'fail',
      saw: [`refused (${code})`, ...parts].join('; '),
      remedy: remedyOf(code),
    }
  }
  const saw = ['trusted', ...parts].join('; ')
  const left = Date.parse(certificate?.valid_to ?? '') - wall
  if (!(left < SOON)) return { outcome: 'ok', saw }
  const remedy =
    'The certificate expires soon. Where it is your own (a private upstream), renew it.'
  return { outcome: 'warn', saw, remedy }
}

function described({ subject, issuer, subjectaltname, valid_to: end }: PeerCertificate): string[] {
  const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)
  const names = subjectaltname ?? text(subject?.CN) ?? 'no name'
  const by = text(issuer?.O) ?? text(issuer?.CN) ?? 'nobody'
  const time = Date.parse(end)
  const until = Number.isNaN(time) ? 'unknown' : new Date(time).toISOString().slice(0, 16)
  return [`certificate for ${visible(names)}`, `issued by ${visible(by)}`, `valid until ${until}Z`]
}

function remedyOf(code: string): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return "Check this machine's clock first (see the check clock); then the certificate must be renewed by whoever runs the upstream."
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'The certificate is for another name: check upstream.base, and what DNS says of it.'
    case 'ETIMEDOUT':
    case 'ECONNRESET':
    case 'EPROTO':
      return 'Something accepts connections but does not speak TLS: check the port, and what stands between.'
    default:
      return 'If a private CA or a company proxy signed it, name its CA in upstream.ca_file; else somebody reads along: do not go on.'
  }
}
