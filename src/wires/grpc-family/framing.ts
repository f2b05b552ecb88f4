/**
 * HOT PATH. Messages in a body, cut anywhere by whoever carries it. Pure. Guarded by `bench/scenarios/grpc`.
 *
 *     body    = *message
 *     message = compressed length octets
 *     compressed = %x00 / %x01
 *     length  = 4OCTET                 ; big-endian
 *
 * gRPC-Web and Connect mark the message that is the end by one more bit in the first byte.
 *
 * A message that lies in one piece is handed over where it lies. For one that does not, memory grows with what has come,
 * never with what the prefix promises. Follows gRPC's "Protocol over HTTP2".
 */
import type { PartialBody } from '../../http/partial-bodies.ts'

export const prefixSize = 5

/** The first buffer for a message that comes in pieces; it grows fourfold, up to the message's length. */
const firstBuffer = 64 * 1024

const nothing = Buffer.alloc(0)

/** Hears what is in a body. Bytes are borrowed: valid during the call. */
export interface MessageSink {
  message(bytes: Buffer, start: number, end: number, compressed: boolean): void
  /** The message that is the end of the body. */
  last?(bytes: Buffer, start: number, end: number, compressed: boolean): void
  /** Nothing more is told after this: the body cannot be understood, or must not be kept. */
  broken(why: BrokenFraming): void
}

export type BrokenFraming =
  | { readonly kind: 'flag'; readonly flag: number }
  | { readonly kind: 'too large'; readonly size: number }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'behind the end' }
  | { readonly kind: 'refused' }

export class MessageSplitter {
  readonly #limit: number
  readonly #sink: MessageSink
  readonly #account: PartialBody | undefined
  /** Of the prefix that is being read, and of the message behind it. */
  #prefixRead = 0
  #compressed = false
  readonly #lastFlag: number
  /** Whether the message is the end, and whether that was it. */
  #last = false
  #ended = false
  #length = 0
  #partial: Buffer = nothing
  #filled = 0
  #over = false

  /**
   * @param limit The largest message that is taken, in bytes.
   * @param account What is kept of messages that are incomplete is counted there.
   * @param lastFlag The bit in a message's first byte by which it is the end of the body; 0 where there is none.
   */
  constructor(limit: number, sink: MessageSink, account?: PartialBody, lastFlag = 0) {
    this.#limit = limit
    this.#sink = sink
    this.#account = account
    this.#lastFlag = lastFlag
  }

  push(bytes: Buffer, from: number, end: number): void {
    let start = from
    while (!this.#over) {
      if (this.#prefixRead < prefixSize) {
        start = this.#readPrefix(bytes, start, end)
        if (this.#prefixRead < prefixSize || this.#over) return
      }

      const missing = this.#length - this.#filled
      if (end - start < missing) {
        if (start < end) this.#keep(bytes, start, end)
        return
      }

      const next = start + missing
      if (this.#filled === 0) this.#deliver(bytes, start, next)
      else if (this.#keep(bytes, start, next)) this.#deliverKept()
      start = next
    }
  }

  #readPrefix(bytes: Buffer, from: number, end: number): number {
    let start = from
    if (this.#prefixRead === 0 && end - start >= prefixSize) {
      this.#begin(bytes[start] as number)
      if (this.#over) return start
      this.#length = bytes.readUInt32BE(start + 1)
      this.#prefixRead = prefixSize
      this.#checkLength()
      return start + prefixSize
    }

    while (start < end && this.#prefixRead < prefixSize) {
      const byte = bytes[start++] as number
      if (this.#prefixRead === 0) {
        this.#begin(byte)
        if (this.#over) return start
        this.#length = 0
      } else this.#length = this.#length * 256 + byte
      this.#prefixRead++
    }
    if (this.#prefixRead === prefixSize) this.#checkLength()
    return start
  }

  #begin(flags: number): void {
    this.#compressed = (flags & 1) === 1
    if (flags > 1) {
      this.#last = (flags & ~1) === this.#lastFlag
      if (!this.#last) return this.#break({ kind: 'flag', flag: flags })
    }
    if (this.#ended) this.#break({ kind: 'behind the end' })
  }

  #checkLength(): void {
    if (this.#length > this.#limit) this.#break({ kind: 'too large', size: this.#length })
  }

  /** Copies a part of a message; false when there is no room for it. */
  #keep(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.#filled + end - start
    if (needed > this.#partial.length && !this.#grow(needed)) return false
    bytes.copy(this.#partial, this.#filled, start, end)
    this.#filled = needed
    return true
  }

  #grow(needed: number): boolean {
    const before = this.#partial
    const size = Math.min(this.#length, Math.max(needed, before.length * 4, firstBuffer))
    if (this.#account?.take(size - before.length) === false) {
      this.#break({ kind: 'refused' })
      return false
    }
    this.#partial = Buffer.allocUnsafeSlow(size)
    before.copy(this.#partial, 0, 0, this.#filled)
    return true
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    const compressed = this.#compressed
    this.#prefixRead = 0
    if (!this.#last) {
      this.#sink.message(bytes, start, end, compressed)
      return
    }
    this.#ended = true
    this.#last = false
    this.#sink.last?.(bytes, start, end, compressed)
  }

  #deliverKept(): void {
    const whole = this.#partial
    const size = this.#filled
    this.#forget()
    this.#deliver(whole, 0, size)
  }

  #forget(): void {
    if (this.#partial.length > 0) this.#account?.give(this.#partial.length)
    this.#partial = nothing
    this.#filled = 0
  }

  /** The body is complete. */
  finish(): void {
    if (!this.#over && this.#prefixRead > 0) this.#break({ kind: 'truncated' })
    else this.close()
  }

  /** Tells nothing more, and keeps nothing. */
  close(): void {
    this.#over = true
    this.#forget()
    this.#account?.close()
  }

  #break(why: BrokenFraming): void {
    this.close()
    this.#sink.broken(why)
  }
}

/** Writes the prefix of a message of `size` bytes. */
export function writePrefix(bytes: Buffer, at: number, compressed: boolean, size: number): void {
  bytes[at] = compressed ? 1 : 0
  bytes[at + 1] = size >>> 24
  bytes[at + 2] = size >>> 16
  bytes[at + 3] = size >>> 8
  bytes[at + 4] = size
}

/** Whether bytes are one uncompressed message and nothing else. */
export function isWhole(bytes: Buffer, start: number, end: number): boolean {
  const size = end - start - prefixSize
  return size >= 0 && bytes[start] === 0 && bytes.readUInt32BE(start + 1) === size
}
