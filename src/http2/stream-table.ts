/**
 * HOT PATH. Streams by number. Numbers follow each other, so the low bits of one are a slot in an array; a stream that still
 * has its slot when the numbers have come round makes way for the new one, and is found in a Map.
 *
 * A Map for all of them made every call outlive several collections: each time a Map makes room it leaves a table behind
 * that names all streams that were open then, and the next table. A client spent 30 % of its time on that.
 * Guarded by `bench/scenarios/grpc`.
 */

const smallest = 16
const largest = 4096

export class StreamTable<Stream extends { readonly id: number }> {
  size = 0
  #slots: (Stream | undefined)[] = Array.from({ length: smallest })
  #mask = smallest - 1
  #late: Map<number, Stream> | undefined

  get(id: number): Stream | undefined {
    const stream = this.#slots[(id >>> 1) & this.#mask]
    if (stream !== undefined && stream.id === id) return stream
    return this.#late === undefined ? undefined : this.#late.get(id)
  }

  /** Adds a stream whose number is not in use. */
  add(stream: Stream): void {
    this.size++
    if (this.size * 2 > this.#mask && this.#mask + 1 < largest) this.#grow()
    this.#put(stream)
  }

  #put(stream: Stream): void {
    const slot = (stream.id >>> 1) & this.#mask
    const before = this.#slots[slot]
    if (before !== undefined) {
      this.#late ??= new Map()
      this.#late.set(before.id, before)
    }
    this.#slots[slot] = stream
  }

  #grow(): void {
    const streams = this.all()
    const length = (this.#mask + 1) * 2
    this.#slots = Array.from({ length })
    this.#mask = length - 1
    this.#late = undefined
    for (const stream of streams) this.#put(stream)
  }

  /** Takes a stream out; false when it is not there. */
  remove(stream: Stream): boolean {
    const slot = (stream.id >>> 1) & this.#mask
    if (this.#slots[slot] === stream) this.#slots[slot] = undefined
    else if (this.#late === undefined || !this.#late.delete(stream.id)) return false
    else if (this.#late.size === 0) this.#late = undefined
    this.size--
    return true
  }

  /** All streams, as they are now, in the order of their numbers. */
  all(): Stream[] {
    const streams = this.#slots.filter((stream) => stream !== undefined)
    if (this.#late !== undefined) streams.push(...this.#late.values())
    return streams.toSorted((a, b) => a.id - b.id)
  }

  clear(): void {
    this.size = 0
    this.#slots.fill(undefined)
    this.#late = undefined
  }
}
