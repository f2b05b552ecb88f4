/**
 * HOT PATH. One trunk connection, on either side: the I/O shell. It turns bytes into frames, gathers what goes out and
 * flushes it, shares the way out among large messages, keeps the connection's credit, and watches that the peer is
 * alive. What frames of calls mean is its role's business (server.ts, client.ts). Guarded by `bench/scenarios/trunk`.
 *
 * Flushing: once a turn of the event loop, and in between when a good part of what a turn usually brings has gathered,
 * so that both sides work at the same time instead of in lock-step; not while the socket has bytes waiting.
 *
 * Longer than others: it is a state machine (greeting, open, closing, closed) with its timers.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../../call/clock.ts'
import { CallError } from '../../call/error.ts'
import type { Limits } from '../../call/limits.ts'
import type { Writer } from '../../codec/writer.ts'
import { Budget } from './budget.ts'
import { Cursor, writeText, writeVarint } from './fields.ts'
import {
  FrameReader,
  type FrameSink,
  beginFrame,
  finishFrame,
  flag,
  fragmentSize,
  frameType,
} from './frames.ts'
import type { Settings } from './hello.ts'
import type { Outgoing, Outlet } from './outgoing.ts'
import { ProtocolError } from './protocol-error.ts'
import { ReceiveWindow, largestCredit } from './window.ts'
import type { Writers } from './writers.ts'

/**
 * Bytes on their way into the socket beyond which streams are not pulled, and beyond which large messages wait; the
 * second is less, so that large messages leave room for small ones.
 */
const backlogForStreams = 256 * 1024
const backlogForFragments = 128 * 1024

/** The same beyond which a server reads nothing more, since whoever asks without reading answers must not be served. */
const backlogForReading = 1024 * 1024

/** Messages from this size on take their buffer along when they have to wait. */
const worthABuffer = 8 * 1024

/** How long a peer that was told why may take to close, in milliseconds. */
const closingTime = 1000

/** Why a connection ends, as GOAWAY says it. */
export const goawayCode = {
  /** Nothing is wrong: a server that closes, a connection nobody uses. */
  leaving: 0,
  /** The peer broke the protocol. */
  protocol: 1,
  /** No common version, or no common contract. */
  refused: 2,
  /** The peer was silent for too long. */
  silent: 3,
  /** The peer asked for too much. */
  flood: 4,
  /** This side has failed. */
  failed: 5,
} as const

/** What a connection is used for: the server's or the client's half. */
export interface Role {
  /** Calls open now. */
  readonly active: number
  /** Whether calls are all the peer is kept for: a server closes a connection that nobody uses. */
  readonly closesIdle: boolean
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void
  /** Credit for one stream. */
  credit(id: number, bytes: number): void
  /** The connection has not been used for `limits.idleTimeout`. */
  idle(): void
  /** Something was thrown that is no error of a call, nor one of the peer. */
  failed(error: unknown): void
  /** The peer is being disconnected for what it did. */
  refused(reason: string): void
  /** No frame comes or goes any more; open calls end with `why`. */
  ended(why: CallError): void
  /** The stream is gone. */
  gone(): void
}

export interface ConnectionOptions {
  readonly limits: Limits
  readonly settings: Settings
  readonly clock: Clock
  readonly writers: Writers
  /** Bytes that come before the first frame. */
  readonly preface: Buffer | undefined
  /** The largest first frame. */
  readonly firstFrame: number
}

export class Connection implements FrameSink, Outlet {
  readonly cursor = new Cursor()
  readonly #duplex: Duplex
  readonly #role: Role
  readonly #options: ConnectionOptions
  readonly #reader: FrameReader
  readonly #window: ReceiveWindow
  readonly #budget: Budget

  /** True once frames are neither read nor written. */
  closed = false
  /** What the peer accepts; there once it has said hello. */
  peer: Settings | undefined
  /** Bytes of messages that the peer allows on this connection. */
  credit = 0
  /** Client: OPENs that were written, and of these, handed to the socket. */
  opens = 0
  opensFlushed = 0
  /** Bytes of large messages that wait for credit. */
  waiting = 0

  #preface: Buffer | undefined
  #prefaceRead = 0

  #writer: Writer | undefined
  readonly #inFlight: Writer[] = []
  #scheduled = false
  #reading = false
  #threshold = 2048
  #perTurn = 0
  #thisTurn = 0
  #paused = false

  /** Streams with a large message to send, in turn. */
  #queue: Outgoing[] = []
  /** Streams that wait for credit or for the socket. */
  #blocked = new Set<Outgoing>()

  #timer: NodeJS.Timeout | undefined
  #due = Infinity
  #watching = false
  #heard: number
  #pinged = false
  #drained = 0
  #partial = 0
  #partialSince = 0
  #greetBy: number

  constructor(duplex: Duplex, role: Role, options: ConnectionOptions) {
    this.#duplex = duplex
    this.#role = role
    this.#options = options
    this.#preface = options.preface
    this.#reader = new FrameReader(options.firstFrame)
    this.#window = new ReceiveWindow(options.settings.connectionWindow)
    const now = options.clock.now()
    this.#heard = now
    this.#budget = new Budget(4 * options.settings.streams + 256, options.settings.streams + 64, now)
    this.#greetBy = now + options.limits.headerTimeout
    this.#arm(this.#greetBy)

    duplex.on('data', this.#onData)
    duplex.on('end', this.#onEnd)
    duplex.on('error', this.#onError)
    duplex.on('close', this.#onClose)
  }

  // ── in ──

  readonly #onData = (chunk: Buffer): void => {
    if (this.closed) return
    this.#heard = this.#options.clock.now()
    this.#pinged = false

    this.#reading = true

    try {
      const rest = this.#preface === undefined ? chunk : this.#skipPreface(this.#preface, chunk)
      if (rest.length > 0) this.#reader.read(rest, this)
      if (this.#reader.partial) this.#watchPartial()
    } catch (error) {
      if (error instanceof ProtocolError) this.refuse(goawayCode.protocol, error.message)
      else this.#fail(error)
    } finally {
      this.#reading = false
    }

    if (this.#role.active <= 1) this.#endTurn()
    else if (!this.#scheduled && this.#writer !== undefined) this.#schedule()
  }

  /** A mistake of our own, or of a listener of a call: it costs this connection, and not the process. */
  #fail(error: unknown): void {
    this.#role.failed(error)
    this.refuse(goawayCode.failed, 'internal error')
  }

  #skipPreface(preface: Buffer, chunk: Buffer): Buffer {
    let at = 0

    while (this.#prefaceRead < preface.length && at < chunk.length) {
      if (chunk[at] !== preface[this.#prefaceRead])
        throw new ProtocolError('the connection does not begin as trunk')
      this.#prefaceRead++
      at++
    }

    if (this.#prefaceRead === preface.length) this.#preface = undefined
    return chunk.subarray(at)
  }

  #watchPartial(): void {
    if (this.#reader.begun !== this.#partial) {
      this.#partial = this.#reader.begun
      this.#partialSince = this.#heard
    }
    this.#arm(this.#partialSince + this.#options.limits.headerTimeout)
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case frameType.credit:
        this.#onCredit(id, bytes, start, end)
        return
      case frameType.ping:
        this.#onPing(bytes, start, end)
        return
      case frameType.pong:
        this.spend(1)
        return
      default:
        this.#role.frame(type, flags, id, bytes, start, end)
    }
  }

  #onCredit(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ProtocolError(`a CREDIT of ${end - start} bytes, and it has 4`)
    const credit = bytes.readUInt32BE(start)
    if (credit === 0 || credit > largestCredit) throw new ProtocolError(`a CREDIT over ${credit} bytes`)

    if (id !== 0) {
      this.#role.credit(id, credit)
      return
    }

    if (this.credit + credit > largestCredit) throw new ProtocolError('more credit than 2^31 - 1')
    this.credit += credit
    this.#sendFragments()
    this.#wakeBlocked()
  }

  #onPing(bytes: Buffer, start: number, end: number): void {
    if (end - start !== 8) throw new ProtocolError(`a PING of ${end - start} bytes, and it has 8`)
    if (!this.spend(4)) return
    const writer = this.begin(frameType.pong, 0, 0)
    writer.reserve(8)
    bytes.copy(writer.bytes, writer.position, start, end)
    writer.position += 8
    this.commit(writer)
  }

  /** Takes from what the peer may make this side do for nothing; refuses the peer, and says so, when that is used up. */
  spend(tokens: number): boolean {
    if (this.#budget.take(tokens, this.#options.clock.now())) return true
    this.refuse(goawayCode.flood, 'too many pings, cancelled or refused calls, or empty frames')
    return false
  }

  /** `size` bytes of messages came in. */
  received(size: number): void {
    if (!this.#window.receive(size)) throw new ProtocolError('more bytes than the credit of the connection')
  }

  /** `size` bytes of messages that came in are dealt with. */
  release(size: number): void {
    const granted = this.#window.release(size)
    if (granted > 0) this.grant(0, granted)
  }

  /** Allows the peer more bytes on a stream, or, with 0, on the connection. */
  grant(id: number, bytes: number): void {
    if (this.closed) return
    const writer = this.begin(frameType.credit, 0, id)
    writer.reserve(4)
    writer.bytes.writeUInt32BE(bytes, writer.position)
    writer.position += 4
    this.commit(writer)
  }

  /** The peer has said hello. */
  greeted(peer: Settings): void {
    this.peer = peer
    this.credit = peer.connectionWindow
    this.#greetBy = Infinity
    this.#reader.limit = this.#options.settings.frameSize
    if (this.#role.closesIdle) this.#arm(this.#heard + this.#options.limits.idleTimeout)
  }

  // ── out ──

  #frameStart = 0

  /** Writes what is no frame: the magic before the first one. */
  preface(bytes: Buffer): void {
    const { writer } = this
    writer.reserve(bytes.length)
    bytes.copy(writer.bytes, writer.position)
    writer.position += bytes.length
  }

  /** Begins a frame; `commit` ends it, or `rollback` takes it back. Nothing else may be written in between. */
  begin(type: number, flags: number, id: number): Writer {
    const { writer } = this
    this.#frameStart = beginFrame(writer, type, flags, id)
    return writer
  }

  /** Where frames are being written now. */
  get writer(): Writer {
    return (this.#writer ??= this.#options.writers.take())
  }

  /** Where the frame that was begun last starts. */
  get frameStart(): number {
    return this.#frameStart
  }

  /** Ends the frame that was begun. It leaves with what else this turn brings. */
  commit(writer: Writer): void {
    finishFrame(writer, this.#frameStart)
    if (!this.#scheduled && !this.#reading) this.#schedule()
    if (writer.position >= this.#threshold && this.#duplex.writableLength === 0) this.#flush()
  }

  /** The same for a unary call's frame: the only call there is waits for no others to share its flush. */
  commitUnary(writer: Writer): void {
    if (this.#role.active > 1 || this.#reading) {
      this.commit(writer)
      return
    }

    finishFrame(writer, this.#frameStart)
    this.#endTurn()
  }

  #schedule(): void {
    this.#scheduled = true
    setImmediate(this.#flushTurn)
  }

  rollback(writer: Writer): void {
    writer.position = this.#frameStart
  }

  /**
   * Takes out of the frame that was begun what was written from `at` on, to be sent later, and keeps what is before
   * `keep`. A large message is not copied: its buffer goes with it, and the connection goes on with another.
   */
  takeOut(writer: Writer, at: number, keep: number): Buffer {
    const bytes = writer.bytes.subarray(at, writer.position)

    if (bytes.length < worthABuffer) {
      writer.position = keep
      return Buffer.from(bytes)
    }

    const next = this.#options.writers.take()
    next.reserve(keep)
    writer.bytes.copy(next.bytes, 0, 0, keep)
    next.position = keep
    this.#writer = next
    return bytes
  }

  readonly #flushTurn = (): void => {
    this.#scheduled = false
    this.#endTurn()
  }

  #endTurn(): void {
    this.#flush()
    this.#perTurn += (this.#thisTurn - this.#perTurn) / 8
    this.#thisTurn = 0
    this.#threshold = Math.max(2048, Math.min(this.#perTurn / 4, 16_384))
  }

  #flush(): void {
    const writer = this.#writer
    if (writer === undefined || writer.position === 0) return
    this.#writer = undefined
    this.#thisTurn += writer.position
    this.opensFlushed = this.opens

    if (this.#duplex.destroyed || this.#duplex.writableEnded) return
    if (this.#inFlight.length === 0) this.#drained = this.#options.clock.now()
    this.#inFlight.push(writer)
    this.#duplex.write(writer.written(), this.#onWritten)

    const backlog = this.#duplex.writableLength
    if (backlog === 0) return
    this.watch()
    if (backlog > backlogForReading && this.#role.closesIdle && !this.#paused) {
      this.#paused = true
      this.#duplex.pause()
    }
  }

  readonly #onWritten = (): void => {
    const writer = this.#inFlight.shift()
    if (writer !== undefined) this.#options.writers.give(writer)
    if (this.#queue.length === 0 && this.#blocked.size === 0 && !this.#paused) {
      if (this.#inFlight.length > 0) this.#drained = this.#options.clock.now()
      return
    }

    this.#drained = this.#options.clock.now()
    const backlog = this.#duplex.writableLength

    if (this.#paused && backlog < backlogForStreams) {
      this.#paused = false
      this.#duplex.resume()
    }

    if (this.closed || !this.writable) return
    this.#sendFragments()
    this.#wakeBlocked()
  }

  get #backlog(): number {
    return this.#duplex.writableLength + (this.#writer?.position ?? 0)
  }

  /** Whether a message of a stream may be made and written. */
  get writable(): boolean {
    return this.credit > 0 && this.#backlog < backlogForStreams
  }

  await(outgoing: Outgoing): void {
    this.#blocked.add(outgoing)
  }

  #wakeBlocked(): void {
    if (this.#blocked.size === 0) return
    const blocked = [...this.#blocked]
    this.#blocked.clear()
    for (const outgoing of blocked) outgoing.wake()
  }

  enqueue(outgoing: Outgoing): void {
    if (outgoing.queued) return
    outgoing.queued = true
    this.#queue.push(outgoing)
    this.#sendFragments()
  }

  dropped(bytes: number): void {
    this.waiting -= bytes
  }

  /** Large messages: a fragment of each in turn, as far as credit and socket allow. */
  #sendFragments(): void {
    while (this.#queue.length > 0 && !this.closed) {
      if (this.#backlog >= backlogForFragments) return
      const outgoing = this.#queue[0] as Outgoing
      const { pending } = outgoing

      if (pending === undefined || outgoing.over) {
        this.#queue.shift()
        outgoing.queued = false
        continue
      }

      const rest = pending.bytes.length - pending.at
      const size = Math.min(rest, fragmentSize, outgoing.credit, this.credit)
      if (this.credit <= 0 && rest > 0) return
      this.#queue.shift()

      if (size <= 0 && rest > 0) {
        // Comes back with the stream's next credit.
        outgoing.queued = false
        continue
      }

      this.#sendFragment(outgoing, pending, size, size === rest)
    }
  }

  #sendFragment(
    outgoing: Outgoing,
    pending: NonNullable<Outgoing['pending']>,
    size: number,
    whole: boolean,
  ): void {
    const flags = flag.message | (whole ? (pending.last ? flag.end : 0) : flag.more)
    const writer = this.begin(frameType.data, flags, outgoing.id)
    if (whole && pending.trailers !== undefined) {
      const more = pending.trailers(writer)
      writer.bytes[this.#frameStart + 4] = flags | more
    }

    writer.reserve(size)
    pending.bytes.copy(writer.bytes, writer.position, pending.at, pending.at + size)
    writer.position += size
    pending.at += size
    outgoing.credit -= size
    this.credit -= size
    this.waiting -= size
    this.commit(writer)

    if (whole) {
      outgoing.pending = undefined
      outgoing.queued = false
      pending.written()
      outgoing.wake()
    } else {
      this.#queue.push(outgoing)
    }
  }

  // ── life ──

  /** From now on the peer must show that it is alive: a call is open, or bytes wait for it. */
  watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#arm(this.#options.clock.now() + this.#options.limits.stallTimeout / 2)
  }

  #arm(at: number): void {
    if (at >= this.#due) return
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#due = at
    this.#timer = setTimeout(this.#check, Math.max(1, Math.min(at - this.#options.clock.now(), 2 ** 31 - 1)))
    this.#timer.unref()
  }

  readonly #check = (): void => {
    this.#timer = undefined
    this.#due = Infinity
    if (this.closed) return
    // What has arrived while this process was busy counts: it is read first.
    setImmediate(this.#checkNow)
  }

  readonly #checkNow = (): void => {
    if (this.closed) return
    const { limits, clock } = this.#options
    const now = clock.now()

    if (now >= this.#greetBy) {
      this.refuse(goawayCode.silent, `no handshake within ${limits.headerTimeout} ms`)
      return
    }
    if (this.#greetBy !== Infinity) this.#arm(this.#greetBy)

    if (this.#reader.partial && this.#reader.begun === this.#partial) {
      if (now - this.#partialSince >= limits.headerTimeout) {
        this.refuse(goawayCode.silent, `a frame was begun and not ended within ${limits.headerTimeout} ms`)
        return
      }
      this.#arm(this.#partialSince + limits.headerTimeout)
    }

    this.#watching = this.#role.active > 0 || this.#duplex.writableLength > 0
    if (this.#watching) this.#checkAlive(now, limits.stallTimeout)
    else if (this.#role.closesIdle && this.peer !== undefined) this.#checkIdle(now, limits.idleTimeout)
  }

  #checkAlive(now: number, stallTimeout: number): void {
    if (this.#duplex.writableLength > 0 && now - this.#drained >= stallTimeout) {
      this.refuse(goawayCode.silent, `the peer has read nothing for ${stallTimeout} ms`)
      return
    }

    const silence = this.#paused ? 0 : now - this.#heard

    if (silence >= stallTimeout && this.#pinged) {
      this.refuse(
        goawayCode.silent,
        `the peer has not answered a ping, and was silent for ${stallTimeout} ms`,
      )
      return
    }

    if (silence >= stallTimeout / 2 && !this.#pinged && this.peer !== undefined) {
      this.#pinged = true
      const writer = this.begin(frameType.ping, 0, 0)
      writer.reserve(8)
      writer.bytes.writeDoubleBE(now, writer.position)
      writer.position += 8
      this.commit(writer)
    }

    this.#arm(now + stallTimeout / 4)
  }

  #checkIdle(now: number, idleTimeout: number): void {
    if (now - this.#heard >= idleTimeout) this.#role.idle()
    else this.#arm(this.#heard + idleTimeout)
  }

  /** Tells the peer that the connection closes (`final`) or takes no new calls, and why. */
  goaway(code: number, final: boolean, reason: string): void {
    const writer = this.begin(frameType.goaway, final ? flag.end : 0, 0)
    writeVarint(writer, code)
    writeVarint(writer, this.opens)
    writeText(writer, reason.length > 1000 ? reason.slice(0, 1000) : reason)
    this.commit(writer)
  }

  /** Ends a connection whose peer cannot be talked to, and tells it why. */
  refuse(code: number, reason: string): void {
    if (this.closed) return
    this.#role.refused(reason)
    this.goaway(code, true, reason)
    this.#end(new CallError('unavailable', `trunk: ${reason}`), true)
  }

  /** Ends a connection on which nothing is open, after what was written has gone out. */
  finish(reason: string): void {
    if (this.closed) return
    this.goaway(goawayCode.leaving, true, reason)
    this.#end(new CallError('unavailable', `trunk: ${reason}`), true)
  }

  /** The peer has said that it closes the connection. */
  cut(why: CallError): void {
    this.#end(why, true)
  }

  #end(why: CallError, orderly: boolean): void {
    if (this.closed) return
    this.#flush()
    this.closed = true
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    for (const outgoing of [...this.#queue, ...this.#blocked]) outgoing.close()
    this.#queue = []
    this.#blocked.clear()
    this.#role.ended(why)

    const duplex = this.#duplex
    if (!orderly || duplex.destroyed) {
      duplex.destroy()
      return
    }

    // What still comes is read and dropped: a reset would overtake the reason.
    duplex.end()
    if (this.#paused) duplex.resume()
    const timer = setTimeout(() => duplex.destroy(), closingTime)
    duplex.once('close', () => clearTimeout(timer))
  }

  readonly #onEnd = (): void => {
    this.#end(new CallError('unavailable', 'trunk: the peer has closed the connection'), true)
    if (this.#duplex.writableFinished) this.#duplex.destroy()
    else this.#duplex.once('finish', () => this.#duplex.destroy())
  }

  readonly #onError = (error: Error): void => {
    this.#end(
      new CallError('unavailable', `trunk: the connection is lost: ${error.message}`, { cause: error }),
      false,
    )
  }

  readonly #onClose = (): void => {
    this.#end(new CallError('unavailable', 'trunk: the connection is lost'), false)
    if (this.#writer !== undefined) this.#options.writers.give(this.#writer)
    this.#writer = undefined
    this.#role.gone()
  }
}
