// No container engine runs the tests, so the files are held to what can be read in them. That the
// image's entry command works is shown by test/journeys/container-entry.test.ts.

import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { execForm, said, stagesOf } from './dockerfile.ts'
import type { Stage } from './dockerfile.ts'
import { textOf } from './tree.ts'
import { NODE_FLOOR, atLeast } from '../../src/base/version.ts'

const STAGES = stagesOf(textOf('Dockerfile'))
const SHIPPED = STAGES.filter(({ name }) => name !== 'deps')
const all = (name: string, stages: readonly Stage[] = STAGES) =>
  stages.flatMap((stage) => said(stage, name))

/** Flags of Node.js that V8 does not see. */
const NODE_FLAGS = new Set(['--disable-sigusr1'])

describe('the Dockerfile', () => {
  test('has the stages deps, simulator and proxy, and builds the proxy by default', () => {
    expect(STAGES.map(({ name }) => name)).toEqual(['deps', 'simulator', 'proxy'])
  })

  test('names a tag other than latest for every image', () => {
    for (const { image } of STAGES) expect(image).toMatch(/:(?!latest$)[\w.-]+$/)
  })

  test('installs with a Node.js that the proxy accepts', () => {
    const version = /^node:(\d+\.\d+\.\d+)-/.exec(STAGES[0]?.image ?? '')?.[1]
    expect(atLeast(version ?? '0', NODE_FLOOR)).toBe(true)
  })

  test('ships images without a shell, and runs nothing while it builds them', () => {
    for (const stage of SHIPPED) {
      expect(stage.image).toMatch(/^gcr\.io\/distroless\/nodejs24-debian13:nonroot$/)
      expect(said(stage, 'RUN')).toEqual([])
    }
  })

  test('installs exactly what the lock file says, for production, and runs no install scripts', () => {
    expect(all('RUN')).toEqual([
      'npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund',
      'NODE_COMPILE_CACHE=/app/node_modules/.cache/compile node --expose-gc src/main.ts version',
    ])
  })

  test('runs as a numeric user other than root, so that runAsNonRoot can be checked', () => {
    for (const stage of SHIPPED) expect(said(stage, 'USER')).toEqual(['65532:65532'])
  })

  test('warms the compile cache under the V8 flags of the start, for Node.js keeps one for each', () => {
    const v8Flags = (command: string) =>
      command.split(/[\s",[\]]+/).filter((word) => word.startsWith('--') && !NODE_FLAGS.has(word))
    const warmed = all('RUN').filter((command) => command.includes('COMPILE_CACHE'))
    const started = all('ENTRYPOINT').filter((command) => command.includes('/app/src/main.ts'))
    expect([
      ...new Set([...warmed, ...started].map((command) => v8Flags(command).join(' '))),
    ]).toEqual(['--expose-gc'])
  })

  test('starts everything in exec form', () => {
    const commands = ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'].flatMap((name) => all(name))
    expect(commands.length).toBe(4)
    for (const command of commands) expect(execForm(command)).toBeDefined()
    expect(execForm('node src/main.ts')).toBeUndefined()
    expect(execForm('CMD exec node src/main.ts')).toBeUndefined()
  })

  test('starts the proxy as `npm start` does', () => {
    const proxy = STAGES.at(-1) as Stage
    const words = [...all('ENTRYPOINT', [proxy]), ...all('CMD', [proxy])].flatMap(execForm)
    const { start: script } = JSON.parse(textOf('package.json')).scripts as { start: string }
    // A variable there, ENV here; a limit there, `ulimits` of whoever runs the container here.
    const start = script.replace(/^ulimit -c 0; NODE_COMPILE_CACHE=\S+ exec /, '').split(' ')
    expect(all('ENV', [proxy]).join()).toContain('NODE_COMPILE_CACHE=')
    expect(words.map((word) => word?.replace(/^\/nodejs\/bin\/|^\/app\//, ''))).toEqual(start)
  })

  test('checks its health by the program itself', () => {
    const [check = ''] = all('HEALTHCHECK', [STAGES.at(-1) as Stage])
    expect(execForm(check)).toEqual(['/nodejs/bin/node', '/app/src/main.ts', 'healthcheck'])
    expect(check).toMatch(/--interval=\d+s .*--timeout=\d+s .*--retries=\d/)
  })

  test('stops on SIGTERM, exposes the proxy port alone, and says what it is', () => {
    for (const stage of SHIPPED) {
      expect(said(stage, 'STOPSIGNAL')).toEqual(['SIGTERM'])
      expect(said(stage, 'LABEL').join()).toMatch(/image\.title=.*image\.licenses="Apache-2\.0"/)
      expect(said(stage, 'COPY').join()).toContain('LICENSE')
    }
    expect(all('EXPOSE')).toEqual(['8080'])
  })

  test('keeps secrets and addresses out of the image, and fetches nothing by ADD', () => {
    expect(all('ADD')).toEqual([])
    expect(all('ARG')).toEqual([])
    expect(all('VOLUME')).toEqual([])
    for (const env of all('ENV')) {
      expect(env.replace(/ +NODE_COMPILE_CACHE=\S+$/, '')).toBe('NODE_ENV=production')
    }
  })

  test('copies no whole tree, and .dockerignore lets nothing through unnamed', () => {
    for (const copy of all('COPY')) expect(copy.split(/\s+/)).not.toContain('.')
    const rules = textOf('.dockerignore')
      .split('\n')
      .filter((line) => /^[^#]/.test(line))
    expect(rules[0]).toBe('*')
    const passed = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1))
    const needed = STAGES.flatMap((stage) => said(stage, 'COPY'))
      .filter((copy) => !copy.startsWith('--from='))
      .flatMap((copy) => copy.split(/\s+/).slice(0, -1))
    expect(passed.toSorted()).toEqual([...new Set(needed)].toSorted())
  })
})

interface Service {
  image?: string
  build?: { context: string; target: string }
  [key: string]: unknown
}

const COMPOSE = parse(textOf('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  networks: Record<string, { driver_opts?: Record<string, string> }>
  secrets: Record<string, { file: string }>
}
const SETTINGS = parse(textOf('config/compose.yaml'))

describe('docker-compose.yml', () => {
  test.each(['simulator', 'proxy'])('hardens %s', (name) => {
    const service = COMPOSE.services[name]
    expect(service).toMatchObject({
      user: '65532:65532',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
    expect(service?.['ulimits']).toEqual({ core: 0 })
    expect(service?.['pids_limit']).toBeGreaterThan(0)
    expect(service?.['mem_limit']).toMatch(/^\d+m$/)
    for (const key of ['privileged', 'cap_add', 'devices', 'pid', 'ipc', 'env_file', 'tmpfs']) {
      expect(service).not.toHaveProperty(key)
    }
    expect(STAGES.map((stage) => stage.name)).toContain(service?.build?.target)
  })

  test('publishes one port, on loopback of the host alone', () => {
    const ports = Object.values(COMPOSE.services).flatMap((service) => service['ports'] ?? [])
    expect(ports).toEqual(['127.0.0.1:8080:8080'])
    expect(SETTINGS.listen).toEqual(['0.0.0.0:8080'])
  })

  test('lets the containers reach nothing outside', () => {
    for (const network of Object.values(COMPOSE.networks)) {
      expect(network.driver_opts?.['com.docker.network.bridge.enable_ip_masquerade']).toBe('false')
    }
  })

  test('starts the proxy beside a healthy simulator, within its network namespace', () => {
    const proxy = COMPOSE.services['proxy']
    expect(proxy?.['depends_on']).toEqual({ simulator: { condition: 'service_healthy' } })
    expect(COMPOSE.services['simulator']).toHaveProperty('healthcheck.test')
    expect(proxy?.['network_mode']).toBe('service:simulator')
    // Plain http is accepted to a loopback address only, and there the simulator must listen.
    const command = COMPOSE.services['simulator']?.['command'] as string[]
    expect(SETTINGS.upstream.base).toBe(`http://${command[1]}`)
    expect(command).toEqual(['--listen', expect.stringMatching(/^127\.0\.0\.1:/)])
  })

  test('mounts the configuration read-only where the proxy looks for it', () => {
    const path = '/etc/opusdns-auth-proxy/config.yaml'
    expect(COMPOSE.services['proxy']).toMatchObject({
      environment: { OPUSDNS_PROXY_CONFIG: path },
      volumes: [`./config/compose.yaml:${path}:ro`],
    })
  })

  test('hands the secret over as a file, and the one in the repository opens the simulator only', () => {
    const [name = '', { file } = { file: '' }] = Object.entries(COMPOSE.secrets)[0] ?? []
    expect(COMPOSE.services['proxy']?.['secrets']).toEqual([name])
    expect(SETTINGS.credential).toEqual({
      client_id: SEED_CLIENT.id,
      client_secret: `file:/run/secrets/${name}`,
    })
    expect(textOf(file).trim()).toBe(SEED_CLIENT.secret)
    for (const service of Object.values(COMPOSE.services)) {
      expect(JSON.stringify(service['environment'] ?? {})).not.toMatch(/secret|key|opk_/i)
    }
  })

  test('waits longer than the proxy drains before it kills', () => {
    const grace = COMPOSE.services['proxy']?.['stop_grace_period'] as string
    expect(Number.parseInt(grace, 10)).toBeGreaterThan(25)
  })
})
