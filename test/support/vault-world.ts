// A running Vault under the test's hand: OpenBao or Vault in dev mode where OPUSDNS_TEST_VAULT names
// the program, and the stub everywhere. Both are ruled through the vendor's HTTP API.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { eventually } from './eventually.ts'
import { vaultStub } from './vault-stub.ts'

/** What a reply holds. */
export interface VaultAnswer {
  readonly status: number
  readonly data: Readonly<Record<string, string>>
  readonly auth: { readonly client_token: string }
}

/** A server whose root token is `root`. */
export interface VaultWorld {
  readonly address: string
  /** Asks as root; throws on a status that is not 2xx. */
  ask(method: string, path: string, body?: unknown, namespace?: string): Promise<VaultAnswer>
  seal(): Promise<void>
  unseal(): Promise<void>
  end(): Promise<void>
}

/** The stub. */
export async function stubWorld(): Promise<VaultWorld> {
  const { address, end } = await vaultStub()
  return ruled(address, 'key', end)
}

/** A server in dev mode, in memory, from the program at `path`. */
export async function realWorld(path: string): Promise<VaultWorld> {
  const home = mkdtempSync(join(tmpdir(), 'vault-'))
  const port = await freePort()
  const listen = `-dev-listen-address=127.0.0.1:${port}`
  const child = spawn(
    path,
    ['server', '-dev', '-dev-root-token-id=root', '-dev-no-store-token', listen],
    { env: { HOME: home, PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<void>((resolve) => void child.on('exit', () => resolve()))
  await eventually(() => said.includes('Root Token: root'), { within: 30_000 })
  const key = /Unseal Key: (\S+)/.exec(said)?.[1] ?? ''
  return ruled(`http://127.0.0.1:${port}`, key, async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(home, { recursive: true, force: true })
  })
}

function ruled(address: string, key: string, end: () => Promise<void>): VaultWorld {
  async function ask(method: string, path: string, body?: unknown, namespace?: string) {
    const reply = await fetch(`${address}/v1/${path}`, {
      method,
      headers: {
        'x-vault-token': 'root',
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    const { data, auth } = JSON.parse(text || '{}') as VaultAnswer
    return { status: reply.status, data, auth }
  }
  return {
    address,
    ask,
    end,
    seal: async () => void (await ask('PUT', 'sys/seal')),
    unseal: async () => void (await ask('PUT', 'sys/unseal', { key })),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}
