/**
 * HOT PATH. One call of the server half, from the request's head to the answer's last byte: a state machine, and so
 * longer than most files. Guarded by `bench/scenarios/grpc`.
 *
 * A unary call's message mostly comes in the same piece of network as its head: it is waited for until the end of that
 * piece, so that filters, handler and codec run without a promise, and the message is decoded where it lies. When it has
 * not come by then, nothing more is read before somebody asks for the input.
 */
import type { Call, InputSource } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import { checkReplyHead, invalidFault, invalidInput, invalidOutput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { Peer } from '../../call/peer.ts'
import { BodyBuffer, composeBody } from '../../http/body-buffer.ts'
import type { BodySink, HttpAbort, HttpExchange } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { MessagePump, discardOutput } from '../../http/message-pump.ts'
import { MessageQueue } from '../../http/message-queue.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Host } from '../wire.ts'
import { writeMetadata } from './call-metadata.ts'
import { type Compression, compressFrom, compressedMessage, decompress } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import type { FaultCodecs } from './fault-codecs.ts'
import {
  type BrokenFraming,
  type MessageSink,
  MessageSplitter,
  isWhole,
  prefixSize,
  writePrefix,
} from './framing.ts'
import {
  bodyAborted,
  broken,
  missingMessage,
  secondMessage,
  undecodable,
  unnamedEncoding,
} from './refusals.ts'
import type { RequestHeaders } from './request-headers.ts'
import type { ServerDialect } from './server-dialect.ts'
import type { MethodCodecs, ServerMethod } from './server-method.ts'

/** Larger messages are sent from where they lie. */
const copyBound = 16 * 1024

export class ServerCall implements InputSource, BodySink, MessageSink {
  readonly #host: Host
  readonly #dialect: ServerDialect
  readonly #method: ServerMethod
  readonly #exchange: HttpExchange
  readonly #headers: RequestHeaders
  readonly #codecs: MethodCodecs
  /** How answers are compressed. */
  readonly #coding: Compression | undefined
  readonly #call: Call
  #watching = false
  /** Filters and handler were called. */
  #ran = false
  /** The peer went away; nothing can be sent. */
  #gone = false
  #over = false
  #received = 0

  #splitter: MessageSplitter | undefined
  /** A unary message that nobody has asked for. */
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  /** Why there is none. */
  #failure: unknown
  #waiting: PromiseWithResolvers<unknown> | undefined
  /** A streamed input. */
  #input: MessageQueue | undefined
  #pump: MessagePump | undefined

  constructor(
    host: Host,
    dialect: ServerDialect,
    method: ServerMethod,
    exchange: HttpExchange,
    headers: RequestHeaders,
    coding: Compression | undefined,
    peer: Peer,
  ) {
    this.#host = host
    this.#dialect = dialect
    this.#method = method
    this.#exchange = exchange
    this.#headers = headers
    this.#codecs = method.codecs(headers.format as MessageFormat)
    this.#coding = coding
    this.#call = host.open(method.operation, this, headers.metadata(), headers.timeout, peer)
  }

  /** Begins. Returns false when the message may still come in the piece of network that is being read. */
  begin(): boolean {
    if (this.#method.streamsIn) this.#run()
    else this.#exchange.receive(this)
    return this.#ran
  }

  /** The piece of network was read. */
  goOn(): void {
    if (this.#ran) return
    this.#exchange.pause()
    this.#run()
  }

  #run(): void {
    this.#ran = true
    const { handler } = this.#method
    let reply: Reply | Promise<Reply>
    try {
      reply = handler === undefined ? this.#host.handle(this.#call) : handler(this.#call)
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
    this.#call.onCancel((why) => {
      this.#input?.cut(why)
      this.#fail(why)
    })
  }

  // ── input ──

  input(): unknown {
    const { operation, streamsIn } = this.#method
    if (operation.input === undefined) return undefined
    if (streamsIn) return this.#streamInput()

    const bytes = this.#bytes
    if (bytes !== undefined) {
      this.#bytes = undefined
      return this.#decode(bytes, this.#start, this.#end)
    }
    if (this.#failure !== undefined) throw this.#failure
    this.#waiting = Promise.withResolvers()
    // Whoever asked may have stopped listening when it fails.
    this.#waiting.promise.catch(ignore)
    this.#watch()
    this.#exchange.resume()
    return this.#waiting.promise
  }

  /** The value, or a Promise of it. Throws a CallError. */
  #decode(bytes: Buffer, start: number, end: number): unknown {
    try {
      const value = this.#codecs.input.decode(bytes, start, end)
      const refine = this.#method.operation.input?.refine
      if (refine === undefined) return value
      const refined = refine(value)
      if (!(refined instanceof Promise)) return refined
      return refined.catch((error: unknown) => {
        throw asInvalidInput(error)
      })
    } catch (error) {
      throw asInvalidInput(error)
    }
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return
    // Most messages come in one piece, and nothing else in it.
    if (this.#splitter === undefined && isWhole(bytes, start, end) && !this.#method.streamsIn) {
      const size = end - start - prefixSize
      if (size <= this.#host.limits.messageSize) {
        this.message(bytes, start + prefixSize, end, false)
        return
      }
    }
    this.#splitter ??= this.#split()
    this.#splitter.push(bytes, start, end)
  }

  #split(): MessageSplitter {
    const { limits, partialBodies } = this.#host
    const account = partialBodies.open(() => this.broken({ kind: 'refused' }))
    return new MessageSplitter(limits.messageSize, this, account)
  }

  message(bytes: Buffer, start: number, end: number, compressed: boolean): void {
    this.#received++
    if (this.#input !== undefined) {
      this.#streamed(this.#input, bytes, start, end, compressed)
    } else if (this.#received > 1) {
      const second = secondMessage(this.#method.operation.id)
      if (this.#ran) this.#fail(second)
      else this.#inputFailed(second)
    } else if (compressed) {
      this.#decompress(Buffer.from(bytes.subarray(start, end))).then(
        (plain) => this.#arrived(plain, 0, plain.length),
        (error: unknown) => this.#inputFailed(error),
      )
    } else this.#arrived(bytes, start, end)
  }

  #decompress(message: Buffer): Promise<Buffer> {
    const { coding } = this.#headers
    if (coding === undefined || coding === 'identity') return Promise.reject(unnamedEncoding())
    return decompress(coding, message, this.#host.limits.messageSize).catch((error: unknown) => {
      throw undecodable(error)
    })
  }

  /** The message of a unary call is there, for now. */
  #arrived(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return
    const waiting = this.#waiting
    if (waiting !== undefined) {
      try {
        waiting.resolve(this.#decode(bytes, start, end))
      } catch (error) {
        waiting.reject(error)
      }
      return
    }

    this.#bytes = bytes
    this.#start = start
    this.#end = end
    if (!this.#ran) this.#run()
    if (this.#bytes === undefined || this.#over) return
    // A filter waits, such as one that authenticates: the bytes were only borrowed.
    this.#bytes = Buffer.from(bytes.subarray(start, end))
    this.#start = 0
    this.#end = this.#bytes.length
  }

  #inputFailed(error: unknown): void {
    if (this.#over) return
    const input = this.#input
    if (input !== undefined) input.fail(error)
    else if (this.#waiting !== undefined) this.#waiting.reject(error)
    else {
      this.#failure ??= error
      this.#bytes = undefined
      if (!this.#ran) this.#run()
    }
  }

  broken(why: BrokenFraming): void {
    this.#inputFailed(broken(why, this.#host.limits.messageSize))
  }

  end(): void {
    this.#splitter?.finish()
    if (this.#input !== undefined) this.#input.end()
    else if (this.#received === 0 && this.#failure === undefined) {
      this.#inputFailed(missingMessage(this.#method.operation.id))
    }
  }

  abort(why: HttpAbort): void {
    this.#splitter?.close()
    if (!this.#over) this.#inputFailed(bodyAborted(why))
  }

  #streamInput(): AsyncIterable<unknown> {
    const exchange = this.#exchange
    const window = this.#host.limits.streamWindow
    const input = new MessageQueue({ window, flow: exchange, onReturn: ignore })
    this.#input = input
    this.#watch()
    exchange.receive(this)
    return input
  }

  #streamed(input: MessageQueue, bytes: Buffer, start: number, end: number, compressed: boolean): void {
    if (input.ended) return
    const size = end - start
    if (compressed) {
      // Decompressed when it is read, one after the other: small messages may become large ones.
      const message = Buffer.from(bytes.subarray(start, end))
      input.push(() => this.#decompress(message).then((plain) => this.#decode(plain, 0, plain.length)), size)
      return
    }

    try {
      const value = this.#decode(bytes, start, end)
      // Until somebody reads it, its failure is nobody's.
      if (value instanceof Promise) value.catch(ignore)
      input.push(value, size)
    } catch (error) {
      input.fail(error)
    }
  }

  // ── answer ──

  #answer(reply: Reply): void {
    if (this.#over) {
      if (this.#method.streamsOut) discardOutput(reply.output)
      return
    }
    if (this.#method.streamsOut) {
      this.#stream(reply)
      return
    }

    const body = composeBody()
    try {
      body.reserve(prefixSize)
      body.position += prefixSize
      this.#codecs.output.encode(reply.output, body)
      this.#checkHead(reply.metadata)
      this.#checkHead(reply.trailers)
    } catch (error) {
      body.close()
      this.#fail(this.#outputError(error))
      return
    }
    body.close()

    const size = body.size - prefixSize
    if (this.#coding === undefined || size < compressFrom) {
      writePrefix(body.bytes, body.start, false, size)
      this.#send(reply, body)
      return
    }
    this.#watch()
    void compressedMessage(this.#coding, body).then((bytes) => this.#send(reply, bytes))
  }

  /** Sends the whole of a unary answer. */
  #send(reply: Reply, message: BodyBuffer | Buffer): void {
    if (this.#over) return
    // From here on nothing that comes or ends matters: the engine gives up a body whose answer is complete.
    this.#over = true
    if (!this.#gone) {
      this.#startAnswer(reply.metadata)
      const exchange = this.#exchange
      if (message instanceof BodyBuffer) writeBody(exchange, message)
      else exchange.write(message, false)
      this.#dialect.succeed(exchange, reply.trailers)
    }
    this.#finish(undefined, 1)
  }

  #startAnswer(metadata: Metadata | undefined): void {
    const head = this.#dialect.head(this.#headers.format as MessageFormat, this.#coding)
    if (metadata === undefined || metadata.size === 0) {
      this.#exchange.start(head)
      return
    }
    const list = [...head.headers.list]
    writeMetadata(list, metadata)
    this.#exchange.start({ status: 200, headers: new HttpHeaders(list) })
  }

  #stream(reply: Reply): void {
    const exchange = this.#exchange
    this.#watch()
    if (this.#over) {
      discardOutput(reply.output)
      return
    }

    // A generator may add to the metadata until its first message, or until it waits.
    const begin = () => {
      if (exchange.started || this.#gone || this.#over) return
      this.#checkHead(reply.metadata)
      this.#startAnswer(reply.metadata)
    }
    const encode = (message: unknown, into: BodyBuffer) => this.#encodeStreamed(message, into)
    const pump = new MessagePump(exchange, encode, begin)
    this.#pump = pump
    setImmediate(() => this.#tryTo(begin))

    pump.run(reply.output as AsyncIterable<unknown>).then(
      (complete) => this.#sentAll(complete, begin, reply.trailers),
      (error: unknown) => {
        // What the handler has said before it failed goes out before its error.
        if (reply.metadata !== undefined && reply.metadata.size > 0) this.#tryTo(begin)
        this.#fail(this.#outputError(error))
      },
    )
  }

  #sentAll(complete: boolean, begin: () => void, trailers: Metadata | undefined): void {
    if (!complete || this.#over) return
    this.#tryTo(() => {
      this.#checkHead(trailers)
      begin()
      if (!this.#gone) this.#dialect.succeed(this.#exchange, trailers)
      this.#finish(undefined, (this.#pump as MessagePump).sent)
    })
  }

  #tryTo(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fail(this.#outputError(error))
    }
  }

  #checkHead(metadata: Metadata | undefined): void {
    checkReplyHead(this.#call, metadata, this.#host.limits.headerSize)
  }

  #encodeStreamed(message: unknown, into: BodyBuffer): Promise<Buffer> | undefined {
    into.reserve(prefixSize)
    into.position += prefixSize
    this.#codecs.output.encode(message, into)
    const size = into.size - prefixSize
    if (this.#coding !== undefined && size >= compressFrom) return compressedMessage(this.#coding, into)
    writePrefix(into.bytes, into.start, false, size)
    return undefined
  }

  // ── the end ──

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
    this.#finish(known, this.#pump?.sent ?? 0)
  }

  #sendError(error: CallError, faults: FaultCodecs | undefined): void {
    const format = this.#headers.format as MessageFormat
    this.#dialect.fail(this.#exchange, format, error, faults, () => {
      this.#host.log.warn(
        { operation: this.#method.operation.id, code: error.code },
        'the details of an error are too large for a header, and are left out',
      )
    })
  }

  #finish(error: CallError | undefined, sent: number): void {
    this.#over = true
    this.#pump?.stop()
    this.#splitter?.close()
    this.#bytes = undefined
    if (this.#input !== undefined) void this.#input.return()
    this.#call.end(error, this.#received === 0 && !this.#method.streamsIn ? 1 : this.#received, sent)
  }
}

/** Hands a composed message to the exchange; a large one without copying it. */
function writeBody(exchange: HttpExchange, body: BodyBuffer): void {
  const { size } = body
  if (size > copyBound) {
    body.hold()
    exchange.write(body.bytes.subarray(body.start, body.position), false)
    return
  }
  const room = exchange.reserve(size)
  body.bytes.copy(room.bytes, room.start, body.start, body.position)
  exchange.commit(size, false)
}

function ignore(): void {}

function asInvalidInput(error: unknown): unknown {
  return error instanceof Invalid ? invalidInput(error) : error
}
