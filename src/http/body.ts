/**
 * Bodies in the shapes that code likes to have, made on top of the sink only where somebody asks: all bytes by
 * callback (HOT PATH, guarded by `bench/systems/http1-raw-server.ts`), by promise, or as an AsyncIterable.
 *
 * A server gives its exchange; a client passes a `collector` or a `BodyQueue` as the sink of its answer.
 */
import { type ContentCoding, decode, tooLarge } from './content-coding.ts'
import type { BodySink, HttpAbort } from './exchange.ts'
import { Gathered } from './gathered.ts'
import type { HttpHeaders } from './headers.ts'

/** Where a body comes from: a server's exchange. */
export interface BodySource {
  receive(sink: BodySink): void
  /** Says, where it is known, how long the body will be. */
  readonly request?: { readonly headers: HttpHeaders }
}

/** What slows a body down: an exchange of either side. */
export interface BodyFlow {
  pause(): void
  resume(): void
}

/** Called once: with the body, or why there is none. */
export type BodyDone = (
  body: Buffer | undefined,
  why: HttpAbort | undefined,
  trailers: HttpHeaders | undefined,
) => void

/** An error for those who wait with promises. */
export class HttpBodyError extends Error {
  override readonly name = 'HttpBodyError'
  readonly why: HttpAbort

  constructor(why: HttpAbort) {
    super(why.message)
    this.why = why
  }
}

const empty = Buffer.alloc(0)

/** A sink that keeps all bytes, at most `limit`, undoes `codings`, and calls back once. */
export function collector(limit: number, codings: readonly ContentCoding[], done: BodyDone): BodySink {
  return new Collector(limit, codings, done)
}

/**
 * Receives a whole body of at most `limit` bytes, decompressed if `codings` says how, and calls `done` once, perhaps
 * before it returns. After `too_large` the rest of the body is not kept.
 */
export function collect(
  source: BodySource,
  limit: number,
  codings: readonly ContentCoding[],
  done: BodyDone,
): void {
  const length = source.request?.headers.get('content-length')
  source.receive(new Collector(limit, codings, done, length === undefined ? -1 : Number(length)))
}

/** `collect` as a promise. Rejects with HttpBodyError. */
export function bytes(
  source: BodySource,
  limit: number,
  codings: readonly ContentCoding[] = [],
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    collect(source, limit, codings, (body, why) => {
      if (body !== undefined) resolve(body)
      else reject(new HttpBodyError(why as HttpAbort))
    })
  })
}

class Collector implements BodySink {
  readonly #limit: number
  readonly #codings: readonly ContentCoding[]
  /** The body's size, where it is known; else negative. */
  readonly #expected: number
  #done: BodyDone | undefined
  #whole: Buffer | undefined
  #parts: Gathered | undefined
  #size = 0

  constructor(limit: number, codings: readonly ContentCoding[], done: BodyDone, expected = -1) {
    this.#limit = limit
    this.#codings = codings
    this.#done = done
    this.#expected = expected
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#done === undefined || start === end) return
    const size = end - start
    this.#size += size
    if (this.#size > this.#limit) return this.#finish(undefined, tooLarge(this.#limit), undefined)

    // One copy of what is only borrowed. Pooled slices are for what lives as long as a call: a body that is complete.
    if (size === this.#expected && size === this.#size) {
      const copy = Buffer.allocUnsafe(size)
      bytes.copy(copy, 0, start, end)
      this.#whole = copy
    } else this.#gather(bytes, start, end)
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    const parts = (this.#parts ??= new Gathered())
    const whole = this.#whole
    if (whole !== undefined) {
      // More came than was announced.
      this.#whole = undefined
      parts.add(whole, 0, whole.length)
    }
    parts.add(bytes, start, end)
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#done === undefined) return
    const body = this.#whole ?? this.#parts?.take() ?? empty
    if (this.#codings.length === 0 || this.#size === 0) return this.#finish(body, undefined, trailers)
    decode(this.#codings, body, this.#limit, (decoded, why) => this.#finish(decoded, why, trailers))
  }

  abort(why: HttpAbort): void {
    this.#finish(undefined, why, undefined)
  }

  #finish(body: Buffer | undefined, why: HttpAbort | undefined, trailers: HttpHeaders | undefined): void {
    const done = this.#done
    this.#done = undefined
    this.#whole = undefined
    this.#parts = undefined
    done?.(body, why, trailers)
  }
}

/** Bytes that may wait for a reader before the flow is paused. */
const highWater = 64 * 1024

/** The chunks of a body, in order, at the reader's speed. Throws HttpBodyError when it ends before its time. */
export function chunks(source: BodySource & BodyFlow): BodyQueue {
  const queue = new BodyQueue()
  queue.attach(source)
  source.receive(queue)
  return queue
}

/**
 * A sink that is read by iterating. Give it the flow that it may pause with `attach`; `return()` (a `break` in the
 * loop) stops keeping what comes, and calls `onCancel`.
 */
export class BodyQueue implements BodySink, AsyncIterableIterator<Buffer> {
  trailers: HttpHeaders | undefined
  onCancel: (() => void) | undefined
  readonly #waiting = new Gathered()
  #flow: BodyFlow | undefined
  #paused = false
  #over = false
  #why: HttpAbort | undefined
  #reader: PromiseWithResolvers<IteratorResult<Buffer, undefined>> | undefined

  attach(flow: BodyFlow): void {
    this.#flow = flow
    if (this.#waiting.size > highWater) this.#pause()
  }

  #pause(): void {
    if (this.#paused || this.#flow === undefined) return
    this.#paused = true
    this.#flow.pause()
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over || start === end) return
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      const copy = Buffer.allocUnsafeSlow(end - start)
      bytes.copy(copy, 0, start, end)
      reader.resolve({ done: false, value: copy })
      return
    }
    this.#waiting.add(bytes, start, end)
    if (this.#waiting.size > highWater) this.#pause()
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#over) return
    this.#over = true
    this.trailers = trailers
    this.#reader?.resolve({ done: true, value: undefined })
    this.#reader = undefined
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    this.#over = true
    this.#why = why
    this.#reader?.reject(new HttpBodyError(why))
    this.#reader = undefined
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    const value = this.#waiting.shift()
    if (value !== undefined) {
      if (this.#paused && this.#waiting.size <= highWater / 2) {
        this.#paused = false
        this.#flow?.resume()
      }
      return Promise.resolve({ done: false, value })
    }
    if (this.#why !== undefined) return Promise.reject(new HttpBodyError(this.#why))
    if (this.#over) return Promise.resolve({ done: true, value: undefined })
    if (this.#reader !== undefined) return Promise.reject(new Error('a body is read by one reader at a time'))
    this.#reader = Promise.withResolvers()
    return this.#reader.promise
  }

  return(): Promise<IteratorResult<Buffer, undefined>> {
    const early = !this.#over
    this.#over = true
    this.#why = undefined
    this.#waiting.clear()
    if (this.#paused) {
      this.#paused = false
      this.#flow?.resume()
    }
    if (early) this.onCancel?.()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
