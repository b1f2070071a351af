// A secret from HashiCorp Vault or OpenBao: any path that answers a GET with fields, above all
// versions 1 and 2 of the KV engine.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf, SecretReference } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromBytes } from './value.ts'
import { readDefect, VaultDefect } from './vault-defect.ts'
import { leaseWatch } from './vault-lease.ts'
import { vaultLogin } from './vault-login.ts'
import type { VaultSettings } from './vault-options.ts'
import { vaultSecret } from './vault-reply.ts'
import type { VaultSecret } from './vault-reply.ts'
import { vaultServer } from './vault-server.ts'
import { vaultSession } from './vault-session.ts'
import type { VaultSession } from './vault-session.ts'

/** See `vaultSources`. */
export interface VaultDependencies {
  readonly clock: Clock
  /** Where `VAULT_ADDR`, `VAULT_NAMESPACE`, `VAULT_CACERT`, `VAULT_TOKEN` (or `BAO_…`) are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The source of a secret that is needed to log in. */
  readonly secret: (reference: SecretReference) => SecretSource
}

/** Builds the sources of one server, which share one login. Built without I/O. */
export function vaultSources(
  settings: VaultSettings,
  deps: VaultDependencies,
): (reference: ReferenceOf<'vault'>) => SecretSource {
  const server = vaultServer(settings, deps)
  const login = vaultLogin(settings.auth, { ...deps, server })
  const session = vaultSession(login, { clock: deps.clock, server })
  const { origin } = server
  return (reference) => vaultSource(reference, session, { ...deps, origin })
}

function vaultSource(
  options: ReferenceOf<'vault'>,
  session: VaultSession,
  deps: Pick<VaultDependencies, 'clock'> & { readonly origin: string | undefined },
): SecretSource {
  const reference = referenceText(options)
  const { path, version, timeout } = options
  const lease = leaseWatch(options.lifetime, deps.clock)

  async function fields(): Promise<VaultSecret> {
    // An URL would resolve these away, to another path than the one that is written.
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw new VaultDefect('is no path', 'write names with one / between them, and none before')
    }
    const query = version === undefined ? '' : `?version=${version}`
    const reply = await session.get(path + query, timeout)
    if (reply.status !== 200) throw readDefect(reply, version !== undefined)
    const found = vaultSecret(reply)
    if (version !== undefined && found.version !== version) {
      throw new VaultDefect(
        'is not kept in versions here',
        'leave out ?version, or use a path of version 2 of the engine',
      )
    }
    return found
  }

  return {
    kind: options.kind,
    reference,
    async read() {
      try {
        const found = await within(timeout, deps.clock, fields())
        const bytes = Buffer.from(JSON.stringify(found.fields))
        const secret = secretFromBytes(bytes, reference, options.extract)
        lease.leased(found.leaseSeconds)
        return secret
      } catch (error) {
        if (!(error instanceof VaultDefect)) throw error
        const server = deps.origin === undefined ? '' : ` (server ${deps.origin})`
        const detail = `${reference} ${error.message}: ${error.remedy}${server}.`
        throw new Fault('secret_unavailable', { detail })
      }
    },
    watch(changed) {
      const release = session.hold()
      const end = lease.watch(changed)
      return () => {
        end()
        release()
      }
    },
  }
}

/** The deadline of one read over all that it does, a login that others began included. */
function within<T>(timeout: number, clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeout, () =>
      reject(
        new VaultDefect(
          'was not answered in time',
          'check the server and the network, or give it a longer timeout',
        ),
      ),
    )
    work.then(resolve, reject).finally(cancel)
  })
}
