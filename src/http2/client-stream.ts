/**
 * HOT PATH. One request of a client and its answer. Until it has a number it waits for the server's stream limit, and what
 * is written to it waits with it. Guarded by `bench/scenarios/grpc`.
 */
import type { HttpAbort, HttpClientExchange, Reservation, ResponseSink } from '../http/exchange.ts'
import type { HttpHeaders } from '../http/headers.ts'
import type { Connection } from './connection.ts'
import type { Stream } from './role.ts'
import { errorCode } from './frames.ts'
import type { DecodedBlock } from './hpack/decoder.ts'
import { Incoming } from './incoming.ts'
import { responseHead, trailers } from './message-head.ts'
import { Outgoing, type OutgoingOwner } from './outgoing.ts'

/** Informational responses before an answer; a server that sends more has lost its way. */
const mostInformational = 32

/** The connection, as a request sees it. */
export interface ClientStreamOwner {
  /** It was given up before it had a number. */
  withdrawn(stream: ClientStream): void
}

export class ClientStream implements HttpClientExchange, Stream, OutgoingOwner {
  id = 0
  readonly incoming: Incoming
  readonly outgoing: Outgoing
  /** Whether its body follows through this exchange. */
  readonly streams: boolean
  /** Nothing follows: the answer is complete, the exchange was cancelled, or has failed. */
  over = false
  readonly #connection: Connection
  readonly #owner: ClientStreamOwner
  readonly #sink: ResponseSink
  readonly #bodiless: boolean
  #informational = 0

  constructor(
    connection: Connection,
    owner: ClientStreamOwner,
    method: string,
    streams: boolean,
    sink: ResponseSink,
  ) {
    this.#connection = connection
    this.#owner = owner
    this.#sink = sink
    this.streams = streams
    this.#bodiless = method === 'HEAD'
    this.incoming = new Incoming(0, connection.streamWindow, connection)
    this.incoming.headed = false
    this.incoming.receive(sink)
    this.outgoing = new Outgoing(0, 0, connection.outbox, this)
  }

  /** Its head was written under a number. */
  opened(id: number): void {
    this.id = id
    this.incoming.id = id
    this.incoming.window.grow(this.#connection.streamWindow)
  }

  block(block: DecodedBlock, ends: boolean): string | undefined {
    if (block.tooLarge) {
      this.#connection.streams.reset(this, errorCode.cancel, {
        reason: 'too_large',
        message: `the head of the answer is larger than ${this.#connection.limits.headerSize} bytes`,
        processed: 'maybe',
      })
      return undefined
    }
    return this.incoming.headed ? this.#trailers(block, ends) : this.#head(block, ends)
  }

  #head(block: DecodedBlock, ends: boolean): string | undefined {
    const head = responseHead(block)
    if (typeof head === 'string') return head
    const { status } = head
    if (status < 200) {
      if (ends) return 'an informational response ends the stream'
      if (status === 101) return 'the server switches protocols, which HTTP/2 has not'
      if (++this.#informational > mostInformational)
        return `more than ${mostInformational} informational responses`
      this.#sink.inform?.(head)
      return undefined
    }
    const { incoming } = this
    incoming.headed = true
    const bodiless = this.#bodiless || status === 204 || status === 304
    incoming.expected = bodiless ? 0 : head.length
    if (ends && incoming.expected > 0) return 'the body is not as long as content-length says'
    this.#sink.head(head)
    if (ends && !this.over) this.#connection.streams.incomingEnded(this, undefined)
    return undefined
  }

  #trailers(block: DecodedBlock, ends: boolean): string | undefined {
    if (!ends) return 'trailers without END_STREAM'
    const read = trailers(block)
    if (typeof read === 'string') return read
    if (!this.incoming.announce(0, true)) return 'the body is not as long as content-length says'
    this.#connection.streams.incomingEnded(this, read.headers)
    return undefined
  }

  // ── the request's body ──

  #checkStreams(): void {
    if (!this.streams) {
      throw new Error("the body was given with the request; pass 'stream' to write it piece by piece")
    }
  }

  reserve(size: number): Reservation {
    this.#checkStreams()
    return this.outgoing.reserve(size)
  }

  commit(size: number, end: boolean): boolean {
    return this.outgoing.commit(size, end)
  }

  write(bytes: Buffer, end: boolean): boolean {
    this.#checkStreams()
    return this.outgoing.write(bytes, end)
  }

  end(headers?: HttpHeaders): void {
    this.#checkStreams()
    this.outgoing.end(headers)
  }

  onDrain(listener: () => void): void {
    this.outgoing.onDrain(listener)
  }

  outgoingEnded(): void {
    this.#connection.streams.outgoingEnded(this, false)
    this.#connection.outbox.messageEnded()
  }

  // ── the answer's ──

  pause(): void {
    this.incoming.pause()
  }

  resume(): void {
    this.incoming.resume()
  }

  cancel(): void {
    this.incoming.discard()
    if (this.over) return
    this.over = true
    if (this.id === 0) {
      this.outgoing.discard()
      this.#owner.withdrawn(this)
    } else {
      this.#connection.streams.reset(this, errorCode.cancel, {
        reason: 'closed',
        message: 'the request was cancelled',
        processed: 'maybe',
      })
    }
  }

  /** It is over, and no longer among the connection's streams. */
  aborted(why: HttpAbort): void {
    this.over = true
    // What was never given to the socket was not seen by anybody.
    const unsent = this.id > this.#connection.outbox.flushedId
    this.incoming.abort(unsent && why.processed !== 'no' ? { ...why, processed: 'no' } : why)
  }

  /** It ends before it was sent. */
  fail(why: HttpAbort): void {
    if (this.over) return
    this.over = true
    this.outgoing.discard()
    this.incoming.abort(why)
  }
}
