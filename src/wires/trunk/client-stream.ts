/**
 * HOT PATH. One call on the client, a state machine: its input into bytes, its answer from bytes. Guarded by
 * `bench/scenarios/trunk`.
 */
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import { invalidInput } from '../../call/failure.ts'
import { Metadata } from '../../call/metadata.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { statusTable } from '../../contract/status.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { ReplySink } from '../wire.ts'
import type { Codec, Codecs } from './codecs.ts'
import type { Connection } from './connection.ts'
import { readError } from './error-frame.ts'
import { type Cursor, writeMetadata, writeText, writeVarint } from './fields.ts'
import { flag, frameCost, frameType, patchFlags } from './frames.ts'
import type { Settings } from './hello.ts'
import { Incoming, type IncomingOwner } from './incoming.ts'
import { type AnyIterator, Outgoing, abandon, iteratorOf, pump } from './outgoing.ts'
import { ProtocolError } from './protocol-error.ts'
import { sendMessage } from './send-message.ts'

/** An operation that the server serves, ready to be called. */
export interface ClientMethod {
  readonly operation: CallOperation
  /** The server's number for it. */
  readonly number: number
  readonly input: Codec | undefined
  readonly output: Codec | undefined
  readonly streamedInput: boolean
  readonly streamedOutput: boolean
}

/** The client's half of a connection, as its streams see it. */
export interface ChannelOwner {
  readonly codecs: Codecs
  readonly connection: Connection
  /** What this side accepts. */
  readonly settings: Settings
  now(): number
  /** The call is over for this side; its slot may still wait for the server. */
  left(stream: ClientStream): void
  /** The server has ended the call: its slot is free. */
  release(stream: ClientStream): void
}

export class ClientStream implements IncomingOwner {
  readonly id: number
  readonly method: ClientMethod
  readonly call: Call
  readonly #owner: ChannelOwner
  /** Which OPEN of the connection this was. */
  readonly ordinal: number
  readonly #sink: ReplySink
  /** The reply has been handed over, or the error. */
  #answered = false
  /** Over for this side. */
  over = false

  incoming: Incoming | undefined
  outgoing: Outgoing | undefined
  #iterator: AnyIterator | undefined
  #metadata: Metadata | undefined
  #trailers: Metadata | undefined
  #sent = 0

  constructor(id: number, method: ClientMethod, call: Call, sink: ReplySink, owner: ChannelOwner) {
    this.id = id
    this.method = method
    this.call = call
    this.#owner = owner
    this.ordinal = owner.connection.out.opens + 1
    this.#sink = sink
  }

  // ── out ──

  /** Writes the OPEN. Throws a `CallError`, having written nothing, when the call cannot be made. */
  open(): void {
    const { method, call } = this
    const { connection } = this.#owner
    const peer = connection.peer as Settings
    let timeout = 0

    if (call.deadline !== Infinity) {
      timeout = Math.min(Math.ceil(call.deadline - this.#owner.now()), 0xffff_ffff)
      if (timeout <= 0) throw deadlinePassed(method.operation)
    }

    const iterator = method.streamedInput ? iteratorOf(call.input()) : undefined
    const metadata = call.metadataIfAny
    let flags: number = iterator === undefined ? flag.end : 0
    const writer = connection.out.begin(frameType.open, flags, this.id)
    const start = connection.out.frameStart
    writeVarint(writer, method.number)
    writeVarint(writer, timeout)
    let at = writer.position

    if (metadata !== undefined && metadata.size > 0) {
      flags |= flag.metadata
      writeMetadata(writer, metadata)
      const size = writer.position - at
      at = writer.position
      if (size > peer.headerSize) {
        connection.out.rollback(writer)
        throw new CallError(
          'resource_exhausted',
          `${method.operation.id}: metadata of ${size} bytes, and the server takes ${peer.headerSize}`,
          { processed: 'no', origin: 'downstream' },
        )
      }
    }

    if (iterator === undefined && method.input !== undefined) {
      try {
        method.input.encode(call.input(), writer)
      } catch (error) {
        connection.out.rollback(writer)
        throw wrongInput(error)
      }

      const size = writer.position - at
      this.#sent = 1

      if (!connection.takes(size)) {
        if (size > peer.messageSize) {
          connection.out.rollback(writer)
          throw tooLarge(method.operation, size, peer.messageSize)
        }
        patchFlags(writer, start, flags & ~flag.end)
        const bytes = connection.out.takeOut(writer, at, at)
        connection.out.opens++
        connection.out.commit(connection.out.writer)
        connection.out.send(this.#outgoing(peer), { bytes, at: 0, last: true })
        return
      }

      flags |= flag.message
      connection.out.credit -= frameCost(size)
    }

    patchFlags(writer, start, flags)
    connection.out.opens++
    connection.out.commitUnary(writer)
    if (iterator !== undefined) void this.#sendStream(iterator, this.#outgoing(peer))
  }

  #outgoing(peer: Settings): Outgoing {
    this.outgoing = new Outgoing(this.id, this.#owner.connection.out, peer.streamWindow)
    return this.outgoing
  }

  async #sendStream(iterator: AnyIterator, outgoing: Outgoing): Promise<void> {
    const { connection } = this.#owner
    this.#iterator = iterator

    try {
      const complete = await pump(iterator, outgoing, (value) => this.#send(outgoing, value))
      if (!complete) return
      this.#iterator = undefined
      connection.out.commit(connection.out.begin(frameType.data, flag.end, this.id))
    } catch (error) {
      abandon(iterator)
      this.#iterator = undefined
      const why = CallError.is(error)
        ? asDownstream(error)
        : new CallError('canceled', `${this.method.operation.id}: the input stream failed`, {
            cause: error,
            origin: 'downstream',
          })
      this.call.cancel(why)
    }
  }

  #send(outgoing: Outgoing, value: unknown): void {
    const { connection } = this.#owner
    const { messageSize } = connection.peer as Settings
    let size: number

    try {
      size = sendMessage(connection, outgoing, this.method.input, value)
    } catch (error) {
      throw wrongInput(error)
    }

    this.#sent++
    if (size > messageSize) throw tooLarge(this.method.operation, size, messageSize)
  }

  // ── in ──

  data(flags: number, cursor: Cursor, headerSize: number): void {
    const start = cursor.at
    if ((flags & flag.metadata) !== 0) {
      if (this.#metadata !== undefined || this.incoming !== undefined) {
        throw new ProtocolError(`stream ${this.id}: metadata after the first frame`)
      }
      this.#metadata = cursor.metadata(headerSize)
    }

    if ((flags & flag.trailers) !== 0) {
      if ((flags & flag.end) === 0) throw new ProtocolError(`stream ${this.id}: trailers before the end`)
      const left = headerSize - (cursor.at - start)
      this.#trailers ??= new Metadata()
      cursor.metadataInto(this.#trailers, left)
    }

    const { bytes, at, end } = cursor
    if ((flags & flag.message) !== 0) this.#owner.connection.received(end - at)
    if (this.over) {
      // Cancelled by this side; the server cannot have known.
      if ((flags & flag.message) !== 0) this.#owner.connection.release(frameCost(end - at))
      if ((flags & flag.end) !== 0) this.#owner.release(this)
    } else if (this.method.streamedOutput) {
      this.#streamed(flags, bytes, at, end)
    } else {
      this.#unary(flags, bytes, at, end)
    }
  }

  #unary(flags: number, bytes: Buffer, at: number, end: number): void {
    const whole = flag.end | flag.message

    if ((flags & whole) === whole && this.incoming === undefined) {
      if (end - at > this.#owner.settings.streamWindow) {
        throw new ProtocolError(`stream ${this.id}: more bytes than its credit`)
      }
      this.#owner.connection.release(frameCost(end - at))
      if (end - at > this.#owner.settings.messageSize) {
        this.#fail(this.#tooLarge())
        return
      }
      this.#finishUnary(this.method.output === undefined ? undefined : bytes, at, end)
      return
    }

    if ((flags & flag.message) === 0) {
      if ((flags & flag.end) === 0) return
      if (this.incoming?.partial === true) throw endsWithin(this.id)
      if (this.method.output !== undefined) this.#fail(this.#missing())
      else this.#finishUnary(undefined, 0, 0)
      return
    }

    const incoming = this.incoming ?? this.#assemble()
    this.#receive(incoming, flags, bytes, at, end)
  }

  /** A unary answer that comes in several frames. */
  #assemble(): Incoming {
    const incoming = this.#expect()
    void this.#take(incoming)
    return incoming
  }

  async #take(incoming: Incoming): Promise<void> {
    try {
      const result = await incoming.next()
      if (result.done === true) this.#fail(this.#missing())
      else this.#succeed(result.value)
    } catch (error) {
      this.#fail(error as CallError)
    }
  }

  #expect(): Incoming {
    const { settings } = this.#owner
    const { partials } = this.#owner.connection
    this.incoming = new Incoming(this, settings.streamWindow, settings.messageSize, partials)
    return this.incoming
  }

  #finishUnary(bytes: Buffer | undefined, at: number, end: number): void {
    this.#owner.release(this)
    let output: unknown

    try {
      if (bytes !== undefined) output = this.decode(bytes, at, end)
    } catch (error) {
      this.#fail(error as CallError)
      return
    }

    if (output instanceof Promise) {
      output.then(
        (value) => this.#succeed(value),
        (error: unknown) => this.#fail(error as CallError),
      )
    } else {
      this.#succeed(output)
    }
  }

  #succeed(output: unknown): void {
    if (this.over) return
    this.#answered = true
    this.#leave()
    this.#sink.answered({ output, metadata: this.#metadata, trailers: this.#trailers })
    this.call.end(undefined, this.method.output === undefined ? 0 : 1, this.#sent)
  }

  #streamed(flags: number, bytes: Buffer, at: number, end: number): void {
    const incoming = this.incoming ?? this.#expect()

    if (!this.#answered) {
      this.#answered = true
      this.#trailers ??= new Metadata()
      this.#sink.answered({ output: incoming, metadata: this.#metadata, trailers: this.#trailers })
    } else if ((flags & (flag.message | flag.end)) === 0) {
      throw new ProtocolError(`stream ${this.id}: DATA that carries nothing`)
    }

    this.#receive(incoming, flags, bytes, at, end)
  }

  #receive(incoming: Incoming, flags: number, bytes: Buffer, at: number, end: number): void {
    if ((flags & flag.message) !== 0) {
      const problem = incoming.receive(bytes, at, end, (flags & flag.more) !== 0)
      if (problem === 'overrun') throw new ProtocolError(`stream ${this.id}: more bytes than its credit`)
      if (problem === 'too large') {
        if ((flags & flag.end) !== 0) this.#owner.release(this)
        this.call.cancel(this.#tooLarge())
        return
      }
    }

    if ((flags & flag.end) === 0) return
    if (incoming.partial) throw endsWithin(this.id)
    this.#owner.release(this)
    incoming.end()
    if (!this.method.streamedOutput) return
    this.#leave()
    this.call.end(undefined, incoming.received, this.#sent)
  }

  /** The server's ERROR. */
  error(cursor: Cursor, headerSize: number): void {
    const error = readError(cursor, this.method.operation, this.#owner.codecs, headerSize)
    this.#owner.release(this)
    this.#fail(error)
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    const { output, operation } = this.method

    try {
      const value = (output as Codec).decode(bytes, start, end)
      const refine = operation.output?.refine
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

  /** The answer does not fit the contract: the call has failed, whatever else is still to come. */
  #unfit(error: unknown): CallError {
    const { id } = this.method.operation
    const text = error instanceof Error ? error.message : String(error)
    const wrong = new CallError('internal', `${id}: the answer does not fit the contract: ${text}`, {
      origin: 'downstream',
      cause: error,
    })
    if (this.method.streamedOutput) this.call.cancel(wrong)
    return wrong
  }

  released(stream: number, connection: number): void {
    const link = this.#owner.connection
    if (stream > 0 && !this.over) link.grant(this.id, stream)
    link.release(connection)
  }

  abandoned(): void {
    this.call.cancel(new CallError('canceled', 'the reader stopped', { origin: 'downstream' }))
  }

  // ── the end ──

  /** The call fails, by the server or by the connection: after what was received, in a stream. */
  #fail(error: CallError): void {
    if (this.over) return
    this.#leave()
    const answered = this.#answered
    this.#answered = true
    this.incoming?.end(error)
    if (!answered) this.#sink.failed(error)
    // One that no handler has seen may be tried again: then this was not its end.
    if (error.processed === 'maybe' || answered) {
      this.call.end(error, this.incoming?.received ?? 0, this.#sent)
    }
  }

  /** The connection is gone. */
  lost(error: CallError): void {
    this.#fail(error)
  }

  /** The call was given up on this side. */
  canceled(why: CallError): void {
    if (this.over) return
    const { connection } = this.#owner
    this.#leave()

    if (!connection.closed) {
      const writer = connection.out.begin(frameType.cancel, 0, this.id)
      writeVarint(writer, statusTable[why.code].number)
      writeText(writer, why.message.slice(0, 1000))
      connection.out.commit(writer)
    }

    const error = asDownstream(why)
    this.incoming?.fail(error)
    if (!this.#answered) this.#sink.failed(error)
    this.#answered = true
    this.call.end(error, this.incoming?.received ?? 0, this.#sent)
  }

  #leave(): void {
    this.over = true
    this.outgoing?.close()
    if (this.#iterator !== undefined) abandon(this.#iterator)
    this.#iterator = undefined
    this.#owner.left(this)
  }

  #missing(): CallError {
    return new CallError('internal', `${this.method.operation.id}: the server's answer lacks its output`, {
      origin: 'downstream',
    })
  }

  #tooLarge(): CallError {
    return new CallError(
      'resource_exhausted',
      `${this.method.operation.id}: an answer larger than ${this.#owner.settings.messageSize} bytes (limits.messageSize)`,
      { origin: 'downstream' },
    )
  }
}

function endsWithin(id: number): ProtocolError {
  return new ProtocolError(`stream ${id}: ends within a message`)
}

function wrongInput(error: unknown): unknown {
  return error instanceof Invalid ? asDownstream(invalidInput(error)) : error
}

function deadlinePassed(operation: CallOperation): CallError {
  return new CallError('deadline_exceeded', `${operation.id}: the deadline has passed`, {
    processed: 'no',
    origin: 'downstream',
  })
}

function tooLarge(operation: CallOperation, size: number, limit: number): CallError {
  return new CallError(
    'resource_exhausted',
    `${operation.id}: a message of ${size} bytes, and the server takes ${limit} (limits.messageSize)`,
    { processed: 'no', origin: 'downstream' },
  )
}
