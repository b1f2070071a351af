import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { Fault } from '../../src/base/fault.ts'
import { CERTIFICATE_POLL_MS, liveCertificate } from '../../src/server/certificate.ts'
import type { CertificateEvent } from '../../src/server/certificate.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock } from '../support/manual-clock.ts'
import { certificateFiles } from './certificate-files.ts'

const ca = authority('listener test CA')
const [one, other] = [ca.issue(), ca.issue()]

/** A live certificate from files, its events, and a clock by hand. */
async function watched() {
  const files = certificateFiles(one)
  const clock = manualClock()
  const live = await liveCertificate(files, clock)
  const events: CertificateEvent[] = []
  live.onEvent((event) => events.push(event))
  live.start()
  /** Lets the clock run while files are read, which takes real time, until the look is over. */
  async function look() {
    await clock.advance(CERTIFICATE_POLL_MS)
    let over = false
    void live.reload().then(() => (over = true))
    await eventually(async () => {
      await clock.advance(200)
      return over
    })
  }
  return { files, live, events, clock, look }
}

describe('a certificate that changes', () => {
  test('is taken within the time between two looks, without being asked', async () => {
    const { files, live, events, clock } = await watched()
    await clock.advance(3 * CERTIFICATE_POLL_MS)
    expect(events).toEqual([])
    files.write(other)
    // Reading files takes real time; the clock by hand stands for the rest.
    await eventually(async () => {
      await clock.advance(CERTIFICATE_POLL_MS)
      return events.length > 0
    })
    expect(live.current().cert.toString()).toBe(other.cert)
    expect(events).toMatchObject([{ kind: 'changed' }])
    expect(live.failure()).toBeUndefined()
  })

  test('to one with the same key is noticed too', async () => {
    const { files, live, look } = await watched()
    files.writeCert(one.cert + ca.cert)
    await look()
    expect(live.current().cert.toString()).toBe(one.cert + ca.cert)
  })

  test('is looked for at once when somebody asks', async () => {
    const files = certificateFiles(one)
    const live = await liveCertificate(files, systemClock)
    files.write(other)
    await live.reload()
    expect(live.current().cert.toString()).toBe(other.cert)
  })

  test.each([
    ['whose key is still the old one', other.cert, one.key, 'key_file'],
    ['that is cut short', other.cert.slice(0, 300), other.key, 'certificate_file'],
    ['whose chain is cut short', other.cert + ca.cert.slice(0, 300), other.key, 'certificate_file'],
    ['that is empty', '', other.key, 'certificate_file'],
    ['whose key is cut short', other.cert, other.key.slice(0, 100), 'key_file'],
    ['whose key is empty', other.cert, '', 'key_file'],
  ])('to one %s leaves the last good one in use', async (_what, cert, key, blamed) => {
    const { files, live, events, look } = await watched()
    files.writeCert(cert)
    files.writeKey(key)
    await look()
    await look()
    await look()
    expect(live.current().cert.toString()).toBe(one.cert)
    // Told once, not at every look.
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ kind: 'failed', problem: { place: expect.any(String) } })
    expect(live.failure()?.place).toContain(`listen[0].tls.${blamed} `)
    expect(inspect(events, { depth: 9 })).not.toContain(other.key.split('\n')[1]?.slice(0, 16))

    files.write(other)
    await look()
    expect(live.current().cert.toString()).toBe(other.cert)
    expect(live.failure()).toBeUndefined()
    expect(events.map(({ kind }) => kind)).toEqual(['failed', 'changed'])
  })

  test('to nothing at all leaves the last good one in use', async () => {
    const { files, live, look } = await watched()
    files.remove()
    await look()
    expect(live.failure()).toMatchObject({ fault: 'cannot be read (ENOENT)' })
    files.write(one)
    await look()
    expect(live.failure()).toBeUndefined()
    expect(live.current().cert.toString()).toBe(one.cert)
  })

  test('is not taken while it is being written', async () => {
    const files = certificateFiles(one)
    const live = await liveCertificate(files, systemClock)
    const events: CertificateEvent[] = []
    live.onEvent((event) => events.push(event))
    // Whole at first sight, but its chain is still to come.
    files.write(other)
    const reloading = live.reload()
    setTimeout(() => files.writeCert(other.cert + ca.cert), 50)
    await reloading
    expect(live.current().cert.toString()).toBe(other.cert + ca.cert)
    expect(events).toHaveLength(1)
  })
})

describe('a certificate that cannot be used', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const locked = rsa
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString()

  test.each([
    ['is no PEM', 'nothing', one.key, 'certificate_file', 'no certificate'],
    ['is another file', one.key, one.key, 'certificate_file', 'no certificate'],
    ['has a key that is none', one.cert, 'nothing', 'key_file', 'no private key'],
    ['has a key with a passphrase', one.cert, locked, 'key_file', 'passphrase'],
    ['has another key', one.cert, other.key, 'key_file', 'does not belong'],
    [
      'is damaged',
      one.cert.replace(/\n[^-]{64}\n/, '\nAAAA\n'),
      one.key,
      'certificate_file',
      'cannot be read',
    ],
  ])('because it %s is named at the start', async (_what, cert, key, blamed, fault) => {
    const files = certificateFiles({ cert, key })
    const error: unknown = await liveCertificate(files, systemClock).catch(
      (reason: unknown) => reason,
    )
    if (!(error instanceof Fault)) throw new Error('was accepted')
    expect(error.code).toBe('config_invalid')
    expect(error.problems).toHaveLength(1)
    expect(error.problems[0]?.place).toMatch(new RegExp(`^listen\\[0\\]\\.tls\\.${blamed} /`))
    expect(error.problems[0]?.fault).toContain(fault)
    expect(error.problems[0]?.remedy).not.toBe('')
    const shown = inspect(error, { depth: 9 })
    for (const line of key.split('\n').slice(1, 3)) {
      if (line.length > 20) expect(shown).not.toContain(line.slice(0, 16))
    }
  })
})

test('the first of a chain to expire says when', async () => {
  const soon = new Date(Date.UTC(2027, 0, 2, 3, 4, 5))
  const leaf = ca.issue({ notAfter: new Date(Date.UTC(2030, 0, 1)) })
  const files = certificateFiles({ ...leaf, cert: leaf.cert + ca.issue({ notAfter: soon }).cert })
  expect((await liveCertificate(files, systemClock)).current().expiresAt).toBe(soon.getTime())
})
