// `healthcheck`: asks the admin listener of a running proxy how it is. For probes in containers that
// have no shell and no curl.

import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'

import { request, secureRequest } from '../server/node-http.ts'
import { adminAddress } from '../config/admin-address.ts'
import type { Endpoint } from '../config/endpoint.ts'
import { readConfig } from '../config/read-config.ts'
import { printFault } from './printer.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

const DEADLINE = 2000

/** See `healthcheckCommand`. */
export interface HealthcheckOptions extends ConfigOption {
  /** Asks `/livez` in place of `/readyz`. */
  readonly live?: boolean
}

/** Returns 0 when the proxy says that it is well, 2 when it does not, or cannot be reached. */
export async function healthcheckCommand(
  options: HealthcheckOptions,
  world: World,
): Promise<ExitCode> {
  let address: Endpoint
  try {
    const input = await readConfig({
      env: world.env,
      configPath: options.config,
      directory: world.cwd,
    })
    address = await adminAddress(input)
  } catch (error) {
    world.err(printFault(error))
    return 1
  }
  const path = options.live === true ? '/livez' : '/readyz'
  try {
    const { status, body } = await ask(address, path)
    world.out(`${body}\n`)
    return status === 200 ? 0 : 2
  } catch {
    world.err(`error: nobody answers on the admin listener; is the proxy running?\n`)
    return 2
  }
}

function ask(address: Endpoint, path: string): Promise<{ status: number; body: string }> {
  const where =
    address.kind === 'unix'
      ? { socketPath: address.path }
      : { host: loopbackOf(address.host), port: address.port }
  const options = { ...where, path, headers: { Host: 'localhost' }, agent: false }
  return new Promise((resolve, reject) => {
    const call =
      address.tls === undefined
        ? request(options, answered)
        : secureRequest({ ...options, ...trustOf(address.tls.certificateFile) }, answered)
    function answered(reply: IncomingMessage): void {
      let body = ''
      reply.setEncoding('utf8')
      reply.on('data', (text: string) => {
        body += text
      })
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body }))
      reply.on('error', reject)
    }
    call.setTimeout(DEADLINE, () => call.destroy(new Error('timeout')))
    call.on('error', reject)
    call.end()
  })
}

/** Trusts the very certificate that the listener shows, whichever name it is for and whoever signed it. */
function trustOf(certificateFile: string) {
  const ca = readFileSync(certificateFile)
  return { ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined }
}

/** A listener on all addresses is asked on loopback. */
function loopbackOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
