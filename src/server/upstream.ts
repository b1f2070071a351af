// Builds the upstream from the settings, with the certificates that it trusts.

import { getCACertificates } from 'node:tls'

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import { upstream } from '../opusdns/upstream.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import { readSmallFile } from '../secrets/small-file.ts'
import type { UpstreamSettings } from '../opusdns/upstream-options.ts'

/** What connections depend on. Sizes in bytes. */
export interface UpstreamInput {
  readonly upstream: UpstreamSettings
  /** Of a reply head at most. */
  readonly headerSize: number
  /** Whether several consumers share the connections; default false. */
  readonly shared?: boolean
}

/** Builds the upstream; reads the CA file, opens no connection. */
export async function buildUpstream(
  { upstream: settings, headerSize, shared = false }: UpstreamInput,
  clock: Clock,
): Promise<Upstream> {
  const ca = await certificates(settings.caFile)
  return upstream({ ...settings, headerSize, shared, ca }, clock)
}

async function certificates(path: string | undefined): Promise<readonly string[] | undefined> {
  if (path === undefined) return undefined
  let text: string
  try {
    text = await readSmallFile(path)
  } catch (error) {
    throw badCertificates(path, `cannot be read (${errorCode(error)})`, error)
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw badCertificates(path, 'holds no PEM certificate', undefined)
  }
  // Node takes a list in place of its own, so its own comes along.
  return [...getCACertificates('default'), text]
}

function badCertificates(path: string, fault: string, cause: unknown): Fault {
  return new Fault('config_invalid', {
    detail: 'The CA file cannot be used.',
    cause,
    problems: [
      {
        place: `upstream.ca_file ${path}`,
        fault,
        remedy: 'Name a readable file with certificates in PEM form.',
      },
    ],
  })
}
