// Reads what `loadSettings` needs from disk: the configuration file and `.env`, and nothing else.

import { lstatSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { errorCode, Fault } from '../base/fault.ts'
import type { Look } from './credential-conventions.ts'
import type { LoadInput } from './load.ts'

/** See `readConfig`. */
export interface ReadConfigOptions {
  /** The real environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The file of `--config`; before `OPUSDNS_PROXY_CONFIG`, which stands for it. */
  readonly configPath?: string | undefined
  /** The working directory: where `.env` is, and what relative paths begin at. */
  readonly directory: string
}

const VARIABLE = 'OPUSDNS_PROXY_CONFIG'

/** The input of `loadSettings`. Rejects with a Fault `config_invalid` when a file cannot be read. */
export async function readConfig(options: ReadConfigOptions): Promise<LoadInput> {
  const { env, directory } = options
  const dotenv = await readDotenv(resolve(directory, '.env'))
  const path = options.configPath ?? env[VARIABLE] ?? (await inDotenv(dotenv))
  const place = options.configPath === undefined ? VARIABLE : '--config'
  return {
    env,
    dotenv,
    file: path === undefined || path === '' ? undefined : await readYaml(path, directory, place),
    readText: (file) => readFileSync(resolve(directory, file), 'utf8'),
    look,
  }
}

/** A link that leads nowhere is there: what it should lead to may come. */
function look(path: string): ReturnType<Look> {
  try {
    lstatSync(path)
    return 'there'
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error)) ? 'absent' : 'hidden'
  }
}

async function readDotenv(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = errorCode(error)
    // A directory of that name is somebody's virtual environment, not ours.
    if (code === 'ENOENT' || code === 'EISDIR') return undefined
    throw invalid('.env', code, 'let the proxy read it, or remove it')
  }
}

async function inDotenv(text: string | undefined): Promise<string | undefined> {
  if (text === undefined || !text.includes(VARIABLE)) return undefined
  const { parseDotenv } = await import('./dotenv.ts')
  return (await parseDotenv(text))[VARIABLE]
}

async function readYaml(path: string, directory: string, place: string) {
  try {
    return { path, text: await readFile(resolve(directory, path), 'utf8') }
  } catch (error) {
    throw invalid(`${place} ${path}`, errorCode(error), 'check the path, and that it may be read')
  }
}

function invalid(place: string, code: string, remedy: string): Fault {
  return new Fault('config_invalid', {
    detail: 'The configuration cannot be read.',
    problems: [{ place, fault: `cannot be read (${code || 'error'})`, remedy }],
  })
}
