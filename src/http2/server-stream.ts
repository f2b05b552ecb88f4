/**
 * HOT PATH. One request of an HTTP/2 connection and its answer, as whoever serves it sees them. Guarded by
 * `bench/scenarios/grpc`.
 */
import type { Duplex } from 'node:stream'
import { type BodyBuffer, composeBody } from '../http/body-buffer.ts'
import type {
  BodySink,
  HttpAbort,
  HttpExchange,
  HttpRequest,
  HttpResponseHead,
  Reservation,
} from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import type { Connection } from './connection.ts'
import type { Stream } from './role.ts'
import { httpDate } from './date.ts'
import { errorCode } from './frames.ts'
import type { DecodedBlock } from './hpack/decoder.ts'
import { Incoming } from './incoming.ts'
import { type RequestHead, trailers } from './message-head.ts'
import type { Ending } from './outbox.ts'
import { Outgoing, type OutgoingOwner } from './outgoing.ts'
import { answerFields, type Sendable } from './sendable.ts'

/** Larger bodies are sent from where they lie. */
const copyBound = 16 * 1024

const sendable: Sendable = { template: undefined, fields: undefined }
/** What is added to each head. */
const dated = ['date', '']
const measured = ['date', '', 'content-length', '']

const goOn: HttpResponseHead = Object.freeze({ status: 100, headers: new HttpHeaders() })

const answeredEarly: HttpAbort = {
  reason: 'closed',
  message: 'the answer was complete before the body was',
  processed: 'maybe',
}

const peerLeft: HttpAbort = {
  reason: 'closed',
  message: 'the peer went away before the whole answer was sent',
  processed: 'maybe',
}

/** What the peer is told when an exchange is given up. */
const abortCodes: Readonly<Record<HttpAbort['reason'], number>> = {
  closed: errorCode.cancel,
  reset: errorCode.internalError,
  protocol: errorCode.protocolError,
  too_large: errorCode.enhanceYourCalm,
  timeout: errorCode.cancel,
  refused: errorCode.refusedStream,
  no_room: errorCode.enhanceYourCalm,
}

export class ServerStream implements HttpExchange, Stream, OutgoingOwner, Ending {
  readonly id: number
  readonly request: HttpRequest
  readonly incoming: Incoming
  readonly outgoing: Outgoing
  readonly #connection: Connection
  #awaitsContinue: boolean
  #received = false
  #started = false
  /** The answer was sent, or will never be. */
  #over = false
  #aborted: HttpAbort | undefined
  #onAbort: ((why: HttpAbort) => void) | undefined
  #onEnd: (() => void) | undefined

  constructor(connection: Connection, id: number, head: RequestHead, request: HttpRequest) {
    this.id = id
    this.request = request
    this.#connection = connection
    this.#awaitsContinue = head.expectsContinue
    this.incoming = new Incoming(id, connection.streamWindow, connection)
    this.incoming.expected = head.length
    this.outgoing = new Outgoing(id, connection.peer.initialWindowSize, connection.outbox, this)
  }

  get started(): boolean {
    return this.#started
  }

  // ── the request ──

  receive(sink: BodySink): void {
    if (this.#received) throw new Error('receive() was called already; a body is read once')
    this.#received = true
    const { incoming } = this
    if (incoming.over) return sink.abort(this.#aborted ?? answeredEarly)
    if (this.#awaitsContinue && !incoming.begun) this.inform(goOn)
    incoming.receive(sink)
  }

  pause(): void {
    this.incoming.pause()
  }

  resume(): void {
    if (this.#received) this.incoming.resume()
  }

  block(block: DecodedBlock, ends: boolean): string | undefined {
    if (!ends) return 'trailers without END_STREAM'
    if (block.tooLarge) return 'the trailers are too large'
    const read = trailers(block)
    if (typeof read === 'string') return read
    if (!this.incoming.announce(0, true)) return 'the body is not as long as content-length says'
    this.#connection.streams.incomingEnded(this, read.headers)
    return undefined
  }

  // ── the answer ──

  inform(head: HttpResponseHead): void {
    if (this.#started || this.#over) return
    if (head.status < 100 || head.status > 199 || head.status === 101) {
      throw new RangeError(`an informational status is 1xx and not 101, got ${head.status}`)
    }
    this.#awaitsContinue = false
    answerFields(head, sendable)
    this.#connection.outbox.headers(this.id, sendable, undefined, false)
  }

  respond(head: HttpResponseHead, body: string | Buffer | undefined): void {
    const size = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
    if (!this.#beginWhole(head, size)) return
    const { outgoing } = this
    if (typeof body !== 'string') outgoing.write(body as Buffer, true)
    else if (size > copyBound) outgoing.write(Buffer.from(body), true)
    else {
      const { bytes, start } = outgoing.reserve(size)
      bytes.write(body, start, size, size === body.length ? 'latin1' : 'utf8')
      outgoing.commit(size, true)
    }
  }

  compose(): BodyBuffer {
    return composeBody()
  }

  respondWith(head: HttpResponseHead, body: BodyBuffer): void {
    body.close()
    const { size } = body
    if (!this.#beginWhole(head, size)) return
    const { outgoing } = this
    if (size > copyBound) {
      body.hold()
      outgoing.write(body.bytes.subarray(body.start, body.position), true)
    } else {
      const room = outgoing.reserve(size)
      body.bytes.copy(room.bytes, room.start, body.start, body.position)
      outgoing.commit(size, true)
    }
  }

  /** Sends the head of an answer whose size is known; false when there is no body to send behind it. */
  #beginWhole(head: HttpResponseHead, size: number): boolean {
    this.#begin(head)
    if (this.#over) return false
    const { status } = head
    let extra = dated
    if (status !== 204 && status !== 304) {
      extra = measured
      measured[3] = String(size)
    }
    extra[1] = httpDate(this.#connection.ticker.now)
    const ends = size === 0 || this.#isBodiless(head)
    this.#connection.outbox.headers(this.id, sendable, extra, ends)
    if (ends) this.outgoing.endWritten()
    return !ends
  }

  start(head: HttpResponseHead): void {
    this.#begin(head)
    if (this.#over) return
    if (this.#isBodiless(head)) this.outgoing.dropBody()
    dated[1] = httpDate(this.#connection.ticker.now)
    this.#connection.outbox.headers(this.id, sendable, dated, false)
  }

  #isBodiless({ status }: HttpResponseHead): boolean {
    return status === 204 || status === 304 || this.request.method === 'HEAD'
  }

  /** Makes the head's fields. */
  #begin(head: HttpResponseHead): void {
    if (this.#started) throw new Error('the answer was begun already')
    if (head.status < 200)
      throw new RangeError(`${head.status} is not a final status; HTTP/2 has inform() for these`)
    answerFields(head, sendable)
    this.#started = true
  }

  reserve(size: number): Reservation {
    this.#checkStarted()
    return this.outgoing.reserve(size)
  }

  commit(size: number, end: boolean): boolean {
    return this.outgoing.commit(size, end)
  }

  write(bytes: Buffer, end: boolean): boolean {
    this.#checkStarted()
    return this.outgoing.write(bytes, end)
  }

  end(headers?: HttpHeaders): void {
    this.#checkStarted()
    this.outgoing.end(headers)
  }

  #checkStarted(): void {
    if (!this.#started && !this.#over) throw new Error('start() comes before the body')
  }

  onDrain(listener: () => void): void {
    this.outgoing.onDrain(listener)
  }

  // ── the end ──

  outgoingEnded(): void {
    const connection = this.#connection
    if (!this.incoming.ended) this.incoming.abort(answeredEarly)
    if (this.#onEnd !== undefined || this.#onAbort !== undefined) connection.outbox.whenFlushed(this)
    connection.streams.outgoingEnded(this, true)
    connection.outbox.messageEnded()
  }

  flushed(): void {
    if (this.#over) return
    this.#over = true
    this.#onEnd?.()
  }

  lost(): void {
    this.#giveUp(peerLeft)
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    this.#connection.streams.reset(this, why.code ?? abortCodes[why.reason], why)
  }

  aborted(why: HttpAbort): void {
    // An answer that was written is on its way, or lost with the connection.
    if (this.outgoing.ended) this.incoming.abort(why)
    else this.#giveUp(why)
  }

  #giveUp(why: HttpAbort): void {
    if (this.#over) return
    this.#over = true
    this.#aborted = why
    this.incoming.abort(why)
    this.#onAbort?.(why)
    this.#onEnd?.()
  }

  onAbort(listener: (why: HttpAbort) => void): void {
    if (this.#aborted !== undefined) listener(this.#aborted)
    else this.#onAbort = listener
  }

  onEnd(listener: () => void): void {
    if (this.#over) return listener()
    const first = this.#onEnd === undefined && this.#onAbort === undefined
    this.#onEnd = listener
    if (first && this.outgoing.ended) this.#connection.outbox.whenFlushed(this)
  }

  upgrade(): Duplex {
    throw new Error('HTTP/2 has no upgrades (RFC 9113 section 8.6)')
  }
}
