import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, 'main.ts')
const KEY = 'key-from-a-file'

let directory: string
let child: ChildProcess
let origin: string
let message: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-'))
  await writeFile(join(directory, 'key'), `${KEY}\n`)
  const env = {
    SIM_API_KEY_FILE: join(directory, 'key'),
    SIM_CLIENT_SECRET: 's',
    SIM_CLIENT_ID: 'c',
    SIM_TOKEN_LIFE: '1.5',
  }
  child = spawn(process.execPath, [MAIN, '--listen', '127.0.0.1:0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  const ready = JSON.parse(line) as { msg: string; origin: string }
  message = ready.msg
  origin = ready.origin
})
afterAll(async () => {
  child.kill('SIGKILL')
  await rm(directory, { recursive: true })
})

function control(method: string, path: string, value?: unknown): Promise<Response> {
  return fetch(origin + path, {
    method,
    ...(value === undefined ? {} : { body: JSON.stringify(value) }),
  })
}

const ask = () => fetch(`${origin}/v1/dns`, { headers: { 'x-api-key': KEY } })

test('the program takes secrets from files and the token life from the environment', async () => {
  expect(message).toBe('ready')
  expect((await ask()).status).toBe(200)
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'c',
    client_secret: 's',
  })
  const reply = await fetch(`${origin}/v1/auth/token`, { method: 'POST', body })
  expect(await reply.json()).toMatchObject({ expires_in: 1.5 })
})

test('faults are switched over HTTP, and null or DELETE switches them off', async () => {
  await control('POST', '/__faults', { status: 500 })
  expect([(await ask()).status, (await ask()).status]).toEqual([500, 500])
  expect(await (await control('POST', '/__faults', { status: null })).json()).toEqual({})
  await control('POST', '/__faults', { status: 502, times: 1, path: '/v1/dns' })
  expect([(await ask()).status, (await ask()).status]).toEqual([502, 200])
  await control('POST', '/__faults', { status: 500 })
  expect((await control('DELETE', '/__faults')).status).toBe(204)
  expect((await ask()).status).toBe(200)
  expect((await control('POST', '/__faults', { clear: 1 })).status).toBe(400)
})

test('the log shows requests with fingerprints in place of credentials, and reset empties it', async () => {
  await control('POST', '/__reset')
  await ask()
  await fetch(`${origin}/v1/dns`, { headers: { authorization: 'Bearer abc' } })
  const text = await (await control('GET', '/__log')).text()
  const digest = (secret: string) => createHash('sha256').update(secret).digest('hex').slice(0, 12)
  expect(text).not.toContain(KEY)
  expect(text).toContain(`"x-api-key","sha256:${digest(KEY)}"`)
  expect(text).toContain(`"authorization","Bearer sha256:${digest('abc')}"`)
  expect(JSON.parse(text)).toMatchObject({
    tokenRequests: 0,
    requests: [{ status: 200 }, { status: 401 }],
  })
})

test('the program ends on SIGTERM with code 0, also while a request hangs', async () => {
  await control('POST', '/__faults', { hang: true })
  const hung = ask().catch((error: unknown) => error)
  await expect
    .poll(
      async () => ((await (await control('GET', '/__log')).json()) as any).requests.at(-1).outcome,
    )
    .toBe('open')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await hung).toBeInstanceOf(Error)
})
