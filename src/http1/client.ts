/**
 * A client's way to one endpoint over HTTP/1.1: a pool of keep-alive connections, the last used taken first so that the
 * others can end, no pipelining (a slow answer would hold up the ones behind it), and a bounded queue while all are
 * busy. Connecting, and when to try again, is the caller's: it passes a function that connects.
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
import { ClientConnection, type ConnectionOwner } from './client-connection.ts'
import { ClientExchange, type RequestBody } from './client-exchange.ts'
import { encodeRequestHead } from './encode-head.ts'
import { defaultHttp1ClientLimits, type Http1ClientLimits } from './limits.ts'
import { type Ticker, ticker as processTicker } from '../http/ticker.ts'
import { withDefaults } from '../http/with-defaults.ts'

export interface Http1TransportOptions extends Partial<Http1ClientLimits> {
  /** Whether the connections are TLS. */
  readonly secure?: boolean
  /** The timer for time-outs; tests bring their own. */
  readonly ticker?: Ticker
}

/**
 * Makes a transport to one endpoint. `connect` resolves with a stream that is connected (and, with TLS, verified).
 * `request` throws TypeError for a head that cannot be sent.
 */
export function http1Transport(
  connect: () => Promise<Duplex>,
  options?: Http1TransportOptions,
): HttpTransport {
  return new Pool(connect, options)
}

class Pool implements HttpTransport, ConnectionOwner {
  readonly version = '1.1'
  readonly secure: boolean
  readonly limits: Http1ClientLimits
  readonly ticker: Ticker
  active = 0
  readonly #connect: () => Promise<Duplex>
  readonly #connections = new Set<ClientConnection>()
  /** The free ones; the last is taken first. */
  readonly #idle: ClientConnection[] = []
  /** In the order they came; those that were cancelled meanwhile are skipped. */
  readonly #queue: ClientExchange[] = []
  #queueStart = 0
  #connecting = 0
  #closing = false
  #onIdle: (() => void) | undefined

  constructor(connect: () => Promise<Duplex>, options: Http1TransportOptions | undefined) {
    this.#connect = connect
    this.secure = options?.secure ?? false
    this.ticker = options?.ticker ?? processTicker
    this.limits = withDefaults(defaultHttp1ClientLimits, options)
  }

  request(
    head: HttpRequestHead,
    body: string | Buffer | undefined | 'stream',
    sink: ResponseSink,
  ): HttpClientExchange {
    return this.#send(head, body, sink)
  }

  compose(): BodyBuffer {
    return composeBody()
  }

  requestWith(head: HttpRequestHead, body: BodyBuffer, sink: ResponseSink): HttpClientExchange {
    body.close()
    return this.#send(head, body, sink)
  }

  #send(head: HttpRequestHead, body: RequestBody, sink: ResponseSink): HttpClientExchange {
    const exchange = new ClientExchange(head, encodeRequestHead(head), body, sink, this.#over)
    this.active++
    if (this.#closing) return this.#refuse(exchange, unsent('the transport is closed'))
    const connection = this.#takeIdle()
    if (connection !== undefined) {
      connection.send(exchange)
      return exchange
    }
    if (this.#queued >= this.limits.queue) {
      const open = this.#connections.size
      const message =
        `${this.#queued} requests wait for a connection already; ` +
        `there are ${open} of at most ${this.limits.connections}`
      return this.#refuse(exchange, { reason: 'no_room', message, processed: 'no' })
    }
    exchange.wait()
    this.#queue.push(exchange)
    this.#dial()
    return exchange
  }

  get #queued(): number {
    return this.#queue.length - this.#queueStart
  }

  readonly #over = (): void => {
    this.active--
    if (this.active === 0) this.#onIdle?.()
  }

  /** Refuses once the caller has its exchange. */
  #refuse(exchange: ClientExchange, why: HttpAbort): ClientExchange {
    queueMicrotask(() => exchange.fail(why))
    return exchange
  }

  #takeIdle(): ClientConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop()
      if (connection === undefined || connection.usable) return connection
      connection.drop()
    }
  }

  #takeQueued(): ClientExchange | undefined {
    while (this.#queueStart < this.#queue.length) {
      const exchange = this.#queue[this.#queueStart++] as ClientExchange
      if (this.#queueStart === this.#queue.length || this.#queueStart > 1024) {
        this.#queue.splice(0, this.#queueStart)
        this.#queueStart = 0
      }
      if (!exchange.over) return exchange
    }
    return undefined
  }

  #dial(): void {
    const open = this.#connections.size + this.#connecting
    if (open >= this.limits.connections || this.#connecting >= this.#queued) return
    this.#connecting++
    this.#connect().then(
      (stream) => this.#connected(stream),
      (error: unknown) => this.#failed(error),
    )
  }

  #connected(stream: Duplex): void {
    this.#connecting--
    const connection = new ClientConnection(stream, this)
    this.#connections.add(connection)
    if (stream.destroyed) return connection.drop()
    this.free(connection)
  }

  #failed(error: unknown): void {
    this.#connecting--
    // While there is another connection, or another attempt, there is hope for what waits.
    if (this.#connections.size + this.#connecting > 0) return
    const message = error instanceof Error ? error.message : String(error)
    this.#failQueued(`no connection could be made: ${message}`)
  }

  #failQueued(message: string): void {
    const waiting = this.#queue.splice(0).slice(this.#queueStart)
    this.#queueStart = 0
    for (const exchange of waiting) exchange.fail(unsent(message))
  }

  free(connection: ClientConnection): void {
    const next = this.#takeQueued()
    if (next !== undefined) connection.send(next)
    else if (this.#closing) connection.drop()
    else this.#idle.push(connection)
  }

  gone(connection: ClientConnection, idle: boolean): void {
    this.#connections.delete(connection)
    if (idle) {
      const at = this.#idle.lastIndexOf(connection)
      if (at >= 0) this.#idle.splice(at, 1)
    }
    if (this.#queued > 0) this.#dial()
  }

  async close(grace: number): Promise<void> {
    this.#closing = true
    for (let free = this.#idle.pop(); free !== undefined; free = this.#idle.pop()) free.drop()
    if (this.active > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#failQueued('the transport was closed')
    for (const connection of this.#connections) connection.close()
  }
}

function unsent(message: string): HttpAbort {
  return { reason: 'refused', message, processed: 'no' }
}
