// The attack: variables of the environment that weaken TLS in libraries, or make them and Node.js print
// what they send; and logins to places of secrets that the commands of a cloud's SDK inherit.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { expect, test } from 'vitest'

import { takenEnvironment } from '../../src/cli/configuration.ts'
import type { World } from '../../src/cli/world.ts'
import { ROOT } from '../support/program.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'

const VARIABLES = {
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  GOOGLE_SDK_NODE_LOGGING: 'all',
  AZURE_LOG_LEVEL: 'verbose',
  DEBUG: '*',
}
/** Prints at the end which of some variables are there. */
const preload = (names: readonly string[]) => [
  '--import',
  `data:text/javascript,process.on('exit',()=>process.stderr.write('left:'+${encodeURIComponent(
    JSON.stringify(names),
  )}.filter((name)=>name in process.env)))`,
]

test('none of them is there when a library is loaded', async () => {
  const names = Object.keys(VARIABLES)
  const { stderr } = await runCommand({
    args: ['version'],
    env: VARIABLES,
    nodeArgs: preload(names),
  })
  expect(stderr).toMatch(/left:$/)
})

test('the start warns of them, without their values', async () => {
  const env = { ...VARIABLES, OPUSDNS_API_KEY: 'opk_a', OPUSDNS_API_BASE: 'http://127.0.0.1:9' }
  const proxy = await startRunningProxy({ env })
  const places = proxy.logLines('process').map(({ place }) => place)
  expect(places).toEqual(expect.arrayContaining(Object.keys(VARIABLES)))
}, 20_000)

test('logins to places of secrets are there for the sources, and for no child', async () => {
  const names = ['VAULT_TOKEN', 'BAO_TOKEN', 'OP_CONNECT_TOKEN']
  const env = { ...Object.fromEntries(names.map((name) => [name, 'canary'])), VAULT_ADDR: 'x' }
  const world: Pick<World, 'env'> = { env: { ...env } }
  expect(takenEnvironment(world)).toEqual(env)
  expect(world.env).toEqual({ VAULT_ADDR: 'x' })

  const more = { OPUSDNS_API_KEY: 'opk_a', OPUSDNS_API_BASE: 'http://127.0.0.1:9' }
  const proxy = await startRunningProxy({ env: { ...env, ...more }, nodeArgs: preload(names) })
  proxy.kill('SIGTERM')
  await proxy.exited
  expect(proxy.stderr()).toMatch(/left:$/)
}, 20_000)

test('NODE_DEBUG does not show what a vendor is sent', async () => {
  const script = `
    import { createServer } from 'node:http'
    import { systemClock } from '${ROOT}/src/base/clock.ts'
    import { askVendor } from '${ROOT}/src/secrets/vendor-http.ts'
    const server = createServer((request, reply) => reply.end(request.headers['x-vault-token']))
    server.listen(0, '127.0.0.1', async () => {
      const url = 'http://127.0.0.1:' + server.address().port
      const headers = { 'x-vault-token': 'hvs.' + 'canary' }
      const { body } = await askVendor({ url, method: 'GET', headers, timeout: 5000 }, systemClock)
      console.log(body.length)
      process.exit()
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_DEBUG: 'net' },
  })
  let out = ''
  let debug = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (debug += chunk.toString()))
  await once(child, 'close')
  expect(out).toBe('10\n')
  expect(debug).toContain('NET ')
  expect(debug).not.toContain('hvs.canary')
}, 20_000)
