/**
 * HOT PATH. What goes out on a connection: frames are written one behind the other into one piece of memory, which is
 * flushed to the socket; large bodies go out uncopied, in frames, in turn; streams wait here for windows.
 * Guarded by `bench/scenarios/grpc`.
 *
 * Flushing: once a turn of the event loop, and in between when a good part of what a turn usually brings has gathered,
 * so that both sides work at the same time instead of in lock-step. Not while the socket has bytes waiting: then what
 * is written is gathered until it has taken them, so that a peer that does not read holds no more memory than bytes.
 */
import type { Duplex } from 'node:stream'
import type { Reservation } from '../http/exchange.ts'
import {
  flag,
  frameHeaderSize,
  frameType,
  initialWindow,
  put32,
  putFrameHeader,
  smallestFrameSize,
} from './frames.ts'
import type { HpackEncoder } from './hpack/encoder.ts'
import type { Outgoing } from './outgoing.ts'
import type { Sendable } from './sendable.ts'
import { giveSlab, type Slab, slabSize, takeSlab } from './slabs.ts'

/**
 * Bytes on their way into the socket beyond which bodies are not asked for, and beyond which queued bodies wait; the second
 * is less, so that large bodies leave room for small ones.
 */
const backlogForStreams = 256 * 1024
const backlogForBodies = 128 * 1024

/** The longest frame of a queued body: what it holds up behind it is a matter of microseconds. */
const longestFrame = 64 * 1024

/** Bodies of this size and more are not copied when they must wait. */
const worthStaying = 16 * 1024

/** Parts of queued bodies up to this size are copied behind their header. */
const copyBound = 2 * 1024

/** The connection, as its way out sees it. */
export interface OutboxOwner {
  /** Streams open now. */
  readonly active: number
  /** The socket has not taken everything. */
  backlogged(bytes: number): void
  /** The socket has taken bytes, or was given some after it had none. */
  drained(bytes: number): void
}

/** Something whose last byte was written, and that wants to know when the kernel has it. */
export interface Ending {
  flushed(): void
  /** The connection has gone before. */
  lost(): void
}

export class Outbox {
  /** Bytes of bodies that the peer allows on this connection. */
  window = initialWindow
  /** The largest frame that the peer takes. */
  frameSize = smallestFrameSize
  readonly encoder: HpackEncoder
  /** Bytes of bodies that wait for windows or for the socket. */
  queuedBytes = 0
  /** The stream whose head was written last, and the one of those that were handed to the socket. */
  openedId = 0
  flushedId = 0
  /** DATA and HEADERS frames written, by which pings are judged. */
  sent = 0
  readonly #duplex: Duplex
  readonly #owner: OutboxOwner

  #slab: Slab | undefined
  /** Where in the slab that begins which no segment holds yet. */
  #from = 0
  /** What comes before it: parts of slabs, and bodies. */
  #segments: Buffer[] = []
  #segmentBytes = 0

  /** The frame written last, if it can still get END_STREAM: whose it is, and where it and the slab's bytes end. */
  #lastId = 0
  #lastFrame = 0
  #lastEnd = 0

  #reading = false
  #closed = false
  #scheduled = false
  #threshold = 2048
  #perTurn = 0
  #thisTurn = 0

  /** Streams with a body to send, in turn. */
  readonly #queue: Outgoing[] = []
  /** Streams that wait for a window or for the socket before they go on. */
  #blocked = new Set<Outgoing>()

  #endings: Ending[] = []
  #endingsInFlight: Ending[] = []

  readonly #reservation: { bytes: Buffer; start: number }

  constructor(duplex: Duplex, encoder: HpackEncoder, owner: OutboxOwner) {
    this.#duplex = duplex
    this.encoder = encoder
    this.#owner = owner
    this.#reservation = { bytes: Buffer.alloc(0), start: 0 }
  }

  // ── room ──

  /** Makes room for `size` bytes at the slab's end. */
  #room(size: number): Slab {
    const slab = this.#slab
    if (slab !== undefined && slab.bytes.length - slab.at >= size) return slab
    if (slab !== undefined) {
      this.#cut(slab)
      giveSlab(slab)
    }
    const next = takeSlab(size)
    this.#slab = next
    this.#from = next.at
    return next
  }

  /** What was written so far becomes a segment. */
  #cut(slab: Slab): void {
    this.#lastId = 0
    if (slab.at === this.#from) return
    this.#segments.push(slab.bytes.subarray(this.#from, slab.at))
    this.#segmentBytes += slab.at - this.#from
    this.#from = slab.at
  }

  /** Bytes written and not given to the socket. */
  get #gathered(): number {
    return this.#segmentBytes + (this.#slab === undefined ? 0 : this.#slab.at - this.#from)
  }

  /** Bytes that the kernel has not taken. */
  get backlog(): number {
    return this.#duplex.writableLength + this.#gathered
  }

  // ── frames ──

  #frame(length: number, type: number, flags: number, id: number): number {
    const slab = this.#room(frameHeaderSize + length)
    const payload = putFrameHeader(slab.bytes, slab.at, length, type, flags, id)
    slab.at = payload + length
    return payload
  }

  #bytes(): Buffer {
    return (this.#slab as Slab).bytes
  }

  /** Writes what is no frame: a client's preface. */
  preface(bytes: Buffer): void {
    const slab = this.#room(bytes.length)
    bytes.copy(slab.bytes, slab.at)
    slab.at += bytes.length
    this.#committed()
  }

  /** @param pairs Identifier, value, identifier, value … */
  settings(pairs: readonly number[]): void {
    let at = this.#frame(pairs.length * 3, frameType.settings, 0, 0)
    const bytes = this.#bytes()
    for (let i = 0; i < pairs.length; i += 2) {
      bytes[at] = (pairs[i] as number) >>> 8
      bytes[at + 1] = pairs[i] as number
      at = put32(bytes, at + 2, pairs[i + 1] as number)
    }
    this.#committed()
  }

  settingsAck(): void {
    this.#frame(0, frameType.settings, flag.ack, 0)
    this.#committed()
  }

  /** Answers a PING with what it carried, from `start` on. */
  pong(data: Buffer, start: number): void {
    const at = this.#frame(8, frameType.ping, flag.ack, 0)
    data.copy(this.#bytes(), at, start, start + 8)
    this.#committed()
  }

  /** @param data Comes back with the answer; below 2^32. */
  ping(data: number): void {
    const at = this.#frame(8, frameType.ping, 0, 0)
    put32(this.#bytes(), put32(this.#bytes(), at, 0), data)
    this.#committed()
  }

  goaway(lastId: number, code: number, debug: string): void {
    const size = Buffer.byteLength(debug)
    const at = this.#frame(8 + size, frameType.goaway, 0, 0)
    const bytes = this.#bytes()
    bytes.write(debug, put32(bytes, put32(bytes, at, lastId), code), 'utf8')
    this.#committed()
  }

  reset(id: number, code: number): void {
    const at = this.#frame(4, frameType.rstStream, 0, id)
    put32(this.#bytes(), at, code)
    this.#committed()
  }

  windowUpdate(id: number, increment: number): void {
    const at = this.#frame(4, frameType.windowUpdate, 0, id)
    put32(this.#bytes(), at, increment)
    this.#committed()
  }

  /** A header block, of up to three parts. It leaves with what follows it; `ends` when nothing does on its stream. */
  headers(id: number, head: Sendable, extra: readonly string[] | undefined, ends: boolean): void {
    const { encoder } = this
    const { template, fields } = head
    let bound = template === undefined ? 0 : template.bound
    if (fields !== undefined) bound += encoder.bound(fields)
    if (extra !== undefined) bound += encoder.bound(extra)
    const slab = this.#room(frameHeaderSize + bound)
    const frame = slab.at
    const payload = frame + frameHeaderSize

    let end = payload
    if (template !== undefined) end = encoder.encodeTemplate(template, slab.bytes, end)
    if (fields !== undefined) end = encoder.encode(fields, slab.bytes, end)
    if (extra !== undefined) end = encoder.encode(extra, slab.bytes, end)
    const length = end - payload
    const flags = ends ? flag.endStream : 0
    this.sent++
    if (id > this.openedId) this.openedId = id
    if (length > this.frameSize) return this.#continued(slab, id, payload, end, flags)

    putFrameHeader(slab.bytes, frame, length, frameType.headers, flags | flag.endHeaders, id)
    slab.at = end
    if (ends) this.#committed()
    else this.#note(id, frame, end)
    // A head leaves with what follows it, and at the end of the turn if nothing does.
    if (!this.#scheduled && !this.#reading) this.#schedule()
  }

  /** A block that is too large for a frame: HEADERS and as many CONTINUATION frames as it takes. */
  #continued(slab: Slab, id: number, payload: number, end: number, flags: number): void {
    const block = Buffer.from(slab.bytes.subarray(payload, end))
    let type: number = frameType.headers
    for (let at = 0; at < block.length; at += this.frameSize) {
      const size = Math.min(this.frameSize, block.length - at)
      const last = at + size === block.length ? flag.endHeaders : 0
      const to = this.#frame(size, type, type === frameType.headers ? flags | last : last, id)
      block.copy(this.#bytes(), to, at, at + size)
      type = frameType.continuation
    }
    this.#committed()
  }

  #note(id: number, frame: number, end: number): void {
    this.#lastId = id
    this.#lastFrame = frame
    this.#lastEnd = end
  }

  // ── bodies ──

  /** Room for a DATA frame's payload, which `commitData` follows. */
  reserveData(size: number): Reservation {
    const slab = this.#room(frameHeaderSize + size)
    this.#reservation.bytes = slab.bytes
    this.#reservation.start = slab.at + frameHeaderSize
    return this.#reservation
  }

  /** Whether that many bytes of a body fit into a slab. */
  fits(size: number): boolean {
    return size <= slabSize / 2
  }

  /**
   * `size` bytes of the room that was reserved are body, 1 at least. Where windows and frame size allow it they are a frame
   * where they lie. Else they are handed back, to be queued; a large body is not copied for that, but stays where it lies.
   */
  commitData(outgoing: Outgoing, size: number, ends: boolean): Buffer | undefined {
    const slab = this.#slab as Slab
    const frame = slab.at
    const payload = frame + frameHeaderSize
    const end = payload + size

    if (size <= outgoing.window && size <= this.window && size <= this.frameSize) {
      putFrameHeader(slab.bytes, frame, size, frameType.data, ends ? flag.endStream : 0, outgoing.id)
      slab.at = end
      this.#note(outgoing.id, frame, end)
      outgoing.window -= size
      this.window -= size
      this.sent++
      this.#committed()
      return undefined
    }

    if (size < worthStaying) {
      // A small body that waits long must not keep a whole slab.
      const copy = Buffer.allocUnsafeSlow(size)
      slab.bytes.copy(copy, 0, payload, end)
      return copy
    }
    this.#cut(slab)
    slab.at = end
    this.#from = end
    return slab.bytes.subarray(payload, end)
  }

  /** Has a stream's queued body sent, as far as windows and socket allow. */
  enqueue(outgoing: Outgoing): void {
    if (!outgoing.queued) {
      outgoing.queued = true
      this.#queue.push(outgoing)
    }
    this.sendQueued()
    // What waits for the socket counts as waiting in it.
    const behind = this.#duplex.writableLength
    if (behind >= backlogForBodies) this.#owner.backlogged(behind + this.queuedBytes)
  }

  /** Queued bodies: a frame of each in turn. */
  sendQueued(): void {
    const queue = this.#queue
    let sent = false
    while (queue.length > 0 && !this.#closed) {
      const outgoing = queue[0] as Outgoing
      const allowed = outgoing.queuedBytes > 0 && outgoing.window > 0
      if (allowed && (this.window <= 0 || this.backlog >= backlogForBodies)) break
      queue.shift()
      if (allowed) {
        this.#sendPart(outgoing)
        sent = true
        if (outgoing.queuedBytes > 0) {
          queue.push(outgoing)
          continue
        }
      }
      // Without bytes it is done; without a window it comes back with one.
      outgoing.queued = false
      if (outgoing.queuedBytes === 0) outgoing.sentAll()
    }
    if (sent) this.#committed()
  }

  #sendPart(outgoing: Outgoing): void {
    const most = Math.min(outgoing.window, this.window, this.frameSize, longestFrame)
    const part = outgoing.takePart(most)
    const size = part.length
    const ends = outgoing.queuedBytes === 0 && outgoing.endsWithBody
    const flags = ends ? flag.endStream : 0
    outgoing.window -= size
    this.window -= size
    this.sent++

    if (size <= copyBound) {
      const at = this.#frame(size, frameType.data, flags, outgoing.id)
      part.copy(this.#bytes(), at)
    } else {
      const slab = this.#room(frameHeaderSize)
      slab.at = putFrameHeader(slab.bytes, slab.at, size, frameType.data, flags, outgoing.id)
      this.#cut(slab)
      this.#segments.push(part)
      this.#segmentBytes += size
    }
    if (ends) outgoing.endWritten()
  }

  /** Says that a stream has nothing more to send: in its last frame if that is the last one written, else by another. */
  endStream(id: number): void {
    const slab = this.#slab
    if (this.#lastId === id && slab !== undefined && slab.at === this.#lastEnd) {
      slab.bytes[this.#lastFrame + 4] = (slab.bytes[this.#lastFrame + 4] as number) | flag.endStream
      this.#lastId = 0
    } else this.#frame(0, frameType.data, flag.endStream, id)
    this.#committed()
  }

  /** Whether bodies may go on. */
  get writable(): boolean {
    return this.window > 0 && this.backlog < backlogForStreams
  }

  /** The stream is told when it may go on. */
  await(outgoing: Outgoing): void {
    this.#blocked.add(outgoing)
  }

  /** The stream is over. */
  forget(outgoing: Outgoing): void {
    this.#blocked.delete(outgoing)
    if (!outgoing.queued) return
    outgoing.queued = false
    const index = this.#queue.indexOf(outgoing)
    if (index >= 0) this.#queue.splice(index, 1)
  }

  /** The peer allows more on the connection. */
  granted(): void {
    this.sendQueued()
    this.wakeBlocked()
  }

  wakeBlocked(): void {
    if (this.#blocked.size === 0 || !this.writable) return
    const blocked = [...this.#blocked]
    this.#blocked.clear()
    for (const outgoing of blocked) outgoing.wake()
  }

  // ── flushing ──

  /** A chunk is about to be read. */
  beginReading(): void {
    this.#reading = true
  }

  /** The chunk was read: the answers to it go out, unless other streams may add to them. */
  endReading(): void {
    this.#reading = false
    if (this.#owner.active <= 1) this.#endTurn()
    else this.#schedule()
  }

  /** A message is complete: the only one there is waits for no others to share its flush. */
  messageEnded(): void {
    if (!this.#reading && this.#owner.active <= 1) this.#endTurn()
  }

  /** Calls back when what was written so far is with the kernel. */
  whenFlushed(ending: Ending): void {
    if (this.#gathered > 0) {
      this.#endings.push(ending)
      return
    }
    this.#endingsInFlight.push(ending)
    if (this.#duplex.writableLength === 0) this.#schedule()
  }

  #committed(): void {
    if (!this.#scheduled && !this.#reading) this.#schedule()
    if (this.#gathered >= this.#threshold && this.#duplex.writableLength === 0) this.flush()
  }

  #schedule(): void {
    if (this.#scheduled || (this.#gathered === 0 && this.#endingsInFlight.length === 0)) return
    this.#scheduled = true
    setImmediate(this.#flushTurn)
  }

  readonly #flushTurn = (): void => {
    this.#scheduled = false
    this.#endTurn()
  }

  #endTurn(): void {
    const behind = this.#duplex.writableLength > 0
    if (!behind || this.#gathered >= slabSize) this.flush()
    this.#perTurn += (this.#thisTurn - this.#perTurn) / 8
    this.#thisTurn = 0
    this.#threshold = Math.max(2048, Math.min(this.#perTurn / 4, 16_384))
  }

  /** Hands to the socket what was written. */
  flush(): void {
    const size = this.#gathered
    if (size === 0) {
      if (this.#duplex.writableLength === 0) this.#kernelHasAll()
      return
    }
    const slab = this.#slab as Slab
    const duplex = this.#duplex
    this.#cut(slab)
    this.#slab = undefined
    giveSlab(slab)
    const segments = this.#segments
    this.#segmentBytes = 0
    this.#thisTurn += size
    if (duplex.destroyed || duplex.writableEnded) {
      segments.length = 0
      return
    }

    this.flushedId = this.openedId
    if (duplex.writableLength === 0) this.#owner.drained(0)
    if (this.#endings.length > 0) {
      this.#endingsInFlight = [...this.#endingsInFlight, ...this.#endings]
      this.#endings = []
    }

    if (segments.length === 1) {
      const only = segments[0] as Buffer
      segments.length = 0
      duplex.write(only, this.#onWritten)
    } else {
      this.#segments = []
      duplex.cork()
      const last = segments.length - 1
      for (let i = 0; i < last; i++) duplex.write(segments[i] as Buffer)
      duplex.write(segments[last] as Buffer, this.#onWritten)
      duplex.uncork()
    }
    const backlog = duplex.writableLength
    if (backlog > 0) this.#owner.backlogged(backlog)
    else this.#kernelHasAll()
  }

  #kernelHasAll(): void {
    if (this.#endingsInFlight.length === 0) return
    const endings = this.#endingsInFlight
    this.#endingsInFlight = []
    for (const ending of endings) ending.flushed()
  }

  readonly #onWritten = (): void => {
    const behind = this.#duplex.writableLength
    if (this.#closed) {
      if (behind === 0) this.#kernelHasAll()
      return
    }
    this.#owner.drained(behind)
    if (behind > 0) return
    this.#kernelHasAll()
    if (this.#queue.length > 0) this.sendQueued()
    this.wakeBlocked()
    if (!this.#scheduled && !this.#reading) this.#schedule()
  }

  /** Nothing more goes out; what was written is handed to the socket before. */
  close(): void {
    this.flush()
    this.#closed = true
    this.#queue.length = 0
    this.#blocked.clear()
  }

  /** The socket is gone: what waits for it never gets there. */
  lost(): Ending[] {
    this.#closed = true
    if (this.#slab !== undefined) giveSlab(this.#slab)
    this.#slab = undefined
    this.#segments = []
    this.#segmentBytes = 0
    const endings = [...this.#endingsInFlight, ...this.#endings]
    this.#endings = []
    this.#endingsInFlight = []
    return endings
  }
}
