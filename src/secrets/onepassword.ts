// A secret from 1Password: a field of an item, through a Connect server. Vault, item, section and
// field are named by title or by id, as in 1Password's own references.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { every } from './lifetime.ts'
import { connectServer } from './onepassword-connect.ts'
import type { AskConnect, ConnectDependencies } from './onepassword-connect.ts'
import type { OnepasswordSettings } from './onepassword-options.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromBytes } from './value.ts'

/** See `onepasswordSource`. */
export interface OnepasswordDependencies extends ConnectDependencies {
  readonly clock: Clock
}

/** Vaults and items in a list, fields and sections of an item. */
type Named = Readonly<Record<string, unknown>>

/** What 1Password gives as an id. */
const ID = /^[a-z0-9]{26}$/

/** The secret that a reference names. Built without I/O. */
export function onepasswordSource(
  options: ReferenceOf<'op'>,
  settings: OnepasswordSettings,
  deps: OnepasswordDependencies,
): SecretSource {
  const reference = referenceText(options)
  const fault = (what: string, remedy: string) =>
    new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })

  /** The one of `found` that is called `name`. */
  function only(found: readonly Named[], name: string, what: string, where: string): Named {
    const same = found.filter((it) => isCalled(it, name))
    // An id is one of its kind, whatever else has it for a title.
    const [first, ...others] = same.some((it) => it['id'] === name)
      ? same.filter((it) => it['id'] === name)
      : same
    if (first === undefined) throw fault(`has no ${what} ${name} ${where}`, 'check the name')
    if (others.length === 0) return first
    throw fault(`has several of the ${what} ${name} ${where}`, 'write the id of the right one')
  }

  async function idOf(ask: AskConnect, path: string, key: string, name: string, what: string) {
    if (ID.test(name)) return name
    if (/["\\]/.test(name)) {
      throw fault(`has a quotation mark in the name of the ${what}`, 'write its id instead')
    }
    const filter = new URLSearchParams({ filter: `${key} eq "${name}"` }).toString()
    const found = objects(await ask(`${path}?${filter.replaceAll('+', '%20')}`))
    const usable = found.filter((it) => it['state'] !== 'ARCHIVED' && it['state'] !== 'DELETED')
    const { id } = only(usable, name, what, 'that the access token may see')
    if (typeof id === 'string' && ID.test(id)) return id
    throw fault('was answered with no id', 'check that the address is that of a Connect server')
  }

  function fieldOf(item: Named): Named {
    const [first = '', second, ...more] = options.field.split('/')
    if (more.length > 0) {
      throw fault('has too many parts', 'write op://vault/item/section/field, by ids where needed')
    }
    const fields = objects(item['fields'])
    if (second === undefined) return only(fields, first, 'field', 'in the item')
    const section = only(objects(item['sections']), first, 'section', 'in the item')
    const inside = fields.filter((it) => {
      const [at] = objects([it['section']])
      return at !== undefined && at['id'] === section['id']
    })
    return only(inside, second, 'field', 'in the section')
  }

  return {
    kind: 'op',
    reference,
    async read() {
      const ask = await connectServer({ reference, timeout: options.timeout }, settings, deps)
      const vault = await idOf(ask, 'vaults', 'name', options.vault, 'vault')
      const items = `vaults/${vault}/items`
      const item = await idOf(ask, items, 'title', options.item, 'item')
      const [whole = {}] = objects([await ask(`${items}/${item}`)])
      const { value } = fieldOf(whole)
      // Connect leaves out the value of a field that is empty.
      const text = typeof value === 'string' ? value : ''
      return secretFromBytes(Buffer.from(text), reference, options.extract)
    },
    watch: (changed) => every(deps.clock, options.lifetime, changed),
  }
}

function objects(it: unknown): readonly Named[] {
  if (!Array.isArray(it)) return []
  return it.filter((one): one is Named => typeof one === 'object' && one !== null)
}

/** By id, or by title in any case, as 1Password compares. */
function isCalled(it: Named, name: string): boolean {
  const titles = [it['name'], it['title'], it['label']]
  return (
    it['id'] === name ||
    titles.some((title) => typeof title === 'string' && title.toLowerCase() === name.toLowerCase())
  )
}
