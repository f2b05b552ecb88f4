/**
 * HOT PATH. Writes one message: head and framing, and a body that is encoded in place between the two. A body that is
 * complete with its first piece goes out with Content-Length in one write; a longer one chunked, small pieces gathered
 * until the end of the turn. Guarded by `bench/systems/http1-raw-server.ts`.
 *
 *     [ head CRLF ] [ hex CRLF ] body … [ CRLF "0" CRLF trailers CRLF ]                  RFC 9112 sections 6, 7.1
 *       └ room left before the body ┘       └ room left behind it
 */
import type { Writable } from 'node:stream'
import type { BodyWriter, Reservation } from '../http/exchange.ts'
import type { HttpHeaders } from '../http/headers.ts'
import { encodeFields } from './encode-head.ts'

const slabSize = 64 * 1024
const regionSize = 4 * 1024
/** Before the body: a chunk's size line. */
const sizeRoom = 12
/** Behind it: CRLF, the last chunk, CRLF. */
const endRoom = 8
/** Pieces up to this size are copied, larger ones are written as they are. */
const copyBound = 2 * 1024
const flushBound = 16 * 1024

/** Regions are cut from shared slabs: a connection without work owns none. */
let slab = Buffer.allocUnsafeSlow(slabSize)
let slabUsed = 0

/** How a body is delimited when its length is not known. */
export type Delimiting = 'chunked' | 'close' | 'none'

export class MessageOutput implements BodyWriter {
  /** Whether the whole message was given to the stream. */
  complete = false
  readonly #stream: Writable
  readonly #delimiting: Delimiting
  readonly #onComplete: () => void
  /** The head, until it was sent; without framing and empty line. */
  #head: string | undefined
  /** Where the body that is not sent yet lies. */
  #bytes: Buffer | undefined
  #start = 0
  #at = 0
  #limit = 0
  #scheduled = false
  #onDrain: (() => void) | undefined
  readonly #reservation: { bytes: Buffer; start: number } = { bytes: slab, start: 0 }

  /** `none`: the message has no body (HEAD, 204, 304), whatever is written. */
  constructor(stream: Writable, head: string, delimiting: Delimiting, onComplete: () => void) {
    this.#stream = stream
    this.#head = head
    this.#delimiting = delimiting
    this.#onComplete = onComplete
    this.#schedule()
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
  }

  /** The stream takes bytes again. */
  drained(): void {
    if (!this.complete) this.#onDrain?.()
  }

  /** Nothing is sent any more: the stream is gone, or not ours any longer. */
  discard(): void {
    this.complete = true
    this.#bytes = undefined
    this.#head = undefined
  }

  reserve(size: number): Reservation {
    if (this.#bytes === undefined || this.#at + size + endRoom > this.#limit) {
      if (this.#at > this.#start) this.#flush()
      this.#claim(size)
    }
    this.#reservation.bytes = this.#bytes as Buffer
    this.#reservation.start = this.#at
    return this.#reservation
  }

  #claim(size: number): void {
    const before = sizeRoom + (this.#head === undefined ? 0 : this.#head.length + 48)
    const needed = before + size + endRoom
    if (needed > slabSize / 2) {
      this.#bytes = Buffer.allocUnsafeSlow(needed)
      this.#start = before
      this.#limit = needed
    } else {
      const length = Math.max(needed, regionSize)
      if (slabUsed + length > slabSize) {
        slab = Buffer.allocUnsafeSlow(slabSize)
        slabUsed = 0
      }
      this.#bytes = slab
      this.#start = slabUsed + before
      this.#limit = slabUsed + length
      slabUsed = this.#limit
    }
    this.#at = this.#start
  }

  commit(size: number, end: boolean): boolean {
    if (this.complete) return true
    this.#at += size
    if (end) {
      this.end()
      return true
    }
    if (this.#at - this.#start >= flushBound) this.#flush()
    else this.#schedule()
    return !this.#stream.writableNeedDrain
  }

  write(bytes: Buffer, end: boolean): boolean {
    if (this.complete) return true
    const size = bytes.length
    if (size <= copyBound) {
      if (size > 0) {
        const room = this.reserve(size)
        bytes.copy(room.bytes, room.start)
      }
      return this.commit(size, end)
    }
    this.#writeLarge(bytes, end)
    if (end) this.#finish()
    return end || !this.#stream.writableNeedDrain
  }

  #writeLarge(bytes: Buffer, end: boolean): void {
    const stream = this.#stream
    stream.cork()
    if (end && this.#head !== undefined && this.#at === this.#start && this.#delimiting !== 'none') {
      stream.write(`${this.#head}content-length: ${bytes.length}\r\n\r\n`, 'latin1')
      stream.write(bytes)
      this.#head = undefined
    } else {
      this.#flush()
      const wrapped = this.#delimiting === 'chunked'
      if (wrapped) stream.write(`${bytes.length.toString(16)}\r\n`, 'latin1')
      if (this.#delimiting !== 'none') stream.write(bytes)
      if (wrapped) stream.write(end ? '\r\n0\r\n\r\n' : '\r\n', 'latin1')
    }
    stream.uncork()
  }

  end(trailers?: HttpHeaders): void {
    if (this.complete) return
    const section = trailers === undefined ? '' : encodeFields(trailers)
    const delimiting = this.#delimiting
    if (delimiting === 'none' || section !== '') {
      this.#flush()
      if (delimiting === 'chunked') this.#stream.write(`0\r\n${section}\r\n`, 'latin1')
    } else if (this.#head !== undefined) this.#sendWhole(this.#head)
    else if (delimiting === 'chunked') this.#sendLast()
    else this.#flush()
    this.#finish()
  }

  /** The complete message at once, with its length. */
  #sendWhole(head: string): void {
    const size = this.#at - this.#start
    const text = `${head}content-length: ${size}\r\n\r\n`
    this.#head = undefined
    if (size === 0) {
      this.#stream.write(text, 'latin1')
      return
    }
    const bytes = this.#bytes as Buffer
    const from = this.#start - text.length
    bytes.write(text, from, 'latin1')
    this.#stream.write(bytes.subarray(from, this.#at))
  }

  #sendLast(): void {
    if (this.#at === this.#start) {
      this.#stream.write('0\r\n\r\n', 'latin1')
      return
    }
    const bytes = this.#bytes as Buffer
    const from = this.#putSize(bytes)
    this.#at += bytes.write('\r\n0\r\n\r\n', this.#at, 'latin1')
    this.#stream.write(bytes.subarray(from, this.#at))
  }

  /** Sends what was gathered, as one chunk, and the head before it. */
  #flush(): void {
    const stream = this.#stream
    const delimiting = this.#delimiting
    if (this.complete) return
    const size = this.#at - this.#start
    let corked = false
    if (this.#head !== undefined) {
      const head =
        delimiting === 'chunked' ? `${this.#head}transfer-encoding: chunked\r\n\r\n` : `${this.#head}\r\n`
      this.#head = undefined
      corked = size > 0 && delimiting !== 'none'
      if (corked) stream.cork()
      stream.write(head, 'latin1')
    }
    if (size === 0) return
    if (delimiting !== 'none') {
      const bytes = this.#bytes as Buffer
      let from = this.#start
      if (delimiting === 'chunked') {
        from = this.#putSize(bytes)
        bytes[this.#at++] = 0x0d
        bytes[this.#at++] = 0x0a
      }
      stream.write(bytes.subarray(from, this.#at))
      if (corked) stream.uncork()
    }
    // The rest of the region serves the next chunk, if there is one.
    this.#start = this.#at + sizeRoom
    this.#at = this.#start
    if (this.#start + endRoom >= this.#limit) this.#bytes = undefined
  }

  /** Writes the chunk's size line right before the body; returns where it begins. */
  #putSize(bytes: Buffer): number {
    const line = `${(this.#at - this.#start).toString(16)}\r\n`
    const from = this.#start - line.length
    bytes.write(line, from, 'latin1')
    return from
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(flushLater, this)
  }

  /** The turn is over. */
  flushScheduled(): void {
    this.#scheduled = false
    if (!this.complete) this.#flush()
  }

  #finish(): void {
    // What is left of the region goes back, when nobody has taken from the slab since.
    if (this.#bytes === slab && this.#limit === slabUsed) slabUsed = this.#at
    this.#bytes = undefined
    this.complete = true
    this.#onComplete()
  }
}

function flushLater(output: MessageOutput): void {
  output.flushScheduled()
}
