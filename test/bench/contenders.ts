// Who takes part, and who cannot: the order is the one of the table.

import { execFile } from 'node:child_process'

import type { Contender } from './contenders/contender.ts'
import { caddy, haproxy, nginx } from './contenders/native.ts'
import { ours } from './contenders/ours.ts'
import { fastify, floor, hono } from './contenders/scripts.ts'

/** All of them. */
export const CONTENDERS: readonly Contender[] = [ours, floor, nginx, haproxy, caddy, fastify, hono]

/** A contender that is installed, with its version when it tells one. */
export interface Found {
  readonly contender: Contender
  readonly version: string
}

/** Those of `wanted` whose program is there, and the names of the others. */
export async function findContenders(
  wanted: readonly Contender[],
): Promise<{ found: Found[]; missing: string[] }> {
  const found: Found[] = []
  const missing: string[] = []
  for (const contender of wanted) {
    const version = await versionOf(contender)
    if (version === undefined) missing.push(contender.name)
    else found.push({ contender, version })
  }
  return { found, missing }
}

/** True when `program` can be run. */
export function isInstalled(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, (error) => resolve(error?.code !== 'ENOENT'))
  })
}

function versionOf({ needs, version = [] }: Contender): Promise<string | undefined> {
  if (needs === undefined) return Promise.resolve('')
  return new Promise((resolve) => {
    execFile(needs, version, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') resolve(undefined)
      else resolve(/\d+\.\d+[\w.]*/.exec(stdout + stderr)?.[0] ?? '')
    })
  })
}
