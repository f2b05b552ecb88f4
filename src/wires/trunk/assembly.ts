/**
 * HOT PATH of large messages. One message put together from its parts. Large parts stay where they came in; small ones are
 * gathered in buffers, since each would keep all the bytes alive that came in with it.
 */

/** Parts from this size on stay in the chunk that brought them. */
const largePart = 16 * 1024
/** Small parts are gathered in buffers that grow up to this size. */
const largestTail = 64 * 1024

export class Assembly {
  readonly #parts: Buffer[] = []
  /** The buffer that small parts are added to, and how much of it is used. */
  #tail: Buffer | undefined
  #used = 0
  /** Bytes so far. */
  size = 0

  add(bytes: Buffer, start: number, end: number): void {
    const size = end - start
    this.size += size

    if (size >= largePart) {
      this.#closeTail()
      this.#parts.push(bytes.subarray(start, end))
      return
    }

    const tail = this.#room(size)
    bytes.copy(tail, this.#used, start, end)
    this.#used += size
  }

  #room(size: number): Buffer {
    if (this.#used + size > largestTail) this.#closeTail()
    const tail = this.#tail
    const needed = this.#used + size
    if (tail !== undefined && tail.length >= needed) return tail

    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(2 * this.#used, needed), largestTail))
    tail?.copy(larger, 0, 0, this.#used)
    this.#tail = larger
    return larger
  }

  #closeTail(): void {
    if (this.#tail !== undefined && this.#used > 0) this.#parts.push(this.#tail.subarray(0, this.#used))
    this.#tail = undefined
    this.#used = 0
  }

  /** The message. Nothing may be added afterwards. */
  whole(): Buffer {
    this.#closeTail()
    return this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts, this.size)
  }
}
