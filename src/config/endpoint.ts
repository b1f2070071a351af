// One entry of `listen`, or `admin.listen`: an address, and who may open its socket, or which
// certificate it shows.

import type { Problem } from '../base/fault.ts'
import { isRecord } from '../base/record.ts'
import { addressText, parseAddress } from './address.ts'
import type { ListenAddress } from './address.ts'
import type { PlaceOf } from './problems.ts'

/** Files of a certificate and its key, in PEM form; paths as written. */
export interface TlsFiles {
  readonly certificateFile: string
  readonly keyFile: string
  /** Where the user named each of them, for messages. */
  readonly places: { readonly certificate: string; readonly key: string }
  /** Whose certificates clients may show; `undefined` asks for none. */
  readonly client: ClientCertificates | undefined
}

/** What a TLS listener asks of its clients. */
export interface ClientCertificates {
  /** PEM file with the CAs that are trusted for this, and for this alone. */
  readonly caFile: string
  /** Whether a client without a certificate is turned away. */
  readonly required: boolean
  /** Where the user named the file, for messages. */
  readonly place: string
}

/** Who owns a socket; `undefined` leaves that half as it is. */
export interface SocketOwner {
  readonly uid: number | undefined
  readonly gid: number | undefined
}

type Tcp = Extract<ListenAddress, { kind: 'tcp' }>
type Unix = Extract<ListenAddress, { kind: 'unix' }>

/** One listener as configured. `tls` undefined means plain HTTP; `mode` is that of the socket file. */
export type Endpoint =
  | (Tcp & { readonly tls: TlsFiles | undefined })
  | (Unix & {
      readonly tls: TlsFiles | undefined
      readonly mode: number
      readonly owner: SocketOwner | undefined
    })

/** Who can connect to a unix socket if nothing is said: its owner and group. */
const DEFAULT_MODE = 0o660
const WORLD_WRITABLE = 0o002

/** Parses one entry and reports what is wrong; what is no entry at all yields `undefined` in silence. */
export function parseEndpoint(
  entry: unknown,
  path: readonly PropertyKey[],
  placeOf: PlaceOf,
  { problems, warnings }: { readonly problems: Problem[]; readonly warnings: Problem[] },
): Endpoint | undefined {
  const {
    address: text,
    mode,
    owner,
    tls,
  }: Readonly<Record<string, unknown>> = isRecord(entry) ? entry : { address: entry }
  if (typeof text !== 'string') return undefined
  const address = parseAddress(text)
  if (!('kind' in address)) {
    problems.push({ place: placeOf(isRecord(entry) ? [...path, 'address'] : path), ...address })
    return undefined
  }
  const placeOfTls = (key: string) => placeOf([...path, 'tls', key])
  const files = isRecord(tls) ? tlsFiles(tls, placeOfTls) : undefined
  if (isRecord(tls) && tls['client_certificate'] !== undefined && files?.client === undefined) {
    problems.push({
      place: placeOfTls('client_certificate'),
      fault: 'has no CA to judge certificates by',
      remedy: 'write client_ca_file beside it, or remove it',
    })
  }
  if (address.kind === 'tcp') {
    for (const key of ['mode', 'owner']) {
      if (!isRecord(entry) || entry[key] === undefined) continue
      problems.push({
        place: placeOf([...path, key]),
        fault: `has no meaning for ${addressText(address)}, which is no file`,
        remedy: 'remove it, or listen on unix:/path',
      })
    }
    return { ...address, tls: files }
  }
  const bits = typeof mode === 'string' ? Number.parseInt(mode, 8) : DEFAULT_MODE
  if ((bits & WORLD_WRITABLE) !== 0) {
    warnings.push({
      place: placeOf([...path, 'mode']),
      fault: 'lets every user of this machine act with your credential',
      remedy: "choose '0660', and give the socket to a group by owner",
    })
  }
  return { ...address, tls: files, mode: bits, owner: ownerOf(owner) }
}

function tlsFiles(
  written: Readonly<Record<string, unknown>>,
  placeOf: (key: string) => string,
): TlsFiles {
  const caFile = written['client_ca_file']
  return {
    certificateFile: String(written['certificate_file']),
    keyFile: String(written['key_file']),
    places: { certificate: placeOf('certificate_file'), key: placeOf('key_file') },
    client:
      typeof caFile === 'string'
        ? {
            caFile,
            required: written['client_certificate'] !== 'optional',
            place: placeOf('client_ca_file'),
          }
        : undefined,
  }
}

function ownerOf(written: unknown): SocketOwner | undefined {
  if (typeof written !== 'string') return undefined
  const [uid = '', gid = ''] = written.split(':')
  const id = (digits: string) => (digits === '' ? undefined : Number(digits))
  return { uid: id(uid), gid: id(gid) }
}
