// Reads what `loadSettings` needs from disk: the configuration file and `.env`, and nothing else.

import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'

import { errorCode, Fault } from '../base/fault.ts'
import type { Look } from './credential-conventions.ts'
import type { LoadInput } from './load.ts'
import { readSmallFile } from './small-file.ts'

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
  const dotenv = readDotenv(resolve(directory, '.env'))
  const path = options.configPath ?? env[VARIABLE] ?? (await inDotenv(dotenv))
  const place = options.configPath === undefined ? VARIABLE : '--config'
  return {
    env,
    dotenv,
    file: path === undefined || path === '' ? undefined : readYaml(path, directory, place),
    readText: (file) => readSmallFile(resolve(directory, file)),
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

function readDotenv(path: string): string | undefined {
  try {
    return readSmallFile(path)
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

function readYaml(path: string, directory: string, place: string) {
  try {
    return { path, text: readSmallFile(resolve(directory, path)) }
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
