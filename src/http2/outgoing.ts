/**
 * HOT PATH. The body that a stream sends: encoded in place where it can go at once, else queued until windows and socket
 * take it. Guarded by `bench/scenarios/grpc`.
 *
 *     (head written) → DATA … → DATA with END_STREAM, or trailers → ended
 */
import type { BodyWriter, Reservation } from '../http/exchange.ts'
import type { HttpHeaders } from '../http/headers.ts'
import type { Outbox } from './outbox.ts'
import { checkTrailers, type Sendable, trailerFields } from './sendable.ts'

/** Pieces up to this size are copied, larger ones are sent as they are. */
const copyBound = 16 * 1024

const sendable: Sendable = { template: undefined, fields: undefined }

/** The stream, as its body sees it. */
export interface OutgoingOwner {
  /** END_STREAM was written. */
  outgoingEnded(): void
}

export class Outgoing implements BodyWriter {
  /** The stream's number; 0 before it has one. */
  id: number
  /** Bytes that the peer allows on this stream; below 0 where it made its windows smaller. */
  window: number
  /** END_STREAM was written. */
  ended = false
  /** Nothing more can be added: all is written or queued. */
  finished = false
  /** In the outbox's queue. */
  queued = false
  queuedBytes = 0
  readonly #outbox: Outbox
  readonly #owner: OutgoingOwner
  /** An answer to HEAD and the like: what is written is dropped. */
  #bodiless = false
  #over = false
  #pieces: Buffer[] | undefined
  #pieceAt = 0
  #trailers: HttpHeaders | undefined
  #stalled = false
  #apart: Buffer | undefined
  #onDrain: (() => void) | undefined

  constructor(id: number, window: number, outbox: Outbox, owner: OutgoingOwner) {
    this.id = id
    this.window = window
    this.#outbox = outbox
    this.#owner = owner
  }

  /** From now on only the end is sent. */
  dropBody(): void {
    this.#bodiless = true
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
  }

  reserve(size: number): Reservation {
    if (this.queuedBytes === 0 && !this.#over && !this.#bodiless && this.#outbox.fits(size)) {
      return this.#outbox.reserveData(size)
    }
    this.#apart = Buffer.allocUnsafe(size)
    return { bytes: this.#apart, start: 0 }
  }

  commit(size: number, end: boolean): boolean {
    const apart = this.#apart
    if (apart !== undefined) {
      this.#apart = undefined
      return this.#add(apart.subarray(0, size), end)
    }
    if (this.#over || this.finished) return true
    if (size === 0) {
      if (end) this.end()
      return true
    }
    this.finished = end
    const rest = this.#outbox.commitData(this, size, end)
    if (rest !== undefined) this.#queue(rest)
    else if (end) this.endWritten()
    return this.#more()
  }

  write(bytes: Buffer, end: boolean): boolean {
    const size = bytes.length
    if (size === 0 || size > copyBound || this.queuedBytes > 0) return this.#add(bytes, end)
    const room = this.reserve(size)
    bytes.copy(room.bytes, room.start)
    return this.commit(size, end)
  }

  /** Adds bytes that belong to this stream. */
  #add(bytes: Buffer, end: boolean): boolean {
    if (this.#over || this.finished) return true
    if (bytes.length === 0 || this.#bodiless) {
      if (end) this.end()
      return true
    }
    this.finished = end
    this.#queue(bytes)
    return this.#more()
  }

  #queue(bytes: Buffer): void {
    this.#pieces ??= []
    this.#pieces.push(bytes)
    this.queuedBytes += bytes.length
    this.#outbox.queuedBytes += bytes.length
    this.#outbox.enqueue(this)
  }

  end(trailers?: HttpHeaders): void {
    if (this.#over || this.finished) return
    if (trailers !== undefined && trailers.list.length > 0) {
      checkTrailers(trailers)
      this.#trailers = trailers
    }
    this.finished = true
    if (this.queuedBytes === 0 && this.id !== 0) this.#writeEnd()
  }

  #writeEnd(): void {
    const trailers = this.#trailers
    if (trailers === undefined) this.#outbox.endStream(this.id)
    else {
      trailerFields(trailers, sendable)
      this.#outbox.headers(this.id, sendable, undefined, true)
    }
    this.endWritten()
  }

  /** The stream has a number and a window: what has waited for them is sent. */
  open(id: number, window: number): void {
    this.id = id
    this.window = window
    if (this.queuedBytes > 0) this.#outbox.enqueue(this)
    else if (this.finished) this.#writeEnd()
    else this.wake()
  }

  #more(): boolean {
    if (this.finished) return true
    if (this.queuedBytes === 0 && this.window > 0) {
      if (this.#outbox.writable) return true
      this.#outbox.await(this)
    }
    this.#stalled = true
    return false
  }

  // ── the outbox's side ──

  /** Whether the last of the queued bytes carries END_STREAM. */
  get endsWithBody(): boolean {
    return this.finished && this.#trailers === undefined
  }

  /** Takes at most that many queued bytes, and at most one piece's. */
  takePart(most: number): Buffer {
    const pieces = this.#pieces as Buffer[]
    const piece = pieces[0] as Buffer
    const from = this.#pieceAt
    const to = Math.min(piece.length, from + most)
    this.queuedBytes -= to - from
    this.#outbox.queuedBytes -= to - from
    if (to === piece.length) {
      pieces.shift()
      this.#pieceAt = 0
    } else this.#pieceAt = to
    return from === 0 && to === piece.length ? piece : piece.subarray(from, to)
  }

  /** The queue is empty. */
  sentAll(): void {
    if (this.#over || this.ended) return
    if (this.finished) this.#writeEnd()
    else this.wake()
  }

  endWritten(): void {
    this.ended = true
    this.finished = true
    this.#owner.outgoingEnded()
  }

  /** The peer allows more on the stream, or less. */
  granted(): void {
    if (this.window <= 0 || this.#over) return
    if (this.queuedBytes > 0) this.#outbox.enqueue(this)
    else this.wake()
  }

  /** Something that was waited for may be there. */
  wake(): void {
    if (!this.#stalled || this.#over || this.queuedBytes > 0 || this.window <= 0) return
    if (!this.#outbox.writable) return this.#outbox.await(this)
    this.#stalled = false
    this.#onDrain?.()
  }

  #lookedAt = -1

  /** Whether all that is missing is the peer's window, and nothing was taken since this was asked last. */
  standsStill(): boolean {
    if (!this.finished || this.ended || this.queuedBytes === 0) {
      this.#lookedAt = -1
      return false
    }
    const still = this.#lookedAt === this.queuedBytes
    this.#lookedAt = this.queuedBytes
    return still
  }

  /** Nothing more is sent. */
  discard(): void {
    this.#over = true
    if (this.ended) return
    this.#outbox.forget(this)
    this.#pieces = undefined
    this.#trailers = undefined
    this.#outbox.queuedBytes -= this.queuedBytes
    this.queuedBytes = 0
  }
}
