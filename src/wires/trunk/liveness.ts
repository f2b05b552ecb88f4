/**
 * Whether the peer of a connection is still there: the handshake, a frame that was begun, silence while calls are open,
 * bytes that it does not take, and a connection that nobody uses. One timer for all of it, which is set when there is
 * something to wait for; a client's idle connection has none.
 */
import type { Clock } from '../../call/clock.ts'
import type { Limits } from '../../call/limits.ts'
import type { FrameReader } from './frames.ts'

/** The connection, as far as it is watched. */
export interface Watched {
  /** Calls open now. */
  readonly active: number
  /** Bytes the socket has not taken yet. */
  readonly backlog: number
  /** Whether nothing is read at present, so that silence says nothing. */
  readonly paused: boolean
  readonly reader: FrameReader
  ping(): void
  /** The peer is given up. */
  giveUp(reason: string): void
  /** Nothing was called for `limits.idleTimeout`. Asked only where idle connections are closed. */
  idle(): void
}

export class Liveness {
  readonly #watched: Watched
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #closesIdle: boolean

  #timer: NodeJS.Timeout | undefined
  /** When the timer fires. */
  #due = Infinity
  #watching = false
  #stopped = false
  #greetBy: number
  #heard: number
  #pinged = false
  /** When the socket last took bytes, or was given some after it had none. */
  #drained = 0
  /** The frame that is incomplete, by the reader's count, and since when it is. */
  #partial = 0
  #partialSince = 0

  constructor(watched: Watched, limits: Limits, clock: Clock, closesIdle: boolean) {
    this.#watched = watched
    this.#limits = limits
    this.#clock = clock
    this.#closesIdle = closesIdle
    this.#heard = clock.now()
    this.#greetBy = this.#heard + limits.headerTimeout
    this.#arm(this.#greetBy)
  }

  /** Bytes came in. */
  heard(): void {
    this.#heard = this.#clock.now()
    this.#pinged = false
  }

  /** All bytes that came in have been read; a frame may be incomplete. */
  read(): void {
    const { reader } = this.#watched
    if (!reader.partial) return

    if (reader.begun !== this.#partial) {
      this.#partial = reader.begun
      this.#partialSince = this.#heard
    }
    this.#arm(this.#partialSince + this.#limits.headerTimeout)
  }

  /** The handshake is over. */
  greeted(): void {
    this.#greetBy = Infinity
    if (this.#closesIdle) this.#arm(this.#heard + this.#limits.idleTimeout)
  }

  /** The socket has taken bytes. */
  drained(): void {
    this.#drained = this.#clock.now()
  }

  /** From now on the peer must show that it is alive: a call is open, or bytes wait for it. */
  watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#arm(this.#clock.now() + this.#limits.stallTimeout / 2)
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(at: number): void {
    if (at >= this.#due || this.#stopped) return
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#due = at
    const delay = Math.max(1, Math.min(at - this.#clock.now(), 2 ** 31 - 1))
    this.#timer = setTimeout(this.#fired, delay)
    this.#timer.unref()
  }

  readonly #fired = (): void => {
    this.#timer = undefined
    this.#due = Infinity
    // What has arrived while this process was busy counts: it is read first.
    setImmediate(this.#check)
  }

  readonly #check = (): void => {
    if (this.#stopped) return
    const now = this.#clock.now()
    const { headerTimeout, idleTimeout } = this.#limits
    const { reader, active, backlog } = this.#watched

    if (now >= this.#greetBy) {
      this.#watched.giveUp(`no handshake within ${headerTimeout} ms`)
      return
    }
    if (this.#greetBy !== Infinity) this.#arm(this.#greetBy)

    if (reader.partial && reader.begun === this.#partial) {
      if (now - this.#partialSince >= headerTimeout) {
        this.#watched.giveUp(`a frame was begun and not ended within ${headerTimeout} ms`)
        return
      }
      this.#arm(this.#partialSince + headerTimeout)
    }

    this.#watching = active > 0 || backlog > 0
    if (this.#watching) {
      this.#checkAlive(now)
    } else if (this.#closesIdle && this.#greetBy === Infinity) {
      if (now - this.#heard >= idleTimeout) this.#watched.idle()
      else this.#arm(this.#heard + idleTimeout)
    }
  }

  #checkAlive(now: number): void {
    const { stallTimeout } = this.#limits
    const { backlog, paused } = this.#watched

    if (backlog > 0 && now - this.#drained >= stallTimeout) {
      this.#watched.giveUp(`the peer has read nothing for ${stallTimeout} ms`)
      return
    }

    const silence = paused ? 0 : now - this.#heard

    if (silence >= stallTimeout && this.#pinged) {
      this.#watched.giveUp(`the peer has not answered a ping, and was silent for ${stallTimeout} ms`)
      return
    }

    if (silence >= stallTimeout / 2 && !this.#pinged && this.#greetBy === Infinity) {
      this.#pinged = true
      this.#watched.ping()
    }

    this.#arm(now + stallTimeout / 4)
  }
}
