// The environment as configuration: real variables before those of `.env`, plain settings laid over
// the file, and a warning for names that nobody knows. Never quotes a value.

import type { Problem } from '../base/fault.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { isRecord } from '../base/record.ts'

/** Environment variables and those of `.env`, as one. */
export interface Variables {
  /** The value; `undefined` when not set or empty. */
  get(name: string): string | undefined
  /** The same, of the real environment alone. */
  real(name: string): string | undefined
  /** True when set to nothing. */
  isEmpty(name: string): boolean
  /** The name, and `(.env)` behind it when it comes from there. */
  place(name: string): string
  readonly names: readonly string[]
}

/** Joins both; the real environment wins, also with an empty value. */
export function variables(
  real: Readonly<Record<string, string | undefined>>,
  dotenv: Readonly<Record<string, string>>,
): Variables {
  const inReal = (name: string) => real[name] !== undefined
  const inDotenv = (name: string) => Object.hasOwn(dotenv, name)
  const raw = (name: string) => {
    if (inReal(name)) return real[name]
    return inDotenv(name) ? dotenv[name] : undefined
  }
  return {
    get: (name) => raw(name) || undefined,
    real: (name) => real[name] || undefined,
    isEmpty: (name) => raw(name) === '',
    place: (name) => (inReal(name) || !inDotenv(name) ? name : `${name} (.env)`),
    names: [...new Set([...Object.keys(real).filter(inReal), ...Object.keys(dotenv)])],
  }
}

interface PlainSetting {
  readonly name: string
  /** Where the same setting stands in the file. */
  readonly path: readonly [string] | readonly [string, string]
  readonly parse?: (text: string) => unknown
}

const PLAIN_SETTINGS: readonly PlainSetting[] = [
  { name: 'OPUSDNS_API_BASE', path: ['upstream', 'base'] },
  { name: 'OPUSDNS_PROXY_LISTEN', path: ['listen'], parse: splitList },
  { name: 'OPUSDNS_PROXY_ADMIN', path: ['admin', 'listen'] },
  { name: 'OPUSDNS_PROXY_LOG_LEVEL', path: ['log', 'level'] },
]

/** Variables that begin with `OPUSDNS_PROXY_` and mean something. */
const PROXY_VARIABLES = [
  'OPUSDNS_PROXY_CONFIG',
  'OPUSDNS_PROXY_LISTEN',
  'OPUSDNS_PROXY_ADMIN',
  'OPUSDNS_PROXY_LOG_LEVEL',
]

/** A file's tree with the environment's plain settings laid over it. */
export interface OverlaidTree {
  readonly tree: Readonly<Record<string, unknown>>
  /** The variable that the setting at `path` comes from, or `undefined` when from the file. */
  variableAt(path: readonly PropertyKey[]): string | undefined
}

/** Lays the plain settings over `tree`; the environment wins. */
export function overlay(tree: Readonly<Record<string, unknown>>, from: Variables): OverlaidTree {
  const laid: Record<string, unknown> = { ...tree }
  const origins = new Map<string, string>()
  for (const { name, path, parse } of PLAIN_SETTINGS) {
    const text = from.get(name)?.trim()
    if (text === undefined || text === '') continue
    const value = parse === undefined ? text : parse(text)
    const [section, key] = path
    if (key === undefined) {
      laid[section] = value
    } else {
      const there = laid[section]
      // What is no mapping stays as it is, and is reported as that.
      if (there !== undefined && !isRecord(there)) continue
      laid[section] = { ...there, [key]: value }
    }
    origins.set(path.join('.'), from.place(name))
  }
  return {
    tree: laid,
    variableAt(path) {
      return origins.get(String(path[0])) ?? origins.get(path.slice(0, 2).join('.'))
    },
  }
}

/** Warnings for variables that begin with `OPUSDNS_PROXY_` and mean nothing. */
export function unknownVariables(from: Variables): Problem[] {
  const unknown = from.names.filter(
    (name) =>
      name.startsWith('OPUSDNS_PROXY_') &&
      !PROXY_VARIABLES.includes(name) &&
      // Kubernetes sets these for a Service that is called opusdns-proxy.
      !/^OPUSDNS_PROXY_(?:SERVICE_|PORT$|PORT_)/.test(name),
  )
  return unknown.map((name) => {
    const meant = didYouMean(name, PROXY_VARIABLES)
    return {
      place: from.place(name),
      fault: 'is not a variable of the proxy and has no effect',
      remedy:
        meant === undefined
          ? `the known ones are ${PROXY_VARIABLES.join(', ')}`
          : `did you mean ${meant}?`,
    }
  })
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
