/**
 * HOT PATH. Sends what an iteration yields as one body, message behind message, as fast as the peer takes it: a
 * server's streamed output and a client's streamed input. Guarded by `bench/scenarios/rest-server`.
 *
 * The writer gathers what is written in one turn; an iteration that never waits gives way to the rest of the process
 * every 512 messages.
 */
import { type BodyBuffer, composeBody } from './body-buffer.ts'
import type { BodyWriter } from './exchange.ts'

/** A larger message is handed over where it lies. */
const largestCopy = 16 * 1024
const messagesATurn = 512

export class MessagePump {
  /** Messages that were handed to the writer. */
  sent = 0
  readonly #writer: BodyWriter
  readonly #encode: (message: unknown, into: BodyBuffer) => Promise<Buffer> | undefined | void
  readonly #begin: () => void
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined
  #blocked: PromiseWithResolvers<void> | undefined
  #over = false

  /**
   * @param encode Writes a message, with what parts it from the next; or forgets what it has written, and resolves with
   *   the bytes to send.
   * @param begin Called before each write.
   */
  constructor(
    writer: BodyWriter,
    encode: (message: unknown, into: BodyBuffer) => Promise<Buffer> | undefined | void,
    begin: () => void,
  ) {
    this.#writer = writer
    this.#encode = encode
    this.#begin = begin
    writer.onDrain(() => this.#release())
  }

  /** Sends all of `source`. Resolves when it has ended, true, or when it was stopped, false; rejects with its error. */
  async run(source: AsyncIterable<unknown> | Iterable<unknown>): Promise<boolean> {
    const iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    this.#iterator = iterator

    for (;;) {
      const step = await iterator.next()
      if (this.#over) return false
      if (step.done === true) {
        this.#iterator = undefined
        return true
      }

      const later = this.#send(step.value)
      if (later !== undefined) this.#written(await later)
      if (this.#blocked !== undefined) await this.#blocked.promise
      if (this.sent % messagesATurn === 0) await turn()
      if (this.#over) return false
    }
  }

  #send(message: unknown): Promise<Buffer> | undefined {
    const body = composeBody()
    let later: Promise<Buffer> | undefined
    try {
      later = this.#encode(message, body) as Promise<Buffer> | undefined
    } finally {
      body.close()
    }
    if (later !== undefined) return later
    this.sent++
    this.#begin()
    if (!this.#write(body)) this.#blocked ??= Promise.withResolvers()
    return undefined
  }

  #written(bytes: Buffer): void {
    if (this.#over) return
    this.sent++
    this.#begin()
    if (!this.#writer.write(bytes, false)) this.#blocked ??= Promise.withResolvers()
  }

  #write(body: BodyBuffer): boolean {
    const { size } = body
    if (size > largestCopy) {
      body.hold()
      return this.#writer.write(body.bytes.subarray(body.start, body.position), false)
    }
    const room = this.#writer.reserve(size)
    body.bytes.copy(room.bytes, room.start, body.start, body.position)
    return this.#writer.commit(size, false)
  }

  /** Sends text that is no message: the end, an error, a comment. */
  append(text: string): void {
    if (text === '') return
    this.#begin()
    if (!this.#writer.write(Buffer.from(text), false)) this.#blocked ??= Promise.withResolvers()
  }

  /** Whether the writer takes no more for now. */
  get waiting(): boolean {
    return this.#blocked !== undefined
  }

  #release(): void {
    this.#blocked?.resolve()
    this.#blocked = undefined
  }

  /** Sends nothing more and tells the source, whatever it is doing. What it still says is not listened to. */
  stop(): void {
    if (this.#over) return
    this.#over = true
    this.#release()
    const iterator = this.#iterator
    this.#iterator = undefined
    discard(iterator)
  }
}

/** Ends an iteration that nobody reads any more. Its last words go nowhere. */
export function discard(iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined): void {
  try {
    const end: unknown = iterator?.return?.(undefined)
    if (end instanceof Promise) end.catch(() => {})
  } catch {
    // A generator's own clean-up failed; its call has ended already.
  }
}

/** Ends an output that nobody will read. */
export function discardOutput(output: unknown): void {
  const source = output as Partial<AsyncIterable<unknown> & Iterable<unknown>>
  discard(source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.())
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
