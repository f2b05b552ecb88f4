/**
 * The messages of one direction of a call: pulled from the sender when the receiver asks, and not before, so that a slow
 * reader costs nothing. A state machine without timers; it ends once, whoever ends it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** After so many messages in a row the event loop gets its turn. */
const messagesPerTurn = 512

export interface ConduitOwner {
  /** A message as the receiver shall have it, or a Promise of it. Throws or rejects with what the receiver shall see. */
  carry(message: unknown): unknown
  /** The sender has come to its end. */
  ended(): void
  /** The sender failed, or its message cannot be sent. */
  failed(error: unknown): void
  /** The receiver stopped before the end. */
  abandoned(): void
}

/** `carry` throws it for what the sender did wrong, which is no message of the receiver's. */
export class Unsendable extends Error {
  override readonly name = 'Unsendable'
}

type Step = IteratorResult<unknown, undefined>
type AnyIterator = AsyncIterator<unknown> | Iterator<unknown>

interface Waiter {
  readonly resolve: (step: Step | Promise<Step>) => void
  readonly reject: (error: unknown) => void
}

const over: Step = { done: true, value: undefined }

export class Conduit implements AsyncIterableIterator<unknown> {
  readonly #iterator: AnyIterator
  readonly #owner: ConduitOwner
  /** The sender's code runs in the sender's context, whoever pulls. */
  readonly #inContext = AsyncLocalStorage.snapshot()
  #pulling = false
  #pulls = 0
  /** The sender has ended by itself. */
  #done = false
  /** Messages that were pulled ahead. */
  #ready: unknown[] = []
  #waiting: Waiter[] = []
  #over = false
  #error: { readonly why: unknown } | undefined
  /** Messages that came across. */
  passed = 0

  constructor(iterator: AnyIterator, owner: ConduitOwner) {
    this.#iterator = iterator
    this.#owner = owner
  }

  /** Pulls the first message before anybody asks for it. */
  begin(): void {
    this.#pull()
  }

  next(): Promise<Step> {
    if (this.#ready.length > 0) return stepOf(this.#ready.shift())
    if (this.#error !== undefined) return Promise.reject(this.#error.why)
    if (this.#over) return Promise.resolve(over)

    const step = new Promise<Step>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#pull()
    return step
  }

  #pull(): void {
    if (this.#pulling || this.#over) return
    this.#pulling = true
    if (++this.#pulls % messagesPerTurn === 0) setImmediate(this.#step)
    else this.#step()
  }

  readonly #step = (): void => {
    if (this.#over) return
    try {
      const step = this.#inContext(() => this.#iterator.next())
      if (isPromise(step)) step.then(this.#arrived, this.#failed)
      else this.#arrived(step)
    } catch (error) {
      this.#failed(error)
    }
  }

  readonly #arrived = (step: IteratorResult<unknown>): void => {
    this.#pulling = false
    if (this.#over) return
    if (step.done === true) {
      this.#done = true
      this.#owner.ended()
      return
    }

    let message: unknown
    try {
      message = this.#owner.carry(step.value)
    } catch (error) {
      if (error instanceof Unsendable) {
        this.#failed(error.cause)
        return
      }
      message = Promise.reject(error)
    }
    // Until somebody reads it, its failure is nobody's.
    if (message instanceof Promise) message.catch(() => undefined)

    this.passed++
    const waiter = this.#waiting.shift()
    if (waiter === undefined) this.#ready.push(message)
    else waiter.resolve(stepOf(message))
    if (this.#waiting.length > 0) this.#pull()
  }

  readonly #failed = (error: unknown): void => {
    this.#pulling = false
    if (!this.#over) this.#owner.failed(error)
  }

  /** No more comes; with an error, the receiver gets it after what it has not read. Tells the sender. */
  end(error?: { readonly why: unknown }): void {
    if (this.#over) return
    this.#over = true
    this.#error = error
    for (const waiter of this.#waiting.splice(0)) {
      if (error === undefined) waiter.resolve(over)
      else waiter.reject(error.why)
    }
    this.#stopSender()
  }

  /** The same at once: what the receiver has not read is dropped. */
  cut(error: { readonly why: unknown }): void {
    this.#ready = []
    if (this.#over) this.#error = error
    else this.end(error)
  }

  return(): Promise<Step> {
    this.#ready = []
    this.#error = undefined
    if (!this.#over) {
      this.end()
      this.#owner.abandoned()
    }
    return Promise.resolve(over)
  }

  #stopSender(): void {
    if (this.#done) return
    try {
      const returned: unknown = this.#inContext(() => this.#iterator.return?.(undefined))
      if (isPromise(returned)) returned.then(undefined, () => undefined)
    } catch {
      // It was told, which is all that is owed to it.
    }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function stepOf(message: unknown): Promise<Step> {
  return message instanceof Promise
    ? message.then((value: unknown) => ({ done: false, value }))
    : Promise.resolve({ done: false, value: message })
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
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
