// The watch of the Kubernetes API, and whom it trusts, against the stub on a TLS socket.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { fileSource } from '../../src/secrets/file.ts'
import { kubernetesSource } from '../../src/secrets/kubernetes.ts'
import { kubernetesOptions } from '../../src/secrets/kubernetes-options.ts'
import { secretReference } from '../../src/secrets/options.ts'
import { secretSources } from '../../src/secrets/reference.ts'
import type { SecretSource } from '../../src/secrets/source.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { startKubernetesStub } from '../support/kubernetes-stub.ts'
import type { KubernetesStub } from '../support/kubernetes-stub.ts'
import { manualClock, settle } from '../support/manual-clock.ts'

let stub: KubernetesStub
let clock: ReturnType<typeof manualClock>
const ends: (() => void)[] = []
beforeEach(async () => {
  clock = manualClock()
  stub = await startKubernetesStub()
  stub.set('opk_a')
})
afterEach(async () => {
  for (const end of ends.splice(0)) end()
  await stub.close()
})

function source(
  written = 'k8s:opusdns#api_key',
  options: object = { address: stub.address },
  environment = {},
): SecretSource {
  const vendors = secretsOptions.parse({
    kubernetes: { service_account: stub.serviceAccount, ...options },
  })
  const reference = secretReference.parse(written)
  return secretSources({ clock, captured: new Map(), environment, vendors })(reference)
}

/** A source that is watched and, as by a live secret, read at every change. */
async function followed() {
  const it = source()
  const told: number[] = []
  const end = it.watch?.(() => {
    told.push(clock.now())
    void it.read().catch(() => {})
  })
  ends.push(() => end?.())
  await it.read()
  await eventually(() => stub.watches() === 1)
  return { it, told, end: () => end?.() }
}

const watchRequests = () => stub.requests.filter((it) => it.includes('watch=true'))
const refusal = (read: Promise<unknown>) =>
  read.catch((error: unknown) => {
    if (error instanceof Fault) return error.message
    throw error
  })

describe('the watch', () => {
  test('tells of a change at once, without a moment passing', async () => {
    const { it, told } = await followed()
    const before = clock.now()
    stub.set('opk_b')
    await eventually(() => told.length > 0)
    expect(told).toEqual([before])
    expect((await it.read()).reveal()).toBe('opk_b')
  })

  test('names the one Secret and the version that was read, as RBAC with resourceNames needs', async () => {
    await followed()
    const query = new URLSearchParams(watchRequests()[0]?.split('?')[1])
    expect(Object.fromEntries(query)).toMatchObject({
      fieldSelector: 'metadata.name=opusdns',
      resourceVersion: '101',
      allowWatchBookmarks: 'true',
    })
  })

  test('does not tell of a bookmark, and goes on from it', async () => {
    const { told } = await followed()
    const metadata = { resourceVersion: '500' }
    stub.send({ type: 'BOOKMARK', object: { kind: 'Secret', metadata } })
    stub.breakWatches('end')
    await eventually(() => stub.watches() === 0)
    await eventually(async () => {
      await clock.advance(100)
      return stub.watches() === 1
    })
    expect(watchRequests().at(-1)).toContain('resourceVersion=500')
    expect(told).toEqual([])
  })

  test.each(['cut', 'end'] as const)(
    'that is %s is opened again, and misses nothing',
    async (how) => {
      const { told } = await followed()
      stub.breakWatches(how)
      await eventually(() => stub.watches() === 0)
      stub.set('opk_b')
      await settle()
      expect(told).toEqual([])
      await eventually(async () => {
        await clock.advance(100)
        return told.length > 0
      })
      expect(watchRequests().at(-1)).toContain('resourceVersion=101')
    },
  )

  test('that is told 410 Gone reads at once, without a wait', async () => {
    const { told } = await followed()
    stub.send({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
    await eventually(() => watchRequests().length === 2 && stub.watches() === 1)
    expect(told).toEqual([clock.now()])
    stub.set('opk_b')
    await eventually(() => told.length === 2)
  })

  test.each(['an event', 'a status'])(
    'that is told 410 Gone by %s reads and begins anew',
    async (by) => {
      const { told } = await followed()
      if (by === 'an event') {
        stub.send({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
      } else {
        stub.watchStatus(410)
        stub.breakWatches('end')
      }
      await eventually(async () => {
        await clock.advance(100)
        return told.length > 0
      })
      stub.watchStatus(200)
      await eventually(async () => {
        await clock.advance(100)
        return stub.watches() === 1
      })
      stub.set('opk_b')
      const before = told.length
      await eventually(() => told.length > before)
      expect(watchRequests().at(-1)).toContain('resourceVersion=101')
    },
  )

  // The first 410 is answered by a read at once, and no other is.
  test.each([
    [500, 7],
    [410, 8],
  ])(
    'that is always answered %i is tried with growing waits, never in a tight loop',
    async (status, tries) => {
      stub.watchStatus(status)
      const reference = secretReference.parse('k8s:dns/opusdns#api_key')
      if (reference.kind !== 'k8s') throw new Error('is of another kind')
      const { address, serviceAccount } = stub
      const settings = { address, serviceAccount, token: undefined, ca: undefined }
      const token = fileSource({ path: join(serviceAccount, 'token') }, { clock })
      const random = () => 1
      const deps = { clock, random, environment: {}, secret: () => token }
      const it = kubernetesSource({ ...reference, lifetime: 3_600_000 }, settings, deps)
      const end = it.watch?.(() => void it.read().catch(() => {}))
      ends.push(() => end?.())
      await it.read()
      const before = clock.now()
      await eventually(
        async () => {
          if (watchRequests().length === tries) return true
          await clock.advance(500)
          return false
        },
        { every: 4 },
      )
      expect(clock.now() - before).toBeGreaterThanOrEqual(500 + 1000 + 2000 + 4000 + 8000 + 16_000)
    },
  )

  test('that is forbidden is a caveat, and the lifetime does it', async () => {
    stub.watchStatus(403)
    const it = source()
    let told = 0
    const end = it.watch?.(() => told++)
    ends.push(() => end?.())
    await it.read()
    await eventually(() => it.caveat?.() !== undefined)
    expect(it.caveat?.()).toContain('k8s:opusdns#api_key cannot be watched (403)')
    expect(it.caveat?.()).toContain('RBAC')
    await clock.advance(300_000)
    expect(told).toBe(1)
    expect(watchRequests()).toHaveLength(1)
  })

  test('is closed when it ends', async () => {
    const { end, told } = await followed()
    end()
    await eventually(() => stub.watches() === 0)
    stub.set('opk_b')
    await clock.advance(600_000)
    expect(told).toEqual([])
    expect(watchRequests()).toHaveLength(1)
  })
})

describe('the way to the API', () => {
  test('is the one of the pod, with its namespace', async () => {
    const { port } = new URL(stub.address)
    const environment = { KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: port }
    expect((await source(undefined, {}, environment).read()).reveal()).toBe('opk_a')
    expect(stub.requests).toEqual(['GET /api/v1/namespaces/dns/secrets/opusdns'])
  })

  test('outside a pod says what to write', async () => {
    expect(await refusal(source(undefined, {}).read())).toContain('secrets.kubernetes.address')
  })

  test('may lead into another namespace', async () => {
    await refusal(source('k8s:other/opusdns#api_key').read())
    expect(stub.requests).toEqual(['GET /api/v1/namespaces/other/secrets/opusdns'])
  })

  test('takes the token anew for each request, for it rotates', async () => {
    const it = source()
    await it.read()
    stub.rotateToken()
    expect((await it.read()).reveal()).toBe('opk_a')
  })

  test('is not taken to a server that the authority of the cluster did not sign for', async () => {
    writeFileSync(join(stub.serviceAccount, 'ca.crt'), authority('impostor').cert)
    expect(await refusal(source().read())).toMatch(
      /API server \([A-Z_]*(?:CERT|SIGNATURE)[A-Z_]*\)/,
    )
    expect(stub.requests).toEqual([])
  })

  test.each(['token', 'ca.crt', 'namespace'])('without the file %s says so', async (file) => {
    rmSync(join(stub.serviceAccount, file))
    const { port } = new URL(stub.address)
    const environment = { KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: port }
    const said = await refusal(source(undefined, {}, environment).read())
    expect(said).toContain(join(stub.serviceAccount, file))
    expect(stub.requests).toEqual([])
  })

  test('follows no redirect', async () => {
    stub.mood('redirect', 'canary')
    const said = await refusal(source().read())
    expect(said).toContain('302')
    expect(said).not.toContain('canary')
  })

  test('names a key that is not there, and no property of every object', async () => {
    expect(await refusal(source('k8s:opusdns#absent').read())).toContain('has no key absent')
    expect(await refusal(source('k8s:opusdns#constructor').read())).toContain('has no key')
  })

  test('over plain http to another machine is a problem of the configuration', () => {
    const address = 'http://api.example.com'
    expect(kubernetesOptions.safeParse({ address }).success).toBe(false)
    expect(kubernetesOptions.safeParse({ token: 'vault:x#y' }).success).toBe(false)
  })
})
