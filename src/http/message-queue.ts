/**
 * HOT PATH. Messages of a streamed body that wait for their reader: an AsyncIterator which slows the body down, so that
 * a slow reader costs no memory. Guarded by `bench/scenarios/rest-server`.
 */
import type { BodyFlow } from './body.ts'

/** What a message counts beside its bytes: about what the least of decoded ones takes. */
const messageOverhead = 32

export interface QueueOptions {
  /** Bytes of messages that may wait, and 32 more for each; more than these pause the body. */
  readonly window: number
  readonly flow: BodyFlow
  /** The reader stopped before the end. */
  readonly onReturn: () => void
}

type Step = IteratorResult<unknown, undefined>

const finished: Step = { done: true, value: undefined }

export class MessageQueue implements AsyncIterableIterator<unknown> {
  readonly #options: QueueOptions
  /** message, what it counts, message, what it counts … from `#head` on */
  #waiting: unknown[] = []
  #head = 0
  #size = 0
  #paused = false
  #ended = false
  #error: unknown
  #failed = false
  #returned = false
  #reader: PromiseWithResolvers<Step> | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /**
   * Adds a message that was `size` bytes on the wire. It may be a Promise, or a function that makes the message, or a
   * Promise of it, when its reader has come to it: what grows when it is read is not made before.
   */
  push(message: unknown, size: number): void {
    if (this.#ended) return
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      reader.resolve(this.#step(message))
      return
    }

    const cost = size + messageOverhead
    this.#waiting.push(message, cost)
    this.#size += cost
    if (this.#size > this.#options.window && !this.#paused) {
      this.#paused = true
      this.#options.flow.pause()
    }
  }

  /** No more messages. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#reader?.resolve(finished)
    this.#reader = undefined
  }

  /** What waits can still be read; then the reader gets `why`. */
  fail(why: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#failed = true
    this.#error = why
    const reader = this.#reader
    if (reader === undefined) return
    this.#failed = false
    this.#reader = undefined
    // A reader may have stopped listening, as in a race.
    reader.promise.catch(() => {})
    reader.reject(why)
  }

  /** Forgets what waits, and the reader gets `why` at once. */
  cut(why: unknown): void {
    if (this.#ended && this.#head === this.#waiting.length) return
    this.#forget()
    this.#ended = false
    this.fail(why)
  }

  get ended(): boolean {
    return this.#ended
  }

  next(): Promise<Step> {
    if (this.#head < this.#waiting.length) return Promise.resolve(this.#shift())
    if (this.#failed) {
      this.#failed = false
      return Promise.reject(this.#error)
    }
    if (this.#ended) return Promise.resolve(finished)
    if (this.#reader !== undefined) {
      return Promise.reject(
        new Error('a stream is read by one reader at a time: await next() before the next one'),
      )
    }
    this.#reader = Promise.withResolvers()
    return this.#reader.promise
  }

  return(): Promise<Step> {
    const early = !this.#ended && !this.#returned
    this.#returned = true
    this.#ended = true
    this.#failed = false
    this.#forget()
    this.#reader?.resolve(finished)
    this.#reader = undefined
    if (early) this.#options.onReturn()
    return Promise.resolve(finished)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #shift(): Step | Promise<Step> {
    const message = this.#waiting[this.#head]
    this.#size -= this.#waiting[this.#head + 1] as number
    this.#waiting[this.#head] = undefined
    this.#head += 2

    if (this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    } else if (this.#head >= 1024) {
      this.#waiting.splice(0, this.#head)
      this.#head = 0
    }

    if (this.#paused && this.#size <= this.#options.window / 2) {
      this.#paused = false
      this.#options.flow.resume()
    }
    return this.#step(message)
  }

  #step(queued: unknown): Step | Promise<Step> {
    const message: unknown = typeof queued === 'function' ? queued() : queued
    if (message instanceof Promise) return message.then((value: unknown) => ({ done: false, value }))
    return { done: false, value: message }
  }

  #forget(): void {
    this.#waiting = []
    this.#head = 0
    this.#size = 0
    if (!this.#paused) return
    this.#paused = false
    this.#options.flow.resume()
  }
}
