/**
 * HOT PATH. One call of the server half, from the request's head to the answer's last byte: a state machine, and so
 * longer than most files. Guarded by `bench/scenarios/rest-server`.
 *
 * The body is not read before somebody asks for the input, so that a filter which refuses costs no reading. An
 * operation whose body is there and whose handler does not wait is answered without a promise.
 */
import type { Call, InputSource } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import { checkReplyHead, invalidFault, invalidInput, invalidOutput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { Message } from '../../contract/operation.ts'
import { BodyBuffer } from '../../http/body-buffer.ts'
import type { BodyFlow } from '../../http/body.ts'
import { type ContentCoding, contentCodings, encode, negotiateEncoding } from '../../http/content-coding.ts'
import { decoding } from '../../http/decoding.ts'
import type { BodySink, HttpAbort, HttpExchange, HttpResponseHead } from '../../http/exchange.ts'
import { Gathered } from '../../http/gathered.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { PartialBody } from '../../http/partial-bodies.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Host } from '../wire.ts'
import { type RequestHeaders, httpTrailers, writeMetadata, writeTrailersAsHeaders } from './call-metadata.ts'
import type { Endpoint } from './endpoint.ts'
import type { RequestParts } from './input.ts'
import { MessagePump, discardOutput } from '../../http/message-pump.ts'
import type { StreamFormat } from './stream-format.ts'
import { StreamInput } from './stream-input.ts'
import { bodyAborted, contentTypeMissing, noRoom, tooLarge } from './refusals.ts'
import { problemText, writeProblem } from './problem.ts'

/** Answers of fewer bytes are not worth compressing. */
const compressFrom = 1024
/** How long the first message of a stream may decide over the status, in milliseconds; then the head is sent alone. */
const headDelay = 1_000
const keepAliveInterval = 15_000
/** Bytes of a body that nobody reads which are thrown away before the connection is cut. */
const mostDiscarded = 1024 * 1024
/** What a decompressor at work counts for besides its output, in bytes. */
const decompressorSize = 64 * 1024

const nothing = Buffer.alloc(0)

/** What the request's head decided before a call was made. */
export interface Negotiated {
  readonly headers: RequestHeaders
  readonly codings: readonly ContentCoding[]
  /** How a streamed output is written; `undefined` for a unary one. */
  readonly format: StreamFormat | undefined
}

export class ServerCall implements InputSource, BodySink {
  readonly #host: Host
  readonly #endpoint: Endpoint
  readonly #exchange: HttpExchange
  readonly #parts: RequestParts
  readonly #negotiated: Negotiated
  #call: Call | undefined
  #watching = false
  /** The peer went away; nothing can be sent. */
  #gone = false
  #over = false
  #received = 0

  /** Unary input: the body so far, then the value, an error, or who waits for either. */
  #expected = -1
  #account: PartialBody | undefined
  #gathered: Gathered | undefined
  #settled = false
  #failed = false
  #result: unknown
  #waiting: PromiseWithResolvers<unknown> | undefined
  #discarded = 0

  #input: StreamInput | undefined
  #pump: MessagePump | undefined
  #timer: NodeJS.Timeout | undefined
  #keepAlive: NodeJS.Timeout | undefined

  constructor(
    host: Host,
    endpoint: Endpoint,
    exchange: HttpExchange,
    parts: RequestParts,
    negotiated: Negotiated,
  ) {
    this.#host = host
    this.#endpoint = endpoint
    this.#exchange = exchange
    this.#parts = parts
    this.#negotiated = negotiated
  }

  run(): void {
    const { request } = this.#exchange
    const { headers } = this.#negotiated
    const { remoteAddress, secure, certificate } = request
    const peer = { address: remoteAddress, wire: 'rest', secure, certificate }
    const call = this.#host.open(this.#endpoint.operation, this, headers.metadata, headers.timeout, peer)
    this.#call = call

    let reply: Reply | Promise<Reply>
    try {
      reply = this.#host.handle(call)
    } catch (error) {
      this.#fail(error)
      return
    }

    if (!(reply instanceof Promise)) {
      this.#answer(reply)
      return
    }
    this.#watch()
    reply.then(
      (given) => this.#answer(given),
      (error: unknown) => this.#fail(error),
    )
  }

  /** Listens for whatever may end the call before its answer. A call that never waits needs none of it. */
  #watch(): void {
    if (this.#watching) return
    this.#watching = true
    this.#exchange.onAbort((why) => {
      this.#gone = true
      const { id } = this.#endpoint.operation
      ;(this.#call as Call).cancel(new CallError('canceled', `${id}: the caller went away: ${why.message}`))
    })
    ;(this.#call as Call).onCancel((why) => this.#fail(why))
  }

  // ── input ──

  input(call: Call): unknown {
    const { input } = this.#endpoint.operation
    if (input === undefined) return undefined
    if (this.#endpoint.streamsIn) return this.#streamInput(call, input)

    if (this.#endpoint.input.hasBody) this.#receive()
    else this.#decode(nothing, 0, 0)

    if (this.#failed) throw this.#result
    if (this.#settled) return this.#result
    this.#waiting = Promise.withResolvers()
    // Whoever asked may have stopped listening when it fails.
    this.#waiting.promise.catch(ignore)
    this.#watch()
    return this.#waiting.promise
  }

  #receive(): void {
    const { codings, headers } = this.#negotiated
    const limit = this.#host.limits.messageSize
    const length = headers.announced ? this.#parts.headers.get('content-length') : '0'
    const announced = length === undefined ? -1 : Number(length)

    if (announced > limit) this.#settleError(tooLarge(limit))
    else if (codings.length === 0) {
      this.#expected = announced
      this.#exchange.receive(this)
    } else if (this.#openAccount().take(codings.length * decompressorSize)) {
      this.#exchange.receive(decoding(codings, limit, this, this.#exchange))
    }
  }

  /** What is kept of the body counts towards what the server keeps of all. */
  #openAccount(): PartialBody {
    return (this.#account ??= this.#host.partialBodies.open(() => this.#settleError(noRoom('no'))))
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#settled || this.#over) {
      this.#discard(end - start)
      return
    }

    // Most bodies arrive in one piece, which is decoded where it lies.
    const size = end - start
    if (size === this.#expected && this.#gathered === undefined) {
      this.#decode(bytes, start, end)
      return
    }

    const parts = (this.#gathered ??= new Gathered(this.#openAccount()))
    const limit = this.#host.limits.messageSize
    if (parts.size + size > limit) this.#settleError(tooLarge(limit))
    else parts.add(bytes, start, end)
  }

  end(): void {
    if (this.#settled || this.#over) return
    const body = this.#gathered?.take() ?? nothing
    this.#decode(body, 0, body.length)
  }

  abort(why: HttpAbort): void {
    this.#settleError(bodyAborted(why, this.#host.limits.messageSize))
  }

  #decode(bytes: Buffer, start: number, end: number): void {
    if (this.#settled) return
    const { operation, input } = this.#endpoint
    if (start < end && this.#negotiated.headers.contentType === undefined) {
      this.#settleError(contentTypeMissing(false))
      return
    }

    try {
      const value = input.read(this.#parts, bytes, start, end)
      this.#received = 1
      this.#settle(refined(operation.input as Message, value))
    } catch (error) {
      this.#settleError(asInvalidInput(error))
    }
  }

  #settle(value: unknown): void {
    if (this.#settled) return
    this.#settled = true
    this.#forgetBody()
    this.#result = value
    this.#waiting?.resolve(value)
  }

  #settleError(error: unknown): void {
    if (this.#settled) return
    this.#settled = true
    this.#failed = true
    this.#forgetBody()
    this.#result = error
    this.#waiting?.reject(error)
  }

  #forgetBody(): void {
    this.#gathered = undefined
    this.#account?.close()
  }

  #streamInput(call: Call, message: Message): AsyncIterable<unknown> {
    const { limits } = this.#host
    const { headers, codings } = this.#negotiated
    const element = this.#endpoint.element
    const exchange = this.#exchange
    const account = this.#host.partialBodies.open(() => {
      input.abort({ reason: 'no_room', message: 'the server has no room for it', processed: 'maybe' })
    })
    this.#account = account
    const input = new StreamInput({
      framing: 'ndjson',
      partial: account,
      window: limits.streamWindow,
      flow: { pause: () => flow.pause(), resume: () => flow.resume() },
      messageSize: limits.messageSize,
      problem: undefined,
      onReturn: () => {},
      onOver: () => {},
      tooLong: () => tooLarge(limits.messageSize),
      aborted: (why) => bodyAborted(why, limits.messageSize),
      decode: (bytes, start, end, index) => {
        if (headers.contentType === undefined) throw contentTypeMissing(true)
        try {
          return refined(message, element.decode(bytes, start, end), index)
        } catch (error) {
          throw asInvalidInput(error, index)
        }
      },
    })
    this.#input = input

    const sink: BodySink = {
      data: (bytes, start, end) => {
        if (this.#over || input.messages.ended) this.#discard(end - start)
        else input.data(bytes, start, end)
      },
      end: (trailers) => input.end(trailers),
      abort: (why) => input.abort(why),
    }
    const decoder =
      codings.length === 0 || !account.take(codings.length * decompressorSize)
        ? undefined
        : decoding(codings, Number.MAX_SAFE_INTEGER, sink, exchange)
    const flow: BodyFlow = decoder ?? exchange
    this.#watch()
    exchange.receive(decoder ?? sink)
    call.onCancel((why) => input.messages.cut(why))
    return input.messages
  }

  /** Bytes that nobody wants: some, so that the peer reads the answer instead of a reset. */
  #discard(size: number): void {
    this.#discarded += size
    if (this.#discarded <= mostDiscarded) return
    this.#discarded = Number.NEGATIVE_INFINITY
    const exchange = this.#exchange
    exchange.onEnd(() =>
      exchange.abort({
        reason: 'refused',
        message: 'the rest of the body is not wanted',
        processed: 'maybe',
      }),
    )
  }

  // ── answer ──

  #answer(reply: Reply): void {
    if (this.#over) {
      if (this.#endpoint.streamsOut) discardOutput(reply.output)
      return
    }
    if (this.#endpoint.streamsOut) {
      this.#stream(reply)
      return
    }

    let body: BodyBuffer | undefined
    let head: HttpResponseHead
    try {
      if (this.#endpoint.operation.output !== undefined) {
        body = this.#exchange.compose()
        this.#endpoint.output.encodeInto(reply.output, body)
      }
      head = this.#head(reply)
    } catch (error) {
      body?.close()
      this.#fail(this.#outputError(error))
      return
    }

    if (body !== undefined && body.size >= compressFrom) this.#respondLarge(head, body)
    else this.#respond(head, body)
  }

  #respond(head: HttpResponseHead, body: BodyBuffer | Buffer | undefined): void {
    if (this.#over) return
    if (this.#gone) {
      if (body instanceof BodyBuffer) body.close()
    } else if (body instanceof BodyBuffer) this.#exchange.respondWith(head, body)
    else this.#exchange.respond(head, body)
    this.#end(undefined, this.#received === 0 && !this.#endpoint.streamsIn ? 1 : this.#received, 1)
  }

  #checkHead(metadata: Metadata | undefined): void {
    checkReplyHead(this.#call as Call, metadata, this.#host.limits.headerSize)
  }

  #head({ metadata, trailers, output }: Reply): HttpResponseHead {
    const { head, location } = this.#endpoint
    const some =
      (metadata !== undefined && metadata.size > 0) || (trailers !== undefined && trailers.size > 0)
    if (!some && location === undefined) return head
    this.#checkHead(metadata)
    this.#checkHead(trailers)

    const list = [...head.headers.list]
    if (location !== undefined) list.push('location', location(output))
    writeMetadata(list, metadata)
    writeTrailersAsHeaders(list, trailers)
    return { status: head.status, headers: new HttpHeaders(list) }
  }

  #respondLarge(head: HttpResponseHead, body: BodyBuffer): void {
    const coding = negotiateEncoding(this.#negotiated.headers.acceptEncoding, contentCodings)
    const list = [...head.headers.list, 'vary', 'accept-encoding']
    if (coding === undefined || coding === 'identity') {
      this.#respond({ status: head.status, headers: new HttpHeaders(list) }, body)
      return
    }

    this.#watch()
    const plain = body.copy()
    body.close()
    encode(coding, plain, (encoded) => {
      if (encoded !== undefined) list.push('content-encoding', coding)
      this.#respond({ status: head.status, headers: new HttpHeaders(list) }, encoded ?? plain)
    })
  }

  #stream(reply: Reply): void {
    const exchange = this.#exchange
    const format = this.#negotiated.format as StreamFormat
    const output = this.#endpoint.output
    // A generator may add to the metadata until its first message.
    const head = (): HttpResponseHead => {
      const list = ['content-type', format.contentType, 'vary', 'accept', 'cache-control', 'no-store']
      writeMetadata(list, reply.metadata)
      return { status: this.#endpoint.head.status, headers: new HttpHeaders(list) }
    }

    this.#watch()
    if (this.#over) {
      discardOutput(reply.output)
      return
    }
    if (exchange.request.method === 'HEAD') {
      discardOutput(reply.output)
      exchange.respond(head(), undefined)
      this.#end(undefined, this.#received, 0)
      return
    }

    const begin = () => {
      if (!exchange.started && !this.#gone) exchange.start(head())
    }
    const pump = new MessagePump(exchange, (message, into) => format.message(output, message, into), begin)
    this.#pump = pump
    this.#timer = setTimeout(begin, headDelay)
    if (format.keepAlive !== '') {
      this.#keepAlive = setInterval(() => {
        if (!pump.waiting) pump.append(format.keepAlive)
      }, keepAliveInterval).unref()
    }

    pump.run(reply.output as AsyncIterable<unknown>).then(
      (complete) => this.#streamed(complete, begin, reply),
      (error: unknown) => this.#fail(this.#outputError(error)),
    )
  }

  #streamed(complete: boolean, begin: () => void, reply: Reply): void {
    if (!complete || this.#over) return
    begin()
    ;(this.#pump as MessagePump).append((this.#negotiated.format as StreamFormat).end)
    this.#endStream(undefined, reply)
  }

  #endStream(error: CallError | undefined, reply: Reply | undefined): void {
    const pump = this.#pump as MessagePump
    const { trailers } = this.#negotiated.headers
    this.#exchange.end(
      trailers ? httpTrailers(error === undefined ? reply?.trailers : error.metadata) : undefined,
    )
    this.#end(error, this.#received, pump.sent)
  }

  // ── the end ──

  #outputError(error: unknown): CallError {
    const call = this.#call as Call
    return error instanceof Invalid
      ? invalidOutput(call, error, this.#host.log)
      : this.#host.failure(call, error)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    const known = CallError.is(error) ? error : this.#host.failure(this.#call as Call, error)

    const sent = this.#pump?.sent ?? 0
    if (this.#gone) this.#end(known, this.#received, sent)
    else if (this.#exchange.started || sent > 0) this.#failStream(known)
    else this.#failUnary(known)
  }

  /** What goes out instead of a fault that does not fit its declaration. */
  #faultError({ fault }: CallError, wrong: unknown): CallError {
    return invalidFault(this.#call as Call, fault?.name ?? '', wrong, this.#host.log)
  }

  #failUnary(error: CallError): void {
    const { operation, faults } = this.#endpoint
    let ending = error
    let problem
    try {
      problem = writeProblem(error, operation, faults)
    } catch (invalid) {
      ending = this.#faultError(error, invalid)
      problem = writeProblem(ending, operation, undefined)
    }
    this.#exchange.respond(problem, problem.body)
    this.#end(ending, this.#received, 0)
  }

  #failStream(error: CallError): void {
    const { operation, faults } = this.#endpoint
    const format = this.#negotiated.format as StreamFormat
    const pump = this.#pump as MessagePump
    let ending = error
    let text
    try {
      text = problemText(error, operation, faults)
    } catch (invalid) {
      ending = this.#faultError(error, invalid)
      text = problemText(ending, operation, undefined)
    }
    pump.append(format.problem(text))
    this.#endStream(ending, undefined)
  }

  #end(error: CallError | undefined, received: number, sent: number): void {
    this.#over = true
    clearTimeout(this.#timer)
    clearInterval(this.#keepAlive)
    this.#pump?.stop()

    const input = this.#input
    if (input !== undefined) void input.messages.return()
    this.#forgetBody()
    ;(this.#call as Call).end(error, input === undefined ? received : input.received, sent)
  }
}

function ignore(): void {}

/** Runs what only the schema library can check. */
function refined(message: Message, value: unknown, index?: number): unknown {
  if (message.refine === undefined) return value
  const result = message.refine(value)
  if (!(result instanceof Promise)) return result
  return result.catch((error: unknown) => {
    throw asInvalidInput(error, index)
  })
}

/** What a caller did wrong, as its error; in a stream with the message's index before the path. */
function asInvalidInput(error: unknown, index?: number): unknown {
  if (!(error instanceof Invalid)) return error
  if (index === undefined) return invalidInput(error)
  const issues = error.issues.map(({ path, message }) => ({
    path: path === '' || path.startsWith('[') ? `[${index}]${path}` : `[${index}].${path}`,
    message,
  }))
  return invalidInput(new Invalid(issues))
}
