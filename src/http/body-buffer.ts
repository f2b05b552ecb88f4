/**
 * HOT PATH. Where a complete body is encoded in place before its head is written; guarded by
 * `bench/scenarios/rest-server`.
 *
 *     [ room: head, or frame header ] [ body … ]
 *                                     ^ start    ^ position
 *
 * The codecs' writers append at `position` (this is structurally what they write into). In front of `start` lies room
 * that the engine fills backwards once the size is known: an HTTP/1.1 head with its Content-Length, the nine bytes of
 * an HTTP/2 DATA frame's header. So an answer is one piece of memory and one write, and no byte is copied.
 */

const slabSize = 64 * 1024
/** A body begins only where so much is free behind the room. */
const leastFree = 4 * 1024
/** A larger buffer is not kept for the next body. */
const largestHeld = 256 * 1024

const nothing = Buffer.alloc(0)

/** Bytes in front of a body: a head of usual size. */
export const frontRoom = 512

export class BodyBuffer {
  /** Read it again after every `reserve`, which may replace it. */
  bytes: Buffer = nothing
  /** Where the next byte goes. */
  position = 0
  /** Where the body begins. The `frontRoom` bytes before it are the engine's. */
  start = 0
  /** Whether a body is being encoded. */
  open = false
  /** From here on nobody holds the bytes. */
  #free = 0

  /** Begins a body; what was there before and is not held is overwritten. */
  begin(): void {
    const { length } = this.bytes
    if (this.#free + frontRoom + leastFree > length || length > largestHeld) {
      this.bytes = Buffer.allocUnsafeSlow(slabSize)
      this.#free = 0
    }
    this.start = this.#free + frontRoom
    this.position = this.start
    this.open = true
  }

  /** Makes sure that `size` more bytes fit. Replaces `bytes` by a larger copy when they do not. */
  reserve(size: number): void {
    if (this.position + size > this.bytes.length) this.#grow(size)
  }

  /** Positions stay what they are: who writes remembers where a list began. */
  #grow(size: number): void {
    const from = this.start - frontRoom
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.position + size))
    this.bytes.copy(larger, from, from, this.position)
    this.bytes = larger
    this.#free = 0
  }

  /** The body's size in bytes. */
  get size(): number {
    return this.position - this.start
  }

  /** A copy of the body, free to keep. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(this.start, this.position))
  }

  /** The body is complete, or given up. Its bytes stay until the next one begins. */
  close(): void {
    this.open = false
  }

  /** Somebody goes on reading the bytes: the next body begins behind them. */
  hold(): void {
    this.#free = this.position
  }
}

const shared = new BodyBuffer()

/**
 * Begins a body in the buffer that all engines of the process share: it is encoded and sent, or closed, before anything
 * else happens. Whoever asks in between (a getter of the value that makes a call itself) is given one of its own.
 */
export function composeBody(): BodyBuffer {
  const body = shared.open ? new BodyBuffer() : shared
  body.begin()
  return body
}
