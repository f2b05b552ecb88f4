/**
 * HOT PATH. What goes out on a connection: frames are written one behind the other into one buffer, which is flushed to the
 * socket; large messages go in fragments, in turn; streams wait here for credit. Guarded by `bench/scenarios/trunk`.
 *
 * Flushing: once a turn of the event loop, and in between when a good part of what a turn usually brings has gathered,
 * so that both sides work at the same time instead of in lock-step; not while the socket has bytes waiting.
 */
import type { Duplex } from 'node:stream'
import type { Writer } from '../../codec/writer.ts'
import {
  beginFrame,
  finishFrame,
  flag,
  fragmentSize,
  frameCost,
  frameType,
  messageOverhead,
  patchFlags,
} from './frames.ts'
import type { Outgoing, Outlet, Pending } from './outgoing.ts'
import type { Writers } from './writers.ts'

/**
 * Bytes on their way into the socket beyond which streams are not pulled, and beyond which large messages wait; the
 * second is less, so that large messages leave room for small ones.
 */
const backlogForStreams = 256 * 1024
const backlogForFragments = 128 * 1024

/** Messages from this size on take their buffer along when they have to wait. */
const worthABuffer = 8 * 1024

/** The connection, as its way out sees it. */
export interface OutboxOwner {
  /** Calls open now. */
  readonly active: number
  /** The socket has not taken everything. */
  backlogged(bytes: number): void
  /** The socket has taken bytes, or was given some after it had none. */
  drained(bytes: number): void
}

export class Outbox implements Outlet {
  readonly #duplex: Duplex
  readonly #writers: Writers
  readonly #owner: OutboxOwner

  /** Bytes of messages that the peer allows on this connection; below 0 by no more than the overhead of a frame. */
  credit = 0
  /** OPENs that were written (by a client) or seen (by a server), and of these, handed to the socket. */
  opens = 0
  opensFlushed = 0
  /** Bytes of large messages that wait for credit or for their turn. */
  waiting = 0
  /** While a chunk is being read: what is written goes out when all of it has been. */
  #reading = false
  #closed = false

  #writer: Writer | undefined
  readonly #inFlight: Writer[] = []
  #scheduled = false
  #threshold = 2048
  #perTurn = 0
  #thisTurn = 0

  /** Streams with a large message to send, in turn. */
  #queue: Outgoing[] = []
  /** Those of them whose message has begun, the first begun first. */
  #begun: Outgoing[] = []
  /** Credit of the connection that is kept for the message that was begun first, and the overhead of another's part. */
  #reserve = 0
  /** Streams that wait for credit or for the socket. */
  #blocked = new Set<Outgoing>()

  constructor(duplex: Duplex, writers: Writers, owner: OutboxOwner) {
    this.#duplex = duplex
    this.#writers = writers
    this.#owner = owner
  }

  /** The peer has said how much credit the connection has. */
  greeted(connectionWindow: number): void {
    this.credit = connectionWindow
    this.#reserve = (connectionWindow >>> 2) + messageOverhead
  }

  /** A chunk is about to be read. */
  beginReading(): void {
    this.#reading = true
  }

  /** The chunk was read: the answers to it go out, unless other calls may add to them. */
  endReading(): void {
    this.#reading = false
    if (this.#owner.active <= 1) this.#endTurn()
    else if (!this.#scheduled && this.#writer !== undefined) this.#schedule()
  }

  /** The peer allows more on the connection. */
  grant(credit: number): void {
    this.credit += credit
    this.#sendFragments()
    this.#wakeBlocked()
  }

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
    return (this.#writer ??= this.#writers.take())
  }

  /** Where the frame that was begun last starts. */
  get frameStart(): number {
    return this.#frameStart
  }

  /** Ends the frame that was begun. It leaves with what else this turn brings. */
  commit(writer: Writer): void {
    finishFrame(writer, this.#frameStart)
    if (!this.#scheduled && !this.#reading) this.#schedule()
    if (writer.position >= this.#threshold && this.#duplex.writableLength === 0) this.flush()
  }

  /** The same for a unary call's frame: the only call there is waits for no others to share its flush. */
  commitUnary(writer: Writer): void {
    if (this.#owner.active > 1 || this.#reading) {
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

    const next = this.#writers.take()
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
    this.flush()
    this.#perTurn += (this.#thisTurn - this.#perTurn) / 8
    this.#thisTurn = 0
    this.#threshold = Math.max(2048, Math.min(this.#perTurn / 4, 16_384))
  }

  /** Hands to the socket what was written. */
  flush(): void {
    const writer = this.#writer
    if (writer === undefined || writer.position === 0) return
    this.#writer = undefined
    this.#thisTurn += writer.position
    this.opensFlushed = this.opens

    if (this.#duplex.destroyed || this.#duplex.writableEnded) return
    if (this.#inFlight.length === 0) this.#owner.drained(0)
    this.#inFlight.push(writer)
    this.#duplex.write(writer.written(), this.#onWritten)
    const backlog = this.#duplex.writableLength
    if (backlog > 0) this.#owner.backlogged(backlog)
  }

  readonly #onWritten = (): void => {
    const writer = this.#inFlight.shift()
    if (writer !== undefined) this.#writers.give(writer)
    if (this.#inFlight.length > 0) this.#owner.drained(this.#duplex.writableLength)
    else if (this.#queue.length === 0 && this.#blocked.size === 0) return this.#owner.drained(0)

    if (this.#closed || !this.writable) return
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

  /** Has a message sent that is large, or that has to wait: fragment by fragment, in turn with others. */
  send(outgoing: Outgoing, pending: Pending): void {
    outgoing.pending = pending
    this.waiting += pending.bytes.length
    this.enqueue(outgoing)
  }

  enqueue(outgoing: Outgoing): void {
    if (outgoing.queued) return
    outgoing.queued = true
    this.#queue.push(outgoing)
    this.#sendFragments()
  }

  dropped(outgoing: Outgoing, bytes: number): void {
    this.waiting -= bytes
    if (this.#forget(outgoing)) this.#sendFragments()
  }

  /** A message that has begun is over. Returns whether it was the first, so that another one is now. */
  #forget(outgoing: Outgoing): boolean {
    const index = this.#begun.indexOf(outgoing)
    if (index >= 0) this.#begun.splice(index, 1)
    return index === 0
  }

  /** Large messages: a fragment of each in turn, as far as credit and socket allow. */
  #sendFragments(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      if (this.#backlog >= backlogForFragments) return
      // When credit is scarce it is for the message that was begun first: one at least gets done.
      const first = this.#begun[0]
      const scarce = this.credit <= this.#reserve && first !== undefined
      const index = scarce ? this.#queue.indexOf(first) : 0
      if (index < 0) return
      const outgoing = this.#queue[index] as Outgoing
      const { pending } = outgoing

      if (pending === undefined || outgoing.over) {
        this.#queue.splice(index, 1)
        outgoing.queued = false
        continue
      }

      const rest = pending.bytes.length - pending.at
      const credit = first === undefined || first === outgoing ? this.credit : this.credit - this.#reserve
      const size = Math.min(rest, fragmentSize, outgoing.credit, credit)
      if (credit <= 0) return
      this.#queue.splice(index, 1)

      if (outgoing.credit <= 0) {
        // Comes back with the stream's next credit.
        outgoing.queued = false
        continue
      }

      this.#sendFragment(outgoing, pending, size, size === rest)
    }
  }

  #sendFragment(outgoing: Outgoing, pending: Pending, size: number, whole: boolean): void {
    const flags = flag.message | (whole ? (pending.last ? flag.end : 0) : flag.more)
    const writer = this.begin(frameType.data, flags, outgoing.id)
    if (whole && pending.trailers !== undefined) {
      const more = pending.trailers(writer)
      patchFlags(writer, this.#frameStart, flags | more)
    }

    writer.reserve(size)
    pending.bytes.copy(writer.bytes, writer.position, pending.at, pending.at + size)
    writer.position += size
    pending.at += size
    const cost = frameCost(size)
    outgoing.credit -= cost
    this.credit -= cost
    this.waiting -= size
    if (whole) this.#forget(outgoing)
    else if (!this.#begun.includes(outgoing)) this.#begun.push(outgoing)
    this.commit(writer)

    if (whole) {
      outgoing.pending = undefined
      outgoing.queued = false
      pending.written?.()
      outgoing.wake()
    } else {
      this.#queue.push(outgoing)
    }
  }

  /** Nothing more goes out; what was written is handed to the socket before. */
  close(): void {
    this.flush()
    this.#closed = true
    for (const outgoing of [...this.#queue, ...this.#blocked]) outgoing.close()
    this.#queue = []
    this.#begun = []
    this.#blocked.clear()
  }

  /** Gives back the buffer, once the socket is gone. */
  release(): void {
    if (this.#writer !== undefined) this.#writers.give(this.#writer)
    this.#writer = undefined
  }
}
