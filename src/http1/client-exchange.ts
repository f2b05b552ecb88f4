/**
 * HOT PATH. One request of a client: what is to be sent, until a connection has room for it, and how its body and its
 * answer go on from there. Guarded by `bench/systems/http1-raw-client.ts`.
 */
import type {
  HttpAbort,
  HttpClientExchange,
  HttpRequestHead,
  Reservation,
  ResponseSink,
} from '../http/exchange.ts'
import { BodyBuffer } from '../http/body-buffer.ts'
import type { HttpHeaders } from '../http/headers.ts'
import type { MessageOutput } from './message-output.ts'

/** The connection that carries an exchange. */
export interface ExchangeCarrier {
  hold(): void
  read(): void
  /** Gives the connection up. */
  drop(): void
  /** The peer takes no more for now. */
  stalled(): void
}

/** A body that is complete, one that follows, or none. */
export type RequestBody = string | Buffer | BodyBuffer | undefined | 'stream'

export class ClientExchange implements HttpClientExchange {
  readonly method: string
  /** Request line and fields, without framing and empty line. */
  readonly headText: string
  body: RequestBody
  readonly sink: ResponseSink
  /** Nothing follows: the answer is complete, the exchange was cancelled, or has failed. */
  over = false
  carrier: ExchangeCarrier | undefined
  output: MessageOutput | undefined
  readonly #onOver: (exchange: ClientExchange) => void
  /** A body that is written before there is a connection. */
  #early: Buffer[] | undefined
  #earlyEnd: { trailers: HttpHeaders | undefined } | undefined
  #room: Buffer | undefined
  #onDrain: (() => void) | undefined
  paused = false

  constructor(
    head: HttpRequestHead,
    headText: string,
    body: RequestBody,
    sink: ResponseSink,
    onOver: (exchange: ClientExchange) => void,
  ) {
    this.method = head.method
    this.headText = headText
    this.body = body
    this.sink = sink
    this.#onOver = onOver
  }

  /** Marks the end; false when it had ended. */
  finish(): boolean {
    if (this.over) return false
    this.over = true
    this.carrier = undefined
    this.#early = undefined
    this.output?.discard()
    this.#onOver(this)
    return true
  }

  /** No connection is free: a body that was encoded in place has to make room for others. */
  wait(): void {
    if (this.body instanceof BodyBuffer) this.body = this.body.copy()
  }

  fail(why: HttpAbort): void {
    if (this.finish()) this.sink.abort(why)
  }

  cancel(): void {
    const { carrier } = this
    if (this.finish()) carrier?.drop()
  }

  pause(): void {
    this.paused = true
    this.carrier?.hold()
  }

  resume(): void {
    this.paused = false
    this.carrier?.read()
  }

  /** A connection takes the body: sends what was written so far. */
  attach(output: MessageOutput): void {
    this.output = output
    const early = this.#early
    const end = this.#earlyEnd
    this.#early = undefined
    for (const piece of early ?? []) output.write(piece, false)
    if (end !== undefined) output.end(end.trailers)
    else if (early !== undefined && !this.over) this.#onDrain?.()
    if (this.#onDrain !== undefined) output.onDrain(this.#onDrain)
  }

  reserve(size: number): Reservation {
    if (this.output !== undefined) return this.output.reserve(size)
    this.#room = Buffer.allocUnsafe(size)
    return { bytes: this.#room, start: 0 }
  }

  commit(size: number, end: boolean): boolean {
    if (this.output !== undefined) return this.#sent(this.output.commit(size, end))
    return this.write((this.#room as Buffer).subarray(0, size), end)
  }

  write(bytes: Buffer, end: boolean): boolean {
    if (this.over) return true
    if (this.output !== undefined) return this.#sent(this.output.write(bytes, end))
    this.#checkStreams()
    this.#early ??= []
    if (bytes.length > 0) this.#early.push(bytes)
    if (end) this.#earlyEnd ??= { trailers: undefined }
    return end
  }

  #sent(more: boolean): boolean {
    if (!more) this.carrier?.stalled()
    return more
  }

  end(trailers?: HttpHeaders): void {
    if (this.over) return
    if (this.output !== undefined) return this.output.end(trailers)
    this.#checkStreams()
    this.#earlyEnd ??= { trailers }
  }

  #checkStreams(): void {
    if (this.body !== 'stream') {
      throw new Error("the body was given with the request; pass 'stream' to write it piece by piece")
    }
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
    this.output?.onDrain(listener)
  }
}
