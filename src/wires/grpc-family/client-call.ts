/**
 * HOT PATH. One call of the client half, from the request's head to the answer's last byte: a state machine, and so
 * longer than most files. Guarded by `bench/scenarios/grpc`.
 */
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import { invalidInput } from '../../call/failure.ts'
import type { Limits } from '../../call/limits.ts'
import { Metadata } from '../../call/metadata.ts'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import type {
  HttpAbort,
  HttpClientExchange,
  HttpRequestHead,
  HttpResponseHead,
  HttpTransport,
  ResponseSink,
} from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { MessagePump } from '../../http/message-pump.ts'
import { MessageQueue } from '../../http/message-queue.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { ReplySink } from '../wire.ts'
import { MalformedBinary } from './call-metadata.ts'
import type { Ending } from './client-dialect.ts'
import type { ClientMethod } from './client-method.ts'
import { compressFrom, compressedMessage, decompress } from './compression.ts'
import {
  type BrokenFraming,
  type MessageSink,
  MessageSplitter,
  isWhole,
  prefixSize,
  writePrefix,
} from './framing.ts'
import { broken, tooLarge, undecodable } from './refusals.ts'
import type { ReadHead, ResponseHeadReader } from './response-head.ts'
import { codeFromAbort, codeFromHttp } from './status.ts'

/** What a call needs of its channel. */
export interface ClientCallOwner {
  readonly transport: HttpTransport
  readonly heads: ResponseHeadReader
  readonly limits: Limits
}

export class ClientCall implements ResponseSink, MessageSink {
  readonly #method: ClientMethod
  readonly #call: Call
  readonly #owner: ClientCallOwner
  readonly #sink: ReplySink
  #exchange: HttpClientExchange | undefined
  #pump: MessagePump | undefined
  #sending = false
  #answered = false
  #over = false

  #head: ReadHead | undefined
  #splitter: MessageSplitter | undefined
  #received = 0
  /** The output of a unary answer, or a Promise of it. */
  #value: unknown
  #queue: MessageQueue | undefined
  #trailers: Metadata | undefined
  /** The message that is the end of the answer, or a Promise of it. */
  #last: Buffer | Promise<Buffer> | undefined

  constructor(method: ClientMethod, call: Call, owner: ClientCallOwner, sink: ReplySink) {
    this.#method = method
    this.#call = call
    this.#owner = owner
    this.#sink = sink
    this.#exchange = undefined
    this.#pump = undefined
    this.#head = undefined
    this.#splitter = undefined
    this.#value = undefined
    this.#queue = undefined
    this.#trailers = undefined
    this.#last = undefined
  }

  /** Sends the call. Throws a CallError, having sent nothing, when it cannot be made. */
  start(head: HttpRequestHead): void {
    const { transport } = this.#owner
    if (this.#method.streamsIn) {
      this.#sent(transport.request(head, 'stream', this))
      if (!this.#over) this.#sendStream()
      return
    }

    const body = transport.compose()
    try {
      this.#encode(this.#call.input(), body)
    } catch (error) {
      body.close()
      throw asInvalidCall(error)
    }

    const { compression } = this.#method
    if (compression !== undefined && body.size - prefixSize >= compressFrom) {
      const later = compressedMessage(compression, body)
      body.close()
      this.#call.onCancel(this.#canceled)
      void this.#sendLater(head, later)
      return
    }

    writePrefix(body.bytes, body.start, false, body.size - prefixSize)
    try {
      this.#sent(transport.requestWith(head, body, this))
    } catch (error) {
      body.close()
      throw error
    }
  }

  async #sendLater(head: HttpRequestHead, message: Promise<Buffer>): Promise<void> {
    try {
      const bytes = await message
      if (!this.#over) this.#exchange = this.#owner.transport.request(head, bytes, this)
    } catch (error) {
      this.#fail(error)
    }
  }

  #encode(message: unknown, into: BodyBuffer): void {
    into.reserve(prefixSize)
    into.position += prefixSize
    this.#method.input.encode(message, into)
  }

  #sent(exchange: HttpClientExchange): void {
    this.#exchange = exchange
    if (this.#over) exchange.cancel()
    else this.#call.onCancel(this.#canceled)
  }

  readonly #canceled = (why: CallError): void => this.#fail(asDownstream(why))

  #sendStream(): void {
    const { compression } = this.#method
    const encode = (message: unknown, into: BodyBuffer) => {
      try {
        this.#encode(message, into)
      } catch (error) {
        throw asInvalidCall(error)
      }
      const size = into.size - prefixSize
      if (compression !== undefined && size >= compressFrom) return compressedMessage(compression, into)
      writePrefix(into.bytes, into.start, false, size)
      return undefined
    }

    const pump = new MessagePump(this.#exchange as HttpClientExchange, encode, () => {})
    this.#pump = pump
    this.#sending = true
    pump.run(this.#call.input() as AsyncIterable<unknown>).then(
      (complete) => this.#sentAll(complete),
      (error: unknown) => this.#fail(CallError.is(error) ? asDownstream(error) : this.#inputError(error)),
    )
  }

  #sentAll(complete: boolean): void {
    if (!complete || this.#over) return
    this.#sending = false
    this.#exchange?.end()
  }

  // ── answer ──

  head(head: HttpResponseHead): void {
    if (this.#over) return
    const read = this.#owner.heads.read(head)
    this.#head = read
    if (read.malformed !== undefined) return this.#refuse(read.malformed)
    if (this.#method.streamsOut && read.foreign === undefined && !read.isTrailers) this.#begin(read)
  }

  /** Hands over a streamed output. */
  #begin(head: ReadHead): void {
    const { limits } = this.#owner
    const queue = new MessageQueue({
      window: limits.streamWindow,
      flow: { pause: () => this.#exchange?.pause(), resume: () => this.#exchange?.resume() },
      onReturn: () => this.#fail(new CallError('canceled', 'the reader stopped', { origin: 'downstream' })),
    })
    this.#queue = queue
    this.#trailers = new Metadata()
    this.#answered = true
    this.#sink.answered({ output: queue, metadata: head.metadata(), trailers: this.#trailers })
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over || this.#head?.foreign !== undefined) return
    // Most answers come in one piece.
    if (this.#splitter === undefined && this.#queue === undefined && isWhole(bytes, start, end)) {
      if (end - start - prefixSize <= this.#owner.limits.messageSize) {
        this.message(bytes, start + prefixSize, end, false)
        return
      }
    }
    const { messageSize } = this.#owner.limits
    this.#splitter ??= new MessageSplitter(messageSize, this, undefined, this.#method.dialect.lastFlag)
    this.#splitter.push(bytes, start, end)
  }

  message(bytes: Buffer, start: number, end: number, compressed: boolean): void {
    if (this.#over) return
    this.#received++
    const queue = this.#queue
    if (queue !== undefined) {
      this.#streamed(queue, bytes, start, end, compressed)
    } else if (this.#received > 1) {
      this.#refuse('more than one message, where one was declared')
    } else if (compressed) {
      const value = this.#decodeCompressed(Buffer.from(bytes.subarray(start, end)))
      value.catch((error: unknown) => this.#fail(error))
      this.#value = value
    } else {
      try {
        this.#value = this.#decode(bytes, start, end)
      } catch (error) {
        this.#fail(error)
      }
    }
  }

  #streamed(queue: MessageQueue, bytes: Buffer, start: number, end: number, compressed: boolean): void {
    if (queue.ended) return
    const size = end - start
    if (compressed) {
      // Decompressed when it is read, one after the other: small messages may become large ones.
      const message = Buffer.from(bytes.subarray(start, end))
      queue.push(() => this.#failing(this.#decodeCompressed(message)), size)
      return
    }

    try {
      const value = this.#decode(bytes, start, end)
      queue.push(value instanceof Promise ? this.#failing(value) : value, size)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A message that turns out not to fit ends the call, whatever else is still to come. */
  #failing<T>(message: Promise<T>): Promise<T> {
    message.catch((error: unknown) => this.#fail(error))
    return message
  }

  async #decodeCompressed(message: Buffer): Promise<unknown> {
    const plain = await this.#decompress(message)
    try {
      return await this.#decode(plain, 0, plain.length)
    } catch (error) {
      throw asReceived(undecodable(error))
    }
  }

  async #decompress(message: Buffer): Promise<Buffer> {
    const coding = this.#head?.coding
    if (coding === undefined || coding === 'identity') {
      const { encodingField } = this.#method.dialect
      const encoding = this.#head?.headers.get(encodingField)
      throw this.#badAnswer(
        encoding === undefined
          ? `a message is marked as compressed, but ${encodingField} names no coding`
          : `${encodingField} '${encoding.slice(0, 100)}' is not understood`,
      )
    }

    try {
      return await decompress(coding, message, this.#owner.limits.messageSize)
    } catch (error) {
      throw asReceived(undecodable(error))
    }
  }

  last(bytes: Buffer, start: number, end: number, compressed: boolean): void {
    if (this.#over) return
    const message = Buffer.from(bytes.subarray(start, end))
    this.#last = compressed ? this.#failing(this.#decompress(message)) : message
  }

  /** The value, or a Promise of it. Throws a CallError. */
  #decode(bytes: Buffer, start: number, end: number): unknown {
    try {
      const value = this.#method.output.decode(bytes, start, end)
      const refine = this.#method.operation.output?.refine
      if (refine === undefined) return value
      const refined = refine(value)
      if (!(refined instanceof Promise)) return refined
      return refined.catch((error: unknown) => {
        throw this.#unfit(error)
      })
    } catch (error) {
      throw this.#unfit(error)
    }
  }

  #unfit(error: unknown): unknown {
    if (!(error instanceof Invalid)) return error
    return new CallError(
      'internal',
      `${this.#method.operation.id}: the answer does not fit the contract: ${error.message}`,
      { issues: error.issues, origin: 'downstream', cause: error },
    )
  }

  broken(why: BrokenFraming): void {
    const { messageSize } = this.#owner.limits
    const known = why.kind === 'too large' ? tooLarge(why.size, messageSize) : broken(why, messageSize)
    this.#fail(asReceived(known))
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#over) return
    const last = this.#last
    if (!(last instanceof Promise)) this.#ended(trailers, last)
    else
      last.then(
        (plain) => this.#ended(trailers, plain),
        // The call has failed with it.
        () => {},
      )
  }

  #ended(trailers: HttpHeaders | undefined, last: Buffer | undefined): void {
    if (this.#over) return
    const head = this.#head as ReadHead
    const { dialect, faults } = this.#method
    const ending = dialect.ending(head, trailers, last)

    if (ending === undefined) this.#withoutStatus(head)
    else if (ending.failed) this.#fail(ending.error(faults), true)
    else {
      this.#splitter?.finish()
      if (!this.#over) this.#succeed(ending)
    }
  }

  #withoutStatus({ foreign, httpStatus }: ReadHead): void {
    const { id } = this.#method.operation
    const { missingEnd } = this.#method.dialect
    const what = foreign === undefined ? `ended its answer without ${missingEnd}` : `answered ${foreign}`
    const code = foreign === undefined ? 'unknown' : codeFromHttp(httpStatus)
    this.#fail(new CallError(code, `${id}: the server ${what}`, { origin: 'downstream' }), true)
  }

  #succeed(ending: Ending): void {
    const queue = this.#queue
    if (queue !== undefined) {
      if (!this.#readTrailers(ending, this.#trailers)) return
      this.#leave(true)
      queue.end()
      this.#call.end(undefined, this.#received, this.#pump?.sent ?? 1)
      return
    }
    if (this.#method.streamsOut) {
      // An answer without a message came as trailers alone.
      this.#begin(this.#head as ReadHead)
      this.#succeed(ending)
      return
    }

    if (this.#received === 0) {
      if (this.#method.operation.output !== undefined)
        return this.#refuse('no message, where one was declared')
      this.#received = 1
    }
    const value = this.#value
    if (!(value instanceof Promise)) this.#settle(value, ending)
    else {
      value.then(
        (output) => this.#settle(output, ending),
        (error: unknown) => this.#fail(error),
      )
    }
  }

  /** What trailers carry besides the status: mostly nothing. */
  #readTrailers(ending: Ending, into?: Metadata): boolean {
    try {
      this.#trailers = ending.trailers(into)
      return true
    } catch (error) {
      if (!(error instanceof MalformedBinary)) throw error
      this.#refuse(error.message)
      return false
    }
  }

  #settle(output: unknown, ending: Ending): void {
    if (this.#over) return
    const head = this.#head as ReadHead
    if (!this.#readTrailers(ending)) return
    this.#leave(true)
    this.#answered = true
    this.#call.end(undefined, 1, this.#pump?.sent ?? 1)
    this.#sink.answered({ output, metadata: head.metadata(), trailers: this.#trailers })
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    const { operation } = this.#method
    const { processed, message } = why
    // Refused unseen, it may go elsewhere, unless it is this side that has no room for it.
    const elsewhere = processed === 'no' && why.reason !== 'no_room'
    let code = elsewhere ? 'unavailable' : codeFromAbort(why)
    // The server's clock may have been the first to say so.
    if (code === 'canceled' && this.#call.deadline <= performance.now()) code = 'deadline_exceeded'
    this.#fail(new CallError(code, `${operation.id}: ${message}`, { processed, origin: 'downstream' }), true)
  }

  // ── the end ──

  #refuse(what: string): void {
    this.#fail(this.#badAnswer(what))
  }

  #badAnswer(what: string): CallError {
    const message = `${this.#method.operation.id}: the server sent a malformed answer: ${what}`
    return new CallError('internal', message, { origin: 'downstream' })
  }

  /** The iteration that makes the input failed. */
  #inputError(error: unknown): CallError {
    const message = error instanceof Error ? error.message : String(error)
    return new CallError('canceled', `${this.#method.operation.id}: the input failed: ${message}`, {
      origin: 'downstream',
      cause: error,
    })
  }

  /** Nothing more is sent or listened to. `complete`: the server has said its last. */
  #leave(complete: boolean): void {
    this.#over = true
    this.#pump?.stop()
    this.#splitter?.close()
    if (!complete || this.#sending) this.#exchange?.cancel()
  }

  #fail(error: unknown, complete = false): void {
    if (this.#over) return
    this.#leave(complete)
    const known = CallError.is(error) ? error : this.#inputError(error)
    const queue = this.#queue
    // A call that nobody has seen is left as it came: the client may give it to another channel.
    const untouched = known.processed === 'no' && queue === undefined && this.#pump === undefined
    if (untouched) this.#call.offCancel(this.#canceled)
    else this.#call.end(known, queue === undefined ? 0 : this.#received, this.#pump?.sent ?? 1)

    if (queue === undefined) {
      if (!this.#answered) this.#sink.failed(known)
      this.#answered = true
    } else if (complete || this.#call.canceled === undefined) queue.fail(known)
    else if (!queue.ended) queue.cut(known)
  }
}

/** What this process would have sent does not fit the contract; nothing left it. */
function asInvalidCall(error: unknown): unknown {
  if (!(error instanceof Invalid)) return error
  const { message, issues } = invalidInput(error)
  return new CallError('invalid_argument', message, { issues, processed: 'no', origin: 'downstream' })
}

/** An error about something that the server sent. */
function asReceived(error: unknown): unknown {
  return CallError.is(error) ? asDownstream(error) : error
}
