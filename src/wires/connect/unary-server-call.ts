/**
 * One unary call of the server half: a message that is the whole body, or in the query, and an answer of the same kind.
 * A state machine, and so longer than most files.
 *
 * The body is not read before somebody asks for the input, so that a filter which refuses costs no reading.
 */
import type { Call, InputSource } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import { checkReplyHead, invalidFault, invalidInput, invalidOutput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import { type ContentCoding, decode, encode } from '../../http/content-coding.ts'
import type { BodySink, HttpAbort, HttpExchange } from '../../http/exchange.ts'
import { Gathered } from '../../http/gathered.ts'
import type { PartialBody } from '../../http/partial-bodies.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { FaultCodecs } from '../grpc-family/fault-codecs.ts'
import { compressFrom } from '../grpc-family/compression.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import type { MethodCodecs, ServerMethod } from '../grpc-family/server-method.ts'
import type { Host } from '../wire.ts'
import { bodyAborted, noRoom, tooLarge } from './refusals.ts'
import type { ConnectHeaders } from './request-headers.ts'
import type { UnaryAnswers } from './unary-answer.ts'

/** What a decompressor at work counts for besides its output, in bytes. */
const decompressorSize = 64 * 1024
/** Bytes of a body that nobody reads which are thrown away before the connection is cut. */
const mostDiscarded = 1024 * 1024

const nothing = Buffer.alloc(0)

/** What the request's head decided before a call was made. */
export interface UnaryRequest {
  readonly headers: ConnectHeaders
  readonly format: MessageFormat
  /** How the message is compressed. */
  readonly codings: readonly ContentCoding[]
  /** The message that came in the query; `undefined`: it is the body. */
  readonly message: Buffer | undefined
  /** How the answer is compressed, if it is not small. */
  readonly answerCoding: 'gzip' | 'br' | undefined
}

export class UnaryServerCall implements InputSource, BodySink {
  readonly #host: Host
  readonly #method: ServerMethod
  readonly #exchange: HttpExchange
  readonly #request: UnaryRequest
  readonly #answers: UnaryAnswers
  readonly #codecs: MethodCodecs
  readonly #call: Call
  #watching = false
  /** The peer went away; nothing can be sent. */
  #gone = false
  #over = false

  #expected = -1
  #account: PartialBody | undefined
  #gathered: Gathered | undefined
  #settled = false
  #failed = false
  #result: unknown
  #waiting: PromiseWithResolvers<unknown> | undefined
  #discarded = 0

  constructor(
    host: Host,
    method: ServerMethod,
    exchange: HttpExchange,
    request: UnaryRequest,
    answers: UnaryAnswers,
  ) {
    const { remoteAddress, secure, certificate } = exchange.request
    const peer = { address: remoteAddress, wire: 'connect', secure, certificate }
    this.#host = host
    this.#method = method
    this.#exchange = exchange
    this.#request = request
    this.#answers = answers
    this.#codecs = method.codecs(request.format)
    this.#call = host.open(method.operation, this, request.headers.metadata(), request.headers.timeout, peer)
  }

  run(): void {
    let reply: Reply | Promise<Reply>
    try {
      reply = this.#host.handle(this.#call)
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
      const { id } = this.#method.operation
      this.#call.cancel(new CallError('canceled', `${id}: the caller went away: ${why.message}`))
    })
    this.#call.onCancel((why) => this.#fail(why))
  }

  // ── input ──

  input(): unknown {
    if (this.#method.operation.input === undefined) return undefined
    const { message } = this.#request
    if (message === undefined) this.#receive()
    else this.#undo(message)

    if (this.#failed) throw this.#result
    if (this.#settled) return this.#result
    this.#waiting = Promise.withResolvers()
    // Whoever asked may have stopped listening when it fails.
    this.#waiting.promise.catch(ignore)
    this.#watch()
    return this.#waiting.promise
  }

  #receive(): void {
    const { messageSize } = this.#host.limits
    const length = this.#exchange.request.headers.get('content-length')
    if (length !== undefined) this.#expected = Number(length)
    if (this.#expected > messageSize) this.#settleError(tooLarge(messageSize))
    else this.#exchange.receive(this)
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#settled || this.#over) {
      this.#discard(end - start)
      return
    }

    // Most bodies arrive in one piece, which is decoded where it lies.
    const size = end - start
    if (size === this.#expected && this.#gathered === undefined && this.#request.codings.length === 0) {
      this.#decode(bytes, start, end)
      return
    }

    const parts = (this.#gathered ??= new Gathered(this.#openAccount()))
    const limit = this.#host.limits.messageSize
    if (parts.size + size > limit) this.#settleError(tooLarge(limit))
    else parts.add(bytes, start, end)
  }

  /** What is kept of the body counts towards what the server keeps of all. */
  #openAccount(): PartialBody {
    return (this.#account ??= this.#host.partialBodies.open(() => this.#settleError(noRoom())))
  }

  end(): void {
    if (!this.#settled && !this.#over) this.#undo(this.#gathered?.take() ?? nothing)
  }

  abort(why: HttpAbort): void {
    this.#settleError(bodyAborted(why, this.#host.limits.messageSize))
  }

  /** Undoes the compression of the whole message. */
  #undo(message: Buffer): void {
    const { codings } = this.#request
    const limit = this.#host.limits.messageSize
    if (codings.length === 0 || message.length === 0) {
      if (message.length > limit) this.#settleError(tooLarge(limit))
      else this.#decode(message, 0, message.length)
      return
    }

    if (!this.#openAccount().take(codings.length * decompressorSize)) return
    decode(codings, message, limit, (plain, why) => {
      if (plain !== undefined) this.#decode(plain, 0, plain.length)
      else this.#settleError(bodyAborted(why as HttpAbort, limit))
    })
  }

  #decode(bytes: Buffer, start: number, end: number): void {
    if (this.#settled) return
    try {
      const value = this.#codecs.input.decode(bytes, start, end)
      const refine = this.#method.operation.input?.refine
      const refined = refine === undefined ? value : refine(value)
      this.#settle(refined instanceof Promise ? refined.catch(rethrowInvalid) : refined)
    } catch (error) {
      this.#settleError(asInvalidInput(error))
    }
  }

  #settle(value: unknown): void {
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
    if (this.#over) return
    const { metadata, trailers, output } = reply
    const { headerSize } = this.#host.limits
    const body = this.#exchange.compose()
    try {
      this.#codecs.output.encode(output, body)
      checkReplyHead(this.#call, metadata, headerSize)
      checkReplyHead(this.#call, trailers, headerSize)
    } catch (error) {
      body.close()
      this.#fail(this.#outputError(error))
      return
    }

    const { answerCoding: coding } = this.#request
    if (coding === undefined || body.size < compressFrom) {
      this.#respond(reply, body)
      return
    }
    this.#watch()
    const plain = body.copy()
    body.close()
    encode(coding, plain, (encoded) => {
      if (this.#over) return
      if (!this.#gone) {
        const head = this.#answers.head(this.#request.format, metadata, trailers, encoded && coding)
        this.#exchange.respond(head, encoded ?? plain)
      }
      this.#finish(undefined, 1)
    })
  }

  #respond({ metadata, trailers }: Reply, body: BodyBuffer): void {
    if (this.#gone) body.close()
    else {
      const head = this.#answers.head(this.#request.format, metadata, trailers, undefined)
      this.#exchange.respondWith(head, body)
    }
    this.#finish(undefined, 1)
  }

  #outputError(error: unknown): CallError {
    return error instanceof Invalid
      ? invalidOutput(this.#call, error, this.#host.log)
      : this.#host.failure(this.#call, error)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    let known = CallError.is(error) ? error : this.#host.failure(this.#call, error)
    if (!this.#gone) {
      try {
        this.#sendError(known, this.#method.faults)
      } catch (invalid) {
        known = invalidFault(this.#call, known.fault?.name ?? '', invalid, this.#host.log)
        this.#sendError(known, undefined)
      }
    }
    this.#finish(known, 0)
  }

  #sendError(error: CallError, faults: FaultCodecs | undefined): void {
    this.#answers.fail(this.#exchange, error, faults)
  }

  #finish(error: CallError | undefined, sent: number): void {
    this.#over = true
    this.#forgetBody()
    this.#call.end(error, 1, sent)
  }
}

function ignore(): void {}

function asInvalidInput(error: unknown): unknown {
  return error instanceof Invalid ? invalidInput(error) : error
}

function rethrowInvalid(error: unknown): never {
  throw asInvalidInput(error)
}
