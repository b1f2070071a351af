// The addresses that the proxy would listen on, and the certificates that it would show there. Asks
// whoever listens there now; opens no listener.

import { readFile, lstat, access, constants } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { connect, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dirname } from 'node:path'

import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/fault.ts'
import { addressText, isLocal } from '../../config/address.ts'
import type { Endpoint } from '../../config/endpoint.ts'
import type { Settings } from '../../config/settings.ts'
import { liveCertificate } from '../certificate.ts'
import { request, secureRequest } from '../node-http.ts'
import { examined } from './finding.ts'
import type { Finding, Verdict } from './finding.ts'

const DEADLINE = 3_000
const ASK_DEADLINE = 1_000
const DAY = 86_400_000
const SOON = 14 * DAY

/** Looks at every listener, all at once. */
export function examineListeners(
  settings: Pick<Settings, 'listen' | 'admin'>,
  clock: Clock,
): Promise<Finding[]> {
  const tasks = [...settings.listen, settings.admin.listen].flatMap((endpoint, index) => {
    const operators = index === settings.listen.length
    const address = addressText(endpoint)
    const task = (check: string, did: string) =>
      ({ check: `${check}:${address}`, side: 'local', did, deadline: DEADLINE }) as const
    const what = operators ? "the operators' listener" : 'the listener'
    const place = examined(
      task('listener', `asked who listens on ${address} (${what})`),
      clock,
      () => judged(endpoint, operators, clock),
    )
    const { tls } = endpoint
    if (tls === undefined) return [place]
    const did = `read ${tls.certificateFile} and its key ${tls.keyFile}`
    const pair = examined(task('certificate', did), clock, async () => {
      const { expiresAt } = (await liveCertificate(tls, clock)).current()
      return expiry(expiresAt, clock.wall())
    })
    return [place, pair]
  })
  return Promise.all(tasks)
}

function expiry(expiresAt: number, wall: number): Verdict {
  const saw = `they belong together; valid until ${new Date(expiresAt).toISOString().slice(0, 16)}Z`
  if (expiresAt - wall >= SOON) return { outcome: 'ok', saw }
  const outcome = expiresAt <= wall ? 'fail' : 'warn'
  return { outcome, saw, remedy: 'Renew it; the proxy reads the files again by itself.' }
}

async function judged(endpoint: Endpoint, operators: boolean, clock: Clock): Promise<Verdict> {
  if (endpoint.kind === 'tcp' && endpoint.port === 0) {
    return { outcome: 'ok', saw: 'port 0: the system chooses a free one' }
  }
  const code = await knock(endpoint, clock)
  if (code === undefined) return neighbour(endpoint, operators)
  return endpoint.kind === 'unix' ? freeSocket(endpoint.path, code) : freePort(endpoint.host, code)
}

/** Who answers there: a proxy of ours is what one expects beside a running one. */
async function neighbour(endpoint: Endpoint, operators: boolean): Promise<Verdict> {
  const ours = await ask(endpoint, operators).catch(() => undefined)
  if (ours === true) return { outcome: 'ok', saw: 'in use by a proxy that runs and answers' }
  if (ours === undefined && endpoint.tls !== undefined) {
    return {
      outcome: 'warn',
      saw: 'in use, by whom cannot be told: it does not speak TLS with the configured certificate',
      remedy:
        'If no proxy runs with this certificate, stop what listens there, or choose another address.',
    }
  }
  return {
    outcome: 'fail',
    saw: 'in use by something else',
    remedy: 'Stop it (ss -ltnxp shows who it is), or choose another address.',
  }
}

function freePort(host: string, code: string): Verdict {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const any = host === '0.0.0.0' || host === '::'
  const here =
    any || isLocal({ kind: 'tcp', host, port: 1 }) || own.some((it) => it.address === host)
  if (isIP(host) !== 0 && !here) {
    return {
      outcome: 'fail',
      saw: 'this machine has no such address',
      remedy: 'Choose an address of this machine (ip address shows them).',
    }
  }
  if (code === 'ECONNREFUSED') return { outcome: 'ok', saw: 'nobody: it is free' }
  return {
    outcome: 'warn',
    saw: `nobody answers (${code})`,
    remedy: 'Check the name or address of the listener, and the firewall of this machine.',
  }
}

async function freeSocket(path: string, code: string): Promise<Verdict> {
  const folder = dirname(path)
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const remedy = `Create ${folder}, writable by the proxy's user.`
    return {
      outcome: 'fail',
      saw: `no socket can be made in ${folder} (${errorCode(error)})`,
      remedy,
    }
  }
  const file = await lstat(path).catch(() => undefined)
  if (file === undefined) return { outcome: 'ok', saw: 'nobody: it is free' }
  if (!file.isSocket()) {
    return {
      outcome: 'fail',
      saw: 'a file that is no socket is in the way',
      remedy: `Remove ${path}.`,
    }
  }
  if (code === 'ECONNREFUSED') {
    return {
      outcome: 'ok',
      saw: 'nobody: the socket of a process that is gone, which is replaced at start',
    }
  }
  return {
    outcome: 'warn',
    saw: `the socket cannot be tried (${code})`,
    remedy: 'Check its owner and mode.',
  }
}

/** `undefined` when somebody accepted, else the code of the error. */
function knock(endpoint: Endpoint, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(whereOf(endpoint))
    const end = (code: string | undefined) => {
      cancel()
      socket.destroy()
      resolve(code)
    }
    const cancel = clock.after(ASK_DEADLINE, () => end('ETIMEDOUT'))
    socket.once('connect', () => end(undefined))
    socket.once('error', (error) => end(errorCode(error) || 'error'))
  })
}

/** Whether a proxy of ours answers; rejects when nobody speaks HTTP. Reads no body to its end. */
async function ask(endpoint: Endpoint, operators: boolean): Promise<boolean> {
  const path = operators ? '/livez' : '/'
  const options = {
    ...whereOf(endpoint),
    path,
    headers: { Host: 'localhost' },
    agent: false as const,
  }
  // The certificate that the listener shows, whichever name it is for and whoever signed it.
  const trust = endpoint.tls && {
    ca: await readFile(endpoint.tls.certificateFile),
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  }
  return new Promise((resolve, reject) => {
    const call =
      trust === undefined
        ? request(options, answered)
        : secureRequest({ ...options, ...trust }, answered)
    function answered(reply: IncomingMessage): void {
      const { headers, statusCode } = reply
      reply.destroy()
      const marked = String(headers['proxy-status'] ?? '').startsWith('opusdns-auth-proxy')
      const policy =
        headers['content-security-policy'] === "default-src 'none'; style-src 'unsafe-inline'"
      resolve(operators ? policy && statusCode === 200 : marked)
    }
    call.setTimeout(ASK_DEADLINE, () => call.destroy(new Error('timeout')))
    call.on('error', reject)
    call.end()
  })
}

/** A listener on all addresses is asked on loopback. */
function whereOf(endpoint: Endpoint) {
  if (endpoint.kind === 'unix') return { path: endpoint.path, socketPath: endpoint.path }
  const loopback: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  return { host: loopback[endpoint.host] ?? endpoint.host, port: endpoint.port }
}
