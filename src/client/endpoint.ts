/**
 * One address: connects when the first call comes, and again after the connection was lost. Calls that come meanwhile
 * wait, within bounds. When connecting fails they fail, and others at once until the jittered back-off is over.
 */
import type { Duplex } from 'node:stream'
import type { Call } from '../call/call.ts'
import type { Clock } from '../call/clock.ts'
import { CallError } from '../call/error.ts'
import type { Reply } from '../call/handler.ts'
import type { Limits } from '../call/limits.ts'
import type { Logger } from '../call/logger.ts'
import type { Peer } from '../call/peer.ts'
import type { ContractInfo } from '../contract/operation.ts'
import { http1Transport } from '../http1/client.ts'
import type { Channel, ChannelOptions, HttpClient, ReplySink } from '../wires/wire.ts'
import { type BackoffOptions, backoff } from './backoff.ts'
import { type Balanced, LoadEstimate } from './balancer.ts'
import { type Resumption, dial } from './dial.ts'
import { type Keepalive, connectHttp2 } from './http2-connection.ts'
import type { Target } from './target.ts'
import type { ClientTlsOptions } from './tls.ts'

/** As long as a timer can wait. */
const longestGrace = 2 ** 31 - 1

export interface EndpointSettings {
  readonly contract: ContractInfo
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Logger
  readonly tls: ClientTlsOptions | undefined
  /** Milliseconds to connect in. */
  readonly connectTimeout: number
  readonly backoff: BackoffOptions
  /** How many calls may wait for a connection. */
  readonly waiting: number
  readonly keepalive: Keepalive
}

export class Endpoint implements Balanced {
  readonly estimate = new LoadEstimate()
  readonly peer: Peer
  readonly #target: Target
  readonly #settings: EndpointSettings
  #channel: Channel | undefined
  #connecting: Promise<Channel> | undefined
  #preparing = false
  /** A connection made ahead, for a wire whose pool asks for connections. */
  #spare: Duplex | undefined
  /** Whether the last attempt to connect went well. */
  #reached = false
  #failures = 0
  #retryAt = 0
  #lastFailure: CallError | undefined
  #waiting = 0
  #onNobodyWaits: (() => void) | undefined
  #closed = false
  readonly #ending = new AbortController()
  readonly #resumption: Resumption = { session: undefined, until: 0 }

  constructor(target: Target, settings: EndpointSettings) {
    this.#target = target
    this.#settings = settings
    this.peer = { address: target.label, wire: target.wire.name, secure: target.secure }
  }

  get rank(): 0 | 1 | 2 {
    if (this.#failures > 0) return this.#settings.clock.now() < this.#retryAt ? 2 : 1
    return this.#reached && this.#channel?.state === 'ready' ? 0 : 1
  }

  /** Monotonic milliseconds at which the back-off is over. */
  get retryAt(): number {
    return this.#retryAt
  }

  get closed(): boolean {
    return this.#closed
  }

  /** HOT PATH. Gives a call to the connection, or makes one first. */
  call(call: Call): Reply | Promise<Reply> {
    const channel = this.#channel
    return channel !== undefined && channel.state === 'ready' && !this.#closed
      ? channel.call(call)
      : this.#callLater(call)
  }

  /** HOT PATH. The same by callback, where the wire has that; returns false, having done nothing, where it has not. */
  send(call: Call, sink: ReplySink): boolean {
    const channel = this.#channel
    if (channel?.send === undefined || channel.state !== 'ready' || this.#closed) return false
    channel.send(call, sink)
    return true
  }

  /**
   * Connects in the background unless that is under way: calls go to endpoints that are ready, so one that is not would
   * never become so by itself. For an endpoint of rank 1.
   */
  prepare(): void {
    if (this.#preparing || this.#closed) return
    this.#preparing = true
    this.#reach().then(
      () => (this.#preparing = false),
      () => (this.#preparing = false),
    )
  }

  async #reach(): Promise<void> {
    await this.#ready()
    const { client } = this.#target.wire
    if (client?.over !== 'http' || client.versions[0] === '2' || this.rank === 0) return
    const stream = await this.#connectForPool()
    if (this.#closed) {
      stream.destroy()
      return
    }
    this.#spare = stream
    stream.once('close', () => {
      if (this.#spare === stream) this.#spare = undefined
    })
  }

  async #callLater(call: Call): Promise<Reply> {
    if (this.#closed) throw this.#closedError()
    if (this.#waiting >= this.#settings.waiting) {
      throw new CallError(
        'resource_exhausted',
        `${this.#target.label}: ${this.#waiting} calls are waiting for a connection already`,
        { processed: 'no', origin: 'downstream' },
      )
    }

    this.#waiting++
    try {
      const channel = await this.#readyFor(call)
      // Not awaited: from here on the call is the channel's, and waits no longer.
      return channel.call(call) as Promise<Reply>
    } finally {
      this.#waiting--
      if (this.#waiting === 0) this.#onNobodyWaits?.()
    }
  }

  /** A connection, or why there is none; the call's own end comes first. */
  #readyFor(call: Call): Promise<Channel> {
    return new Promise((resolve, reject) => {
      call.onCancel(reject)
      if (call.canceled !== undefined) return
      this.#ready()
        .then(resolve, reject)
        .finally(() => call.offCancel(reject))
    })
  }

  #ready(): Promise<Channel> {
    if (this.#channel?.state === 'ready') return Promise.resolve(this.#channel)
    return (this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    }))
  }

  async #connect(): Promise<Channel> {
    const channel = await this.#open()
    if (this.#ending.signal.aborted) {
      await channel.close(0)
      throw this.#closedError()
    }
    this.#channel = channel
    channel.onState(() => {
      if (channel.state !== 'ready' && this.#channel === channel) this.#channel = undefined
    })
    return channel
  }

  async #open(): Promise<Channel> {
    const { client } = this.#target.wire
    const options = this.#channelOptions()
    if (client === undefined) throw new TypeError(`the wire ${this.#target.wire.name} has no client half`)

    switch (client.over) {
      case 'own':
        return this.#guarded(() => client.dial(this.#target.url, options))
      case 'bytes':
        return this.#guarded(async () => {
          const stream = await this.#dial([client.alpn])
          const { signal } = this.#ending
          const stop = () => stream.destroy()
          signal.addEventListener('abort', stop, { once: true })
          try {
            return await client.open(stream, options)
          } catch (error) {
            stream.destroy()
            throw error
          } finally {
            signal.removeEventListener('abort', stop)
          }
        })
      case 'http':
        return client.versions[0] === '2'
          ? this.#guarded(() => this.#openHttp2(client, options))
          : this.#openHttp1(client, options)
    }
  }

  /** One connection for all calls. When it takes no more of them, the next call makes another. */
  async #openHttp2(client: HttpClient, options: ChannelOptions): Promise<Channel> {
    const { waiting: queue, limits, connectTimeout: timeout, keepalive } = this.#settings
    const { secure } = this.#target
    const stream = await this.#dial(['h2'])
    const { signal } = this.#ending
    const stop = () => stream.destroy()
    signal.addEventListener('abort', stop, { once: true })

    try {
      const transport = await connectHttp2(stream, { secure, limits, queue, timeout, keepalive })
      const channel = client.open(transport, options)
      // A connection that takes no more calls finishes those it has.
      const leave = () => void channel.close(longestGrace)
      transport.onState(leave)
      if (transport.state !== 'ready') leave()
      return channel
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #openHttp1(client: HttpClient, options: ChannelOptions): Channel {
    const { waiting: queue, limits } = this.#settings
    const { headerSize, stallTimeout } = limits
    const { secure } = this.#target
    const settings = { secure, headerSize, stallTimeout, queue }
    return client.open(
      http1Transport(() => this.#connectForPool(), settings),
      options,
    )
  }

  #connectForPool(): Promise<Duplex> {
    const spare = this.#spare
    this.#spare = undefined
    if (spare !== undefined && !spare.destroyed) return Promise.resolve(spare)
    return this.#guarded(() => this.#dial(['http/1.1']))
  }

  /** Counts failures, and refuses to try again before the back-off is over. */
  async #guarded<T>(run: () => Promise<T>): Promise<T> {
    const { clock, backoff: options } = this.#settings
    if (this.#lastFailure !== undefined && clock.now() < this.#retryAt) throw this.#lastFailure
    const before = this.#failures

    try {
      const result = await run()
      this.#failures = 0
      this.#lastFailure = undefined
      this.#reached = true
      return result
    } catch (error) {
      const failure = asUnavailable(error, this.#target.label)
      this.#reached = false
      // Attempts at the same time, as a pool makes them, fail together and count as one.
      if (this.#failures === before) {
        this.#failures++
        this.#retryAt = clock.read() + backoff(this.#failures, options)
        this.#lastFailure = failure
      }
      throw failure
    }
  }

  #dial(alpn: readonly string[]): Promise<Duplex> {
    const { tls, connectTimeout } = this.#settings
    const { signal } = this.#ending
    return dial(this.#target, { alpn, tls, timeout: connectTimeout, signal, resumption: this.#resumption })
  }

  #channelOptions(): ChannelOptions {
    const { contract, limits, clock, log } = this.#settings
    return { url: this.#target.url, peer: this.peer, contract, limits, clock, log }
  }

  #closedError(): CallError {
    return new CallError('unavailable', 'the client was closed', { processed: 'no', origin: 'downstream' })
  }

  /** Refuses new calls, waits for the open ones at most `grace` milliseconds, and closes the connection. */
  async close(grace: number): Promise<void> {
    const { clock } = this.#settings
    const end = clock.read() + grace
    this.#closed = true
    this.#spare?.destroy()

    if (this.#waiting > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, grace)
      this.#onNobodyWaits = resolve
      await promise
      clearTimeout(timer)
    }

    await this.#channel?.close(Math.max(0, end - clock.read()))
    this.#ending.abort()
    await this.#connecting?.catch(() => undefined)
  }
}

function asUnavailable(error: unknown, label: string): CallError {
  if (CallError.is(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new CallError('unavailable', `${label}: ${message}`, {
    processed: 'no',
    origin: 'downstream',
    cause: error,
  })
}
