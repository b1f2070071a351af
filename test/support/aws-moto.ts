// moto's server, an emulator of AWS that others wrote (https://docs.getmoto.org), for tests where it is
// installed: OPUSDNS_TEST_MOTO names its program, else `python3 -m moto.server` is tried.

import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { eventually } from './eventually.ts'

/** How moto is started here, or `undefined`. */
export function motoCommand(): readonly string[] | undefined {
  const program = process.env['OPUSDNS_TEST_MOTO']
  if (program !== undefined && program !== '') return [program]
  const { status } = spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' })
  return status === 0 ? ['python3', '-m', 'moto.server'] : undefined
}

/** Starts moto on a free port of loopback. */
export async function startMoto(command: readonly string[]) {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const [program = '', ...words] = command
  const child = spawn(program, [...words, '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  })
  const ended = new Promise<void>((resolve) => void child.on('close', () => resolve()))
  await eventually(async () => (await fetch(`${endpoint}/moto-api/data.json`)).ok, {
    within: 30_000,
    every: 100,
  })
  return {
    endpoint,
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/**
 * Asks the server behind `endpoint` in AWS's JSON protocol, and resolves with the reply's body. The
 * signature is a sham: it only names service and region.
 */
export async function awsAsk(
  endpoint: string,
  target: `secretsmanager.${string}` | `AmazonSSM.${string}`,
  body: unknown,
): Promise<Record<string, unknown>> {
  const service = target.startsWith('A') ? 'ssm' : 'secretsmanager'
  const reply = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
      authorization:
        `AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/${service}/aws4_request, ` +
        'SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  })
  const text = await reply.text()
  if (!reply.ok) throw new Error(`${target} was answered ${reply.status} ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}
