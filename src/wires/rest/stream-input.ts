/** HOT PATH. A body of many messages as an AsyncIterator, decoded from the borrowed bytes: NDJSON, or server-sent events. */
import type { CallError } from '../../call/error.ts'
import type { BodySink, HttpAbort } from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import type { PartialBody } from '../../http/partial-bodies.ts'
import { MessageQueue, type QueueOptions } from '../../http/message-queue.ts'
import { isProblem, LineSplitter, LineTooLong, type OnLine, problemPrefix } from './ndjson.ts'
import { SseParser } from './sse.ts'

export interface StreamInputOptions extends QueueOptions {
  readonly framing: 'ndjson' | 'sse'
  /** The longest message in bytes. */
  readonly messageSize: number
  /** Where a line that has come in part is counted, if it is. */
  readonly partial?: PartialBody
  /** A message, or a Promise of it. Throws a CallError. */
  readonly decode: (bytes: Buffer, start: number, end: number, index: number) => unknown
  /** The error that ends a stream, from problem+json; `undefined` where streams carry none. */
  readonly problem: ((text: string) => CallError) | undefined
  readonly tooLong: (error: LineTooLong) => CallError
  readonly aborted: (why: HttpAbort) => CallError
  /** Nothing more comes: the body is over, or it failed with this error. */
  readonly onOver: (error: unknown, trailers: HttpHeaders | undefined) => void
}

interface Framing {
  push(bytes: Buffer, start: number, end: number): void
  finish(): void
  /** Keeps nothing of what is not complete. */
  forget(): void
}

export class StreamInput implements BodySink {
  readonly messages: MessageQueue
  readonly #options: StreamInputOptions
  readonly #framing: Framing
  #index = 0
  #over = false

  constructor(options: StreamInputOptions) {
    this.#options = options
    this.messages = new MessageQueue(options)
    this.#framing = options.framing === 'ndjson' ? this.#lines() : this.#events()
  }

  /** Messages that came so far. */
  get received(): number {
    return this.#index
  }

  #lines(): Framing {
    const { messageSize, partial, problem } = this.#options
    const hear: OnLine = (bytes, start, end) => {
      if (problem !== undefined && isProblem(bytes, start, end)) {
        this.#problem(bytes.toString('utf8', start + problemPrefix.length, bytes.lastIndexOf('}', end - 1)))
      } else this.#message(bytes, start, end)
    }
    return new LineSplitter(messageSize, hear, partial)
  }

  #events(): Framing {
    const parser = new SseParser(this.#options.messageSize, (type, data) => {
      if (type === 'problem') this.#problem(data)
      if (type !== 'message') return
      const bytes = Buffer.from(data)
      this.#message(bytes, 0, bytes.length)
    })
    return {
      push: (bytes, start, end) => parser.push(bytes, start, end),
      finish: () => undefined,
      forget: () => parser.forget(),
    }
  }

  #problem(text: string): void {
    if (!this.#over) this.#finish(this.#options.problem?.(text), undefined)
  }

  #message(bytes: Buffer, start: number, end: number): void {
    if (this.#over || this.messages.ended) return
    const message = this.#options.decode(bytes, start, end, this.#index++)
    // Until somebody reads it, its failure is nobody's.
    if (message instanceof Promise) message.catch(() => {})
    this.messages.push(message, end - start)
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over || this.messages.ended) return
    try {
      this.#framing.push(bytes, start, end)
    } catch (error) {
      this.#broken(error)
    }
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#over) return
    try {
      this.#framing.finish()
    } catch (error) {
      this.#broken(error)
    }
    if (!this.#over) this.#finish(undefined, trailers)
  }

  abort(why: HttpAbort): void {
    if (!this.#over) this.#finish(this.#options.aborted(why), undefined)
  }

  #broken(error: unknown): void {
    this.#finish(error instanceof LineTooLong ? this.#options.tooLong(error) : error, undefined)
  }

  #finish(error: unknown, trailers: HttpHeaders | undefined): void {
    this.#over = true
    this.#framing.forget()
    if (error === undefined) this.messages.end()
    else this.messages.fail(error)
    this.#options.onOver(error, trailers)
  }
}
