/**
 * HOT PATH of streams. The messages of one direction as they come in: put together from fragments, kept until the
 * application asks, decoded then. A state machine without I/O; what it has dealt with it tells `released`.
 *
 * Frames count against the stream's window until the application takes the message. Only the parts of a message that is
 * being waited for are released as they come, as far as partials.ts allows, so that a message may be larger than the
 * window, and a reader that does not read holds one window at most.
 */
import type { CallError } from '../../call/error.ts'
import { Assembly } from './assembly.ts'
import { frameCost } from './frames.ts'
import type { Partial, Partials } from './partials.ts'
import { Slab } from './slab.ts'
import { ReceiveWindow } from './window.ts'

/** After so many messages in a row the event loop gets its turn. */
const messagesPerTurn = 512

export interface IncomingOwner {
  /** Decodes and refines. Throws or rejects with what the reader shall see. */
  decode(bytes: Buffer, start: number, end: number): unknown
  /** `stream` bytes may be granted to the peer for the stream, `connection` have left the connection's window. */
  released(stream: number, connection: number): void
  /** The reader gave up before the end. */
  abandoned(): void
}

interface Waiter {
  readonly resolve: (result: IteratorResult<unknown>) => void
  readonly reject: (error: unknown) => void
}

interface Received {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** What still counts against the window. */
  readonly held: number
}

const over: IteratorResult<unknown> = { done: true, value: undefined }

export class Incoming implements AsyncIterableIterator<unknown>, Partial {
  readonly #owner: IncomingOwner
  readonly #messageSize: number
  readonly #window: ReceiveWindow
  readonly #partials: Partials

  /** Complete messages that nobody asked for yet, from `#next` on. */
  #ready: Received[] = []
  #next = 0
  #slab: Slab | undefined
  /** The message that is arriving in parts. */
  #partial: Assembly | undefined
  /** What of it still counts against the window. */
  #withheld = 0
  /** What of it was granted again. */
  #granted = 0
  /** Its place among the messages of the connection that have begun. */
  #begun = 0

  #waiting: Waiter[] = []
  #complete = false
  #error: CallError | undefined
  #abandoned = false
  #taken = 0

  /** Messages that came in whole. */
  received = 0

  constructor(owner: IncomingOwner, streamWindow: number, messageSize: number, partials: Partials) {
    this.#owner = owner
    this.#partials = partials
    this.#window = new ReceiveWindow(streamWindow)
    this.#messageSize = messageSize
  }

  /** Whether the peer has said that no more comes. */
  get complete(): boolean {
    return this.#complete
  }

  /** Whether a message has begun and goes on. */
  get partial(): boolean {
    return this.#partial !== undefined
  }

  /**
   * Part of a message, or a whole one. Returns `undefined`, or what is wrong with it: `overrun` is a lie of the peer,
   * `too large` concerns this call only.
   */
  receive(bytes: Buffer, start: number, end: number, more: boolean): undefined | 'overrun' | 'too large' {
    const size = end - start
    const cost = frameCost(size)
    if (!this.#window.receive(size)) return 'overrun'

    if (this.#abandoned) {
      this.#owner.released(0, cost)
      if (!more) this.received++
      return undefined
    }

    if ((this.#partial?.size ?? 0) + size > this.#messageSize) {
      this.#owner.released(0, cost)
      return 'too large'
    }

    if (!more && this.#partial === undefined) {
      this.received++
      this.#arrive(bytes, start, end, cost)
      return undefined
    }

    if (this.#partial === undefined) {
      this.#partial = new Assembly()
      this.#begun = this.#partials.begin()
    }
    this.#partial.add(bytes, start, end)
    this.#withheld += cost

    if (!more) {
      const whole = this.#partial.whole()
      const held = this.#withheld
      this.#forgetPartial()
      this.received++
      this.#arrive(whole, 0, whole.length, held)
    } else if (this.#waiting.length > 0) {
      this.#waitForPartial()
    }

    return undefined
  }

  #arrive(bytes: Buffer, start: number, end: number, held: number): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      const slab = (this.#slab ??= new Slab())
      slab.keep(bytes, start, end)
      this.#ready.push({ bytes: slab.bytes, start: slab.start, end: slab.start + (end - start), held })
      return
    }

    this.#release(held)
    settle(waiter, this.#owner, bytes, start, end)
  }

  /** No more will come; with an error, the reader gets it after what it has not read yet. */
  end(error?: CallError): void {
    if (this.#complete) return
    this.#complete = true
    this.#error = error
    this.#dropPartial()

    for (const waiter of this.#waiting.splice(0)) {
      if (error === undefined) waiter.resolve(over)
      else waiter.reject(error)
    }
  }

  /** The call was given up: the reader gets the error at once, what it has not read is dropped. */
  fail(error: CallError): void {
    if (this.#abandoned) return
    this.#drop()
    this.#complete = false
    this.end(error)
  }

  /** The call is over: gives back what was never read. */
  close(): void {
    this.#abandoned = true
    this.#drop()
    for (const waiter of this.#waiting.splice(0)) waiter.resolve(over)
  }

  #drop(): void {
    let held = 0
    for (let index = this.#next; index < this.#ready.length; index++) held += this.#ready[index]!.held
    this.#ready = []
    this.#next = 0
    this.#slab = undefined
    if (held > 0) this.#owner.released(0, held)
    this.#dropPartial()
  }

  #dropPartial(): void {
    const held = this.#withheld
    this.#forgetPartial()
    if (held > 0) this.#owner.released(0, held)
  }

  #forgetPartial(): void {
    if (this.#partial === undefined) return
    const granted = this.#granted
    this.#partial = undefined
    this.#withheld = 0
    this.#granted = 0
    this.#partials.leave(this, granted)
  }

  #release(cost: number): void {
    const granted = this.#complete ? 0 : this.#window.release(cost)
    this.#owner.released(granted, cost)
  }

  // ── Partial ──

  get begun(): number {
    return this.#begun
  }

  get withheld(): number {
    return this.#withheld
  }

  proceed(): void {
    const held = this.#withheld
    if (held === 0 || !this.#partials.take(this, held)) return
    this.#withheld = 0
    this.#granted += held
    this.#release(held)
  }

  #waitForPartial(): void {
    if (this.#partial === undefined) return
    this.#partials.join(this)
    this.proceed()
  }

  // ── the application's side ──

  next(): Promise<IteratorResult<unknown>> {
    if (this.#next < this.#ready.length) return this.#shift()
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#complete || this.#abandoned) return Promise.resolve(over)

    const waiting = new Promise<IteratorResult<unknown>>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
    this.#waitForPartial()
    return waiting
  }

  #shift(): Promise<IteratorResult<unknown>> {
    const { bytes, start, end, held } = this.#ready[this.#next] as Received
    this.#next++
    if (this.#next === this.#ready.length) {
      this.#ready = []
      this.#next = 0
    } else if (this.#next >= 256 && this.#next * 2 > this.#ready.length) {
      this.#ready.splice(0, this.#next)
      this.#next = 0
    }

    this.#release(held)
    const later = ++this.#taken % messagesPerTurn === 0

    return new Promise((resolve, reject) => {
      if (later) {
        setImmediate(settle, { resolve, reject }, this.#owner, bytes, start, end)
        return
      }
      settle({ resolve, reject }, this.#owner, bytes, start, end)
      if (this.#ready.length === 0) this.#slab?.reuse()
    })
  }

  return(): Promise<IteratorResult<unknown>> {
    if (!this.#abandoned) {
      const before = this.#complete && this.#next === this.#ready.length
      this.close()
      if (!before && this.#error === undefined) this.#owner.abandoned()
    }
    return Promise.resolve(over)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function settle(waiter: Waiter, owner: IncomingOwner, bytes: Buffer, start: number, end: number): void {
  try {
    const value = owner.decode(bytes, start, end)
    if (value instanceof Promise) {
      value.then((each) => waiter.resolve({ done: false, value: each }), waiter.reject)
    } else {
      waiter.resolve({ done: false, value })
    }
  } catch (error) {
    waiter.reject(error)
  }
}
