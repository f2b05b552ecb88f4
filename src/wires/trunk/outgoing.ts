/**
 * HOT PATH of streams. The messages of one direction as they go out: how many bytes the peer allows, the message that
 * waits for credit, and the pump that pulls an iterable only when there is room. No I/O: bytes go by `Outlet`.
 */
import type { Writer } from '../../codec/writer.ts'

/** After so many messages in a row the event loop gets its turn. */
const messagesPerTurn = 512

/** The connection, as an outgoing direction sees it. */
export interface Outlet {
  /** Whether a message may be written now, as far as the connection as a whole goes. */
  readonly writable: boolean
  /** Has `wake` called when that changes. */
  await(outgoing: Outgoing): void
  /** Has the message that waits in `pending` sent, fragment by fragment, in turn with others. */
  enqueue(outgoing: Outgoing): void
  /** A message that waited will not be sent: `bytes` of it were left. */
  dropped(outgoing: Outgoing, bytes: number): void
}

/** A message that waits for credit or for its turn. */
export interface Pending {
  readonly bytes: Buffer
  at: number
  /** The last message of this direction. */
  readonly last: boolean
  /** Writes what goes before the message's last part: trailers. Returns their flag. */
  readonly trailers?: ((writer: Writer) => number) | undefined
  /** Called when all of it was written. */
  readonly written?: () => void
}

export class Outgoing {
  readonly id: number
  readonly #outlet: Outlet
  /** Bytes the peer allows for this stream now. */
  credit: number
  pending: Pending | undefined
  /** Whether it stands in the connection's queue. */
  queued = false
  /** Nothing more is sent: ended, failed or cancelled. */
  over = false
  #wake: (() => void) | undefined

  constructor(id: number, outlet: Outlet, credit: number) {
    this.id = id
    this.#outlet = outlet
    this.credit = credit
  }

  /** Whether the next message may be made and written. */
  get writable(): boolean {
    return this.pending === undefined && this.credit > 0 && this.#outlet.writable
  }

  /** Resolves when something may have changed. */
  changed(): Promise<void> {
    this.#outlet.await(this)
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  wake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** The peer allows more. */
  grant(credit: number): void {
    this.credit += credit
    if (this.pending !== undefined) this.#outlet.enqueue(this)
    else this.wake()
  }

  /** Nothing more goes out. */
  close(): void {
    this.over = true
    const { pending } = this
    this.pending = undefined
    if (pending !== undefined) this.#outlet.dropped(this, pending.bytes.length - pending.at)
    this.wake()
  }
}

/** Both kinds of iterator; `next` of a synchronous one returns its result at once. */
export interface AnyIterator {
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>>
  return?(value?: unknown): unknown
}

/** The iterator of what a handler or a caller gave for a stream. Throws TypeError when it is none. */
export function iteratorOf(source: unknown): AnyIterator {
  const iterable = source as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined
  const make = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator]
  if (typeof make !== 'function' || typeof source === 'string') {
    throw new TypeError(
      `a stream must be an AsyncIterable or an Iterable, got ${source === null ? 'null' : typeof source}`,
    )
  }
  return Reflect.apply(make, iterable, []) as AnyIterator
}

/**
 * Sends what an iterator yields, and pulls it only when there is room. Resolves with whether it came to its end (and
 * not `outgoing.over` before). Rejects with what the iterator throws.
 */
export async function pump(
  iterator: AnyIterator,
  outgoing: Outgoing,
  send: (value: unknown) => void,
): Promise<boolean> {
  let inARow = 0

  for (;;) {
    while (!outgoing.writable && !outgoing.over) {
      await outgoing.changed()
      inARow = 0
    }
    if (outgoing.over) return false

    const next = iterator.next()
    const result = isPromise(next) ? await next : next
    if (outgoing.over) return false
    if (result.done === true) break
    send(result.value)

    if (++inARow === messagesPerTurn) {
      inARow = 0
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  // The end follows the last message, which may still wait for credit.
  while (outgoing.pending !== undefined && !outgoing.over) await outgoing.changed()
  return !outgoing.over
}

function isPromise(value: object): value is PromiseLike<IteratorResult<unknown>> {
  return typeof (value as { then?: unknown }).then === 'function'
}

/** Tells an iterator that nobody pulls any more; what it throws then concerns nobody. */
export function abandon(iterator: AnyIterator): void {
  try {
    const returned = iterator.return?.()
    if (returned instanceof Promise) returned.catch(() => undefined)
  } catch {
    // It was told, which is all that is owed to it.
  }
}
