/**
 * HOT PATH. The body that a stream receives: handed to its sink as it comes, held while the sink has paused or is not there
 * yet, within the stream's window, which is given back as the sink takes. Guarded by `bench/scenarios/grpc`.
 */
import type { BodySink, HttpAbort } from '../http/exchange.ts'
import type { HttpHeaders } from '../http/headers.ts'
import { ReceiveWindow } from './windows.ts'

/** The connection, as a stream's body sees it. */
export interface IncomingOwner {
  /** Bytes were taken, or are dropped, and may be granted again on the connection. */
  release(bytes: number): void
  /** The stream may be sent so many bytes more. */
  grant(id: number, bytes: number): void
}

export class Incoming {
  /** The stream's number; 0 before it has one. */
  id: number
  readonly window: ReceiveWindow
  /** END_STREAM has come. */
  ended = false
  /** The sink has heard its last, or hears nothing more. */
  over = false
  /** The head has come that the body follows: at once for a server, later for a client. */
  headed = true
  /** What content-length says; -1: nothing. */
  expected = -1
  readonly #owner: IncomingOwner
  #received = 0
  #sink: BodySink | undefined
  #paused = false
  #delivering = false
  #held: Buffer[] | undefined
  #heldBytes = 0
  #trailers: HttpHeaders | undefined

  constructor(id: number, window: number, owner: IncomingOwner) {
    this.id = id
    this.window = new ReceiveWindow(window)
    this.#owner = owner
  }

  /** Whether something of the body has come. */
  get begun(): boolean {
    return this.#received > 0 || this.ended
  }

  /** A DATA frame announces so many bytes of body; false when content-length says otherwise (RFC 9113 section 8.1.1). */
  announce(size: number, last: boolean): boolean {
    this.#received += size
    if (this.expected < 0) return true
    return last ? this.#received === this.expected : this.#received <= this.expected
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.over) return this.#owner.release(end - start)
    const sink = this.#sink
    if (sink === undefined || this.#paused || this.#held !== undefined) {
      this.#held ??= []
      this.#held.push(Buffer.from(bytes.subarray(start, end)))
      this.#heldBytes += end - start
      return
    }
    sink.data(bytes, start, end)
    this.taken(end - start)
  }

  /** Bytes are dealt with. */
  taken(size: number): void {
    this.#owner.release(size)
    if (this.ended || this.over) return
    const granted = this.window.release(size)
    if (granted > 0) this.#owner.grant(this.id, granted)
  }

  /** END_STREAM has come. */
  end(trailers: HttpHeaders | undefined): void {
    this.ended = true
    this.#trailers = trailers
    if (this.#sink !== undefined && !this.#paused && this.#held === undefined) this.#finish()
  }

  #finish(): void {
    if (this.over) return
    this.over = true
    this.#sink?.end(this.#trailers)
  }

  /** Where the body goes from now on; what has come is handed over at once. */
  receive(sink: BodySink): void {
    this.#sink = sink
    this.#deliver()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#deliver()
  }

  #deliver(): void {
    if (this.#delivering || this.#sink === undefined) return
    this.#delivering = true
    while (this.#held !== undefined && !this.#paused && !this.over) {
      const piece = this.#held.shift() as Buffer
      if (this.#held.length === 0) this.#held = undefined
      this.#heldBytes -= piece.length
      this.#sink.data(piece, 0, piece.length)
      this.taken(piece.length)
    }
    this.#delivering = false
    if (this.ended && this.#held === undefined && !this.#paused) this.#finish()
  }

  /** The sink hears nothing more; what was held is dropped. */
  discard(): void {
    this.over = true
    const held = this.#heldBytes
    this.#held = undefined
    this.#heldBytes = 0
    if (held > 0) this.#owner.release(held)
  }

  /** The body ends before its time, unless its sink has heard its end. */
  abort(why: HttpAbort): void {
    if (this.over) return
    this.discard()
    this.#sink?.abort(why)
  }
}
