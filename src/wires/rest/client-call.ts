/**
 * HOT PATH. One call of the client half, from the request's head to the answer's last byte: a state machine, and so
 * longer than most files. Guarded by `bench/scenarios/rest-client`.
 */
import type { Call } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import { invalidInput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import type { Limits } from '../../call/limits.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { Message } from '../../contract/operation.ts'
import type { StatusCode } from '../../contract/status.ts'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import { type BodyFlow, collector } from '../../http/body.ts'
import { parseContentEncoding } from '../../http/content-coding.ts'
import { decoding } from '../../http/decoding.ts'
import type {
  BodySink,
  HttpAbort,
  HttpClientExchange,
  HttpResponseHead,
  HttpTransport,
  ResponseSink,
} from '../../http/exchange.ts'
import { Gathered } from '../../http/gathered.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { isJsonType, parseMediaType } from '../../http/media-type.ts'
import { Invalid } from '../../schema/invalid.ts'
import { type ReplyMetadata, readReplyHeaders, readTrailers } from './call-metadata.ts'
import type { ClientOperation } from './client-operation.ts'
import type { WrittenInput } from './input.ts'
import { MessagePump } from '../../http/message-pump.ts'
import { ndjsonTypes } from './ndjson.ts'
import { problemType, readProblem, readProblemText } from './problem.ts'
import { sseType } from './sse.ts'
import { writeLine } from './stream-format.ts'
import { StreamInput } from './stream-input.ts'

/** The largest error body that is read. */
const largestProblem = 256 * 1024

const streamedInput: WrittenInput = { parameters: undefined, body: undefined }
const nothing = Buffer.alloc(0)

interface MutableReply extends Reply {
  trailers: Metadata | undefined
}

export class ClientCall implements ResponseSink {
  readonly #called: ClientOperation
  readonly #call: Call
  readonly #limits: Limits
  readonly #reply: PromiseWithResolvers<Reply> = Promise.withResolvers()
  #exchange: HttpClientExchange | undefined
  #pump: MessagePump | undefined
  #sending = false
  #over = false

  #head: HttpResponseHead | undefined
  /** Where the body goes when it is not a plain unary answer. */
  #body: BodySink | undefined
  #stream: StreamInput | undefined
  #expected = -1
  #parts: Gathered | undefined
  #decoded = false
  #value: unknown

  constructor(called: ClientOperation, call: Call, limits: Limits) {
    this.#called = called
    this.#call = call
    this.#limits = limits
  }

  /** Sends the call. `timeout` is the time left in milliseconds. Throws or rejects with a CallError. */
  start(transport: HttpTransport, timeout: number): Promise<Reply> {
    const { streamsIn } = this.#called
    const written = streamsIn ? streamedInput : this.#write(transport)
    const exchange = this.#request(transport, written, timeout)
    this.#exchange = exchange
    if (this.#over) exchange.cancel()
    else {
      this.#call.onCancel(this.#canceled)
    }
    if (streamsIn && !this.#over) this.#send(exchange)
    return this.#reply.promise
  }

  readonly #canceled = (why: CallError): void => this.#fail(why)

  #request(transport: HttpTransport, written: WrittenInput, timeout: number): HttpClientExchange {
    const { body } = written
    try {
      const head = this.#called.head(this.#call, written, timeout)
      if (body !== undefined) return transport.requestWith(head, body, this)
      return transport.request(head, this.#called.streamsIn ? 'stream' : undefined, this)
    } catch (error) {
      body?.close()
      throw error
    }
  }

  #write(transport: HttpTransport): WrittenInput {
    try {
      return this.#called.input.write(this.#call.input(), () => transport.compose())
    } catch (error) {
      throw asInvalidCall(error)
    }
  }

  #send(exchange: HttpClientExchange): void {
    const { element } = this.#called
    const encode = (message: unknown, into: BodyBuffer) => {
      try {
        writeLine(element, message, into)
      } catch (error) {
        throw asInvalidCall(error)
      }
    }

    const pump = new MessagePump(exchange, encode, () => {})
    this.#pump = pump
    this.#sending = true
    pump.run(this.#call.input() as AsyncIterable<unknown>).then(
      (complete) => this.#sent(complete),
      (error: unknown) => this.#fail(error),
    )
  }

  #sent(complete: boolean): void {
    if (!complete || this.#over) return
    this.#sending = false
    this.#exchange?.end()
  }

  // ── answer ──

  head(head: HttpResponseHead): void {
    if (this.#over) return
    this.#head = head
    const { status, headers } = head
    const codings = parseContentEncoding(headers.get('content-encoding'))
    if (codings === undefined) {
      this.#refuse(`content-encoding '${headers.get('content-encoding')}', which is not known here`)
      return
    }

    const success = status >= 200 && status <= 299
    if (success && this.#called.streamsOut) {
      this.#startStream(head, codings)
      return
    }

    if (success) {
      const type = headers.get('content-type')
      const { output } = this.#called.operation
      if (output !== undefined && type !== 'application/json' && !isJson(type)) {
        this.#refuse(type === undefined ? 'no content type' : `content type '${type}'`)
        return
      }
      if (codings.length === 0) {
        const length = headers.get('content-length')
        if (length !== undefined) this.#expected = Number(length)
        if (this.#expected > this.#limits.messageSize) this.#tooLarge()
        return
      }
    }

    const limit = success ? this.#limits.messageSize : largestProblem
    this.#body = collector(limit, codings, (body, why, trailers) => {
      if (this.#over) return
      if (!success) this.#problem(head, body)
      else if (body !== undefined) this.#finish(body, 0, body.length, trailers)
      else this.#aborted(why as HttpAbort)
    })
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return
    if (this.#body !== undefined) {
      this.#body.data(bytes, start, end)
      return
    }

    // Most answers arrive in one piece, which is decoded where it lies.
    if (end - start === this.#expected && this.#parts === undefined) {
      this.#decode(bytes, start, end)
      return
    }

    const parts = (this.#parts ??= new Gathered())
    if (parts.size + end - start > this.#limits.messageSize) this.#tooLarge()
    else parts.add(bytes, start, end)
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#over) return
    if (this.#body !== undefined) this.#body.end(trailers)
    else if (this.#decoded) this.#succeed(trailers)
    else {
      const body = this.#parts?.take() ?? nothing
      this.#finish(body, 0, body.length, trailers)
    }
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    if (this.#stream !== undefined) this.#body?.abort(why)
    else this.#aborted(why)
  }

  #finish(bytes: Buffer, start: number, end: number, trailers: HttpHeaders | undefined): void {
    this.#decode(bytes, start, end)
    if (!this.#over) this.#succeed(trailers)
  }

  #decode(bytes: Buffer, start: number, end: number): void {
    const { output } = this.#called.operation
    this.#decoded = true
    if (output === undefined) return
    if (start === end) {
      this.#refuse(`${this.#head?.status} without a body`)
      return
    }

    try {
      this.#value = refined(output, this.#called.output.decode(bytes, start, end))
    } catch (error) {
      this.#fail(this.#asBadAnswer(error))
    }
  }

  #succeed(trailers: HttpHeaders | undefined): void {
    const known = readReplyHeaders((this.#head as HttpResponseHead).headers)
    const all = { metadata: known.metadata, trailers: readTrailers(trailers, known.trailers) }
    const value = this.#value
    if (!(value instanceof Promise)) {
      this.#settle(value, all)
      return
    }
    value.then(
      (output) => this.#settle(output, all),
      (error: unknown) => this.#fail(this.#asBadAnswer(error)),
    )
  }

  #settle(output: unknown, { metadata, trailers }: ReplyMetadata): void {
    if (this.#over) return
    this.#over = true
    this.#stopSending()
    this.#call.end(undefined, 1, this.#pump?.sent ?? 1)
    this.#reply.resolve({ output, metadata, trailers })
  }

  #problem({ status, headers }: HttpResponseHead, body: Buffer | undefined): void {
    const text = body === undefined ? '' : body.toString('utf8')
    this.#fail(readProblem(status, headers, text, this.#called.faults), true)
  }

  #startStream(head: HttpResponseHead, codings: Parameters<typeof decoding>[0]): void {
    const type = parseMediaType(head.headers.get('content-type') ?? '')?.essence
    const framing = type === sseType ? 'sse' : 'ndjson'
    if (framing === 'ndjson' && !ndjsonTypes.some((known) => known === type)) {
      this.#refuse(type === undefined ? 'no content type' : `content type '${type}'`)
      return
    }

    const { operation, output, faults } = this.#called
    const { metadata, trailers } = readReplyHeaders(head.headers)
    const exchange = () => this.#exchange
    const stream = new StreamInput({
      framing,
      window: this.#limits.streamWindow,
      flow: { pause: () => flow()?.pause(), resume: () => flow()?.resume() },
      messageSize: this.#limits.messageSize,
      problem: (text) => readProblemText(text, undefined, faults),
      tooLong: () => tooLarge(operation.id, this.#limits.messageSize),
      aborted: (why) => this.#abortError(why),
      decode: (bytes, start, end) => {
        try {
          const value = refined(operation.output as Message, output.decode(bytes, start, end))
          if (!(value instanceof Promise)) return value
          return value.catch((error: unknown) => {
            throw this.#asBadAnswer(error)
          })
        } catch (error) {
          throw this.#asBadAnswer(error)
        }
      },
      onReturn: () => this.#fail(new CallError('canceled', 'the reader stopped', { origin: 'downstream' })),
      onOver: (error, last) => {
        reply.trailers = readTrailers(last, reply.trailers)
        this.#streamOver(error)
      },
    })
    this.#stream = stream

    const decoder =
      codings.length === 0
        ? undefined
        : decoding(codings, Number.MAX_SAFE_INTEGER, stream, {
            pause: () => exchange()?.pause(),
            resume: () => exchange()?.resume(),
          })
    const flow = (): BodyFlow | undefined => decoder ?? exchange()
    this.#body = decoder ?? stream

    const reply: MutableReply = { output: stream.messages, metadata, trailers }
    this.#reply.resolve(reply)
  }

  #streamOver(error: unknown): void {
    if (this.#over) return
    if (error !== undefined) {
      this.#fail(error)
      return
    }
    this.#over = true
    this.#stopSending()
    this.#call.end(undefined, this.#stream?.received ?? 0, this.#pump?.sent ?? 1)
  }

  // ── the end ──

  /** The answer is complete: what is still being sent is not wanted. */
  #stopSending(): void {
    this.#pump?.stop()
    if (this.#sending) this.#exchange?.cancel()
  }

  #refuse(what: string): void {
    const { id } = this.#called.operation
    const wanted = this.#called.streamsOut ? `${ndjsonTypes[0]} or ${sseType}` : 'application/json'
    const message = `${id}: expected ${wanted}, but the server answered ${what} (status ${this.#head?.status})`
    this.#fail(new CallError('internal', message, { origin: 'downstream' }))
  }

  #tooLarge(): void {
    this.#fail(tooLarge(this.#called.operation.id, this.#limits.messageSize))
  }

  #asBadAnswer(error: unknown): unknown {
    if (!(error instanceof Invalid)) return error
    const message = `${this.#called.operation.id}: the answer does not fit the contract: ${error.message}`
    return new CallError('internal', message, { issues: error.issues, origin: 'downstream', cause: error })
  }

  #aborted(why: HttpAbort): void {
    this.#fail(this.#abortError(why))
  }

  #abortError({ reason, message, processed }: HttpAbort): CallError {
    const { id } = this.#called.operation
    return new CallError(abortCodes[reason], `${id}: ${message}`, { processed, origin: 'downstream' })
  }

  #fail(error: unknown, answered = false): void {
    if (this.#over) return
    this.#over = true
    this.#pump?.stop()
    this.#parts = undefined
    if (!answered || this.#sending) this.#exchange?.cancel()

    const known = CallError.is(error) ? error : this.#inputError(error)
    const stream = this.#stream
    // A call that nobody has seen is left as it came: the client may give it to another channel.
    const untouched = known.processed === 'no' && stream === undefined && this.#pump === undefined
    if (untouched) this.#call.offCancel(this.#canceled)
    else this.#call.end(known, stream?.received ?? 0, this.#pump?.sent ?? 1)
    if (stream === undefined) this.#reply.reject(known)
    else if (!stream.messages.ended) stream.messages.cut(known)
  }

  /** The iteration that makes the input failed. */
  #inputError(error: unknown): CallError {
    const message = error instanceof Error ? error.message : String(error)
    return new CallError('canceled', `${this.#called.operation.id}: the input failed: ${message}`, {
      origin: 'downstream',
      cause: error,
    })
  }
}

/** What ends a call when its exchange was aborted. */
const abortCodes: Readonly<Record<HttpAbort['reason'], StatusCode>> = {
  closed: 'unavailable',
  reset: 'unavailable',
  refused: 'unavailable',
  timeout: 'unavailable',
  protocol: 'internal',
  too_large: 'resource_exhausted',
  no_room: 'resource_exhausted',
}

function refined(message: Message, value: unknown): unknown {
  return message.refine === undefined ? value : message.refine(value)
}

/** What this process would have sent does not fit the contract; nothing left it. */
function asInvalidCall(error: unknown): unknown {
  if (!(error instanceof Invalid)) return error
  const { message, issues } = invalidInput(error)
  return new CallError('invalid_argument', message, { issues, processed: 'no', origin: 'downstream' })
}

function tooLarge(id: string, limit: number): CallError {
  return new CallError('resource_exhausted', `${id}: the answer is larger than ${limit} bytes`, {
    origin: 'downstream',
  })
}

function isJson(contentType: string | undefined): boolean {
  const essence = contentType === undefined ? undefined : parseMediaType(contentType)?.essence
  return essence !== undefined && essence !== problemType && isJsonType(essence)
}
