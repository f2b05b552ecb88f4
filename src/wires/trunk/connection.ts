/**
 * HOT PATH. One trunk connection, on either side: the I/O shell. It turns bytes into frames, answers those that concern
 * the connection, keeps what the peer may send, and ends it for a reason. What goes out is outbox.ts, whether the peer is
 * alive liveness.ts, and what frames of calls mean its role's business (server.ts, client.ts).
 * Guarded by `bench/scenarios/trunk`.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../../call/clock.ts'
import { CallError } from '../../call/error.ts'
import type { Limits } from '../../call/limits.ts'
import { Budget } from './budget.ts'
import { Cursor, writeText, writeVarint } from './fields.ts'
import { FrameReader, type FrameSink, flag, fragmentSize, frameType } from './frames.ts'
import type { Settings } from './hello.ts'
import { Liveness, type Watched } from './liveness.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import { Partials } from './partials.ts'
import { ProtocolError } from './protocol-error.ts'
import { ReceiveWindow, largestCredit } from './window.ts'
import type { Writers } from './writers.ts'

/**
 * Bytes waiting for the socket beyond which a server reads nothing more, since whoever asks without reading answers must
 * not be served, and below which it reads again.
 */
const backlogForReading = 1024 * 1024
const backlogToReadAgain = 256 * 1024

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

export class Connection implements FrameSink, OutboxOwner, Watched {
  readonly cursor = new Cursor()
  readonly out: Outbox
  readonly reader: FrameReader
  readonly partials: Partials
  readonly #duplex: Duplex
  readonly #role: Role
  readonly #options: ConnectionOptions
  readonly #liveness: Liveness
  readonly #window: ReceiveWindow
  readonly #budget: Budget

  /** True once frames are neither read nor written. */
  closed = false
  /** Whether nothing is read until the peer has read. */
  paused = false
  /** What the peer accepts; there once it has said hello. */
  peer: Settings | undefined
  #preface: Buffer | undefined
  #prefaceRead = 0

  constructor(duplex: Duplex, role: Role, options: ConnectionOptions) {
    const { limits, settings, clock, writers } = options
    this.#duplex = duplex
    this.#role = role
    this.#options = options
    this.#preface = options.preface
    this.reader = new FrameReader(options.firstFrame)
    this.out = new Outbox(duplex, writers, this)
    this.#liveness = new Liveness(this, limits, clock, role.closesIdle)
    this.partials = new Partials(settings.connectionWindow)
    this.#window = new ReceiveWindow(settings.connectionWindow)
    this.#budget = new Budget(4 * settings.streams + 256, settings.streams + 64, clock.now())

    duplex.on('data', this.#onData)
    duplex.on('end', this.#onEnd)
    duplex.on('error', this.#onError)
    duplex.on('close', this.#onClose)
  }

  // ── in ──

  readonly #onData = (chunk: Buffer): void => {
    if (this.closed) return
    this.#liveness.heard()
    this.out.beginReading()

    try {
      const rest = this.#preface === undefined ? chunk : this.#skipPreface(this.#preface, chunk)
      if (rest.length > 0) this.reader.read(rest, this)
      this.#liveness.read()
    } catch (error) {
      if (error instanceof ProtocolError) this.refuse(goawayCode.protocol, error.message)
      else this.#fail(error)
    }

    this.out.endReading()
  }

  /** A mistake of our own, or of a listener of a call: it costs this connection, and not the process. */
  #fail(error: unknown): void {
    this.#role.failed(error)
    this.refuse(goawayCode.failed, 'internal error')
  }

  #skipPreface(preface: Buffer, chunk: Buffer): Buffer {
    let at = 0

    while (this.#prefaceRead < preface.length && at < chunk.length) {
      if (chunk[at] !== preface[this.#prefaceRead]) {
        throw new ProtocolError('the connection does not begin as trunk')
      }
      this.#prefaceRead++
      at++
    }

    if (this.#prefaceRead === preface.length) this.#preface = undefined
    return chunk.subarray(at)
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

    if (this.out.credit + credit > largestCredit) throw new ProtocolError('more credit than 2^31 - 1')
    this.out.grant(credit)
  }

  #onPing(bytes: Buffer, start: number, end: number): void {
    if (end - start !== 8) throw new ProtocolError(`a PING of ${end - start} bytes, and it has 8`)
    if (!this.spend(4)) return
    const writer = this.out.begin(frameType.pong, 0, 0)
    writer.reserve(8)
    bytes.copy(writer.bytes, writer.position, start, end)
    writer.position += 8
    this.out.commit(writer)
  }

  /** Takes from what the peer may make this side do for nothing; refuses the peer, and says so, when that is used up. */
  spend(tokens: number): boolean {
    if (this.#budget.take(tokens, this.#options.clock.now())) return true
    this.refuse(goawayCode.flood, 'too many pings, cancelled or refused calls, or empty frames')
    return false
  }

  /** Whether the one message of a call may be sent now, in one frame with its head; not with the last of the credit. */
  takes(size: number): boolean {
    const peer = this.peer as Settings
    return (
      size <= fragmentSize && size <= peer.streamWindow && size < this.out.credit && size <= peer.messageSize
    )
  }

  /** A frame with `size` bytes of a message came in. */
  received(size: number): void {
    if (!this.#window.receive(size)) throw new ProtocolError('more bytes than the credit of the connection')
  }

  /** What the frames cost that came in and whose messages nobody has taken. */
  get buffered(): number {
    return this.#window.held + this.partials.granted
  }

  /** Frames that came in and cost `cost` are dealt with. */
  release(cost: number): void {
    const granted = this.#window.release(cost)
    if (granted > 0) this.grant(0, granted)
  }

  /** Allows the peer more bytes on a stream, or, with 0, on the connection. */
  grant(id: number, bytes: number): void {
    if (this.closed) return
    const writer = this.out.begin(frameType.credit, 0, id)
    writer.reserve(4)
    writer.bytes.writeUInt32BE(bytes, writer.position)
    writer.position += 4
    this.out.commit(writer)
  }

  /** The peer has said hello. */
  greeted(peer: Settings): void {
    this.peer = peer
    this.out.greeted(peer.connectionWindow)
    this.reader.limit = this.#options.settings.frameSize
    this.#liveness.greeted()
  }

  // ── OutboxOwner and Watched ──

  get active(): number {
    return this.#role.active
  }

  get backlog(): number {
    return this.#duplex.writableLength
  }

  backlogged(bytes: number): void {
    this.#liveness.watch()
    if (bytes <= backlogForReading || !this.#role.closesIdle || this.paused) return
    this.paused = true
    this.#duplex.pause()
  }

  drained(bytes: number): void {
    this.#liveness.drained()
    if (!this.paused || bytes >= backlogToReadAgain) return
    this.paused = false
    this.#duplex.resume()
  }

  /** A call was opened: the peer must show that it is alive. */
  watch(): void {
    this.#liveness.watch()
  }

  ping(): void {
    const writer = this.out.begin(frameType.ping, 0, 0)
    writer.reserve(8)
    writer.bytes.writeDoubleBE(this.#options.clock.now(), writer.position)
    writer.position += 8
    this.out.commit(writer)
  }

  giveUp(reason: string): void {
    this.refuse(goawayCode.silent, reason)
  }

  idle(): void {
    this.#role.idle()
  }

  // ── the end ──

  /** Tells the peer that the connection closes (`final`) or takes no new calls, and why. */
  goaway(code: number, final: boolean, reason: string): void {
    const writer = this.out.begin(frameType.goaway, final ? flag.end : 0, 0)
    writeVarint(writer, code)
    writeVarint(writer, this.out.opens)
    writeText(writer, reason.length > 1000 ? reason.slice(0, 1000) : reason)
    this.out.commit(writer)
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
    this.out.close()
    this.closed = true
    this.#liveness.stop()
    this.#role.ended(why)

    const duplex = this.#duplex
    if (!orderly || duplex.destroyed) {
      duplex.destroy()
      return
    }

    // What still comes is read and dropped: a reset would overtake the reason.
    duplex.end()
    if (this.paused) duplex.resume()
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
    this.out.release()
    this.#role.gone()
  }
}
