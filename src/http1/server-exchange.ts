/**
 * HOT PATH. One request of an HTTP/1.1 connection and its answer; the connection reads and times, this writes.
 * Guarded by `bench/systems/http1-raw-server.ts`.
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
import type { HttpHeaders } from '../http/headers.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import { dateLine, encodeResponseHead } from './encode-head.ts'
import type { RequestHead } from './head.ts'
import { MessageOutput } from './message-output.ts'
import { writeComposed } from './write-composed.ts'

/** What is known of a connection before its first request. */
export interface Http1ConnectionInfo {
  /** `192.0.2.7:41234` */
  readonly remoteAddress: string
  readonly secure: boolean
  readonly certificate?: PeerCertificate
}

/** What an exchange needs of its connection. */
export interface ExchangeOwner {
  readonly stream: Duplex
  /** Starts or goes on with the body. */
  read(): void
  /** Holds the body up. */
  hold(): void
  /** Whether the connection can serve another request after this one; asked when the head is written. */
  keepsAlive(): boolean
  /** A write found no taker for now. */
  stalled(): void
  /** The answer was given to the stream. */
  answered(): void
  /** Closes the connection without more ado. */
  destroy(why: HttpAbort): void
  /** Detaches the connection from its stream. */
  release(): Duplex
}

const continueLine = 'HTTP/1.1 100 Continue\r\n\r\n'
/** Up to here a body is copied behind its head, so that both are one write without a vector. */
const joinBound = 16 * 1024

export class ServerExchange implements HttpExchange {
  readonly request: HttpRequest
  /** Where the body goes; the connection feeds it. */
  sink: BodySink | undefined
  bodyOver: boolean
  answerComplete = false
  /** The answer announced that the connection ends with it. */
  closes = false
  readonly #owner: ExchangeOwner
  readonly #head: RequestHead
  #received = false
  #continued: boolean
  #started = false
  #output: MessageOutput | undefined
  #aborted: HttpAbort | undefined
  #over = false
  #onAbort: ((why: HttpAbort) => void) | undefined
  #onEnd: (() => void) | undefined
  #onDrain: (() => void) | undefined

  constructor(owner: ExchangeOwner, head: RequestHead, info: Http1ConnectionInfo) {
    this.#owner = owner
    this.#head = head
    this.#continued = !head.expectsContinue
    this.bodyOver = head.length === 0
    this.request = {
      method: head.method,
      target: head.target,
      authority: head.authority,
      version: head.version,
      headers: head.headers,
      secure: info.secure,
      certificate: info.certificate,
      remoteAddress: info.remoteAddress,
    }
  }

  get started(): boolean {
    return this.#started
  }

  /** Whether the peer may still wait for leave to send its body. */
  get awaitsContinue(): boolean {
    return !this.#continued
  }

  get received(): boolean {
    return this.#received
  }

  receive(sink: BodySink): void {
    if (this.#received) throw new Error('receive() was called already; a body is read once')
    this.#received = true
    if (this.#aborted !== undefined) return sink.abort(this.#aborted)
    if (this.bodyOver) return sink.end(undefined)
    this.sink = sink
    if (!this.#continued && !this.#started) {
      this.#continued = true
      this.#owner.stream.write(continueLine, 'latin1')
    }
    this.#owner.read()
  }

  pause(): void {
    // Once answered, the rest of the body is the connection's to read away.
    if (!this.bodyOver && !this.answerComplete && !this.#over) this.#owner.hold()
  }

  resume(): void {
    if (!this.bodyOver && !this.answerComplete && !this.#over && this.#received) this.#owner.read()
  }

  inform(head: HttpResponseHead): void {
    if (this.#started || this.#over || this.request.version === '1.0') return
    if (head.status < 100 || head.status > 199 || head.status === 101) {
      throw new RangeError(`an informational status is 1xx and not 101, got ${head.status}`)
    }
    if (head.status === 100) this.#continued = true
    this.#owner.stream.write(`${encodeResponseHead(head)}\r\n`, 'latin1')
  }

  respond(head: HttpResponseHead, body: string | Buffer | undefined): void {
    let text = this.#begin(head, true)
    if (this.#over) return
    const { stream } = this.#owner

    if (body === undefined || this.#isBodiless(head)) this.#sendBare(text, head.status, sizeOf(body))
    else if (typeof body === 'string') {
      const size = Buffer.byteLength(body)
      text += `content-length: ${size}\r\n\r\n`
      // As many bytes as characters: ASCII, and so Latin-1, which is the fastest to write.
      if (size === body.length) stream.write(text + body, 'latin1')
      else this.#writeBoth(text, body)
    } else if (body.length <= joinBound) {
      text += `content-length: ${body.length}\r\n\r\n`
      const whole = Buffer.allocUnsafe(text.length + body.length)
      whole.write(text, 0, 'latin1')
      body.copy(whole, text.length)
      stream.write(whole)
    } else this.#writeBoth(`${text}content-length: ${body.length}\r\n\r\n`, body)

    this.#complete()
  }

  compose(): BodyBuffer {
    return composeBody()
  }

  respondWith(head: HttpResponseHead, body: BodyBuffer): void {
    body.close()
    const text = this.#begin(head, true)
    if (this.#over) return

    if (this.#isBodiless(head)) this.#sendBare(text, head.status, body.size)
    else writeComposed(this.#owner.stream, text, body)
    this.#complete()
  }

  #isBodiless({ status }: HttpResponseHead): boolean {
    return status === 204 || status === 304 || this.request.method === 'HEAD'
  }

  #sendBare(text: string, status: number, size: number): void {
    // 204 has no length (RFC 9110 section 8.6); what a 304 leaves out is unknown here.
    const framing = status === 204 || status === 304 ? '' : `content-length: ${size}\r\n`
    this.#owner.stream.write(`${text}${framing}\r\n`, 'latin1')
  }

  #writeBoth(text: string, body: string | Buffer): void {
    const { stream } = this.#owner
    stream.cork()
    stream.write(text, 'latin1')
    if (typeof body === 'string') stream.write(body, 'utf8')
    else stream.write(body)
    stream.uncork()
  }

  start(head: HttpResponseHead): void {
    const text = this.#begin(head, this.request.version === '1.1')
    if (this.#over) return
    const delimiting = this.#isBodiless(head) ? 'none' : this.request.version === '1.0' ? 'close' : 'chunked'
    this.#output = new MessageOutput(this.#owner.stream, text, delimiting, () => this.#complete())
    if (this.#onDrain !== undefined) this.#output.onDrain(this.#onDrain)
  }

  /** The head's text without framing. */
  #begin(head: HttpResponseHead, lengthIsKnown: boolean): string {
    if (this.#started) throw new Error('the answer was begun already')
    if (head.status < 200)
      throw new RangeError(`${head.status} is not a final status; use inform() or upgrade()`)
    let text = encodeResponseHead(head) + dateLine()
    this.#started = true
    if (this.#over) return text
    if (!lengthIsKnown || !this.#owner.keepsAlive()) {
      text += 'connection: close\r\n'
      this.closes = true
    } else if (this.request.version === '1.0') text += 'connection: keep-alive\r\n'
    return text
  }

  #complete(): void {
    this.answerComplete = true
    const { stream } = this.#owner
    if (stream.writableNeedDrain) this.#owner.stalled()
    if (stream.writableLength === 0) this.#finish()
    else if (this.#onEnd !== undefined || this.#onAbort !== undefined) this.#finishWhenFlushed(stream)
    this.#owner.answered()
  }

  #finishWhenFlushed(stream: Duplex): void {
    if (stream.writableEnded) {
      stream.once('finish', () => this.#finish())
      stream.once('close', () => this.aborted(peerLeft))
    } else {
      stream.write('', (error) => {
        if (error === null || error === undefined) this.#finish()
        else this.aborted(peerLeft)
      })
    }
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#onEnd?.()
  }

  reserve(size: number): Reservation {
    return this.#writer().reserve(size)
  }

  commit(size: number, end: boolean): boolean {
    return this.#sent(this.#writer().commit(size, end))
  }

  write(bytes: Buffer, end: boolean): boolean {
    return this.#sent(this.#writer().write(bytes, end))
  }

  #sent(more: boolean): boolean {
    if (!more) this.#owner.stalled()
    return more
  }

  end(trailers?: HttpHeaders): void {
    this.#writer().end(trailers)
  }

  #writer(): MessageOutput {
    if (this.#output !== undefined) return this.#output
    if (!this.#over) throw new Error('start() comes before the body')
    // The peer has gone; what is written goes nowhere.
    this.#output = new MessageOutput(this.#owner.stream, '', 'none', () => {})
    this.#output.discard()
    return this.#output
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
    this.#output?.onDrain(listener)
  }

  /** The connection takes bytes again. */
  drained(): void {
    this.#output?.drained()
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    this.#owner.destroy(why)
    this.aborted(why)
  }

  /** The connection is gone before answer or body were complete. */
  aborted(why: HttpAbort): void {
    if (this.#over) return
    this.#over = true
    this.#aborted = why
    this.#output?.discard()
    this.cutBody(why)
    this.#onAbort?.(why)
    this.#onEnd?.()
  }

  /** The body ends before its time. */
  cutBody(why: HttpAbort): void {
    const { sink } = this
    this.sink = undefined
    if (this.bodyOver) return
    this.bodyOver = true
    sink?.abort(why)
  }

  onAbort(listener: (why: HttpAbort) => void): void {
    if (this.#aborted !== undefined) listener(this.#aborted)
    else this.#onAbort = listener
  }

  onEnd(listener: () => void): void {
    if (this.#over) return listener()
    this.#onEnd = listener
    if (this.answerComplete) this.#finishWhenFlushed(this.#owner.stream)
  }

  upgrade(head: HttpResponseHead): Duplex {
    if (!this.#head.upgrade) {
      throw new Error('the request does not ask for an upgrade (Connection: upgrade and Upgrade)')
    }
    if (head.status !== 101) throw new RangeError(`an upgrade is answered with 101, not ${head.status}`)
    if (this.#started) throw new Error('the answer was begun already')
    this.#started = true
    this.answerComplete = true
    this.#over = true
    const stream = this.#owner.release()
    if (stream.writable) stream.write(`${encodeResponseHead(head)}connection: upgrade\r\n\r\n`, 'latin1')
    this.#onEnd?.()
    return stream
  }
}

const peerLeft: HttpAbort = {
  reason: 'closed',
  message: 'the peer went away before the whole answer was sent',
  processed: 'maybe',
}

function sizeOf(body: string | Buffer | undefined): number {
  if (body === undefined) return 0
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length
}
