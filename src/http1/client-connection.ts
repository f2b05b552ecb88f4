/**
 * HOT PATH. A client's HTTP/1.1 connection: one request at a time, its answer read strictly, and kept for the next when
 * both sides agree. A state machine over a Duplex. Guarded by `bench/systems/http1-raw-client.ts`.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BodyBuffer } from '../http/body-buffer.ts'
import type { HttpAbort } from '../http/exchange.ts'
import type { HttpHeaders } from '../http/headers.ts'
import type { ClientExchange, ExchangeCarrier } from './client-exchange.ts'
import type { ResponseHead } from './head.ts'
import type { Http1ClientLimits } from './limits.ts'
import { MessageOutput } from './message-output.ts'
import { type MessageParser, responseParser } from './parser.ts'
import type { Ticker, Timed } from '../http/ticker.ts'
import { writeComposed } from './write-composed.ts'

/** What a connection tells its pool. */
export interface ConnectionOwner {
  readonly limits: Http1ClientLimits
  readonly ticker: Ticker
  /** It can take another request. */
  free(connection: ClientConnection): void
  /** It is gone; `idle`: from among the free ones. */
  gone(connection: ClientConnection, idle: boolean): void
}

/** Informational responses before an answer; a server that sends more has lost its way. */
const mostInformational = 32
/** Bytes read ahead of a sink that has paused. */
const readAhead = 64 * 1024
const joinBound = 16 * 1024

export class ClientConnection implements ExchangeCarrier, Timed {
  deadline = Number.POSITIVE_INFINITY
  readonly #stream: Duplex
  readonly #owner: ConnectionOwner
  readonly #parser: MessageParser<ResponseHead>
  #exchange: ClientExchange | undefined
  #keepAlive = true
  #requestSent = true
  /** The head of the answer has come, its body not yet. */
  #answering = false
  #informational = 0
  /** What this server says about idle connections, in milliseconds. */
  #serverIdle = Number.POSITIVE_INFINITY
  /** Monotonic milliseconds until which an idle connection can be trusted. */
  #trustedUntil = 0
  #waiting: Buffer | undefined
  #streamPaused = false
  #reading = false
  #gone = false
  /** The connection is over, but its reader has not taken what came before. */
  #lost: string | undefined

  constructor(stream: Duplex, owner: ConnectionOwner) {
    this.#stream = stream
    this.#owner = owner
    this.#parser = responseParser(owner.limits, this)
    owner.ticker.add(this)
    stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    stream.on('end', () => this.#peerEnds())
    stream.on('drain', () => this.#drained())
    stream.on('error', (error: Error) => this.#lose(error.message))
    stream.on('close', () => this.#lose('the connection was closed'))
  }

  /** Whether a request can be sent: the server has not closed it, and has not announced that it soon will. */
  get usable(): boolean {
    if (this.#gone || !this.#stream.writable || this.#stream.readableEnded) return false
    return this.#trustedUntil === 0 || performance.now() < this.#trustedUntil
  }

  send(exchange: ClientExchange): void {
    const { headText, body } = exchange
    const stream = this.#stream
    this.#exchange = exchange
    exchange.carrier = this
    this.#keepAlive = true
    this.#requestSent = body !== 'stream'
    this.#informational = 0
    this.deadline = Number.POSITIVE_INFINITY
    this.#parser.bodiless = exchange.method === 'HEAD'
    this.#parser.hold = exchange.paused

    if (body === 'stream') {
      exchange.attach(new MessageOutput(stream, headText, 'chunked', () => this.#bodySent()))
    } else if (body === undefined) {
      // A method that usually has a body says that there is none (RFC 9110 section 8.6).
      const bare = exchange.method === 'GET' || exchange.method === 'HEAD' || exchange.method === 'DELETE'
      stream.write(bare ? `${headText}\r\n` : `${headText}content-length: 0\r\n\r\n`, 'latin1')
    } else if (typeof body === 'string') this.#sendText(headText, body)
    else if (body instanceof BodyBuffer) writeComposed(stream, headText, body)
    else this.#sendBytes(headText, body)
    // Nobody sends it twice.
    if (body !== 'stream') exchange.body = undefined
    if (stream.writableNeedDrain) this.stalled()
  }

  #sendText(headText: string, body: string): void {
    const stream = this.#stream
    const size = Buffer.byteLength(body)
    const head = `${headText}content-length: ${size}\r\n\r\n`
    // As many bytes as characters: ASCII, and so Latin-1, which is the fastest to write.
    if (size === body.length) {
      stream.write(head + body, 'latin1')
      return
    }
    stream.cork()
    stream.write(head, 'latin1')
    stream.write(body, 'utf8')
    stream.uncork()
  }

  #sendBytes(headText: string, body: Buffer): void {
    const stream = this.#stream
    const head = `${headText}content-length: ${body.length}\r\n\r\n`
    if (body.length <= joinBound) {
      const whole = Buffer.allocUnsafe(head.length + body.length)
      whole.write(head, 0, 'latin1')
      body.copy(whole, head.length)
      stream.write(whole)
      return
    }
    stream.cork()
    stream.write(head, 'latin1')
    stream.write(body)
    stream.uncork()
  }

  #bodySent(): void {
    this.#requestSent = true
  }

  // ── reading ──

  #receive(bytes: Buffer): void {
    if (this.#gone) return
    if (this.#exchange === undefined) {
      // Nobody asked: an answer that nothing was sent for, or a farewell (408).
      return this.#destroy(undefined)
    }
    if (this.deadline !== Number.POSITIVE_INFINITY) this.#progress()
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
    while (at < end && this.#exchange !== undefined) {
      const from = at
      at = parser.parse(bytes, at, end)
      if (parser.failure !== undefined) {
        this.#destroy(broken(parser.failure.message))
        break
      }
      // After an informational response the answer follows; after an answer nothing may.
      if (parser.done && this.#exchange !== undefined) parser.next()
      else if (at === from) break
    }
    this.#reading = false
    if (this.#gone) return

    if (this.#exchange === undefined) {
      if (at < end) return this.#destroy(undefined)
      return this.#release()
    }
    if (at < end) this.#keep(at === 0 ? bytes : bytes.subarray(at))
    else if (this.#streamPaused) this.#resumeStream()
  }

  #keep(bytes: Buffer): void {
    this.#waiting = bytes
    if (bytes.length < readAhead || this.#streamPaused) return
    this.#streamPaused = true
    this.#stream.pause()
  }

  #resumeStream(): void {
    this.#streamPaused = false
    this.#stream.resume()
  }

  /** The parser's: a head is complete. */
  head(head: ResponseHead): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const { status, headers } = head
    if (status < 200) {
      if (status === 101) return this.#destroy(broken('the server switches protocols unasked'))
      if (++this.#informational > mostInformational) {
        return this.#destroy(broken(`more than ${mostInformational} informational responses`))
      }
      exchange.sink.inform?.({ status, headers })
      return
    }
    this.#keepAlive = head.keepAlive
    if (head.keepAlive) this.#noteKeepAlive(headers.get('keep-alive'))
    if (head.length !== 0) {
      this.#answering = true
      this.#progress()
    }
    exchange.sink.head({ status, headers })
    if (head.length === 0 && !exchange.over) this.end(undefined)
  }

  data(bytes: Buffer, start: number, end: number): void {
    const exchange = this.#exchange
    if (exchange !== undefined && !exchange.over) exchange.sink.data(bytes, start, end)
  }

  end(trailers: HttpHeaders | undefined): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#exchange = undefined
    this.#answering = false
    this.deadline = Number.POSITIVE_INFINITY
    if (exchange.finish()) exchange.sink.end(trailers)
  }

  #noteKeepAlive(field: string | undefined): void {
    if (field === undefined) return
    const seconds = /(?:^|[,; \t])timeout=(\d{1,9})/i.exec(field)?.[1]
    if (seconds !== undefined) this.#serverIdle = Number(seconds) * 1000
  }

  /** The exchange is over: the connection serves another, or closes. */
  #release(): void {
    const { limits, ticker } = this.#owner
    const idle = Math.min(limits.idleTimeout, this.#serverIdle - limits.keepAliveMargin)
    if (!this.#keepAlive || !this.#requestSent || idle <= 0 || !this.#stream.writable) {
      return this.#destroy(undefined)
    }
    this.#parser.next()
    // The ticker's clock is never ahead of the real one, so this errs on the safe side.
    this.#trustedUntil = ticker.now + idle
    this.deadline = this.#trustedUntil
    this.#owner.free(this)
  }

  // ── the exchange's side ──

  hold(): void {
    this.#parser.hold = true
    this.deadline = Number.POSITIVE_INFINITY
  }

  read(): void {
    this.#parser.hold = false
    if (this.#answering) this.#progress()
    if (this.#reading) return
    const bytes = this.#waiting
    if (bytes === undefined) {
      if (this.#streamPaused) this.#resumeStream()
      return
    }
    this.#waiting = undefined
    this.#consume(bytes)
    if (this.#lost !== undefined && this.#waiting === undefined) this.#end(this.#lost)
  }

  drop(): void {
    this.#destroy(undefined)
  }

  stalled(): void {
    this.#progress()
  }

  #progress(): void {
    this.deadline = this.#owner.ticker.after(this.#owner.limits.stallTimeout)
  }

  #drained(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (!this.#answering) this.deadline = Number.POSITIVE_INFINITY
    exchange.output?.drained()
  }

  // ── the end ──

  #peerEnds(): void {
    this.#lose('the server closed the connection before its answer was complete')
  }

  #lose(message: string): void {
    if (this.#gone) return
    // What a paused sink has not taken comes first: a complete answer may lie there.
    if (this.#waiting !== undefined && this.#parser.hold) this.#lost ??= message
    else this.#end(message)
  }

  #end(message: string): void {
    if (this.#gone) return
    if (this.#exchange !== undefined && !this.#parser.fresh && this.#parser.close())
      this.#exchange = undefined
    this.#destroy({ reason: 'closed', message, processed: 'maybe' })
  }

  close(): void {
    this.#destroy({ reason: 'closed', message: 'the client closed the connection', processed: 'maybe' })
  }

  expire(): void {
    if (this.#exchange === undefined) return this.#destroy(undefined)
    this.#destroy({ reason: 'timeout', message: 'the connection stands still', processed: 'maybe' })
  }

  #destroy(why: HttpAbort | undefined): void {
    if (this.#gone) return
    this.#gone = true
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#waiting = undefined
    this.#owner.ticker.remove(this)
    if (exchange === undefined) this.#stream.destroy()
    else reset(this.#stream)
    this.#owner.gone(this, exchange === undefined)
    if (exchange !== undefined && why !== undefined) exchange.fail(why)
  }
}

/** Closes in mid-exchange. A server may take an ordinary end for a client that waits for its answer; not so a reset. */
function reset(stream: Duplex): void {
  // Neither TLS nor a Unix socket has it.
  if (stream instanceof Socket && stream.remoteFamily !== undefined && !('encrypted' in stream)) {
    stream.resetAndDestroy()
  } else stream.destroy()
}

function broken(message: string): HttpAbort {
  return {
    reason: 'protocol',
    message: `the server's answer is not valid HTTP/1.1: ${message}`,
    processed: 'maybe',
  }
}
