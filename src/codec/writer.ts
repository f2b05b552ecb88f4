/**
 * HOT PATH. A growing byte buffer that codecs encode into in place and wires flush from.
 *
 * A connection owns one Writer: frames are written one behind the other, lengths are patched afterwards, and `take()`
 * hands what is there to the socket. Guarded by `bench/scenarios/codec-protobuf`.
 */

const smallest = 16 * 1024

export class Writer {
  /** Public for the compiled encoders; read it again after every `reserve`, which may replace it. */
  bytes: Buffer
  /** Where the next byte goes. */
  position = 0

  constructor(size: number = smallest) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  /** Makes sure that `size` more bytes fit. Replaces `bytes` by a larger copy when they do not. */
  reserve(size: number): void {
    const needed = this.position + size
    if (needed > this.bytes.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    let length = this.bytes.length * 2
    while (length < needed) length *= 2
    const larger = Buffer.allocUnsafeSlow(length)
    this.bytes.copy(larger, 0, 0, this.position)
    this.bytes = larger
  }

  /** A view of what was written; valid until the next write. */
  written(): Buffer {
    return this.bytes.subarray(0, this.position)
  }

  /** A copy of what was written, free to keep. */
  copy(): Buffer {
    return Buffer.from(this.written())
  }

  /** Forgets what was written and keeps the buffer. Nobody may still hold `written()`. */
  reset(): void {
    this.position = 0
  }

  /** Hands over what was written, for good: the writer goes on with another buffer. */
  take(next: Buffer = Buffer.allocUnsafeSlow(smallest)): Buffer {
    const out = this.written()
    this.bytes = next
    this.position = 0
    return out
  }
}
