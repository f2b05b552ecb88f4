/**
 * HOT PATH. What an encoder knows about each name: its place in the tables, the values it was sent with, and
 * its policy. A field is found by its name first and then by comparing values, which are mostly the same
 * object or differ early: no key is built. Guarded by `bench/systems/http2-raw-server.ts`.
 */
import type { DynamicTable } from './dynamic-table.ts'
import type { FieldPolicy } from './field-policy.ts'
import { staticSize, staticTable } from './static-table.ts'
import type { TableEntry } from './table-entry.ts'

/** The static table by name: the first index, and the values from there on. */
const staticNames = new Map<string, { readonly index: number; readonly values: string[] }>()
const noValues: readonly string[] = []

for (let index = 1; index <= staticSize; index += 1) {
  const { name, value } = staticTable[index] as TableEntry
  const known = staticNames.get(name)
  if (known === undefined) staticNames.set(name, { index, values: [value] })
  else known.values.push(value)
}

/** A field is in use when it was in one of as many blocks. */
const inUse = 8

export class NameSlot {
  readonly name: string
  readonly never: boolean
  readonly learned: boolean
  /** Whether it stays; a field of a name without memory must not go into the table. */
  readonly kept: boolean
  /** The first index of the name in the static table; 0 when it has none. */
  readonly staticIndex: number
  /** The values that the static table has for it, from that index on. */
  readonly staticValues: readonly string[]
  /** Entries of the dynamic table, the newest last; the first ones may be gone. */
  readonly entries: TableEntry[] = []
  /** The last value that was not put into the table. */
  candidate: string | undefined = undefined
  /** The last entry that was looked for after it had been pushed out, if it was in use until then. */
  lost: TableEntry | undefined = undefined

  constructor(name: string, policy: FieldPolicy, kept: boolean) {
    this.name = name
    this.never = policy === 'never'
    this.learned = policy === 'learned'
    this.kept = kept
    const known = staticNames.get(name)
    this.staticIndex = known?.index ?? 0
    this.staticValues = known?.values ?? noValues
  }

  /** The index of a field in either table; 0 when there is none. */
  find(value: string, table: DynamicTable, block: number): number {
    const { staticValues, entries } = this

    for (let i = 0; i < staticValues.length; i += 1) {
      if (staticValues[i] === value) return this.staticIndex + i
    }

    for (let i = entries.length - 1; i >= 0; i -= 1) {
      const entry = entries[i] as TableEntry

      // What is older is gone as well.
      if (!table.has(entry)) {
        this.#forget(i, value, block)
        return 0
      }

      if (entry.value === value) {
        entry.lastUsed = block
        return table.indexOf(entry)
      }
    }

    return 0
  }

  /** Forgets the entries up to one, but for the one that a field in use had. */
  #forget(last: number, value: string, block: number): void {
    for (const entry of this.entries.splice(0, last + 1)) {
      if (entry.value === value && block - entry.lastUsed <= inUse) this.lost = entry
    }
  }

  /** The entry of the dynamic table for a value, if there is one. */
  entryOf(value: string, table: DynamicTable): TableEntry | undefined {
    return this.entries.findLast((entry) => entry.value === value && table.has(entry))
  }

  /** An index that gives the name; 0 when there is none. */
  nameIndex(table: DynamicTable, block: number): number {
    if (this.staticIndex !== 0) return this.staticIndex
    const newest = this.entries.at(-1)
    if (newest === undefined || !table.has(newest)) return 0
    newest.lastUsed = block
    return table.indexOf(newest)
  }
}

/**
 * Names, and one more for every 16 octets of the table; when there are more, those without an entry are
 * forgotten.
 */
const mostNames = 512
const longestName = 128

export class NameSlots {
  readonly #slots = new Map<string, NameSlot>()
  readonly #table: DynamicTable
  readonly #policies: ReadonlyMap<string, FieldPolicy>
  readonly #most: number
  /** By place in a list: the name there is mostly the one of the list before. */
  readonly #recent: (NameSlot | undefined)[] = []

  constructor(table: DynamicTable, policies: ReadonlyMap<string, FieldPolicy>, tableSize: number) {
    this.#table = table
    this.#policies = policies
    this.#most = mostNames + (tableSize >>> 4)
  }

  /** The slot of a name, made when there is none yet. `place` is where in a list it stands. */
  get(name: string, place: number): NameSlot {
    const recent = this.#recent[place]
    if (recent !== undefined && recent.name === name) return recent

    let slot = this.#slots.get(name)

    if (slot === undefined) {
      const kept = name.length <= longestName
      slot = new NameSlot(name, this.#policies.get(name) ?? 'learned', kept)
      if (!kept) return slot
      if (this.#slots.size >= this.#most) this.#sweep()
      this.#slots.set(name, slot)
    }

    if (place < 64) this.#recent[place] = slot
    return slot
  }

  #sweep(): void {
    for (const [name, slot] of this.#slots) {
      const newest = slot.entries.at(-1)
      if (slot.staticIndex === 0 && (newest === undefined || !this.#table.has(newest)))
        this.#slots.delete(name)
    }

    this.#recent.length = 0
  }
}
