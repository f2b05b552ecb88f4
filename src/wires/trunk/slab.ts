/**
 * HOT PATH of streams. Small messages that wait for their reader, copied one behind the other: left where they came in,
 * each could keep a chunk of 64 KiB alive. Guarded by `bench/scenarios/trunk`.
 */

/** Messages from this size on stay where they are: what they keep alive besides is a few times as much at most. */
const worthItsChunk = 16 * 1024
const smallestSlab = 512
const largestSlab = 16 * 1024

const nothing = Buffer.alloc(0)

export class Slab {
  /** Where the last message was kept, and from where on. */
  bytes: Buffer = nothing
  start = 0
  #current: Buffer = nothing
  #used = 0

  /** Keeps a message: `bytes` and `start` say where it is now. */
  keep(bytes: Buffer, start: number, end: number): void {
    const size = end - start
    if (size >= worthItsChunk) {
      this.bytes = bytes
      this.start = start
      return
    }

    if (this.#used + size > this.#current.length) this.#next(size)
    this.bytes = this.#current
    this.start = this.#used
    bytes.copy(this.#current, this.#used, start, end)
    this.#used += size
  }

  /** Messages that were kept before keep their own slab alive, until they are read. */
  #next(size: number): void {
    const larger = Math.min(Math.max(2 * this.#current.length, smallestSlab), largestSlab)
    this.#current = Buffer.allocUnsafeSlow(Math.max(larger, size))
    this.#used = 0
  }

  /** All that was kept has been read: its place may be used again. */
  reuse(): void {
    this.#used = 0
    this.bytes = nothing
  }
}
