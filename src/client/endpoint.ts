/**
 * One address: connects when the first call comes, again after the connection was lost, with jittered back-off while
 * that fails, and keeps calls waiting within bounds meanwhile.
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
import type { Channel, ChannelOptions } from '../wires/wire.ts'
import { type BackoffOptions, backoff } from './backoff.ts'
import { type Balanced, LoadEstimate } from './balancer.ts'
import { type ClientTlsOptions, dial } from './dial.ts'
import type { Target } from './target.ts'

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
  /** Whether calls wait for their deadline while the endpoint cannot be reached, instead of failing at once. */
  readonly waitForReady: boolean
}

export class Endpoint implements Balanced {
  readonly estimate = new LoadEstimate()
  readonly peer: Peer
  readonly #target: Target
  readonly #settings: EndpointSettings
  #channel: Channel | undefined
  #connecting: Promise<Channel> | undefined
  #failures = 0
  #retryAt = 0
  #lastFailure: CallError | undefined
  #waiting = 0
  #closed = false

  constructor(target: Target, settings: EndpointSettings) {
    this.#target = target
    this.#settings = settings
    this.peer = { address: target.label, wire: target.wire.name, secure: target.secure }
  }

  get rank(): 0 | 1 | 2 {
    if (this.#failures > 0) return this.#settings.clock.now() < this.#retryAt ? 2 : 1
    return this.#channel?.state === 'ready' ? 0 : 1
  }

  /** HOT PATH. Gives a call to the connection, or makes one first. */
  call(call: Call): Reply | Promise<Reply> {
    call.peer = this.peer
    const channel = this.#channel
    return channel !== undefined && channel.state === 'ready' ? channel.call(call) : this.#callLater(call)
  }

  async #callLater(call: Call): Promise<Reply> {
    if (this.#waiting >= this.#settings.waiting) {
      throw new CallError(
        'resource_exhausted',
        `${this.#target.label}: ${this.#waiting} calls are waiting for a connection already`,
        { processed: 'no', origin: 'downstream' },
      )
    }

    this.#waiting++
    let channel: Channel
    try {
      channel = await this.#readyFor(call)
    } finally {
      this.#waiting--
    }
    return channel.call(call)
  }

  /** A connection, or why there is none; the call's own end comes first. */
  #readyFor(call: Call): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void) => {
        call.offCancel(canceled)
        run()
      }
      const canceled = (why: CallError) => reject(why)
      call.onCancel(canceled)

      const attempt = (): void => {
        if (call.canceled !== undefined) return
        this.#ready().then(
          (channel) => settle(() => resolve(channel)),
          (error: CallError) => {
            if (!this.#settings.waitForReady || this.#closed) settle(() => reject(error))
            else setTimeout(attempt, Math.max(1, this.#retryAt - performance.now()))
          },
        )
      }
      attempt()
    })
  }

  #ready(): Promise<Channel> {
    if (this.#closed) return Promise.reject(this.#closedError())
    if (this.#channel?.state === 'ready') return Promise.resolve(this.#channel)
    return (this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    }))
  }

  async #connect(): Promise<Channel> {
    const channel = await this.#open()
    if (this.#closed) {
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
          try {
            return await client.open(stream, options)
          } catch (error) {
            stream.destroy()
            throw error
          }
        })
      case 'http': {
        const { headerSize, stallTimeout } = this.#settings.limits
        const connect = (): Promise<Duplex> => this.#guarded(() => this.#dial(['http/1.1']))
        return client.open(
          http1Transport(connect, { secure: this.#target.secure, headerSize, stallTimeout }),
          options,
        )
      }
    }
  }

  /** Counts failures, and refuses to try again before the back-off is over. */
  async #guarded<T>(run: () => Promise<T>): Promise<T> {
    const { clock, backoff: options } = this.#settings
    if (this.#lastFailure !== undefined && clock.now() < this.#retryAt) throw this.#lastFailure

    try {
      const result = await run()
      this.#failures = 0
      this.#lastFailure = undefined
      return result
    } catch (error) {
      this.#failures++
      this.#retryAt = clock.now() + backoff(this.#failures, options)
      this.#lastFailure = asUnavailable(error, this.#target.label)
      throw this.#lastFailure
    }
  }

  #dial(alpn: readonly string[]): Promise<Duplex> {
    const { tls, connectTimeout } = this.#settings
    return dial(this.#target, { alpn, tls, timeout: connectTimeout })
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
    this.#closed = true
    const channel = this.#channel
    this.#channel = undefined
    await Promise.all([
      channel?.close(grace),
      this.#connecting?.then(
        (late) => late.close(grace),
        () => undefined,
      ),
    ])
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
