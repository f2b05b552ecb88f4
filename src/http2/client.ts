/**
 * The client's half of a connection: gives requests their numbers, as many at once as the server takes, keeps the others
 * waiting within bounds, and says when no more can be made.
 *
 *     ready → draining: GOAWAY, or no numbers left → the last request over → closed
 */
import type { Duplex } from 'node:stream'
import { type BodyBuffer, composeBody } from '../http/body-buffer.ts'
import type {
  HttpAbort,
  HttpClientExchange,
  HttpRequestHead,
  HttpTransport,
  ResponseSink,
} from '../http/exchange.ts'
import { type Ticker, ticker as processTicker } from '../http/ticker.ts'
import { withDefaults } from '../http/with-defaults.ts'
import { ClientStream, type ClientStreamOwner } from './client-stream.ts'
import { ConnectionError } from './connection-error.ts'
import { Connection } from './connection.ts'
import type { Role, Stream } from './role.ts'
import { codeName, errorCode, frameType, largestId } from './frames.ts'
import { defaultHttp2ClientLimits, type Http2ClientLimits } from './limits.ts'
import { requestFields, type Sendable } from './sendable.ts'
import { setting } from './settings.ts'

/** One connection to a server, for any number of requests at once. */
export interface Http2Transport extends HttpTransport {
  readonly version: '2'
  /** `draining`: requests that are open go on, new ones are refused with processed `no`. */
  readonly state: 'ready' | 'draining' | 'closed'
  /** Whether the server's SETTINGS have come: it speaks HTTP/2. */
  readonly settled: boolean
  /** Requests that the server takes at once; more wait. */
  readonly capacity: number
  /** Calls back at every change of `state`, with the reason unless this side has closed, and when `settled` becomes true. One listener. */
  onState(listener: (why: HttpAbort | undefined) => void): void
}

export interface Http2TransportOptions extends Partial<Http2ClientLimits> {
  /** Whether the stream is TLS. */
  readonly secure?: boolean
  /** Hears of a sink that threw, which it must not. */
  readonly onError?: (error: unknown) => void
  /** The timer for time-outs; tests bring their own. */
  readonly ticker?: Ticker
  /** The number of the first request, odd; tests begin near the last there is. */
  readonly firstId?: number
}

/**
 * Speaks HTTP/2 on a stream that is connected (and, with TLS, verified). Requests can be made at once. `request` throws
 * TypeError for a head that cannot be sent.
 */
export function openHttp2(stream: Duplex, options?: Http2TransportOptions): Http2Transport {
  return new ClientConnection(stream, options)
}

const endedHere: HttpAbort = {
  reason: 'closed',
  message: 'the client closed the connection',
  processed: 'maybe',
}

const sendable: Sendable = { template: undefined, fields: undefined }
const measured = ['content-length', '']
const copyBound = 16 * 1024

type Body = string | Buffer | undefined | 'stream'

/** A request that waits for its number. */
interface Waiting {
  readonly stream: ClientStream
  readonly head: Sendable
  readonly body: Body
}

class ClientConnection implements Http2Transport, Role, ClientStreamOwner {
  readonly isServer = false
  readonly version = '2'
  readonly secure: boolean
  state: 'ready' | 'draining' | 'closed' = 'ready'
  settled = false
  readonly #connection: Connection
  readonly #limits: Http2ClientLimits
  readonly #options: Http2TransportOptions | undefined
  #nextId: number
  /** Whether requests that wait may still be sent. */
  #open = true
  readonly #queue: Waiting[] = []
  #queueStart = 0
  #queued = 0
  #onState: ((why: HttpAbort | undefined) => void) | undefined
  /** Those that wait for the open requests. */
  readonly #onIdle: (() => void)[] = []

  constructor(stream: Duplex, options: Http2TransportOptions | undefined) {
    this.secure = options?.secure ?? false
    this.#options = options
    this.#nextId = options?.firstId ?? 1
    const limits = withDefaults(defaultHttp2ClientLimits, options)
    this.#limits = limits
    this.#connection = new Connection(stream, this, limits, options?.ticker ?? processTicker, [
      setting.enablePush,
      0,
    ])
  }

  get active(): number {
    return this.#connection.active + this.#queued
  }

  get capacity(): number {
    const { assumedStreams } = this.#limits
    return this.settled ? this.#connection.peer.maxConcurrentStreams : assumedStreams
  }

  onState(listener: (why: HttpAbort | undefined) => void): void {
    this.#onState = listener
  }

  // ── requests ──

  request(head: HttpRequestHead, body: Body, sink: ResponseSink): HttpClientExchange {
    requestFields(head, this.secure, sendable)
    const stream = new ClientStream(this.#connection, this, head.method, body === 'stream', sink)
    if (this.state !== 'ready') {
      return this.#refuse(stream, 'refused', 'the connection takes no more requests')
    }
    if (this.#queued === 0 && this.#connection.active < this.capacity) {
      this.#send(stream, sendable, body)
      return stream
    }
    if (this.#queued >= this.#limits.queue) {
      return this.#refuse(stream, 'no_room', `${this.capacity} requests are open and the queue is full`)
    }
    const { template, fields } = sendable
    this.#queue.push({ stream, head: { template, fields }, body })
    this.#queued++
    return stream
  }

  compose(): BodyBuffer {
    return composeBody()
  }

  requestWith(head: HttpRequestHead, body: BodyBuffer, sink: ResponseSink): HttpClientExchange {
    body.close()
    const waits = this.#queued > 0 || this.#connection.active >= this.capacity
    if (!waits && body.size > copyBound) body.hold()
    return this.request(head, waits ? body.copy() : body.bytes.subarray(body.start, body.position), sink)
  }

  /** Refuses once the caller has its exchange. */
  #refuse(stream: ClientStream, reason: HttpAbort['reason'], message: string): ClientStream {
    queueMicrotask(() => stream.fail({ reason, message, processed: 'no' }))
    return stream
  }

  #send(stream: ClientStream, head: Sendable, body: Body): void {
    const connection = this.#connection
    const { outbox } = connection
    const { outgoing } = stream
    const id = this.#nextId
    this.#nextId = id + 2
    stream.opened(id)
    connection.streams.openedHere(id)
    connection.streams.open.add(stream)
    const window = connection.peer.initialWindowSize

    if (body === 'stream') {
      outbox.headers(id, head, undefined, false)
      outgoing.open(id, window)
    } else {
      const size = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
      measured[1] = String(size)
      outbox.headers(id, head, body === undefined ? undefined : measured, size === 0)
      outgoing.id = id
      outgoing.window = window
      if (size === 0) outgoing.endWritten()
      else if (typeof body !== 'string') outgoing.write(body as Buffer, true)
      else if (size > copyBound) outgoing.write(Buffer.from(body), true)
      else {
        const { bytes, start } = outgoing.reserve(size)
        bytes.write(body, start, size, size === body.length ? 'latin1' : 'utf8')
        outgoing.commit(size, true)
      }
    }
    if (this.#nextId > largestId)
      this.#drainNow({ reason: 'refused', message: 'the connection has no numbers left', processed: 'no' })
  }

  #sendQueued(): void {
    while (this.#queued > 0 && this.#open && this.#connection.active < this.capacity) {
      const next = this.#queue[this.#queueStart++] as Waiting
      if (this.#queueStart === this.#queue.length || this.#queueStart > 1024) {
        this.#queue.splice(0, this.#queueStart)
        this.#queueStart = 0
      }
      if (next.stream.over) continue
      this.#queued--
      this.#send(next.stream, next.head, next.body)
    }
  }

  withdrawn(): void {
    this.#queued--
    if (this.#queued === 0) {
      this.#queue.length = 0
      this.#queueStart = 0
    }
    this.#quiet()
  }

  #failQueued(why: HttpAbort): void {
    const waiting = this.#queue.splice(0).slice(this.#queueStart)
    this.#queueStart = 0
    this.#queued = 0
    for (const { stream } of waiting) stream.fail(why)
  }

  // ── the connection's side ──

  open(id: number): void {
    if (id % 2 === 0) throw new ConnectionError(errorCode.protocolError, `the server opens stream ${id}`)
    this.#connection.streams.late(frameType.headers, id)
  }

  peerSettled(): void {
    if (!this.settled) {
      this.settled = true
      this.#onState?.(undefined)
    }
    this.#sendQueued()
  }

  resetByPeer(): void {}

  streamClosed(_stream: Stream): void {
    if (this.#queued > 0) this.#sendQueued()
    this.#quiet()
  }

  #quiet(): void {
    if (this.active > 0) return
    this.#nobodyLeft()
    if (this.state === 'draining') queueMicrotask(() => this.#finish())
  }

  #nobodyLeft(): void {
    for (const waiting of this.#onIdle.splice(0)) waiting()
  }

  faulted(): void {
    this.#connection.charge()
  }

  failed(error: unknown): void {
    const report = this.#options?.onError
    if (report !== undefined) report(error)
    else process.emitWarning(`a sink of HTTP/2 threw: ${String(error)}`)
  }

  pinged(): boolean {
    return true
  }

  drainAnswered(): void {}

  goaway(lastId: number, code: number, debug: string): void {
    const reason = debug === '' ? codeName(code) : `${codeName(code)}: ${debug}`
    const why: HttpAbort = {
      reason: 'refused',
      message: `the server takes no more requests on this connection (${reason})`,
      processed: 'no',
      code,
    }
    this.#drainNow(why)
    this.#connection.streams.abandonAbove(lastId, why)
    this.#quiet()
  }

  /** No new requests; those that wait are told. */
  #drainNow(why: HttpAbort): void {
    this.#open = false
    if (this.state === 'ready') {
      this.state = 'draining'
      this.#onState?.(why)
    }
    this.#failQueued(why)
  }

  idle(): void {
    this.#drainNow(endedHere)
    this.#finish()
  }

  #finish(): void {
    if (this.active === 0 && this.state !== 'closed') this.#connection.leave(endedHere)
  }

  ended(why: HttpAbort): void {
    this.state = 'closed'
    this.#open = false
    this.#failQueued({ ...why, processed: 'no' })
    this.#nobodyLeft()
    this.#onState?.(why)
  }

  gone(): void {}

  async close(grace: number): Promise<void> {
    if (this.state === 'ready') {
      this.state = 'draining'
      this.#onState?.(undefined)
    }
    if (this.active > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace)
        this.#onIdle.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    this.#connection.leave(endedHere)
  }
}
