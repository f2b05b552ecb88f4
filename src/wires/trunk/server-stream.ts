/**
 * HOT PATH. One call on the server, a state machine: its input from bytes, its answer into bytes. Guarded by
 * `bench/scenarios/trunk`.
 */
import type { Call, InputSource } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import { invalidFault, invalidInput, invalidOutput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { Writer } from '../../codec/writer.ts'
import type { CallOperation, Message } from '../../contract/operation.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Host } from '../wire.ts'
import type { Codec, Codecs } from './codecs.ts'
import type { Connection } from './connection.ts'
import { writeError } from './error-frame.ts'
import { writeMetadata } from './fields.ts'
import { flag, frameCost, frameHeader, frameType, patchFlags } from './frames.ts'
import type { Settings } from './hello.ts'
import { Incoming, type IncomingOwner } from './incoming.ts'
import { type AnyIterator, Outgoing, abandon, iteratorOf, pump } from './outgoing.ts'
import { sendMessage } from './send-message.ts'

/** An operation, ready to be called. */
export interface ServerMethod {
  readonly operation: CallOperation
  readonly input: Codec | undefined
  readonly output: Codec | undefined
  readonly refine: Message['refine']
  readonly streamedInput: boolean
  readonly streamedOutput: boolean
}

/** The server's half of a connection, as its streams see it. */
export interface StreamOwner {
  readonly host: Host
  readonly codecs: Codecs
  readonly connection: Connection
  /** The end of the call was sent, or cannot be sent any more: its slot is free. */
  release(stream: ServerStream): void
  /** The handler has come to its end. */
  settled(): void
}

export class ServerStream implements InputSource, IncomingOwner {
  readonly id: number
  readonly method: ServerMethod
  readonly #owner: StreamOwner
  call: Call | undefined

  /** A unary message that came in one frame. */
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  /** All other inputs. */
  incoming: Incoming | undefined
  outgoing: Outgoing | undefined
  #iterator: AnyIterator | undefined
  #sent = 0
  /** The end of the call was sent. */
  over = false

  constructor(id: number, method: ServerMethod, owner: StreamOwner) {
    this.id = id
    this.method = method
    this.#owner = owner
  }

  // ── in ──

  /** The whole input of a unary call. */
  accept(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /** An input that comes in several frames. */
  expect(settings: Settings): Incoming {
    const { partials } = this.#owner.connection
    this.incoming = new Incoming(this, settings.streamWindow, settings.messageSize, partials)
    return this.incoming
  }

  input(): unknown {
    const { method, incoming } = this
    if (method.input === undefined) return undefined
    if (method.streamedInput) return incoming
    const bytes = this.#bytes

    if (bytes !== undefined) {
      this.#bytes = undefined
      return this.decode(bytes, this.#start, this.#end)
    }

    if (incoming === undefined) throw missingInput(method.operation)
    return incoming.next().then((result) => {
      if (result.done === true) throw missingInput(method.operation)
      return result.value as unknown
    })
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    const { input, refine } = this.method

    try {
      const value = (input as Codec).decode(bytes, start, end)
      if (refine === undefined) return value
      const refined = refine(value)
      if (!(refined instanceof Promise)) return refined

      return refined.catch((error: unknown) => {
        throw wrongInput(error)
      })
    } catch (error) {
      throw wrongInput(error)
    }
  }

  released(stream: number, connection: number): void {
    const { connection: link } = this.#owner
    if (stream > 0 && !this.over) link.grant(this.id, stream)
    link.release(connection)
  }

  abandoned(): void {
    // A handler may answer without having read everything; the end of the call tells the peer.
  }

  get #received(): number {
    return this.incoming?.received ?? (this.method.input === undefined ? 0 : 1)
  }

  // ── out ──

  /** Runs filters and handler, and sends what they answer. */
  run(call: Call): void {
    const { host } = this.#owner
    let reply: Reply | Promise<Reply>

    try {
      reply = host.handle(call)
    } catch (error) {
      this.#owner.settled()
      this.fail(error)
      return
    }

    if (reply instanceof Promise) {
      if (this.#bytes !== undefined) this.#keepInput(this.#bytes)
      reply.then(
        (each) => this.#answer(each),
        (error: unknown) => {
          this.#owner.settled()
          this.fail(error)
        },
      )
    } else {
      this.#answer(reply)
    }
  }

  /** A filter waits, such as one that authenticates: what came in with the input need not. */
  #keepInput(bytes: Buffer): void {
    const kept = Buffer.allocUnsafeSlow(this.#end - this.#start)
    bytes.copy(kept, 0, this.#start, this.#end)
    this.#bytes = kept
    this.#end -= this.#start
    this.#start = 0
  }

  #answer(reply: Reply): void {
    if (this.method.streamedOutput) {
      void this.#answerStream(reply)
      return
    }

    this.#owner.settled()
    if (!this.over) this.#answerUnary(reply)
  }

  #answerUnary(reply: Reply): void {
    const { connection } = this.#owner
    const peer = connection.peer as Settings
    const { output } = this.method
    const { metadata, trailers } = reply
    let flags: number = output === undefined ? flag.end : flag.end | flag.message
    const writer = connection.out.begin(frameType.data, flags, this.id)
    let at: number

    try {
      if (metadata !== undefined && metadata.size > 0) {
        flags |= flag.metadata
        writeMetadata(writer, metadata)
      }
      if (trailers !== undefined && trailers.size > 0) {
        flags |= flag.trailers
        writeMetadata(writer, trailers)
      }
      at = writer.position
      checkHead(at - connection.out.frameStart - frameHeader, peer)
      output?.encode(reply.output, writer)
    } catch (error) {
      connection.out.rollback(writer)
      this.fail(error)
      return
    }

    const size = writer.position - at
    this.#sent = 1

    if (output !== undefined) {
      if (!connection.takes(size)) {
        this.#answerLarge(writer, at, size, peer, reply)
        return
      }
      connection.out.credit -= frameCost(size)
    }

    if ((flags & (flag.metadata | flag.trailers)) !== 0) patchFlags(writer, connection.out.frameStart, flags)
    connection.out.commitUnary(writer)
    this.#finish(undefined)
  }

  /** A message that needs several frames, or has to wait for credit. */
  #answerLarge(writer: Writer, at: number, size: number, peer: Settings, reply: Reply): void {
    const { connection } = this.#owner
    const bytes = connection.out.takeOut(writer, at, connection.out.frameStart)

    if (size > peer.messageSize) {
      this.#sent = 0
      this.fail(tooLarge(this.method.operation, size, peer.messageSize))
      return
    }

    this.#sendHead(reply.metadata)
    const { trailers } = reply
    connection.out.send(this.#open(), {
      bytes,
      at: 0,
      last: true,
      trailers: trailers !== undefined && trailers.size > 0 ? (to) => writeTrailers(to, trailers) : undefined,
      written: () => this.#finish(undefined),
    })
  }

  #open(): Outgoing {
    const { connection } = this.#owner
    const outgoing = new Outgoing(this.id, connection.out, (connection.peer as Settings).streamWindow)
    this.outgoing = outgoing
    return outgoing
  }

  /** Metadata in a frame of its own, if there is any. */
  #sendHead(metadata: Metadata | undefined): void {
    if (metadata === undefined || metadata.size === 0) return
    const { connection } = this.#owner
    const writer = connection.out.begin(frameType.data, flag.metadata, this.id)

    try {
      writeMetadata(writer, metadata)
      checkHead(writer.position - connection.out.frameStart - frameHeader, connection.peer as Settings)
    } catch (error) {
      connection.out.rollback(writer)
      throw error
    }

    connection.out.commit(writer)
  }

  async #answerStream(reply: Reply): Promise<void> {
    try {
      const iterator = iteratorOf(reply.output)
      if (this.over) {
        abandon(iterator)
        return
      }

      this.#iterator = iterator
      const outgoing = this.#open()
      // A generator fills in its metadata when it is pulled for the first time.
      let headSent = false
      const send = (value: unknown): void => {
        if (!headSent) this.#sendHead(reply.metadata)
        headSent = true
        this.#send(outgoing, value)
      }

      const complete = await pump(iterator, outgoing, send)
      if (!complete) return
      if (!headSent) this.#sendHead(reply.metadata)
      this.#sendEnd(reply.trailers)
    } catch (error) {
      if (this.#iterator !== undefined) abandon(this.#iterator)
      this.fail(error)
    } finally {
      this.#owner.settled()
    }
  }

  #send(outgoing: Outgoing, value: unknown): void {
    const { connection } = this.#owner
    const { messageSize } = connection.peer as Settings
    const size = sendMessage(connection, outgoing, this.method.output, value)
    this.#sent++
    if (size > messageSize) throw tooLarge(this.method.operation, size, messageSize)
  }

  #sendEnd(trailers: Metadata | undefined): void {
    const { connection } = this.#owner
    const some = trailers !== undefined && trailers.size > 0
    const writer = connection.out.begin(frameType.data, some ? flag.end | flag.trailers : flag.end, this.id)
    try {
      if (some) writeMetadata(writer, trailers)
      checkHead(writer.position - connection.out.frameStart - frameHeader, connection.peer as Settings)
    } catch (error) {
      connection.out.rollback(writer)
      throw error
    }
    connection.out.commit(writer)
    this.#finish(undefined)
  }

  /** Answers with an error, unless the end was sent before. */
  fail(error: unknown): void {
    if (this.over) return
    const { host } = this.#owner
    const call = this.call as Call
    const known = error instanceof Invalid ? invalidOutput(call, error, host.log) : host.failure(call, error)
    this.#finish(this.#sendError(known))
  }

  /** Sends an error, as far as it can be sent. Returns the one that was. */
  #sendError(error: CallError): CallError {
    const { connection, codecs, host } = this.#owner
    if (connection.closed) return error
    const { operation } = this.method
    const { frameSize, headerSize } = connection.peer as Settings
    const about = { operation: operation.id, code: error.code }
    const writer = connection.out.begin(frameType.error, 0, this.id)

    try {
      const whole = writeError(writer, operation, error, codecs, headerSize)
      if (writer.position - connection.out.frameStart - frameHeader <= frameSize) {
        connection.out.commit(writer)
        if (!whole)
          host.log.warn(about, 'trunk: the metadata of an error is more than the caller takes: left out')
        return error
      }
    } catch (wrong) {
      connection.out.rollback(writer)
      const fault = error.fault?.name ?? ''
      return this.#sendError(invalidFault(this.call as Call, fault, wrong, host.log))
    }

    host.log.warn(about, 'trunk: an error is too large, and sent without its detail')
    connection.out.rollback(writer)
    connection.out.begin(frameType.error, 0, this.id)
    const { retryAfter, processed } = error
    const bare = new CallError(error.code, error.message.slice(0, 1000), {
      processed,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
    writeError(writer, operation, bare, codecs, headerSize)
    connection.out.commit(writer)
    return error
  }

  /** The call was given up: by its deadline, by the caller, by the connection or by the server. */
  canceled(why: CallError): void {
    if (this.over) return
    this.#sendError(why)
    this.incoming?.fail(why)
    this.#finish(why)
  }

  #finish(error: CallError | undefined): void {
    this.over = true
    this.outgoing?.close()
    const { incoming } = this
    const received = this.#received
    if (incoming !== undefined) incoming.close()
    if (error !== undefined && this.#iterator !== undefined) abandon(this.#iterator)
    this.#owner.release(this)
    this.call?.end(error, received, this.#sent)
  }
}

function writeTrailers(writer: Writer, trailers: Metadata): number {
  writeMetadata(writer, trailers)
  return flag.trailers
}

function wrongInput(error: unknown): unknown {
  return error instanceof Invalid ? invalidInput(error) : error
}

function missingInput(operation: CallOperation): CallError {
  return new CallError('invalid_argument', `${operation.id}: the input is missing`)
}

function checkHead(size: number, peer: Settings): void {
  if (size > peer.headerSize) {
    throw new CallError(
      'internal',
      `the metadata of the answer has ${size} bytes, and the caller takes ${peer.headerSize}`,
    )
  }
}

function tooLarge(operation: CallOperation, size: number, limit: number): CallError {
  return new CallError(
    'resource_exhausted',
    `${operation.id}: a message of ${size} bytes, and the caller takes ${limit} (limits.messageSize)`,
  )
}
