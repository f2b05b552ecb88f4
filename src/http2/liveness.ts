/**
 * Whether the peer of a connection is still there, and does its part in time: the handshake, a head that was begun, silence
 * while streams are open, bytes that it does not take, a connection that nobody uses, and the wait for its end. The process's
 * ticker looks at each connection now and then; nothing here is done per frame but to note the time of the last tick.
 */
import type { Ticker, Timed } from '../http/ticker.ts'
import { errorCode } from './frames.ts'
import type { Http2Limits } from './limits.ts'

/** The connection, as far as it is watched. */
export interface Watched {
  readonly closed: boolean
  /** Streams open now. */
  readonly active: number
  /** Bytes the socket has not taken yet. */
  readonly backlog: number
  /** Whether nothing is read at present, so that silence says nothing. */
  readonly paused: boolean
  readonly greeted: boolean
  readonly awaitsSettingsAck: boolean
  /** Names the head that is incomplete; 0: there is none. */
  readonly partialHead: number
  pingPeer(): void
  /** Resets streams whose answer finds no taker. */
  sweep(): void
  idle(): void
  fail(code: number, message: string): void
  /** The peer is given up. */
  giveUp(message: string): void
}

/** The longest time between two looks, in milliseconds. */
const longestPause = 5_000

export class Liveness implements Timed {
  deadline = Number.POSITIVE_INFINITY
  readonly #watched: Watched
  readonly #limits: Http2Limits
  readonly #ticker: Ticker
  readonly #pause: number
  readonly #born: number
  #heard: number
  #pingedAt = 0
  #settingsSentAt: number
  #headSince = 0
  #head = 0
  #drainedAt: number
  #sweptAt: number
  #quietSince: number
  #lingersUntil = 0
  #stopped = false

  constructor(watched: Watched, limits: Http2Limits, ticker: Ticker) {
    this.#watched = watched
    this.#limits = limits
    this.#ticker = ticker
    // The ticker's clock stands still while it has nobody to watch.
    ticker.add(this)
    const { now } = ticker
    this.#born = now
    this.#heard = now
    this.#settingsSentAt = now
    this.#drainedAt = now
    this.#sweptAt = now
    this.#quietSince = now
    const shortest = Math.min(
      limits.firstByteTimeout,
      limits.settingsTimeout,
      limits.headerTimeout,
      limits.idleTimeout,
      limits.stallTimeout,
      limits.keepaliveTime,
      limits.keepaliveTimeout,
    )
    this.#pause = Math.min(shortest / 4, longestPause)
    this.deadline = now + this.#pause
  }

  /** Bytes came in. */
  heard(): void {
    this.#heard = this.#ticker.now
    this.#pingedAt = 0
  }

  settingsSent(): void {
    this.#settingsSentAt = this.#ticker.now
  }

  /** The socket has taken bytes. */
  drained(): void {
    this.#drainedAt = this.#ticker.now
  }

  /** The last stream is over. */
  quiet(): void {
    this.#quietSince = this.#ticker.now
  }

  /** All is said; the peer has a moment to close. */
  linger(): void {
    this.#lingersUntil = this.#ticker.after(this.#limits.lingerTimeout)
    this.deadline = this.#lingersUntil
  }

  stop(): void {
    this.#stopped = true
    this.#ticker.remove(this)
  }

  expire(): void {
    this.deadline = this.#ticker.now + this.#pause
    // What has arrived while this process was busy counts: it is read first.
    setImmediate(this.#check)
  }

  readonly #check = (): void => {
    if (this.#stopped) return
    const watched = this.#watched
    const { now } = this.#ticker
    if (watched.closed) {
      if (now >= this.#lingersUntil) watched.giveUp('the peer has not closed the connection')
      else this.deadline = this.#lingersUntil
      return
    }
    if (this.#checkHandshake(now) && this.#checkHead(now) && this.#checkSocket(now)) this.#checkUse(now)
  }

  #checkHandshake(now: number): boolean {
    const { firstByteTimeout, settingsTimeout } = this.#limits
    if (!this.#watched.greeted && now - this.#born >= firstByteTimeout) {
      this.#watched.fail(errorCode.protocolError, `no preface and SETTINGS within ${firstByteTimeout} ms`)
      return false
    }
    if (this.#watched.awaitsSettingsAck && now - this.#settingsSentAt >= settingsTimeout) {
      this.#watched.fail(errorCode.settingsTimeout, `SETTINGS not acknowledged within ${settingsTimeout} ms`)
      return false
    }
    return true
  }

  #checkHead(now: number): boolean {
    const { partialHead } = this.#watched
    if (partialHead === 0) {
      this.#head = 0
      return true
    }
    if (this.#head !== partialHead) {
      this.#head = partialHead
      this.#headSince = now
    }
    const { headerTimeout } = this.#limits
    if (now - this.#headSince < headerTimeout) return true
    this.#watched.fail(errorCode.enhanceYourCalm, `a head was begun and not ended within ${headerTimeout} ms`)
    return false
  }

  #checkSocket(now: number): boolean {
    const { stallTimeout } = this.#limits
    const watched = this.#watched
    if (watched.backlog === 0) this.#drainedAt = now
    else if (now - this.#drainedAt >= stallTimeout) {
      watched.giveUp(`the peer has read nothing for ${stallTimeout} ms`)
      return false
    }
    if (now - this.#sweptAt >= stallTimeout) {
      this.#sweptAt = now
      watched.sweep()
    }
    return true
  }

  #checkUse(now: number): void {
    const { idleTimeout, keepaliveTime, keepaliveTimeout } = this.#limits
    const watched = this.#watched
    if (watched.active === 0) {
      this.#pingedAt = 0
      if (now - this.#quietSince >= idleTimeout) watched.idle()
      return
    }
    if (watched.paused) return
    if (this.#pingedAt > 0) {
      if (now - this.#pingedAt < keepaliveTimeout) return
      watched.giveUp(`the peer has not answered a PING within ${keepaliveTimeout} ms`)
    } else if (now - this.#heard >= keepaliveTime) {
      this.#pingedAt = now
      watched.pingPeer()
    }
  }
}
