/**
 * HOT PATH. A server's HTTP/1.1 connection: feeds the parser, serves one request after the other, keeps time, and ends
 * well. A state machine over a Duplex. Guarded by `bench/systems/http1-raw-server.ts`.
 *
 * Pipelined requests wait as bytes, at most `readAhead` of them, until the answer before theirs is complete, so answers
 * are in order by construction. A body is read only when it is asked for; one that is answered without it is read away
 * up to `drainSize`, else the answer says `Connection: close`. A connection that is closed is read a little longer
 * (`lingerTimeout`), so that the peer sees the answer and not a reset (RFC 9112 section 9.6).
 *
 *     waiting → serving → (answer and body complete) → waiting | lingering → closed
 *                       └ upgrade → released
 */
import type { Duplex } from 'node:stream'
import type { HttpAbort, HttpHandler } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { type Departing, finishWhenQuiet, probe } from './departure.ts'
import { dateLine, encodeResponseHead } from './encode-head.ts'
import type { MessageFailure } from './failure.ts'
import type { RequestHead } from './head.ts'
import { defaultHttp1Limits, type Http1Limits } from './limits.ts'
import { type MessageParser, requestParser } from './parser.ts'
import { type ExchangeOwner, type Http1ConnectionInfo, ServerExchange } from './server-exchange.ts'
import { type Ticker, ticker as processTicker, type Timed } from '../http/ticker.ts'
import { withDefaults } from '../http/with-defaults.ts'

/** A connection that is being served. */
export interface Http1Connection {
  /** Requests open now: 0 or 1. */
  readonly active: number
  /**
   * Takes no new requests: the open one is answered with `Connection: close`, and so is one that was on its way; an idle
   * connection ends after a moment without any.
   */
  drain(): void
  /** Closes at once; an open request is aborted. */
  close(): void
  /** Calls back once, when the connection is gone or was handed over by an upgrade. */
  onClose(listener: () => void): void
}

export interface Http1ServerOptions extends Partial<Http1Limits> {
  /** Hears of a handler that threw, which it must not; its request is answered with 500. */
  readonly onError?: (error: unknown) => void
  /** The timer for time-outs; tests bring their own. */
  readonly ticker?: Ticker
}

/** Serves HTTP/1.1 on a stream that has not been read from, apart from what was unshifted again. */
export function serveHttp1(
  stream: Duplex,
  info: Http1ConnectionInfo,
  handler: HttpHandler,
  options?: Http1ServerOptions,
): Http1Connection {
  return new ServerConnection(stream, info, handler, options)
}

const closed: HttpAbort = { reason: 'closed', message: 'the peer closed the connection', processed: 'maybe' }
const ended: HttpAbort = { reason: 'closed', message: 'the server closed the connection', processed: 'maybe' }
const answeredEarly: HttpAbort = {
  reason: 'closed',
  message: 'the answer was complete before the body was',
  processed: 'maybe',
}

/** What is waited for. */
type Phase = 'first' | 'idle' | 'head' | 'body' | 'handler' | 'taker' | 'linger' | 'gone'

class ServerConnection implements Http1Connection, ExchangeOwner, Departing, Timed {
  deadline: number
  readonly stream: Duplex
  readonly #info: Http1ConnectionInfo
  readonly #handler: HttpHandler
  readonly #limits: Http1Limits
  readonly #options: Http1ServerOptions | undefined
  readonly #ticker: Ticker
  readonly #parser: MessageParser<RequestHead>
  #phase: Phase = 'first'
  #exchange: ServerExchange | undefined
  #requestKeepsAlive = true
  /** Bytes that nobody takes for now. */
  #waiting: Buffer | undefined
  #reading = false
  #streamPaused = false
  #draining = false
  #peerEnded = false
  /** Bytes of an unread body that were read away, or of a closed connection. */
  #dropped = 0
  #queued = 0
  #onClose: (() => void) | undefined
  readonly #listeners: [string, (...values: never[]) => void][]

  constructor(
    stream: Duplex,
    info: Http1ConnectionInfo,
    handler: HttpHandler,
    options: Http1ServerOptions | undefined,
  ) {
    this.stream = stream
    this.#info = info
    this.#handler = handler
    this.#options = options
    this.#limits = withDefaults(defaultHttp1Limits, options)
    this.#ticker = options?.ticker ?? processTicker
    this.#parser = requestParser(this.#limits, this)
    this.#ticker.add(this)
    this.deadline = this.#ticker.after(this.#limits.firstByteTimeout)
    this.#listeners = [
      ['data', (bytes: Buffer) => this.#receive(bytes)],
      ['end', () => this.#peerEnds()],
      ['drain', () => this.#drained()],
      ['error', () => {}],
      ['close', () => this.#gone(closed)],
    ]
    for (const [event, listener] of this.#listeners) stream.on(event, listener as () => void)
    if (stream.destroyed) queueMicrotask(() => this.#gone(closed))
  }

  get active(): number {
    return this.#exchange === undefined ? 0 : 1
  }

  drain(): void {
    if (this.#draining) return
    this.#draining = true
    if (this.betweenRequests) finishWhenQuiet(this, this.#limits.drainDelay)
  }

  get betweenRequests(): boolean {
    const between = this.#parser.fresh || this.#parser.done
    return this.#exchange === undefined && between && this.#waiting === undefined
  }

  close(): void {
    this.destroy(ended)
  }

  onClose(listener: () => void): void {
    if (this.#phase === 'gone') listener()
    else this.#onClose = listener
  }

  // ── reading ──

  #receive(bytes: Buffer): void {
    if (this.#phase === 'linger') {
      this.#dropped += bytes.length
      if (this.#dropped > this.#limits.drainSize * 16) this.destroy(ended)
      return
    }
    if (this.#waiting === undefined) return this.#consume(bytes)
    const joined = Buffer.concat([this.#waiting, bytes])
    this.#waiting = undefined
    this.#consume(joined)
  }

  #consume(bytes: Buffer): void {
    const parser = this.#parser
    const end = bytes.length
    let at = 0
    this.#reading = true
    for (;;) {
      at = parser.parse(bytes, at, end)
      if (this.#phase === 'gone' || this.#phase === 'linger') break
      if (parser.failure !== undefined) {
        this.#reading = false
        return this.#refuse(parser.failure)
      }
      if (this.#exchange === undefined && parser.done && !this.stream.writableNeedDrain) {
        parser.next()
        if (at < end) continue
      }
      break
    }
    this.#reading = false

    if (this.#phase === 'gone') {
      if (at < end && this.#released) this.stream.unshift(bytes.subarray(at))
      return
    }
    if (this.#phase === 'linger') return
    if (at < end) this.#keep(at === 0 ? bytes : bytes.subarray(at))
    else {
      if (this.#streamPaused) {
        this.#streamPaused = false
        this.stream.resume()
      }
      const partial = !parser.fresh && !parser.done
      if (this.#exchange === undefined && partial && this.#phase !== 'head') {
        this.#wait('head', this.#limits.headerTimeout)
      }
    }
    if (this.#peerEnded) this.#endedEarly()
  }

  #keep(bytes: Buffer): void {
    this.#waiting = bytes
    if (bytes.length >= this.#limits.readAhead && !this.#streamPaused) {
      this.#streamPaused = true
      this.stream.pause()
    }
  }

  /** Goes on with what waits, unless the loop that called us does. */
  #goOn(): void {
    if (this.#reading) return
    const bytes = this.#waiting
    if (bytes !== undefined) {
      this.#waiting = undefined
      this.#consume(bytes)
    } else if (this.#streamPaused) {
      this.#streamPaused = false
      this.stream.resume()
    } else if (this.#peerEnded) this.#endedEarly()
  }

  /** The parser's: a request's head is complete. */
  head(head: RequestHead): void {
    const exchange = new ServerExchange(this, head, this.#info)
    this.#exchange = exchange
    this.#requestKeepsAlive = head.keepAlive
    this.#parser.hold = head.length !== 0
    this.#phase = 'handler'
    this.deadline = Number.POSITIVE_INFINITY
    try {
      this.#handler(exchange)
    } catch (error) {
      this.#handlerThrew(exchange, error)
    }
  }

  #handlerThrew(exchange: ServerExchange, error: unknown): void {
    const report = this.#options?.onError
    if (report !== undefined) report(error)
    else process.emitWarning(`an HTTP handler threw: ${String(error)}`)
    if (exchange.started)
      exchange.abort({ reason: 'reset', message: 'the handler failed', processed: 'maybe' })
    else exchange.respond(internalError, undefined)
  }

  data(bytes: Buffer, start: number, end: number): void {
    const exchange = this.#exchange
    // Closed by what heard the bytes before these.
    if (exchange === undefined) return
    if (exchange.sink !== undefined) {
      if (this.#phase === 'body') this.deadline = this.#ticker.after(this.#limits.stallTimeout)
      exchange.sink.data(bytes, start, end)
      return
    }
    this.#dropped += end - start
    // Who was not told that the connection ends may have sent another request behind the rest of this one.
    const bound = exchange.answerComplete && !exchange.closes ? 16 : 1
    if (this.#dropped > this.#limits.drainSize * bound) this.finish()
  }

  end(trailers: HttpHeaders | undefined): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const { sink } = exchange
    exchange.sink = undefined
    exchange.bodyOver = true
    if (this.#phase === 'body') this.#rest()
    sink?.end(trailers)
    this.#settle()
  }

  // ── the exchange's side ──

  read(): void {
    this.#parser.hold = false
    if (this.#phase === 'handler') this.#wait('body', this.#limits.stallTimeout)
    this.#goOn()
  }

  hold(): void {
    this.#parser.hold = true
    if (this.#phase === 'body') this.#rest()
  }

  keepsAlive(): boolean {
    if (!this.#requestKeepsAlive || this.#draining || this.#parser.failure !== undefined) return false
    if (this.#peerEnded && this.#waiting === undefined && !this.#reading) return false
    const exchange = this.#exchange
    if (exchange === undefined || exchange.bodyOver) return true
    if (exchange.awaitsContinue) return false
    const { remaining } = this.#parser
    // How much of a chunked body is still to come nobody knows; of one that is being read it is mostly little.
    return remaining <= this.#limits.drainSize || (exchange.received && remaining === Infinity)
  }

  stalled(): void {
    if (this.#phase === 'linger' || this.#phase === 'gone') return
    this.#queued = queuedBytes(this.stream)
    this.#wait('taker', this.#limits.stallTimeout)
  }

  answered(): void {
    this.#settle()
  }

  /** Whether the exchange is over on both sides, and what comes then. */
  #settle(): void {
    const exchange = this.#exchange
    if (exchange === undefined || !exchange.answerComplete) return
    if (this.#phase === 'gone' || this.#phase === 'linger') return
    if (!exchange.bodyOver) {
      if (exchange.closes || this.#parser.failure !== undefined) {
        exchange.cutBody(answeredEarly)
        return this.finish()
      }
      // The rest of the body is read away, so that the next request can be found behind it.
      const { sink } = exchange
      exchange.sink = undefined
      this.#dropped = 0
      sink?.abort(answeredEarly)
      if (this.#phase !== 'taker') this.#wait('body', this.#limits.stallTimeout)
      this.#parser.hold = false
      return this.#goOn()
    }

    this.#exchange = undefined
    if (exchange.closes || this.#parser.failure !== undefined) return this.finish()
    // The answer went out before it could say so.
    if (this.#draining) finishWhenQuiet(this, this.#limits.drainDelay)
    // What was pipelined before the peer closed its half is answered all the same.
    if (this.#peerEnded && this.#waiting === undefined && !this.#reading) return this.finish()
    if (this.#phase !== 'taker') this.#wait('idle', this.#limits.idleTimeout)
    if (this.#reading || this.stream.writableNeedDrain) return
    this.#parser.next()
    this.#goOn()
  }

  #drained(): void {
    if (this.#phase === 'taker') this.#rest()
    const exchange = this.#exchange
    if (exchange !== undefined) return exchange.drained()
    if (this.#phase === 'idle' && this.#parser.done) {
      this.#parser.next()
      this.#goOn()
    }
  }

  #peerEnds(): void {
    if (this.#phase === 'gone') return
    this.#peerEnded = true
    if (this.#phase === 'linger') {
      // Both sides have said all; whether the stream destroys itself is its own matter.
      if (this.stream.writableFinished) this.stream.destroy()
      else this.stream.once('finish', () => this.stream.destroy())
      return
    }
    if (this.#waiting === undefined || this.#exchange === undefined) this.#endedEarly()
  }

  /** The peer has sent all it will: what is incomplete now stays so. */
  #endedEarly(): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      if (this.#waiting === undefined) this.finish()
    } else if (this.#waiting !== undefined) return
    else if (!exchange.bodyOver) this.destroy(closed)
    else probe(exchange, () => exchange === this.#exchange && this.#phase !== 'gone')
  }

  // ── the end ──

  /** Answers bytes that are no request, and closes. */
  #refuse(why: MessageFailure): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      const body = `${why.message}\n`
      const head = { status: why.status, headers: plainText }
      this.stream.write(
        `${encodeResponseHead(head)}${dateLine()}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        'latin1',
      )
      return this.finish()
    }
    // A body broke its framing. Its reader learns why, and may still answer.
    if (exchange.answerComplete) return this.finish()
    if (exchange.sink === undefined) return undefined
    exchange.cutBody({ reason: 'protocol', message: why.message, processed: 'maybe' })
    if (exchange.started && !exchange.answerComplete) return undefined
    return this.#settle()
  }

  /** Says that nothing more follows, and waits for the peer to have read it. */
  finish(): void {
    if (this.#phase === 'gone' || this.#phase === 'linger') return
    this.#exchange?.cutBody(answeredEarly)
    this.#exchange = undefined
    this.#waiting = undefined
    this.#wait('linger', this.#limits.lingerTimeout)
    this.#dropped = 0
    this.#queued = queuedBytes(this.stream)
    if (this.#streamPaused) this.stream.resume()
    this.#streamPaused = false
    this.stream.end()
    if (this.#peerEnded) this.#peerEnds()
  }

  destroy(why: HttpAbort): void {
    if (this.#phase === 'gone') return
    this.stream.destroy()
    this.#gone(why)
  }

  #gone(why: HttpAbort): void {
    if (this.#phase === 'gone') return
    this.#phase = 'gone'
    this.#waiting = undefined
    this.#ticker.remove(this)
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.aborted(why)
    this.#onClose?.()
  }

  #released = false

  release(): Duplex {
    const { stream } = this
    this.#phase = 'gone'
    this.#released = true
    this.#exchange = undefined
    this.#ticker.remove(this)
    stream.pause()
    for (const [event, listener] of this.#listeners) stream.removeListener(event, listener as () => void)
    // As before anybody listened: the next `data` listener makes it flow.
    ;(stream as { readableFlowing: boolean | null }).readableFlowing = null
    if (this.#waiting !== undefined) stream.unshift(this.#waiting)
    this.#waiting = undefined
    this.#onClose?.()
    return stream
  }

  // ── time ──

  #wait(phase: Phase, milliseconds: number): void {
    this.#phase = phase
    this.deadline = this.#ticker.after(milliseconds)
  }

  /** Nothing is waited for but the handler, or the rest of a body. */
  #rest(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return this.#wait('idle', this.#limits.idleTimeout)
    if (!exchange.bodyOver && exchange.sink !== undefined && !this.#parser.hold) {
      return this.#wait('body', this.#limits.stallTimeout)
    }
    this.#phase = 'handler'
    this.deadline = Number.POSITIVE_INFINITY
  }

  expire(): void {
    switch (this.#phase) {
      case 'head':
        return this.#refuse({ status: 408, message: 'the head of the request took too long' })
      case 'idle':
        return this.finish()
      case 'taker':
      case 'linger': {
        // As long as the peer takes bytes, it has time.
        const queued = queuedBytes(this.stream)
        if (queued > 0 && queued < this.#queued) {
          this.#queued = queued
          return this.#wait(this.#phase, this.#limits.stallTimeout)
        }
        return this.destroy(timedOut('the peer takes no bytes'))
      }
      case 'body':
        return this.#bodyStalled()
      default:
        return this.destroy(timedOut('the peer sends nothing'))
    }
  }

  #bodyStalled(): void {
    const exchange = this.#exchange
    if (exchange === undefined || exchange.answerComplete || exchange.started) {
      return this.destroy(timedOut("the request's body stands still"))
    }
    this.#requestKeepsAlive = false
    this.#parser.hold = true
    this.#phase = 'handler'
    this.deadline = Number.POSITIVE_INFINITY
    exchange.cutBody(timedOut("the request's body stands still"))
  }
}

const plainText = new HttpHeaders(['content-type', 'text/plain; charset=utf-8'])
const internalError = Object.freeze({ status: 500, headers: new HttpHeaders() })

function timedOut(message: string): HttpAbort {
  return { reason: 'timeout', message, processed: 'maybe' }
}

/** Bytes not yet with the kernel. A socket's handle knows how far a large write has come; others know whole writes. */
function queuedBytes(stream: Duplex): number {
  const { _handle: handle } = stream as { _handle?: { writeQueueSize?: number } | null }
  return handle?.writeQueueSize ?? stream.writableLength
}
