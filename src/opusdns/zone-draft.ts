// The record sets of a zone while a write is tried on them. A request may hold thousands of changes to one
// record set, so each must cost the same, however many there were before it.

/** All records of one name and type. */
export interface ZoneRrset {
  /** Canonical where it can be; without a final dot. */
  readonly name: string
  readonly type: string
  readonly ttl: number | null
  readonly rdata: readonly string[]
  /** Why OpusDNS keeps it from being changed; `undefined` where it does not. */
  readonly protected: string | undefined
}

/** What became of one record set. */
export interface DraftRrset {
  readonly name: string
  readonly type: string
  ttl: number | null
  readonly rdata: ReadonlySet<string>
  /** Adds a record, as the last one. */
  add(rdata: string): void
  /** Takes a record away; false if it was not there. */
  remove(rdata: string): boolean
  /** Whether there is another record that only `rdata` written differently could be. */
  hasTwin(rdata: string): boolean
}

/** Builds a record set with these records. */
export function draftRrset({ name, type, ttl, rdata }: Omit<ZoneRrset, 'protected'>): DraftRrset {
  const records = new Set(rdata)
  /** How many are the same but for their spelling; made when somebody asks. */
  let spellings: Map<string, number> | undefined

  function count(text: string, by: number): void {
    if (spellings === undefined) return
    const plain = bare(text)
    spellings.set(plain, (spellings.get(plain) ?? 0) + by)
  }
  return {
    name,
    type,
    ttl,
    rdata: records,
    add(text) {
      if (!records.delete(text)) count(text, 1)
      records.add(text)
    },
    remove(text) {
      const there = records.delete(text)
      if (there) count(text, -1)
      return there
    },
    hasTwin(text) {
      if (spellings === undefined) {
        spellings = new Map()
        for (const one of records) count(one, 1)
      }
      return (spellings.get(bare(text)) ?? 0) > (records.has(text) ? 1 : 0)
    },
  }
}

/** Data without what is often added or left out: quotes, case, the final dot. */
function bare(rdata: string): string {
  return rdata.replaceAll('"', '').replace(/\.$/, '').toLowerCase()
}
