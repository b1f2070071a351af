// The process as a keeper of a secret, and as something that goes on: signals, crashes, too few file
// descriptors, a full disk, core dumps, reports, and Node's permission model.

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { textOf } from '../repository/tree.ts'
import { metricsText } from '../support/admin-pages.ts'
import { leaks } from '../support/canary.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient, type HttpClient } from '../support/http-client.ts'
import { launch } from '../support/program.ts'
import { startRunningProxy, type ProgramOptions } from '../support/running-proxy.ts'

const KEY = 'opk_hygiene-Canary~+/=?&one'
const NEW = 'opk_hygiene-Canary~+/=?&two'
const LINUX = process.platform === 'linux'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ apiKeys: [{ key: KEY }, { key: NEW }] })
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

/** Options of a proxy that has its key from a file. */
function withFile(options: ProgramOptions = {}): ProgramOptions {
  return {
    ...options,
    env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY_FILE: 'key', ...options.env },
    files: { key: KEY, ...options.files },
  }
}

/** A shell that does `first`, and becomes the program. */
const after = (first: string) => ['sh', '-c', `${first}; exec "$@"`, 'sh']

function clientOf(origin: string): HttpClient {
  const client = httpClient(origin)
  onTestFinished(() => client.close())
  return client
}

const keysSeen = () =>
  simulator.requests.flatMap((one) => headerValues(one.rawHeaders, 'x-api-key'))

describe('SIGHUP', () => {
  test('reads the secret again, and a storm of a thousand of them neither ends nor delays anything', async () => {
    const proxy = await startRunningProxy(withFile())
    const client = clientOf(proxy.origin)
    expect((await client.get('/v1/dns')).status).toBe(200)
    writeFileSync(join(proxy.cwd, 'key'), NEW)
    const cpuBefore = proxy.cpuSeconds()
    for (let sent = 0; sent < 1000; sent++) {
      proxy.kill('SIGHUP')
      if (sent % 20 === 0) await sleep(10)
    }
    await eventually(async () => {
      expect((await client.get('/v1/dns')).status).toBe(200)
      expect(keysSeen().at(-1)).toBe(NEW)
    })
    const lines = () =>
      proxy.logLines('SIGHUP: reading configuration, secrets and certificates again')
    const signals = () => lines().reduce((sum, line) => sum + Number(line['signals']), 0)
    // The first at once, and what came meanwhile together, a second later.
    await eventually(() => signals() > 10)
    expect(lines().length).toBeLessThanOrEqual(8)
    process.stdout.write(
      `  measured: ${signals()} signals seen, ${lines().length} reloads, ` +
        `${(proxy.cpuSeconds() - cpuBefore).toFixed(2)} s of CPU\n`,
    )
    client.close()
    proxy.kill('SIGTERM')
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
  })
})

describe.runIf(LINUX)('memory', () => {
  test('is opened by no inspector at SIGUSR1, not even without the option of `npm start`', async () => {
    const under = ['sh', '-c', 'node="$1"; shift 2; exec "$node" "$@"', 'sh']
    const proxy = await startRunningProxy(withFile({ under }))
    expect(readFileSync(`/proc/${proxy.pid}/cmdline`, 'utf8')).not.toContain('sigusr1')
    proxy.kill('SIGUSR1')
    await sleep(200)
    expect((await clientOf(proxy.origin).get('/v1/dns')).status).toBe(200)
    expect(proxy.stderr()).toBe('')
  })

  test('is in no core dump, although the limit allows one', async () => {
    const proxy = await startRunningProxy(withFile({ under: after('ulimit -c unlimited') }))
    expect((await clientOf(proxy.origin).get('/v1/dns')).status).toBe(200)
    expect(readFileSync(`/proc/${proxy.pid}/coredump_filter`, 'utf8').trim()).toBe('00000000')
    expect(proxy.logLines('process').map(({ place }) => place)).not.toContain('core dumps')
    proxy.kill('SIGSEGV')
    expect((await proxy.exited).signal).toBe('SIGSEGV')
    // Where the system writes dumps beside the program; elsewhere the mask above has to do.
    for (const name of readdirSync(proxy.cwd).filter((file) => file.startsWith('core'))) {
      const dump = readFileSync(join(proxy.cwd, name), 'latin1')
      expect(dump.length).toBeLessThan(5_000_000)
      expect(leaks({ dump }, [KEY])).toEqual([])
    }
  })

  test('is in no diagnostic report, and options that ask for one or for more are warned of', async () => {
    const proxy = await startRunningProxy(
      withFile({
        env: {
          NODE_OPTIONS: '--report-on-fatalerror --heapsnapshot-signal=SIGWINCH',
          NODE_TLS_REJECT_UNAUTHORIZED: '0',
        },
        nodeArgs: ['--report-uncaught-exception', '--report-on-signal', '--import', './crash.mjs'],
        files: {
          'crash.mjs': `process.on('SIGUSR2', () => { throw new Error('crash') })`,
        },
      }),
    )
    const places = proxy.logLines('process').map(({ place }) => place)
    expect(places).toEqual(
      expect.arrayContaining([
        '--report-uncaught-exception',
        '--report-on-signal',
        '--report-on-fatalerror',
        '--heapsnapshot-signal',
        'NODE_TLS_REJECT_UNAUTHORIZED',
      ]),
    )
    proxy.kill('SIGUSR2')
    expect((await proxy.exited).code).toBe(70)
    expect(readdirSync(proxy.cwd).toSorted()).toEqual(['crash.mjs', 'key'])
  })

  test('is not the only place: a variable stays in /proc, as documented; what is in a file does not', async () => {
    const env = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: KEY }
    const [fromVariable, fromFile] = await Promise.all([
      startRunningProxy({ env, keep: true }),
      startRunningProxy(withFile({ keep: true })),
    ])
    const seen = (pid: number) =>
      leaks(
        {
          environ: readFileSync(`/proc/${pid}/environ`, 'latin1'),
          cmdline: readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
        },
        [KEY],
      )
    expect(seen(fromVariable.pid)).toEqual(['environ'])
    expect(textOf('docs/hardening.md')).toContain('/proc/<pid>/environ')
    expect(seen(fromFile.pid)).toEqual([])
  })
})

describe('a crash under load', () => {
  test('ends every request in flight well, then the process with 70, and quotes nothing', async () => {
    const crash = 'Promise.reject(Object.assign(new TypeError(text), { cause: text, text }))'
    const text = `JSON.parse(...${KEY}\n    ${KEY}\n)`
    const proxy = await startRunningProxy(
      withFile({
        nodeArgs: ['--import', './crash.mjs'],
        files: {
          'crash.mjs': `const text = ${JSON.stringify(text)}\nprocess.on('SIGUSR2', () => { ${crash} })`,
        },
      }),
    )
    simulator.faults.delay = 400
    const client = clientOf(proxy.origin)
    const inFlight = Array.from({ length: 40 }, () => client.get('/v1/dns'))
    await eventually(() => simulator.count(({ outcome }) => outcome === 'open') >= 40)
    proxy.kill('SIGUSR2')
    const answers = await Promise.all(inFlight)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(await proxy.exited).toEqual({ code: 70, signal: null })
    const [line] = proxy.logLines('uncaught error: draining')
    expect(line).toMatchObject({ level: 'fatal', error: 'TypeError' })
    expect(String(line?.['at'])).toContain('crash.mjs')
    expect(leaks({ stdout: proxy.stdout(), stderr: proxy.stderr() }, [KEY])).toEqual([])
  })
})

describe.runIf(LINUX)('too few file descriptors', () => {
  test('end neither the process nor its rest, and it serves again when some return', async () => {
    const proxy = await startRunningProxy(
      withFile({
        under: after('ulimit -n 128'),
        nodeArgs: ['--import', './eat.mjs'],
        files: {
          // Takes all descriptors, as something other than connections may, and gives them back.
          'eat.mjs': `
            import { closeSync, openSync } from 'node:fs'
            const eaten = []
            let timer
            function eat() {
              try { for (;;) eaten.push(openSync('/dev/null')) } catch {}
            }
            process.on('SIGUSR2', () => {
              if (timer === undefined) { eat(); timer = setInterval(eat, 50); return }
              clearInterval(timer)
              for (const one of eaten) closeSync(one)
            })`,
        },
      }),
    )
    const client = clientOf(proxy.origin)
    expect((await client.get('/v1/dns')).status).toBe(200)
    client.close()
    const [host = '', port = ''] = (proxy.listen[0] ?? '').split(':')
    const held: Socket[] = []
    const hold = () =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), host, resolve)
        socket.on('error', () => resolve())
        held.push(socket)
      })
    const open = () => readdirSync(`/proc/${proxy.pid}/fd`).length
    proxy.kill('SIGUSR2')
    await eventually(() => open() >= 127)
    const before = proxy.cpuSeconds()
    for (let round = 0; round < 15; round++) {
      await Promise.all([...Array.from({ length: 10 }, hold), sleep(100)])
    }
    const spent = proxy.cpuSeconds() - before
    process.stdout.write(`  measured: ${spent.toFixed(2)} s of CPU in 1.5 s without descriptors\n`)
    expect(spent).toBeLessThan(0.5)
    expect(open()).toBeGreaterThanOrEqual(126)
    proxy.kill('SIGUSR2')
    const again = clientOf(proxy.origin)
    await eventually(async () => (await again.get('/v1/dns')).status === 200)
    expect(proxy.logLines('uncaught error: draining')).toEqual([])
    for (const socket of held) socket.destroy()
    again.close()
    proxy.kill('SIGTERM')
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
  })
})

describe.runIf(LINUX)('a full disk', () => {
  test('of the log costs lines, which are counted, and no request', async () => {
    // A bound on the size of files acts as a full disk does: what fits is written, the rest fails.
    const under = ['sh', '-c', 'ulimit -f 8; exec "$@" >log', 'sh']
    const child = launch(withFile({ under }))
    onTestFinished(async () => void (await child.stop()))
    const log = join(child.cwd, 'log')
    const ready = await eventually(() => {
      const line = /^\{.*"msg":"ready"\}$/m.exec(existsSync(log) ? readFileSync(log, 'utf8') : '')
      expect(line).not.toBeNull()
      return JSON.parse(line?.[0] ?? '') as { listen: string[]; admin: string }
    })
    await thrives(`http://${ready.listen[0] ?? ''}`, `http://${ready.admin}`)
    child.process.kill('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  test('from the first line on is survived as well', async () => {
    const [port, adminPort] = [await freePort(), await freePort()]
    const child = launch(
      withFile({
        under: ['sh', '-c', 'exec "$@" >/dev/full', 'sh'],
        env: {
          OPUSDNS_PROXY_LISTEN: `127.0.0.1:${port}`,
          OPUSDNS_PROXY_ADMIN: `127.0.0.1:${adminPort}`,
        },
      }),
    )
    onTestFinished(async () => void (await child.stop()))
    const admin = `http://127.0.0.1:${adminPort}`
    await eventually(async () => (await fetch(`${admin}/livez`)).status === 200)
    await thrives(`http://127.0.0.1:${port}`, admin)
    child.process.kill('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  async function thrives(origin: string, adminOrigin: string): Promise<void> {
    const client = clientOf(origin)
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/v1/dns')))
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
      await sleep(110)
    }
    await eventually(async () => {
      const text = await metricsText({ adminOrigin })
      const lost = Number(/^opusdns_proxy_log_lines_lost_total (\d+)$/m.exec(text)?.[1])
      expect(lost).toBeGreaterThan(50)
    })
    client.close()
  }
})

describe("Node's permission model", () => {
  test('as docs/hardening.md has it lets the proxy work, and closes the ways to files and programs', async () => {
    const recipe = /^ {2}--permission(?:.|\n)*?(?= {2}src\/main\.ts)/m.exec(
      textOf('docs/hardening.md'),
    )?.[0]
    const [major = 0] = process.versions.node.split('.').map(Number)
    const flags = (recipe ?? '')
      .split(/[\s\\]+/)
      .filter((word) => word !== '' && !(major < 25 && word === '--allow-net'))
      .map((word) => word.replaceAll("'", ''))
    expect(flags).toContain('--permission')
    const proxy = await startRunningProxy(
      withFile({
        nodeArgs: [...flags, '--import', './try.mjs'],
        under: after('ulimit -c unlimited'),
        files: {
          'try.mjs': `
            import { spawn } from 'node:child_process'
            import { writeFileSync } from 'node:fs'
            import { writeHeapSnapshot } from 'node:v8'
            import inspector from 'node:inspector'
            process.on('SIGUSR2', () => {
              for (const way of [
                () => spawn('/bin/true'),
                () => writeFileSync('file', ''),
                () => writeHeapSnapshot('heap'),
                () => process.report.writeReport('report'),
                () => inspector.open(0),
              ]) {
                try { way(); console.error('open: ' + way) } catch (error) { console.error(error.code) }
              }
              console.error('tried')
            })`,
        },
      }),
    )
    const client = clientOf(proxy.origin)
    expect((await client.get('/v1/dns')).status).toBe(200)
    proxy.kill('SIGUSR2')
    await eventually(() => proxy.stderr().includes('tried'))
    expect(proxy.stderr()).toBe(`${'ERR_ACCESS_DENIED\n'.repeat(5)}tried\n`)
    expect(readdirSync(proxy.cwd).toSorted()).toEqual(['key', 'try.mjs'])
    expect(proxy.logLines('process').map(({ place }) => place)).not.toContain('core dumps')
    // A secret that changes is still seen.
    writeFileSync(join(proxy.cwd, 'key'), NEW)
    proxy.kill('SIGHUP')
    await eventually(async () => {
      await client.get('/v1/dns')
      return keysSeen().at(-1) === NEW
    })
    client.close()
    proxy.kill('SIGTERM')
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
  })
})

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
