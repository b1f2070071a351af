// What owners of a gateway copy from the documents: the examples of consumers load, and what is to be tried
// without an account can be.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

import { loadSettings } from '../../src/config/load.ts'
import { ask } from '../demo/client.ts'
import { ROOT, filesBelow, textOf } from './tree.ts'

const PAGES = ['README.md', ...filesBelow('docs', '.md')]

function blocks(text: string, language: string): string[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm')
  return [...text.matchAll(fence)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )
}

interface Manifest {
  readonly kind: string
  readonly data: Readonly<Record<string, string>>
}

/** What a configuration is warned of; throws when it is not valid. */
async function warningsOf(text: string): Promise<readonly unknown[]> {
  const env = /^credential:/m.test(text) ? {} : { OPUSDNS_API_KEY: 'opk_placeholder' }
  return (await loadSettings({ env, file: { path: 'example.yaml', text } })).warnings
}

describe('the examples of consumers', () => {
  const consumers = textOf('docs/consumers.md')
  const besides = blocks(consumers.slice(consumers.indexOf('## Worked examples')), 'yaml')[0] ?? ''

  test('say what they need besides', () => {
    expect(parse(besides)).toEqual({
      listen: ['0.0.0.0:8080'],
      hosts: ['opusdns-proxy.internal'],
    })
  })

  const examples = PAGES.flatMap((page) =>
    blocks(textOf(page), 'yaml')
      .filter((text) => /^consumers:/m.test(text))
      .map((text, at) => ({ page, at: at + 1, text })),
  )

  test('are seen', () => {
    expect(examples.length).toBeGreaterThan(8)
  })

  test.each(examples)('$page, number $at, loads beside that without a warning', async (one) => {
    const text = /^listen:/m.test(one.text) ? one.text : `${besides}${one.text}`
    expect(await warningsOf(text)).toEqual([])
  })

  test('a ConfigMap loads as well', async () => {
    const maps = blocks(textOf('docs/kubernetes.md'), 'yaml').flatMap((block) =>
      parseAllDocuments(block).map((document) => document.toJS() as Manifest),
    )
    const texts = maps.flatMap(({ kind, data }) =>
      kind === 'ConfigMap' ? Object.values(data) : [],
    )
    expect(texts).toHaveLength(1)
    expect(await warningsOf(texts[0] ?? '')).toEqual([])
  })
})

describe('the trial without an account', () => {
  const page = textOf('docs/consumers.md')
  const section = page.slice(page.indexOf('## Try it without an account'))
  const [simulator = '', proxy = '', requests = ''] = blocks(section, 'sh')
  const folder = mkdtempSync(join(tmpdir(), 'trial-'))
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const { pid } of children) if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    rmSync(folder, { recursive: true })
  })

  /** Runs a block as the shell does, in a copy of the checkout; resolves when `until` was said, or it ended. */
  function run(block: string, env: Record<string, string>, until?: string): Promise<string> {
    const child = spawn('sh', ['-c', block], {
      cwd: folder,
      env: { PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (until !== undefined) children.push(child)
    let said = ''
    return new Promise((resolve, reject) => {
      const hear = (piece: Buffer) => {
        said += piece.toString()
        if (until !== undefined && said.includes(until)) resolve(said)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('close', () => (until === undefined ? resolve(said) : reject(new Error(said))))
    })
  }

  test('works as it is written', async () => {
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
    for (const name of ['src', 'test', 'node_modules']) {
      symlinkSync(join(ROOT, name), join(folder, name))
    }
    const [api, client, admin] = await freePorts(3)
    const moved = (block: string) =>
      block.replaceAll(':8090', `:${api}`).replaceAll(':8080', `:${client}`)
    const env = {
      OPUSDNS_PROXY_LISTEN: `127.0.0.1:${client}`,
      OPUSDNS_PROXY_ADMIN: `127.0.0.1:${admin}`,
    }

    await run(moved(simulator), {}, '"msg":"ready"')
    await run(moved(proxy), env, '"msg":"ready"')
    const key = readFileSync(join(folder, 'tmp/certbot.key'), 'utf8').trim()
    const lines = moved(requests).trim().split('\n')
    const [read = '', destroy = '', explain = '', ...more] = lines
    expect(more).toEqual([])
    const shown = (line: string, method: string) => {
      const url = / (http:\S+)$/.exec(line)?.[1] ?? ''
      expect(line).toContain('-H "X-Api-Key: $(cat tmp/certbot.key)"')
      expect(line.includes(`-X ${method}`)).toBe(method !== 'GET')
      const { origin, pathname } = new URL(url)
      return ask(origin, method, pathname, { 'X-Api-Key': key })
    }
    expect(await shown(read, 'GET')).toMatchObject({ status: 200, body: { name: 'example.com.' } })
    expect(await shown(destroy, 'DELETE')).toMatchObject({
      status: 403,
      body: { code: 'not_granted' },
    })
    expect(await run(explain, env)).toContain('DENIED')
  }, 60_000)
})

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((one) => new Promise((resolve) => one.once('listening', resolve))))
  const ports = servers.map((one) => (one.address() as AddressInfo).port)
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))))
  return ports
}
