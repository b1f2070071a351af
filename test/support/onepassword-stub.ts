// A stub of a 1Password Connect server on a real socket, with one vault and one item: written from
// the documentation of the Connect API (1.7), and no 1Password.

import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import type { Certificate } from './certificates.ts'

export const VAULT_ID = 'ftz4pm2xxwmwrsd7rjqn7grzfz'
export const ITEM_ID = '2fcbqwe9ndg175zg2dzwftvkpa'
/** The only token that the stub accepts. */
export const CONNECT_TOKEN = 'connect-token-canary'

/** How the stub answers. */
export type ConnectMood = 'well' | 'missing' | 'denied' | 'expired' | 'garbage' | 'error' | 'hang'

/** The stub. */
export interface ConnectStub {
  /** Origin of the server. */
  readonly address: string
  /** Path and query of each request, in order. */
  readonly requests: readonly string[]
  /** Stores a field's value. */
  set(value: string): void
  /** Adds a field of another section with that label. */
  addField(field: object): void
  /** Adds an item with that title to the vault's list. */
  addItem(item: object): void
  /** Answers like this from now on; every text of it holds `canary`. */
  mood(mood: ConnectMood, canary?: string): void
  silence(): Promise<void>
  listen(): Promise<void>
}

/** Starts the stub; on TLS when it gets a certificate. */
export async function startConnectStub(certificate?: Certificate): Promise<ConnectStub> {
  const requests: string[] = []
  const extraFields: object[] = []
  const extraItems: object[] = []
  let value: string | undefined
  let mood: ConnectMood = 'well'
  let canary = ''

  const vault = { id: VAULT_ID, name: 'Infra', items: 1, type: 'USER_CREATED' }
  const item = {
    id: ITEM_ID,
    title: 'OpusDNS',
    vault: { id: VAULT_ID },
    category: 'API_CREDENTIAL',
    version: 1,
  }
  const fields = () => [
    { id: 'username', type: 'STRING', purpose: 'USERNAME', label: 'username', value: 'opus' },
    { id: 'notesPlain', type: 'STRING', purpose: 'NOTES', label: 'notesPlain' },
    {
      id: 'credential',
      type: 'CONCEALED',
      label: 'credential',
      section: { id: 'add more', label: 'Production' },
      // Connect leaves out what is empty.
      ...(value === '' ? {} : { value }),
    },
    ...extraFields,
  ]
  const sections = [
    { id: 'add more', label: 'Production' },
    { id: 'staging', label: 'Staging' },
  ]

  function json(reply: ServerResponse, status: number, body: unknown): void {
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const refuse = (reply: ServerResponse, status: number, message: string) =>
    json(reply, status, { status, message: `${message} ${canary}` })

  /** What the filter (`title eq "…"`) lets through. */
  function filtered(list: readonly object[], url: URL): readonly object[] {
    const match = /^(\w+) eq "([^"]*)"$/.exec(url.searchParams.get('filter') ?? '')
    if (match === null) return list
    const [, key = '', wanted = ''] = match
    return list.filter((it) => (it as Readonly<Record<string, unknown>>)[key] === wanted)
  }

  function answer(request: IncomingMessage, reply: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://localhost')
    requests.push(request.url ?? '')
    if (mood === 'hang') return
    if (request.headers.authorization !== `Bearer ${CONNECT_TOKEN}` || mood === 'expired') {
      refuse(reply, 401, 'Invalid token signature')
    } else if (mood === 'denied') refuse(reply, 403, 'vault is not in scope')
    else if (mood === 'error') refuse(reply, 500, 'failed to decrypt')
    else if (mood === 'garbage') reply.end(`<html>${canary}`)
    else if (url.pathname === '/v1/vaults') json(reply, 200, filtered([vault], url))
    else if (url.pathname === `/v1/vaults/${VAULT_ID}/items`) {
      const items = mood === 'missing' ? [] : [item, ...extraItems]
      json(reply, 200, filtered(items, url))
    } else if (url.pathname === `/v1/vaults/${VAULT_ID}/items/${ITEM_ID}` && mood !== 'missing') {
      json(reply, 200, { ...item, sections, fields: fields() })
    } else refuse(reply, 404, 'item not found')
  }

  const server =
    certificate === undefined ? createServer(answer) : createTlsServer(certificate, answer)
  let port = 0
  const listen = () =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', () => {
        port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  await listen()
  const address =
    certificate === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`

  return {
    address,
    requests,
    set: (stored) => void (value = stored),
    addField: (field) => void extraFields.push(field),
    addItem: (added) => void extraItems.push(added),
    mood(now, text = '') {
      mood = now
      canary = text
    },
    silence: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    listen,
  }
}
