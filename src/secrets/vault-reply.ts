// Bodies of replies, which may be anything. A parser's error quotes what it read, and ends here.

import { isRecord } from '../base/record.ts'
import { foreignReply } from './vault-defect.ts'
import type { VendorReply } from './vendor-http.ts'

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What a read yields. */
export interface VaultSecret {
  /** All fields, as stored. */
  readonly fields: JsonObject
  /** Of version 2 of the engine; undefined for anything else. */
  readonly version: number | undefined
  /** Seconds after which it should be read again, or ends; 0 when nothing is said. */
  readonly leaseSeconds: number
}

/**
 * The secret in a reply with status 200: `data.data` where `data.metadata` tells of version 2 of the
 * KV engine, else `data`. Throws a VaultDefect.
 */
export function vaultSecret(reply: VendorReply): VaultSecret {
  const body = parsed(reply)
  const data = objectIn(body, 'data')
  if (data === undefined) throw foreignReply()
  const leaseSeconds = numberIn(body, 'lease_duration')
  const metadata = objectIn(data, 'metadata')
  const inner = objectIn(data, 'data')
  // All of it, for a secret of version 1 may have fields with these names too.
  const versioned =
    inner !== undefined &&
    typeof metadata?.['version'] === 'number' &&
    typeof metadata['created_time'] === 'string' &&
    Object.keys(data).length === 2
  return versioned
    ? { fields: inner, version: numberIn(metadata, 'version'), leaseSeconds }
    : { fields: data, version: undefined, leaseSeconds }
}

/** The JSON object that a reply is. Throws a VaultDefect. */
export function parsed(reply: VendorReply): JsonObject {
  let tree: unknown
  try {
    tree = JSON.parse(reply.body.toString('utf8'))
  } catch {
    throw foreignReply()
  }
  if (!isRecord(tree)) throw foreignReply()
  return tree
}

/** The object in a field, if there is one. */
export function objectIn(tree: JsonObject, name: string): JsonObject | undefined {
  const found = Object.hasOwn(tree, name) ? tree[name] : undefined
  return isRecord(found) ? found : undefined
}

/** The number in a field; 0 when there is none above it. */
export function numberIn(tree: JsonObject, name: string): number {
  const found = Object.hasOwn(tree, name) ? tree[name] : undefined
  return typeof found === 'number' && found > 0 ? found : 0
}
