/**
 * HOT PATH. One HTTP/2 connection, on either side: the I/O shell. It turns bytes into frames, answers those that concern the
 * connection, finds the stream of the others, and ends the connection for a reason. What goes out is outbox.ts, whether the
 * peer is alive liveness.ts, and what streams are for is the business of server.ts and client.ts. A state machine over a
 * Duplex. Guarded by `bench/scenarios/grpc`.
 *
 *     preface → greeted → (GOAWAY sent or received: draining) → lingering → gone
 */
import type { Duplex } from 'node:stream'
import type { HttpAbort } from '../http/exchange.ts'
import type { Ticker } from '../http/ticker.ts'
import { Budget } from './budget.ts'
import { ConnectionError } from './connection-error.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import { clientPreface, codeName, errorCode, flag, frameType, get31, get32, largestWindow } from './frames.ts'
import { HeadAssembly } from './head-assembly.ts'
import { type DecodedBlock, HpackDecoder } from './hpack/decoder.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import { HpackError } from './hpack/failure.ts'
import type { IncomingOwner } from './incoming.ts'
import { Inflow } from './inflow.ts'
import type { Http2Limits } from './limits.ts'
import { Liveness, type Watched } from './liveness.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import type { Role, Stream } from './role.ts'
import { PeerSettings, setting } from './settings.ts'
import { Streams, type StreamsOwner } from './streams.ts'
import { widened } from './windows.ts'

/**
 * Bytes waiting for the socket beyond which a server reads nothing more, since whoever asks without reading answers must
 * not be served, and below which it reads again.
 */
const backlogForReading = 1024 * 1024
const backlogToReadAgain = 256 * 1024

/** Whoever grants fewer bytes at a time wants many small frames. */
const smallIncrement = 128

/** RFC 7541 section 4.2, RFC 9113 section 6.5.2. */
const initialTableSize = 4096

/** What PINGs carry that we send, so that their answers can be told apart. */
export const pingData = { keepalive: 1, bandwidth: 2, drain: 3 } as const

export class Connection implements FrameSink, OutboxOwner, IncomingOwner, StreamsOwner, Watched {
  readonly outbox: Outbox
  readonly reader: FrameReader
  readonly peer = new PeerSettings()
  readonly streams: Streams
  readonly limits: Http2Limits
  readonly ticker: Ticker
  readonly #duplex: Duplex
  readonly #role: Role
  readonly #decoder: HpackDecoder
  readonly #heads: HeadAssembly
  readonly #inflow: Inflow
  readonly #control: Budget
  readonly #liveness: Liveness

  /** Frames are neither read nor written; the stream may still be open. */
  closed = false
  #gone = false
  #greeted = false
  #prefaceRead = 0
  #settingsUnacknowledged = 0
  #paused = false
  /** Names the header block that was begun last. */
  #headBegun = 0
  /** The stream of the DATA frame that is being read. */
  #dataStream: Stream | undefined
  #dataEnds = false
  /** DATA frames sent that the peer may answer with WINDOW_UPDATE. */
  #sentBefore = 0

  constructor(duplex: Duplex, role: Role, limits: Http2Limits, ticker: Ticker, settings: readonly number[]) {
    this.#duplex = duplex
    this.#role = role
    this.limits = limits
    this.ticker = ticker
    // Until the peer knows of ours, the size that both sides begin with holds.
    const tableSize = Math.max(limits.tableSize, initialTableSize)
    this.#decoder = new HpackDecoder({ tableSize, maxListSize: limits.headerSize })
    this.outbox = new Outbox(duplex, new HpackEncoder({ tableSize: limits.tableSize }), this)
    this.streams = new Streams(this, role, this.outbox)
    this.reader = new FrameReader(this, limits.frameSize)
    this.#heads = new HeadAssembly(this.#decoder, limits.headerSize)
    this.#inflow = new Inflow(limits)
    this.#control = new Budget(limits.controlBurst, limits.controlRate)
    this.#liveness = new Liveness(this, limits, ticker)

    if (!role.isServer) {
      this.#prefaceRead = clientPreface.length
      this.outbox.preface(clientPreface)
    }
    this.outbox.settings([
      ...settings,
      setting.headerTableSize,
      limits.tableSize,
      setting.initialWindowSize,
      this.#inflow.firstStreamWindow,
      setting.maxFrameSize,
      limits.frameSize,
      setting.maxHeaderListSize,
      limits.headerSize,
    ])
    this.#settingsSent()
    const { firstIncrement } = this.#inflow
    if (firstIncrement > 0) this.outbox.windowUpdate(0, firstIncrement)

    duplex.on('data', this.#onData)
    duplex.on('end', this.#onEnd)
    duplex.on('error', this.#onError)
    duplex.on('close', this.#onClose)
    if (duplex.destroyed) queueMicrotask(this.#onClose)
  }

  /** What a stream that opens now may bring. */
  get streamWindow(): number {
    return this.#inflow.streamWindow
  }

  get active(): number {
    return this.streams.open.size
  }

  get backlog(): number {
    return this.outbox.backlog
  }

  /** Whether nothing is read until the peer has read. */
  get paused(): boolean {
    return this.#paused
  }

  get greeted(): boolean {
    return this.#greeted
  }

  get awaitsSettingsAck(): boolean {
    return this.#settingsUnacknowledged > 0
  }

  /** Names the header block that is incomplete, by the frame that it began with; 0: there is none. */
  get partialHead(): number {
    if (this.#heads.openId !== 0) return this.#headBegun
    return this.reader.partialHead ? this.reader.begun : 0
  }

  #settingsSent(): void {
    this.#settingsUnacknowledged++
    this.#liveness.settingsSent()
  }

  // ── bytes ──

  readonly #onData = (bytes: Buffer): void => {
    if (this.closed) return
    this.#liveness.heard()
    this.outbox.beginReading()
    this.streams.beginReading()
    try {
      const from = this.#prefaceRead < clientPreface.length ? this.#readPreface(bytes) : 0
      this.reader.read(bytes, from)
    } catch (error) {
      this.#failed(error)
    }
    this.streams.endReading()
    this.outbox.endReading()
  }

  #readPreface(bytes: Buffer): number {
    const read = this.#prefaceRead
    const size = Math.min(clientPreface.length - read, bytes.length)
    if (clientPreface.compare(bytes, 0, size, read, read + size) !== 0) {
      throw new ConnectionError(
        errorCode.protocolError,
        'the connection does not begin with the preface of HTTP/2',
      )
    }
    this.#prefaceRead = read + size
    return size
  }

  #failed(error: unknown): void {
    if (error instanceof ConnectionError) this.fail(error.code, error.message)
    else if (error instanceof HpackError) this.fail(errorCode.compressionError, error.message)
    else {
      this.#role.failed(error)
      this.fail(errorCode.internalError, 'an internal error')
    }
  }

  readonly #onEnd = (): void => {
    if (!this.closed) {
      const message = this.#lastError?.message ?? 'the peer closed the connection'
      this.#end({ reason: 'closed', message, processed: 'maybe' })
    }
    this.#duplex.end()
    if (this.#duplex.writableFinished) this.#duplex.destroy()
    else this.#duplex.once('finish', () => this.#duplex.destroy())
  }

  #lastError: Error | undefined

  readonly #onError = (error: Error): void => {
    this.#lastError = error
  }

  readonly #onClose = (): void => {
    if (this.#gone) return
    const message = this.#lastError?.message ?? 'the connection was closed'
    this.#end({ reason: 'closed', message, processed: 'maybe' })
    this.#gone = true
    this.#liveness.stop()
    this.#role.gone()
  }

  // ── frames ──

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#greeted) this.#greet(type, flags)
    const { openId } = this.#heads
    if (openId !== 0 && (type !== frameType.continuation || id !== openId)) {
      throw new ConnectionError(errorCode.protocolError, `a frame of type ${type} within a header block`)
    }

    switch (type) {
      case frameType.headers:
        return this.#headers(flags, id, bytes, start, end)
      case frameType.continuation:
        return this.#continuation(flags, id, bytes, start, end)
      case frameType.windowUpdate:
        return this.#windowUpdate(id, bytes, start, end)
      case frameType.rstStream:
        return this.#reset(id, bytes, start, end)
      case frameType.settings:
        return this.#settings(flags, id, bytes, start, end)
      case frameType.ping:
        return this.#ping(flags, id, bytes, start, end)
      case frameType.priority:
        return this.#priority(id, bytes, start, end)
      case frameType.goaway:
        return this.#goaway(id, bytes, start, end)
      case frameType.pushPromise:
        throw new ConnectionError(errorCode.protocolError, 'PUSH_PROMISE, and push is not enabled')
      default:
        // Unknown types are ignored (section 5.5).
        this.charge()
    }
  }

  #greet(type: number, flags: number): void {
    if (type !== frameType.settings || (flags & flag.ack) !== 0) {
      throw new ConnectionError(errorCode.protocolError, 'the first frame is not SETTINGS')
    }
    this.#greeted = true
  }

  /** The peer did something that carries nothing. Throws when that was too often. */
  charge(tokens = 1): void {
    if (this.#control.take(this.ticker.now, tokens)) return
    throw new ConnectionError(errorCode.enhanceYourCalm, 'too many frames that carry nothing')
  }

  // ── HEADERS ──

  #headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#heads.begin(flags, id, bytes, start, end)
    if (block === undefined) this.#headBegun = this.reader.begun
    else this.#blockComplete(id, block)
  }

  #continuation(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#heads.continue(flags, bytes, start, end)
    if (block !== undefined) this.#blockComplete(id, block)
  }

  #selfDependent(id: number): void {
    if (id > this.streams.lastPeerId && this.#role.isServer && id % 2 === 1) this.streams.opened(id)
    this.streams.error(id, errorCode.protocolError, 'a stream that depends on itself')
  }

  #blockComplete(id: number, block: DecodedBlock): void {
    const { ends, selfDependent } = this.#heads
    if (selfDependent) return this.#selfDependent(id)
    const stream = this.streams.open.get(id)
    if (stream === undefined) return this.#role.open(id, block, ends)
    if (stream.incoming.ended) {
      return this.streams.fault(stream, errorCode.streamClosed, 'HEADERS behind END_STREAM')
    }
    const wrong = stream.block(block, ends)
    if (wrong !== undefined) this.streams.fault(stream, errorCode.protocolError, wrong)
  }

  // ── DATA ──

  dataBegins(flags: number, id: number, length: number, padding: number): void {
    if (!this.#greeted) this.#greet(frameType.data, flags)
    if (this.#heads.openId !== 0) {
      throw new ConnectionError(errorCode.protocolError, 'DATA within a header block')
    }
    if (id === 0) throw new ConnectionError(errorCode.protocolError, 'DATA on stream 0')
    if (!this.#inflow.receive(length)) {
      throw new ConnectionError(errorCode.flowControlError, 'DATA beyond the window of the connection')
    }
    this.#dataStream = undefined
    const stream = this.streams.open.get(id)
    if (stream === undefined) {
      this.release(length)
      return this.streams.late(frameType.data, id)
    }

    const { incoming } = stream
    const ends = (flags & flag.endStream) !== 0
    let wrong: string | undefined
    let code: number = errorCode.protocolError
    if (incoming.ended) {
      wrong = 'DATA behind END_STREAM'
      code = errorCode.streamClosed
    } else if (!incoming.window.receive(length)) {
      wrong = 'DATA beyond the window of the stream'
      code = errorCode.flowControlError
    } else if (!incoming.headed) wrong = 'DATA before the head'
    else if (!incoming.announce(length - padding, ends)) {
      wrong = 'the body is not as long as content-length says'
    }
    if (wrong !== undefined) {
      this.release(length)
      return this.streams.fault(stream, code, wrong)
    }

    if (length === padding && !ends) this.charge()
    this.#dataStream = stream
    this.#dataEnds = ends
    if (padding > 0) incoming.taken(padding)
    if (this.#inflow.measure(length)) this.outbox.ping(pingData.bandwidth)
  }

  data(bytes: Buffer, start: number, end: number): void {
    this.#dataStream?.incoming.data(bytes, start, end)
  }

  dataEnds(): void {
    const stream = this.#dataStream
    if (stream === undefined || !this.#dataEnds) return
    this.#dataStream = undefined
    this.streams.incomingEnded(stream, undefined)
  }

  /** Bytes of DATA were taken, or are dropped. */
  release(bytes: number): void {
    const granted = this.#inflow.release(bytes)
    if (granted > 0 && !this.closed) this.outbox.windowUpdate(0, granted)
  }

  grant(id: number, bytes: number): void {
    if (!this.closed) this.outbox.windowUpdate(id, bytes)
  }

  // ── the frames around ──

  #windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4)
      throw new ConnectionError(errorCode.frameSizeError, 'WINDOW_UPDATE is not of 4 bytes')
    // Two for each of our frames, and in portions worth a frame, is the ordinary course (CVE-2019-9511 is not).
    const { sent } = this.outbox
    if (sent > this.#sentBefore) {
      this.#control.earn(2 * (sent - this.#sentBefore))
      this.#sentBefore = sent
    }
    const increment = get31(bytes, start)
    this.charge(increment < smallIncrement ? 3 : 1)

    if (id === 0) {
      if (increment === 0) throw new ConnectionError(errorCode.protocolError, 'WINDOW_UPDATE by 0')
      const window = widened(this.outbox.window, increment)
      if (window === undefined) {
        throw new ConnectionError(errorCode.flowControlError, 'the window of the connection passes 2^31-1')
      }
      this.outbox.window = window
      return this.outbox.granted()
    }

    const stream = this.streams.open.get(id)
    if (stream === undefined) return this.streams.late(frameType.windowUpdate, id)
    if (increment === 0) return this.streams.fault(stream, errorCode.protocolError, 'WINDOW_UPDATE by 0')
    const window = widened(stream.outgoing.window, increment)
    if (window === undefined) {
      return this.streams.fault(stream, errorCode.flowControlError, 'the window of a stream passes 2^31-1')
    }
    stream.outgoing.window = window
    stream.outgoing.granted()
  }

  #reset(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionError(errorCode.frameSizeError, 'RST_STREAM is not of 4 bytes')
    if (id === 0) throw new ConnectionError(errorCode.protocolError, 'RST_STREAM on stream 0')
    const stream = this.streams.open.get(id)
    if (stream === undefined) {
      this.charge()
      return this.streams.late(frameType.rstStream, id)
    }
    this.streams.resetByPeer(stream, get32(bytes, start))
  }

  #settings(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(errorCode.protocolError, `SETTINGS on stream ${id}`)
    if ((flags & flag.ack) !== 0) {
      if (end !== start)
        throw new ConnectionError(errorCode.frameSizeError, 'the answer to SETTINGS has a payload')
      if (this.#settingsUnacknowledged === 0) return this.charge()
      this.#settingsUnacknowledged--
      this.#inflow.acknowledged(this.outbox, this.streams.open)
      if (this.limits.tableSize < initialTableSize) this.#decoder.setTableSize(this.limits.tableSize)
      return undefined
    }
    this.charge()
    const { peer, outbox } = this
    const before = peer.initialWindowSize
    peer.read(bytes, start, end, !this.#role.isServer, (size) => outbox.encoder.setMaxTableSize(size))
    outbox.frameSize = peer.maxFrameSize
    const change = peer.initialWindowSize - before
    if (change !== 0) this.#moveWindows(change)
    // Before anything that only the new settings allow.
    outbox.settingsAck()
    if (change > 0) for (const { outgoing } of this.streams.open.all()) outgoing.granted()
    this.#role.peerSettled()
  }

  #moveWindows(change: number): void {
    for (const { outgoing } of this.streams.open.all()) {
      outgoing.window += change
      if (outgoing.window > largestWindow) {
        throw new ConnectionError(errorCode.flowControlError, 'the window of a stream passes 2^31-1')
      }
    }
  }

  #ping(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 8) throw new ConnectionError(errorCode.frameSizeError, 'PING is not of 8 bytes')
    if (id !== 0) throw new ConnectionError(errorCode.protocolError, `PING on stream ${id}`)
    if ((flags & flag.ack) === 0) {
      this.charge()
      if (!this.#role.pinged()) throw new ConnectionError(errorCode.enhanceYourCalm, 'too_many_pings')
      return this.outbox.pong(bytes, start)
    }
    if (get32(bytes, start) !== 0) return this.charge()
    switch (get32(bytes, start + 4)) {
      case pingData.bandwidth:
        if (this.#inflow.answered(this.outbox, this.streams.open)) this.#settingsSent()
        return undefined
      case pingData.drain:
        return this.#role.drainAnswered()
      case pingData.keepalive:
        return undefined
      default:
        return this.charge()
    }
  }

  #priority(id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(errorCode.protocolError, 'PRIORITY on stream 0')
    this.charge()
    if (end - start !== 5)
      return this.streams.error(id, errorCode.frameSizeError, 'PRIORITY is not of 5 bytes')
    if (get31(bytes, start) === id) {
      this.streams.error(id, errorCode.protocolError, 'a stream that depends on itself')
    }
  }

  #goaway(id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(errorCode.protocolError, `GOAWAY on stream ${id}`)
    if (end - start < 8) throw new ConnectionError(errorCode.frameSizeError, `GOAWAY of ${end - start} bytes`)
    this.charge()
    const debug = bytes.toString('utf8', start + 8, Math.min(end, start + 8 + 256))
    this.#role.goaway(get31(bytes, start), get32(bytes, start + 4), debug)
  }

  // ── the socket ──

  backlogged(bytes: number): void {
    if (!this.#role.isServer || this.#paused || bytes < backlogForReading) return
    this.#paused = true
    this.#duplex.pause()
  }

  drained(bytes: number): void {
    this.#liveness.drained()
    if (!this.#paused || bytes > backlogToReadAgain) return
    this.#paused = false
    this.#duplex.resume()
  }

  // ── liveness's side ──

  /** The last stream is over. */
  quiet(): void {
    this.#liveness.quiet()
  }

  pingPeer(): void {
    this.outbox.ping(pingData.keepalive)
    this.outbox.flush()
  }

  idle(): void {
    this.#role.idle()
  }

  /** Gives the peer up without waiting for it. */
  giveUp(message: string): void {
    this.#end({ reason: 'timeout', message, processed: 'maybe' })
    this.#duplex.destroy()
  }

  /** Resets streams whose answer is complete and whose peer has not taken any of it since the last time. */
  sweep(): void {
    for (const stream of this.streams.open.all()) {
      if (!stream.outgoing.standsStill()) continue
      this.streams.reset(stream, errorCode.cancel, {
        reason: 'timeout',
        message: `the peer took none of the answer for ${this.limits.stallTimeout} ms`,
        processed: 'maybe',
      })
    }
  }

  // ── the end ──

  /** Ends the connection for a reason that the peer is told. */
  fail(code: number, message: string): void {
    if (this.closed) return
    this.outbox.goaway(this.streams.lastPeerId, code, message)
    const reason = code === errorCode.noError ? 'closed' : 'protocol'
    this.finish({ reason, message: `${message} (${codeName(code)})`, processed: 'maybe', code })
  }

  /** Nothing more is said: waits for the peer to have read it. */
  finish(why: HttpAbort): void {
    if (this.closed) return
    this.#end(why, true)
    this.#liveness.linger()
    if (this.#paused) this.#duplex.resume()
    this.#paused = false
    this.#duplex.end()
  }

  #end(why: HttpAbort, told = false): void {
    if (this.closed) return
    this.closed = true
    this.reader.stopped = true
    this.outbox.close()
    for (const ending of this.outbox.lost()) {
      if (told) ending.flushed()
      else ending.lost()
    }
    this.#dataStream = undefined
    const open = this.streams.open.all()
    this.streams.open.clear()
    this.#role.ended(why)
    for (const stream of open) this.streams.abort(stream, why)
  }

  /** Says farewell, and closes without waiting for the peer. */
  leave(why: HttpAbort): void {
    if (this.closed) return
    this.outbox.goaway(this.streams.lastPeerId, errorCode.noError, '')
    this.finish(why)
    if (this.#duplex.writableFinished) this.#duplex.destroy()
    else this.#duplex.once('finish', () => this.#duplex.destroy())
  }

  destroy(why: HttpAbort): void {
    this.#end(why)
    this.#duplex.destroy()
  }
}
