// Names, sections and the way to a 1Password Connect server, against the stub.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import { onepasswordOptions } from '../../src/secrets/onepassword-options.ts'
import { secretReference } from '../../src/secrets/options.ts'
import { secretSources } from '../../src/secrets/reference.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'
import { manualClock } from '../support/manual-clock.ts'
import {
  CONNECT_TOKEN,
  ITEM_ID,
  startConnectStub,
  VAULT_ID,
  type ConnectStub,
} from '../support/onepassword-stub.ts'

let stub: ConnectStub
beforeEach(async () => {
  stub = await startConnectStub()
  stub.set('opk_a')
})
afterEach(() => stub.silence())

/** Reads; the text of the Fault when that fails. */
async function read(
  written: string,
  options: object = {},
  environment: Readonly<Record<string, string>> = { OP_CONNECT_TOKEN: CONNECT_TOKEN },
): Promise<string> {
  const vendors = secretsOptions.parse({ onepassword: { address: stub.address, ...options } })
  const captured = new Map([['OTHER', Secret.of(CONNECT_TOKEN)]])
  const deps = { clock: manualClock(), captured, environment, vendors }
  try {
    return (await secretSources(deps)(secretReference.parse(written)).read()).reveal()
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}

const other = (more: object) => ({ id: 'x', label: 'credential', value: 'opk_b', ...more })
const EXPIRED = { id: ITEM_ID.replace('2', '3'), title: 'OpusDNS' }

describe('a field in 1Password', () => {
  test.each([
    'op://Infra/OpusDNS/credential',
    'op://Infra/OpusDNS/Production/credential',
    'op://Infra/OpusDNS/production/CREDENTIAL',
    `op://${VAULT_ID}/${ITEM_ID}/credential`,
    `op://Infra/${ITEM_ID}/add more/credential`,
  ])('is found as %s', async (written) => {
    expect(await read(written)).toBe('opk_a')
  })

  test('named by ids costs one request', async () => {
    await read(`op://${VAULT_ID}/${ITEM_ID}/credential`)
    expect(stub.requests).toEqual([`/v1/vaults/${VAULT_ID}/items/${ITEM_ID}`])
  })

  test.each([
    ['op://Absent/OpusDNS/credential', 'has no vault Absent'],
    ['op://Infra/Absent/credential', 'has no item Absent'],
    ['op://Infra/OpusDNS/absent', 'has no field absent'],
    ['op://Infra/OpusDNS/absent/credential', 'has no section absent'],
    ['op://Infra/OpusDNS/Staging/credential', 'has no field credential in the section'],
    ['op://Infra/OpusDNS/a/b/c', 'has too many parts'],
    ['op://In"fra/OpusDNS/credential', 'has a quotation mark'],
  ])('%s is refused, and it is said why', async (written, why) => {
    expect(await read(written)).toContain(`${written} ${why}`)
  })

  test('that another section has too is not guessed', async () => {
    stub.addField(other({ section: { id: 'staging' } }))
    expect(await read('op://Infra/OpusDNS/credential')).toBe('opk_a')
    stub.addField(other({ id: 'y', section: { id: 'staging' } }))
    expect(await read('op://Infra/OpusDNS/Staging/credential')).toContain('has several')
  })

  test('of an item whose title another has too is not guessed, but for an archived one', async () => {
    stub.addItem({ ...EXPIRED, state: 'ARCHIVED' })
    expect(await read('op://Infra/OpusDNS/credential')).toBe('opk_a')
    stub.addItem(EXPIRED)
    expect(await read('op://Infra/OpusDNS/credential')).toContain('has several of the item OpusDNS')
  })
})

describe('the way to a Connect server', () => {
  const field = 'op://Infra/OpusDNS/credential'

  test('may take its token from another place', async () => {
    expect(await read(field, { token: 'env:OTHER' }, {})).toBe('opk_a')
    expect(await read(field, { token: 'file:/nowhere/t' }, {})).toContain('needs file:/nowhere/t')
  })

  test('without a token names the variable', async () => {
    expect(await read(field, {}, {})).toContain('needs OP_CONNECT_TOKEN, which is empty')
    expect(stub.requests).toEqual([])
  })

  test('without an address names the variable', async () => {
    expect(await read(field, { address: undefined })).toContain('set OP_CONNECT_HOST')
  })

  test('over plain http to another machine needs a word of consent', async () => {
    const address = 'http://connect.example.com'
    expect(onepasswordOptions.safeParse({ address }).success).toBe(false)
    expect(onepasswordOptions.safeParse({ address, allow_plain_http: true }).success).toBe(true)
    const environment = { OP_CONNECT_HOST: address, OP_CONNECT_TOKEN: CONNECT_TOKEN }
    expect(await read(field, { address: undefined }, environment)).toContain('allow_plain_http')
  })

  test('over plain http is gone with that consent', async () => {
    // This name is the machine itself, and not of the loopback names.
    const address = stub.address.replace('127.0.0.1', '0.0.0.0')
    expect(await read(field, { address, allow_plain_http: true })).toBe('opk_a')
  })

  test('that leads to a list of something else is refused', async () => {
    expect(onepasswordOptions.safeParse({ token: 'op://a/b/c' }).success).toBe(false)
  })
})
