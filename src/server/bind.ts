// Binds a server to its address, and gives a unix socket to those who may open it, and to nobody else
// for any moment in between.

import { existsSync } from 'node:fs'
import { chmod, chown, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { dirname } from 'node:path'

import { Fault, errorCode } from '../base/fault.ts'
import { addressText } from '../config/address.ts'
import type { Endpoint } from '../config/endpoint.ts'

/** Sets the process's file mode mask and returns the one before. */
export type Umask = (mask: number) => number

/** Of a new socket: for its owner alone, until it has its owner and mode. */
const PRIVATE = 0o177

/**
 * Listens on `endpoint`. Without `umask` a new unix socket has for a moment the mode that the mask of
 * the process leaves. Rejects with a Fault `config_invalid` that says what stands in the way.
 */
export async function bind(
  server: Server,
  endpoint: Endpoint,
  umask: Umask | undefined,
): Promise<void> {
  try {
    if (endpoint.kind === 'unix') await removeStale(endpoint.path)
    await listen(server, endpoint, umask)
  } catch (error) {
    throw cannotListen(error, endpoint)
  }
  if (endpoint.kind === 'tcp') return
  const { path, mode, owner } = endpoint
  try {
    if (owner !== undefined) await chown(path, owner.uid ?? -1, owner.gid ?? -1)
    await chmod(path, mode)
  } catch (error) {
    server.close()
    throw cannotHandOver(error, endpoint)
  }
}

/** The address that `server` listens on, with the real port. */
export function boundAddress(server: Server, endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return addressText(endpoint)
  const { address: host, port } = server.address() as AddressInfo
  return addressText({ kind: 'tcp', host, port })
}

function listen(server: Server, endpoint: Endpoint, umask: Umask | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const open = () => {
      server.off('error', reject)
      resolve()
    }
    if (endpoint.kind === 'tcp') {
      server.listen(endpoint.port, endpoint.host, open)
      return
    }
    // Node.js makes the socket within the call, so that the mask touches no other file.
    const before = umask?.(PRIVATE)
    try {
      server.listen(endpoint.path, open)
    } finally {
      if (before !== undefined) umask?.(before)
    }
  })
}

/** Removes the socket file of a process that is gone; one that somebody answers on stays. */
async function removeStale(path: string): Promise<void> {
  let stat
  try {
    stat = await lstat(path)
  } catch {
    return
  }
  // Anything that is no socket is left for `listen` to fail on.
  if (!stat.isSocket()) return
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // Only a refusal proves that nobody is there; a full queue or a missing permission does not.
    probe.once('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED'))
  })
  if (!alive) await unlink(path)
}

function cannotListen(error: unknown, endpoint: Endpoint): Fault {
  const place = addressText(endpoint)
  const reasons: Readonly<Record<string, [string, string]>> = {
    EADDRINUSE: ['something else listens there', 'Stop it, or choose another port.'],
    EACCES: ['this user may not listen there', 'Choose a port above 1023, or a writable folder.'],
    EADDRNOTAVAIL: ['this machine has no such address', 'Choose an address of this machine.'],
    ENOENT: ['the folder does not exist', 'Create the folder of the socket.'],
  }
  // libuv reports a missing folder of a socket as a missing permission.
  const folderless = endpoint.kind === 'unix' && !existsSync(dirname(endpoint.path))
  const [fault, remedy] = reasons[folderless ? 'ENOENT' : errorCode(error)] ?? [
    `listening fails (${errorCode(error)})`,
    'Choose another address.',
  ]
  return new Fault('config_invalid', {
    detail: `Cannot listen on ${place}: ${fault}.`,
    cause: error,
    problems: [{ place, fault, remedy }],
  })
}

function cannotHandOver(error: unknown, endpoint: Endpoint): Fault {
  const place = addressText(endpoint)
  const fault = `its owner or mode cannot be set (${errorCode(error)})`
  return new Fault('config_invalid', {
    detail: `Cannot listen on ${place}: ${fault}.`,
    cause: error,
    problems: [
      {
        place,
        fault,
        remedy: 'Choose a group that this user is in (see id -G); another uid needs root.',
      },
    ],
  })
}
