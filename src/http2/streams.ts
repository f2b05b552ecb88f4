/**
 * HOT PATH. The streams of a connection and their numbers: which are open, which were, and what a frame means for one that is
 * not (RFC 9113 sections 5.1, 5.4). Guarded by `bench/scenarios/grpc`.
 */
import type { HttpAbort } from '../http/exchange.ts'
import type { HttpHeaders } from '../http/headers.ts'
import { ConnectionError } from './connection-error.ts'
import { codeName, errorCode } from './frames.ts'
import type { Outbox } from './outbox.ts'
import type { Role, Stream } from './role.ts'
import { type ClosedBy, ClosedStreams, closedBy, verdictOnClosed } from './stream-state.ts'
import { StreamTable } from './stream-table.ts'

/** The connection, as its streams see it. */
export interface StreamsOwner {
  /** Frames are neither read nor written. */
  readonly closed: boolean
  /** The peer did something that carries nothing. Throws when that was too often. */
  charge(): void
  /** The last stream is over. */
  quiet(): void
}

export class Streams {
  /** Those that are open. */
  readonly open = new StreamTable<Stream>()
  /** The highest number of a stream that the peer has opened. */
  lastPeerId = 0
  readonly #owner: StreamsOwner
  readonly #role: Role
  readonly #outbox: Outbox
  readonly #closedStreams = new ClosedStreams()
  #highestHere = 0
  /** Streams whose answer was complete before their request; the rest of it may come with what is being read. */
  #answeredEarly: Stream[] | undefined
  #reading = false

  constructor(owner: StreamsOwner, role: Role, outbox: Outbox) {
    this.#owner = owner
    this.#role = role
    this.#outbox = outbox
  }

  /** A chunk is about to be read. */
  beginReading(): void {
    this.#reading = true
  }

  /** The chunk was read. */
  endReading(): void {
    this.#reading = false
    const streams = this.#answeredEarly
    if (streams === undefined) return
    this.#answeredEarly = undefined
    for (const stream of streams) this.#cutRequest(stream)
  }

  /** The answer is complete, the request is not, and nobody wants the rest (section 8.1). */
  #cutRequest(stream: Stream): void {
    if (this.#remove(stream, closedBy.localReset)) this.#outbox.reset(stream.id, errorCode.noError)
  }

  /** The peer has opened a stream, whether or not it is served. */
  opened(id: number): void {
    this.lastPeerId = id
    this.#closedStreams.opened(id)
  }

  /** This side has opened a stream. */
  openedHere(id: number): void {
    this.#closedStreams.opened(id)
    this.#highestHere = id
  }

  /** Whether a number was never used. */
  #isIdle(id: number): boolean {
    const byPeer = (id % 2 === 1) === this.#role.isServer
    return id > (byPeer ? this.lastPeerId : this.#highestHere)
  }

  /** A frame for a stream that is not open. Throws where that is an error of the connection. */
  late(type: number, id: number): void {
    if (this.#isIdle(id)) {
      throw new ConnectionError(
        errorCode.protocolError,
        `a frame of type ${type} on stream ${id}, which is idle`,
      )
    }
    const how = this.#closedStreams.how(id)
    switch (verdictOnClosed(type, how)) {
      case 'ignore':
        return undefined
      case 'stream-closed':
        this.#owner.charge()
        this.#closedStreams.closed(id, closedBy.localReset)
        return this.#outbox.reset(id, errorCode.streamClosed)
      case 'connection-closed':
        throw new ConnectionError(
          errorCode.streamClosed,
          `a frame of type ${type} on stream ${id}, which is closed`,
        )
      case 'protocol-error':
        throw new ConnectionError(
          errorCode.protocolError,
          `stream ${id} is opened after one with a higher number`,
        )
    }
  }

  /** An error of a stream that need not be open. */
  error(id: number, code: number, message: string): void {
    const stream = this.open.get(id)
    if (stream !== undefined) return this.fault(stream, code, message)
    this.#owner.charge()
    // A stream that nobody has opened cannot be reset.
    if (this.#isIdle(id)) throw new ConnectionError(code, message)
    this.#outbox.reset(id, code)
  }

  /** A stream ends because the peer broke the rules on it. */
  fault(stream: Stream, code: number, message: string): void {
    this.reset(stream, code, broken(message))
    this.#role.faulted()
  }

  /** Refuses a stream that was never open. */
  refuse(id: number, code: number): void {
    this.#closedStreams.closed(id, closedBy.localReset)
    this.#outbox.reset(id, code)
  }

  /** A stream that is not served, and whose peer knows. */
  ignore(id: number): void {
    this.#closedStreams.closed(id, closedBy.localReset)
  }

  /** A stream that was over on both sides as soon as it was there. */
  settle(id: number): void {
    this.#closedStreams.closed(id, closedBy.ends)
  }

  /** Ends a stream before its time, and says so to the peer and to who uses it. */
  reset(stream: Stream, code: number, why: HttpAbort): void {
    if (!this.#remove(stream, closedBy.localReset)) return
    if (!this.#owner.closed) this.#outbox.reset(stream.id, code)
    this.abort(stream, { ...why, code })
  }

  /** The peer has sent all of its message. */
  incomingEnded(stream: Stream, trailers: HttpHeaders | undefined): void {
    stream.incoming.ended = true
    if (stream.outgoing.ended) this.#remove(stream, closedBy.ends)
    stream.incoming.end(trailers)
  }

  /** We have sent all of our message; `cuts`: and want no more of the peer's. */
  outgoingEnded(stream: Stream, cuts: boolean): void {
    if (stream.incoming.ended) this.#remove(stream, closedBy.ends)
    else if (!cuts) return
    else if (this.#reading) (this.#answeredEarly ??= []).push(stream)
    else this.#cutRequest(stream)
  }

  /** The peer has reset a stream. */
  resetByPeer(stream: Stream, code: number): void {
    this.#remove(stream, closedBy.remoteReset)
    const refused = code === errorCode.refusedStream
    this.abort(stream, {
      reason: refused ? 'refused' : 'reset',
      message: `the peer reset the stream with ${codeName(code)}`,
      processed: refused ? 'no' : 'maybe',
      code,
    })
    this.#role.resetByPeer(stream)
  }

  /** Takes a stream out that is over; false when it was. */
  #remove(stream: Stream, how: ClosedBy): boolean {
    if (!this.open.remove(stream)) return false
    this.#closedStreams.closed(stream.id, how)
    this.#role.streamClosed(stream, how)
    if (this.open.size === 0) this.#owner.quiet()
    return true
  }

  /** Tells both halves of a stream that is not open any more. */
  abort(stream: Stream, why: HttpAbort): void {
    stream.outgoing.discard()
    stream.aborted(why)
  }

  /** Ends the streams above a number, which the peer will not serve. */
  abandonAbove(lastId: number, why: HttpAbort): void {
    for (const stream of this.open.all()) {
      if (stream.id <= lastId || !this.#remove(stream, closedBy.remoteReset)) continue
      this.abort(stream, why)
    }
  }
}

/** Why a stream ended whose peer broke the rules. */
function broken(message: string): HttpAbort {
  return { reason: 'protocol', message: `the peer broke HTTP/2: ${message}`, processed: 'maybe' }
}
