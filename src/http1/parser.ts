/**
 * HOT PATH. The state machine that cuts a byte stream into messages (RFC 9112); pure: bytes in, calls out. A head that
 * arrives whole is read where it lies; only one that is cut is copied. Guarded by `bench/systems/http1-raw-server.ts`.
 *
 *     head → nothing | fixed | chunked | untilClose → done → (next) → head
 */
import type { HttpHeaders } from '../http/headers.ts'
import { ChunkedDecoder } from './chunked.ts'
import { failure, type MessageFailure } from './failure.ts'
import {
  chunked,
  isFailure,
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
  untilClose,
} from './head.ts'
import type { MessageLimits } from './limits.ts'

/** Hears what a parser reads. Bytes are borrowed. */
export interface MessageEvents<Head> {
  /** A head is complete. With `length` 0 there is no body, and nothing more is called for the message. */
  head(head: Head): void
  data(bytes: Buffer, start: number, end: number): void
  end(trailers: HttpHeaders | undefined): void
}

const inHead = 0
const inFixed = 1
const inChunked = 2
const inUntilClose = 3
const isDone = 4

/** Empty lines that are skipped before a request (RFC 9112 section 2.2). */
const mostEmptyLines = 4

/** A packet up to this size is decoded whole. */
const decodeBound = 2 * 1024

type ReadHead<Head> = (text: string, limits: MessageLimits, bodiless: boolean) => Head | MessageFailure

/** A parser of requests. */
export function requestParser(
  limits: MessageLimits,
  events: MessageEvents<RequestHead>,
): MessageParser<RequestHead> {
  return new MessageParser(parseRequestHead, limits, events)
}

/** A parser of responses. Set `bodiless` before the answer to HEAD. */
export function responseParser(
  limits: MessageLimits,
  events: MessageEvents<ResponseHead>,
): MessageParser<ResponseHead> {
  return new MessageParser(parseResponseHead, limits, events)
}

export class MessageParser<Head extends { readonly length: number }> {
  /** Set when the bytes are no message; nothing is read any more. */
  failure: MessageFailure | undefined
  /** While set, a body is not read; heads are. */
  hold = false
  /** The next response has no body, whatever its head says. */
  bodiless = false
  readonly #readHead: ReadHead<Head>
  readonly #limits: MessageLimits
  readonly #events: MessageEvents<Head>
  #state = inHead
  #remaining = 0
  #decoder: ChunkedDecoder | undefined
  /** The beginning of a head that was cut. */
  #partial: Buffer | undefined
  #partialSize = 0
  #emptyLines = 0

  constructor(readHead: ReadHead<Head>, limits: MessageLimits, events: MessageEvents<Head>) {
    this.#readHead = readHead
    this.#limits = limits
    this.#events = events
  }

  /** A message is complete; `next()` goes on. */
  get done(): boolean {
    return this.#state === isDone
  }

  /** Whether nothing of a message has been read. */
  get fresh(): boolean {
    return this.#state === inHead && this.#partialSize === 0
  }

  /** Bytes of the body that are still to come; Infinity when that is not known. */
  get remaining(): number {
    if (this.#state === inFixed) return this.#remaining
    return this.#state === inChunked || this.#state === inUntilClose ? Number.POSITIVE_INFINITY : 0
  }

  next(): void {
    this.#state = inHead
    this.#emptyLines = 0
    this.#decoder = undefined
  }

  /** Reads on. Returns how far; less than `end` when a message is done, the body is held up, or on failure. */
  parse(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.failure === undefined) {
      if (this.#state === inHead) at = this.#parseHead(bytes, at, end)
      else if (this.hold || this.#state === isDone) break
      else if (this.#state === inChunked) at = this.#parseChunked(bytes, at, end)
      else at = this.#parsePlain(bytes, at, end)
    }
    return at
  }

  /** The peer sends nothing more. Returns whether that is in order here. */
  close(): boolean {
    if (this.#state === inUntilClose) {
      this.#state = isDone
      this.#events.end(undefined)
      return true
    }
    return this.#state === isDone || this.fresh
  }

  #parsePlain(bytes: Buffer, start: number, end: number): number {
    if (this.#state === inUntilClose) {
      this.#events.data(bytes, start, end)
      return end
    }
    const stop = Math.min(end, start + this.#remaining)
    this.#remaining -= stop - start
    const last = this.#remaining === 0
    this.#events.data(bytes, start, stop)
    if (last) {
      // A sink that pauses with the last bytes is told of the end all the same: nothing more can come.
      this.#state = isDone
      this.#events.end(undefined)
    }
    return stop
  }

  #parseChunked(bytes: Buffer, start: number, end: number): number {
    const decoder = this.#decoder as ChunkedDecoder
    const { remaining } = decoder
    if (remaining > 0) {
      const stop = Math.min(end, start + remaining)
      decoder.take(stop - start)
      this.#events.data(bytes, start, stop)
      return stop
    }
    const at = decoder.skip(bytes, start, end)
    if (decoder.failure !== undefined) this.failure = decoder.failure
    else if (decoder.done) {
      this.#state = isDone
      this.#decoder = undefined
      this.#events.end(decoder.trailers)
    }
    return at
  }

  #parseHead(bytes: Buffer, start: number, end: number): number {
    if (this.#partialSize > 0) return this.#resumeHead(bytes, start, end)

    let from = start
    // Almost never entered: a head begins with a letter.
    while (from < end && (bytes[from] as number) <= 0x20) {
      if (bytes[from] !== 0x0d || this.#emptyLines >= mostEmptyLines) {
        this.failure = failure(400, 'the message does not begin with a start line')
        return from
      }
      if (from + 1 === end) return this.#keep(bytes, from, end)
      if (bytes[from + 1] !== 0x0a) {
        this.failure = failure(400, 'the message begins with a bare CR')
        return from
      }
      from += 2
      this.#emptyLines++
    }
    if (from === end) return end

    // Decoding a small packet once is cheaper than searching its bytes and decoding the head then.
    const small = end - from <= decodeBound
    const text = small ? bytes.latin1Slice(from, end) : ''
    const found = small ? text.indexOf('\r\n\r\n') : bytes.indexOf('\r\n\r\n', from, 'latin1') - from
    if (found < 0 || from + found + 4 > end || found + 4 > this.#limits.headerSize) {
      const wrong = this.#checkIncomplete(bytes, from, end, from)
      if (wrong === undefined) return this.#keep(bytes, from, end)
      this.failure = wrong
      return from
    }
    const last = from + found
    this.#finishHead(bytes, from, last, small ? text.slice(0, found) : bytes.latin1Slice(from, last))
    return last + 4
  }

  #finishHead(bytes: Buffer, from: number, last: number, text: string): void {
    const head = this.#readHead(text, this.#limits, this.bodiless)
    if (isFailure(head)) {
      // Bytes that come one by one are refused at the first bare newline: the verdict must not depend on packets.
      const until = head.status === 414 ? Math.min(last, from + this.#limits.startLine) : last
      this.failure = bareNewline(bytes, from, until) ?? head
      return
    }

    const { length } = head
    if (length === 0) this.#state = isDone
    else if (length === chunked) {
      this.#state = inChunked
      this.#decoder = new ChunkedDecoder(this.#limits)
    } else if (length === untilClose) this.#state = inUntilClose
    else {
      this.#state = inFixed
      this.#remaining = length
    }
    this.#events.head(head)
  }

  #resumeHead(bytes: Buffer, start: number, end: number): number {
    const before = this.#partialSize
    const limit = this.#limits.headerSize
    const stop = Math.min(end, start + limit + 4 - before)
    this.#keep(bytes, start, stop)
    const partial = this.#partial as Buffer
    const size = this.#partialSize

    if (partial[0] === 0x0d) {
      // An empty line before the message was cut in two.
      this.#dropPartial()
      if (size > 1 && partial[1] === 0x0a) {
        this.#emptyLines++
        return start + 2 - before
      }
      this.failure = failure(400, 'the message begins with a bare CR')
      return start
    }

    const last = partial.indexOf('\r\n\r\n', Math.max(0, before - 3), 'latin1')
    if (last < 0 || last >= size - 3 || last + 4 > limit) {
      this.failure = this.#checkIncomplete(partial, 0, size, Math.max(0, before - 1))
      return stop
    }
    this.#dropPartial()
    this.#finishHead(partial, 0, last, partial.latin1Slice(0, last))
    return start + last + 4 - before
  }

  #keep(bytes: Buffer, start: number, end: number): number {
    const size = end - start
    const needed = this.#partialSize + size
    let partial = this.#partial
    if (partial === undefined || partial.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(256, needed * 2))
      partial?.copy(larger, 0, 0, this.#partialSize)
      partial = larger
      this.#partial = partial
    }
    bytes.copy(partial, this.#partialSize, start, end)
    this.#partialSize = needed
    return end
  }

  #dropPartial(): void {
    this.#partial = undefined
    this.#partialSize = 0
  }

  /** What can be said of a head whose end has not come; what lies before `seen` was looked at already. */
  #checkIncomplete(bytes: Buffer, from: number, end: number, seen: number): MessageFailure | undefined {
    const { startLine, headerSize } = this.#limits
    const newline = bytes.indexOf('\r\n', from, 'latin1')
    const lineEnd = newline < 0 || newline >= end ? end : newline
    const longLine = lineEnd - from > startLine + (lineEnd === end ? 1 : 0)
    const until = longLine ? from + startLine : Math.min(end, from + headerSize)
    const bare = bareNewline(bytes, seen, until)
    if (bare !== undefined) return bare
    if (longLine) return failure(414, `the start line is longer than ${startLine} bytes`)
    if (end - from > headerSize) return failure(431, `the head is larger than ${headerSize} bytes`)
    return undefined
  }
}

/** Looks for a CR without LF, or an LF without CR. A CR at the very end may still get its LF. */
function bareNewline(bytes: Buffer, from: number, until: number): MessageFailure | undefined {
  for (let at = from; at < until; at++) {
    const byte = bytes[at]
    if (byte === 0x0a && (at === 0 || bytes[at - 1] !== 0x0d)) {
      return failure(400, 'a line of the head ends with a bare LF')
    }
    if (byte === 0x0d && at + 1 < until && bytes[at + 1] !== 0x0a) {
      return failure(400, 'the head has a bare CR')
    }
  }
  return undefined
}
