/**
 * The server's half of a connection: opens streams for requests, refuses what is too much or malformed, and ends well.
 *
 *     serving → drain: GOAWAY 2^31-1 and a PING → answered: GOAWAY with the last number → the last stream over → closed
 */
import type { Duplex } from 'node:stream'
import type { HttpAbort, HttpHandler, HttpRequest, HttpResponseHead } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import { type Ticker, ticker as processTicker } from '../http/ticker.ts'
import { withDefaults } from '../http/with-defaults.ts'
import { Budget } from './budget.ts'
import { ConnectionError } from './connection-error.ts'
import { Connection, pingData } from './connection.ts'
import type { Role, Stream } from './role.ts'
import { errorCode, frameType, largestId } from './frames.ts'
import type { DecodedBlock } from './hpack/decoder.ts'
import { defaultHttp2ServerLimits, type Http2ServerLimits } from './limits.ts'
import { type RequestHead, requestHead } from './message-head.ts'
import { answerFields, type Sendable } from './sendable.ts'
import { ServerStream } from './server-stream.ts'
import { setting } from './settings.ts'
import { type ClosedBy, closedBy } from './stream-state.ts'

/** A connection that is being served. */
export interface Http2Connection {
  /** Requests open now. */
  readonly active: number
  /** Takes no new requests, tells the peer so, lets the open ones finish, and then closes. */
  drain(): void
  /** Closes at once; open requests are aborted. */
  close(): void
  /** Calls back once, when the connection is gone. */
  onClose(listener: () => void): void
}

/** What is known of a connection before its first request. */
export interface Http2ConnectionInfo {
  /** `192.0.2.7:41234` */
  readonly remoteAddress: string
  readonly secure: boolean
  readonly certificate?: PeerCertificate
}

export interface Http2ServerOptions extends Partial<Http2ServerLimits> {
  /** Hears of a handler that threw, which it must not; its request is answered with 500. */
  readonly onError?: (error: unknown) => void
  /** The timer for time-outs; tests bring their own. */
  readonly ticker?: Ticker
}

/** Serves HTTP/2 on a stream that has not been read from, apart from what was unshifted again. */
export function serveHttp2(
  stream: Duplex,
  info: Http2ConnectionInfo,
  handler: HttpHandler,
  options?: Http2ServerOptions,
): Http2Connection {
  return new ServerConnection(stream, info, handler, options)
}

const ended: HttpAbort = { reason: 'closed', message: 'the server closed the connection', processed: 'maybe' }
const nothing = new HttpHeaders()
const internalError = Object.freeze({ status: 500, headers: nothing })
const tooLarge = Object.freeze({ status: 431, headers: nothing })
const noTunnel = Object.freeze({ status: 501, headers: nothing })

/** PINGs that come too early, and are forgiven. */
const forgivenPings = 2

const sendable: Sendable = { template: undefined, fields: undefined }

class ServerConnection implements Http2Connection, Role {
  readonly isServer = true
  readonly #connection: Connection
  readonly #info: Http2ConnectionInfo
  readonly #handler: HttpHandler
  readonly #options: Http2ServerOptions | undefined
  readonly #limits: Http2ServerLimits
  readonly #ticker: Ticker
  readonly #resets: Budget
  #draining = false
  /** The last number that is served, once that is said. */
  #lastServed = largestId
  #pingStrikes = 0
  #lastPing = Number.NEGATIVE_INFINITY
  #sentAtPing = -1
  #timers: NodeJS.Timeout[] = []
  #gone = false
  #onClose: (() => void) | undefined

  constructor(
    stream: Duplex,
    info: Http2ConnectionInfo,
    handler: HttpHandler,
    options: Http2ServerOptions | undefined,
  ) {
    this.#info = info
    this.#handler = handler
    this.#options = options
    this.#ticker = options?.ticker ?? processTicker
    const limits = withDefaults(defaultHttp2ServerLimits, options)
    this.#limits = limits
    this.#resets = new Budget(limits.resetBurst, limits.resetRate)
    this.#connection = new Connection(stream, this, limits, this.#ticker, [
      setting.maxConcurrentStreams,
      limits.streams,
    ])
    if (Number.isFinite(limits.age)) {
      // Not all of a fleet's connections at once.
      this.#after(limits.age * (0.9 + Math.random() * 0.2), () => this.#tooOld())
    }
  }

  get active(): number {
    return this.#connection.active
  }

  close(): void {
    this.#connection.destroy(ended)
  }

  onClose(listener: () => void): void {
    if (this.#gone) listener()
    else this.#onClose = listener
  }

  #after(milliseconds: number, run: () => void): void {
    this.#timers.push(setTimeout(run, Math.min(milliseconds, 2 ** 31 - 1)).unref())
  }

  // ── requests ──

  open(id: number, block: DecodedBlock, ends: boolean): void {
    const connection = this.#connection
    if (id % 2 === 0)
      throw new ConnectionError(errorCode.protocolError, `a client opens stream ${id}, which is even`)
    if (id <= connection.streams.lastPeerId) return connection.streams.late(frameType.headers, id)
    connection.streams.opened(id)
    if (id > this.#lastServed) return connection.streams.ignore(id)

    const { streams, queuedAnswers } = this.#limits
    if (connection.streams.open.size >= streams || connection.outbox.queuedBytes > queuedAnswers) {
      connection.streams.refuse(id, errorCode.refusedStream)
      return this.faulted()
    }
    if (block.tooLarge) return this.#answerShortly(id, tooLarge, ends)
    const head = requestHead(block)
    if (typeof head === 'string' || (ends && head.length > 0)) {
      connection.streams.refuse(id, errorCode.protocolError)
      return this.faulted()
    }
    if (head.method === 'CONNECT') return this.#answerShortly(id, noTunnel, ends)
    this.#serve(id, head, ends)
  }

  #serve(id: number, head: RequestHead, ends: boolean): void {
    const connection = this.#connection
    const request = (head.attachment ??= this.#request(head)) as HttpRequest
    const stream = new ServerStream(connection, id, head, request)
    connection.streams.open.add(stream)
    if (ends) stream.incoming.end(undefined)
    try {
      this.#handler(stream)
    } catch (error) {
      this.failed(error)
      if (stream.started) stream.abort({ reason: 'reset', message: 'the handler failed', processed: 'maybe' })
      else stream.respond(internalError, undefined)
    }
  }

  #request({ method, target, authority, headers }: RequestHead): HttpRequest {
    const { secure, certificate, remoteAddress } = this.#info
    return { method, target, authority, version: '2', headers, secure, certificate, remoteAddress }
  }

  /** Answers a request that no handler sees. */
  #answerShortly(id: number, head: HttpResponseHead, ends: boolean): void {
    const { outbox } = this.#connection
    answerFields(head, sendable)
    outbox.headers(id, sendable, undefined, true)
    if (ends) this.#connection.streams.settle(id)
    else this.#connection.streams.refuse(id, errorCode.noError)
    this.faulted()
  }

  streamClosed(_stream: Stream, how: ClosedBy): void {
    if (how === closedBy.ends) this.#resets.earn(1)
    if (this.#draining && this.#connection.active === 0) queueMicrotask(() => this.#finishIfQuiet())
  }

  resetByPeer(stream: Stream): void {
    if (!stream.outgoing.ended) this.faulted()
  }

  /** CVE-2023-44487 and CVE-2025-8671: a stream was reset, or had to be. */
  faulted(): void {
    if (this.#resets.take(this.#ticker.now)) return
    throw new ConnectionError(errorCode.enhanceYourCalm, 'too many streams were reset')
  }

  failed(error: unknown): void {
    const report = this.#options?.onError
    if (report !== undefined) report(error)
    else process.emitWarning(`an HTTP handler threw: ${String(error)}`)
  }

  pinged(): boolean {
    const { sent } = this.#connection.outbox
    const { now } = this.#ticker
    const early = now - this.#lastPing < this.#limits.pingInterval
    this.#lastPing = now
    if (sent !== this.#sentAtPing) {
      this.#sentAtPing = sent
      this.#pingStrikes = 0
      return true
    }
    return !early || ++this.#pingStrikes <= forgivenPings
  }

  peerSettled(): void {}

  goaway(): void {
    // A client opens no more streams of its own accord.
  }

  // ── the end ──

  drain(): void {
    const connection = this.#connection
    if (this.#draining || connection.closed) return
    this.#draining = true
    if (!connection.greeted) return this.drainAnswered()
    // Requests that are on their way are served: only what comes after the PING's answer knows better.
    connection.outbox.goaway(largestId, errorCode.noError, 'the server is leaving')
    connection.outbox.ping(pingData.drain)
    connection.outbox.flush()
    this.#after(this.#limits.drainDelay, () => this.drainAnswered())
  }

  drainAnswered(): void {
    const connection = this.#connection
    if (!this.#draining || connection.closed || this.#lastServed !== largestId) return
    this.#lastServed = connection.streams.lastPeerId
    connection.outbox.goaway(this.#lastServed, errorCode.noError, 'the server is leaving')
    connection.outbox.flush()
    this.#finishIfQuiet()
  }

  #finishIfQuiet(): void {
    const { active } = this.#connection
    if (this.#lastServed !== largestId && active === 0) this.#connection.finish(ended)
  }

  idle(): void {
    this.drain()
  }

  #tooOld(): void {
    this.drain()
    this.#after(this.#limits.ageGrace, () => this.close())
  }

  ended(): void {}

  gone(): void {
    this.#gone = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#onClose?.()
  }
}
