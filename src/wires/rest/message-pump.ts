/**
 * HOT PATH. Sends what an iteration yields as one body, message behind message, as fast as the peer takes it: a
 * server's streamed output and a client's streamed input. Guarded by `bench/scenarios/rest-server`.
 *
 * Messages of one turn of the event loop leave in one write; an iteration that never waits gives way to the rest of
 * the process every 512 messages.
 */
import type { BodyWriter } from '../../http/exchange.ts'

/** Characters that leave at once, without waiting for the turn's end. */
const flushAt = 16 * 1024
/** Larger texts are not encoded in place. */
const largestReservation = 64 * 1024
const messagesATurn = 512

export class MessagePump {
  /** Messages that were handed to the writer. */
  sent = 0
  readonly #writer: BodyWriter
  readonly #encode: (message: unknown) => string
  readonly #begin: () => void
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined
  #text = ''
  #scheduled = false
  #blocked: PromiseWithResolvers<void> | undefined
  #over = false

  /**
   * @param encode A message as text, with what parts it from the next.
   * @param begin Called before each write.
   */
  constructor(writer: BodyWriter, encode: (message: unknown) => string, begin: () => void) {
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

      this.#text += this.#encode(step.value)
      this.sent++
      if (this.#text.length >= flushAt) this.flush()
      else this.#schedule()

      if (this.#blocked !== undefined) await this.#blocked.promise
      if (this.sent % messagesATurn === 0) await turn()
      if (this.#over) return false
    }
  }

  /** Adds text that is no message: the end, an error, a comment. */
  append(text: string): void {
    this.#text += text
    this.#schedule()
  }

  /** Whether text waits for the writer. */
  get waiting(): boolean {
    return this.#text !== ''
  }

  flush(): void {
    const text = this.#text
    if (text === '') return
    this.#text = ''
    this.#begin()
    if (!this.#write(text)) this.#blocked ??= Promise.withResolvers()
  }

  #write(text: string): boolean {
    const most = text.length * 3
    if (most > largestReservation) return this.#writer.write(Buffer.from(text), false)
    const { bytes, start } = this.#writer.reserve(most)
    return this.#writer.commit(bytes.write(text, start), false)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#over && this.#blocked === undefined) this.flush()
    })
  }

  #release(): void {
    this.#blocked?.resolve()
    this.#blocked = undefined
    if (!this.#over) this.flush()
  }

  /** Sends nothing more and tells the source, whatever it is doing. What it still says is not listened to. */
  stop(): void {
    if (this.#over) return
    this.#over = true
    this.#blocked?.resolve()
    this.#blocked = undefined
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

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
