/**
 * HOT PATH. The dynamic table (RFC 7541 sections 2.3.2 and 4): first in, first out, bounded by the sum of its
 * entries' sizes; a ring, in which the newest entry has the lowest index. Guarded by
 * `bench/systems/http2-raw-server.ts`.
 *
 * Entries carry the number of their insertion. The distance to the newest is an entry's index, so that a
 * holder of an entry knows its index, and whether it is still there, without any search and without hearing
 * of evictions.
 */
import { staticSize } from './static-table.ts'
import type { TableEntry } from './table-entry.ts'

const smallestRing = 16

export class DynamicTable {
  /** Bumped whenever an index may mean something else than before. */
  epoch = 0
  /** Octets in use, and those that may be. */
  size = 0
  maxSize: number
  /** Insertions and evictions so far; what lies between them is in the table. */
  inserted = 0
  #evicted = 0
  #ring: (TableEntry | undefined)[] = Array.from({ length: smallestRing })
  #mask = smallestRing - 1

  constructor(maxSize: number) {
    this.maxSize = maxSize
  }

  get count(): number {
    return this.inserted - this.#evicted
  }

  /** The entry of an index, which counts on from the static table's; `undefined` when there is none. */
  get(index: number): TableEntry | undefined {
    const sequence = this.inserted - (index - staticSize)
    return sequence < this.#evicted ? undefined : this.#ring[sequence & this.#mask]
  }

  /** The entry that goes next. */
  get oldest(): TableEntry | undefined {
    return this.count === 0 ? undefined : this.#ring[this.#evicted & this.#mask]
  }

  has(entry: TableEntry): boolean {
    return entry.sequence >= this.#evicted
  }

  /** The index of an entry that is in the table. */
  indexOf(entry: TableEntry): number {
    return staticSize + this.inserted - entry.sequence
  }

  /** Inserts an entry; one that is larger than the table empties it and is not kept (section 4.4). */
  insert(entry: TableEntry): void {
    this.epoch += 1
    this.#evict(this.maxSize - entry.size)
    if (entry.size > this.maxSize) return

    if (this.count > this.#mask) this.#grow()
    entry.sequence = this.inserted
    this.#ring[this.inserted & this.#mask] = entry
    this.inserted += 1
    this.size += entry.size
  }

  /** Changes the bound and evicts what no longer fits (section 4.3). */
  resize(maxSize: number): void {
    if (maxSize === this.maxSize) return
    this.epoch += 1
    this.maxSize = maxSize
    this.#evict(maxSize)
  }

  #evict(bound: number): void {
    while (this.size > bound && this.#evicted < this.inserted) {
      const slot = this.#evicted & this.#mask
      this.size -= (this.#ring[slot] as TableEntry).size
      this.#ring[slot] = undefined
      this.#evicted += 1
    }
  }

  #grow(): void {
    const ring = this.#ring
    const mask = ring.length * 2 - 1
    const grown: (TableEntry | undefined)[] = Array.from({ length: mask + 1 })
    for (let i = this.#evicted; i < this.inserted; i += 1) grown[i & mask] = ring[i & this.#mask]
    this.#ring = grown
    this.#mask = mask
  }
}
