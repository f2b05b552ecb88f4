/** HOT PATH. The client half: a channel of calls over one connection. Guarded by `bench/scenarios/trunk`. */
import type { Duplex } from 'node:stream'
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import type { Reply } from '../../call/handler.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { Channel, ChannelOptions, ReplySink } from '../wire.ts'
import { checkAgreement, readDescriptions } from './agreement.ts'
import { type ClientMethod, type ChannelOwner, ClientStream } from './client-stream.ts'
import type { Codecs } from './codecs.ts'
import { Connection, type Role, goawayCode } from './connection.ts'
import { writeText } from './fields.ts'
import { flag, frameType, magic, protocolVersion } from './frames.ts'
import {
  type ServedContract,
  type ServerHello,
  type Settings,
  readServerHello,
  settingsOf,
  writeClientHello,
} from './hello.ts'
import { ProtocolError } from './protocol-error.ts'
import { Slots } from './slots.ts'
import { largestCredit } from './window.ts'
import type { Writers } from './writers.ts'

/** A server's HELLO names every method: it may be longer than the frames that follow. */
const longestHello = 1024 * 1024

/** A description is longer than a message may be only when something is wrong. */
const longestDescription = 16 * 1024 * 1024

interface Waiting {
  readonly call: Call
  readonly method: ClientMethod
  readonly sink: ReplySink
}

/** What a channel needs; without a contract it can only describe. */
export type TrunkChannelOptions = Pick<ChannelOptions, 'limits' | 'clock' | 'log' | 'peer'> & {
  readonly contract: ChannelOptions['contract'] | undefined
}

export class TrunkChannel implements Channel, Role, ChannelOwner {
  readonly closesIdle = false
  readonly codecs: Codecs
  readonly connection: Connection
  readonly settings: Settings
  readonly #options: TrunkChannelOptions
  readonly #methods = new Map<CallOperation, ClientMethod>()
  #slots: Slots<ClientStream>
  /** Calls for which there is no slot yet. */
  #waiting: Waiting[] = []

  #state: Channel['state'] = 'ready'
  #onState: ((why: CallError | undefined) => void) | undefined
  #open = 0
  #onIdle: (() => void) | undefined
  #onGone: (() => void) | undefined
  #gone = false
  /** How many OPENs the server had seen when it said goodbye. */
  #seen: number | undefined

  #hello: PromiseWithResolvers<ServerHello> | undefined
  #description: PromiseWithResolvers<Buffer> | undefined
  #parts: Buffer[] = []
  #partsSize = 0

  constructor(stream: Duplex, options: TrunkChannelOptions, codecs: Codecs, writers: Writers) {
    this.#options = options
    this.codecs = codecs
    this.settings = settingsOf(options.limits)
    this.#slots = new Slots(1)
    this.connection = new Connection(stream, this, {
      limits: options.limits,
      settings: this.settings,
      clock: options.clock,
      writers,
      preface: undefined,
      firstFrame: longestHello,
    })
  }

  /** Says hello, and makes sure that both sides mean the same by the contract. */
  async greet(): Promise<ServerHello> {
    const { connection } = this
    const { contract } = this.#options
    const hello = Promise.withResolvers<ServerHello>()
    this.#hello = hello
    connection.out.preface(magic)
    const writer = connection.out.begin(frameType.hello, 0, 0)
    writeClientHello(writer, {
      lowest: protocolVersion,
      highest: protocolVersion,
      settings: this.settings,
      contracts: contract === undefined ? [] : [{ name: contract.name, digest: contract.digest }],
    })
    connection.out.commit(writer)

    const answer = await hello.promise
    if (contract === undefined) return answer
    const served = answer.contracts.find(({ name }) => name === contract.name)
    if (served === undefined) throw new ProtocolError(`the server's HELLO does not name ${contract.name}`)
    if (served.digest !== contract.digest) {
      checkAgreement(contract, readDescriptions(await this.describe(contract.name)), this.#options)
    }
    this.#number(served)
    return answer
  }

  /** The server's description of a contract, or, for '', of all: the JSON of a list. */
  describe(name: string): Promise<Buffer> {
    const { connection } = this
    if (connection.closed) return Promise.reject(this.#refusal())
    this.#description ??= Promise.withResolvers<Buffer>()
    const writer = connection.out.begin(frameType.describe, 0, 0)
    writeText(writer, name)
    connection.out.commit(writer)
    return this.#description.promise
  }

  #number({ methods }: ServedContract): void {
    const { contract } = this.#options

    for (const { id, name, streamedInput, streamedOutput } of methods) {
      const operation = contract?.operations.get(name)
      if (operation?.kind !== 'call') continue
      const { input, output } = operation
      const agreed =
        streamedInput === (input?.stream === true) && streamedOutput === (output?.stream === true)
      if (!agreed) continue
      this.#methods.set(operation, {
        operation,
        number: id,
        input: input && this.codecs.of(input),
        output: output && this.codecs.of(output),
        streamedInput,
        streamedOutput,
      })
    }
  }

  // ── Channel ──

  get state(): Channel['state'] {
    return this.#state
  }

  get active(): number {
    return this.#open + this.#waiting.length
  }

  onState(listener: (why: CallError | undefined) => void): void {
    this.#onState = listener
  }

  call(call: Call): Promise<Reply> {
    return new Promise((answered, failed) => this.send(call, { answered, failed }))
  }

  send(call: Call, sink: ReplySink): void {
    if (this.#state !== 'ready') throw this.#refusal()
    if (call.canceled !== undefined) throw asDownstream(call.canceled)
    const method = this.#methods.get(call.operation)
    if (method === undefined) {
      throw new CallError(
        'unimplemented',
        `${call.operation.id} is not served by ${this.#options.peer.address}`,
        {
          processed: 'no',
          origin: 'downstream',
        },
      )
    }

    const id = this.#waiting.length > 0 ? undefined : this.#slots.take()
    if (id === undefined) this.#wait({ call, method, sink })
    else this.#start(call, method, sink, id)
  }

  #start(call: Call, method: ClientMethod, sink: ReplySink, id: number): void {
    const stream = new ClientStream(id, method, call, sink, this)
    this.#slots.put(stream)
    try {
      stream.open()
    } catch (error) {
      this.#slots.undo(stream)
      throw error
    }
    this.#open++
    this.connection.watch()
    call.onCancel((why) => stream.canceled(why))
  }

  #wait(waiting: Waiting): void {
    if (this.#waiting.length >= this.#slots.limit) {
      throw new CallError(
        'resource_exhausted',
        `${this.#slots.limit} calls are open on the connection to ${this.#options.peer.address}, and as many wait`,
        { processed: 'no', origin: 'downstream' },
      )
    }

    this.#waiting.push(waiting)
    waiting.call.onCancel((why) => {
      const index = this.#waiting.indexOf(waiting)
      if (index < 0) return
      this.#waiting.splice(index, 1)
      waiting.sink.failed(asDownstream(why))
    })
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0) {
      const id = this.#slots.take()
      if (id === undefined) return
      const { call, method, sink } = this.#waiting.shift() as Waiting
      try {
        this.#start(call, method, sink, id)
      } catch (error) {
        sink.failed(error)
      }
    }
  }

  #refusal(): CallError {
    const state = this.#state === 'draining' ? 'is being closed' : 'is closed'
    return new CallError('unavailable', `the connection to ${this.#options.peer.address} ${state}`, {
      processed: 'no',
      origin: 'downstream',
    })
  }

  async close(grace: number): Promise<void> {
    this.#become('draining', undefined)

    if (this.active > 0 && grace > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(grace, 2 ** 31 - 1))
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }

    this.connection.finish('the client is closing')
    if (!this.#gone) await new Promise<void>((resolve) => (this.#onGone = resolve))
  }

  #become(state: Channel['state'], why: CallError | undefined): void {
    if (this.#state === state || this.#state === 'closed') return
    this.#state = state
    this.#onState?.(why)
  }

  // ── Role ──

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { connection, settings } = this
    if (connection.peer === undefined && type !== frameType.hello && type !== frameType.goaway) {
      throw new ProtocolError(`frame type ${type} before HELLO`)
    }

    switch (type) {
      case frameType.data:
        checkData(flags, start, end)
        this.#stream(id).data(flags, connection.cursor.set(bytes, start, end), settings.headerSize)
        return
      case frameType.error:
        this.#stream(id).error(connection.cursor.set(bytes, start, end), settings.headerSize)
        return
      case frameType.hello:
        this.#greeted(bytes, start, end)
        return
      case frameType.description:
        this.#described(flags, bytes, start, end)
        return
      case frameType.goaway:
        this.#goaway(flags, bytes, start, end)
        return
      default:
        throw new ProtocolError(`frame type ${type}, which only clients send`)
    }
  }

  #stream(id: number): ClientStream {
    const stream = this.#slots.get(id)
    if (stream === undefined) throw new ProtocolError(`a frame of stream ${id} after its end`)
    return stream
  }

  #greeted(bytes: Buffer, start: number, end: number): void {
    const { connection } = this
    if (connection.peer !== undefined) throw new ProtocolError('a second HELLO')
    const hello = readServerHello(connection.cursor.set(bytes, start, end))
    if (hello.version !== protocolVersion) {
      throw new ProtocolError(`the server chose version ${hello.version}, which was not offered`)
    }
    this.#slots = new Slots(hello.settings.streams)
    connection.greeted(hello.settings)
    this.#hello?.resolve(hello)
  }

  #described(flags: number, bytes: Buffer, start: number, end: number): void {
    const waiting = this.#description
    if (waiting === undefined) throw new ProtocolError('a description that nobody asked for')
    this.#partsSize += end - start
    if (this.#partsSize > longestDescription) throw new ProtocolError('a description without end')
    this.#parts.push(Buffer.from(bytes.subarray(start, end)))
    if ((flags & flag.more) !== 0) return
    const whole = Buffer.concat(this.#parts)
    this.#parts = []
    this.#partsSize = 0
    this.#description = undefined
    waiting.resolve(whole)
  }

  #goaway(flags: number, bytes: Buffer, start: number, end: number): void {
    const { cursor } = this.connection
    cursor.set(bytes, start, end)
    const code = cursor.varint()
    this.#seen = cursor.varint()
    const reason = cursor.text()
    const unseen = this.connection.peer === undefined
    const why = new CallError(
      code === goawayCode.refused ? 'failed_precondition' : 'unavailable',
      `${this.#options.peer.address}: ${reason}`,
      { origin: 'downstream', ...(unseen ? { processed: 'no' } : {}) },
    )
    if ((flags & flag.end) !== 0) this.connection.cut(why)
    else {
      this.#become('draining', why)
      this.#refuseWaiting(why)
    }
  }

  credit(id: number, bytes: number): void {
    const outgoing = this.#slots.get(id)?.outgoing
    if (outgoing === undefined) return
    if (outgoing.credit + bytes > largestCredit)
      throw new ProtocolError(`stream ${id}: more credit than 2^31 - 1`)
    outgoing.grant(bytes)
  }

  idle(): void {
    // A client keeps an idle connection until its pool closes it.
  }

  failed(error: unknown): void {
    this.#options.log.error({ peer: this.#options.peer.address, err: error }, 'trunk: a connection failed')
  }

  refused(reason: string): void {
    const about = { peer: this.#options.peer.address, reason }
    // Before its HELLO it may be no trunk server at all; whoever wanted the connection is told.
    if (this.connection.peer === undefined) this.#options.log.info(about, 'trunk: a handshake failed')
    else this.#options.log.warn(about, 'trunk: a server was disconnected')
  }

  ended(why: CallError): void {
    const { opensFlushed } = this.connection.out
    const seen = this.#seen

    for (const stream of this.#slots.all()) {
      const unseen =
        stream.ordinal > opensFlushed ||
        (seen !== undefined && stream.ordinal !== seen && (stream.ordinal - seen) >>> 0 <= 0x1_0000)
      stream.lost(lostCall(stream.method.operation, why, unseen ? 'no' : 'maybe'))
    }

    this.#refuseWaiting(why)
    this.#hello?.promise.catch(() => undefined)
    this.#hello?.reject(asHandshakeError(why))
    this.#description?.reject(asHandshakeError(why))
    this.#become('closed', why)
  }

  #refuseWaiting(why: CallError): void {
    for (const { call, sink } of this.#waiting.splice(0)) sink.failed(lostCall(call.operation, why, 'no'))
  }

  gone(): void {
    this.#gone = true
    this.#onGone?.()
  }

  // ── ChannelOwner ──

  now(): number {
    return this.#options.clock.now()
  }

  left(): void {
    this.#open--
    if (this.#open === 0) this.#onIdle?.()
  }

  release(stream: ClientStream): void {
    this.#slots.free(stream)
    if (this.#waiting.length > 0) this.#startWaiting()
  }
}

function checkData(flags: number, start: number, end: number): void {
  if ((flags & flag.message) === 0) {
    if ((flags & flag.more) !== 0) throw new ProtocolError('a message goes on that has not begun')
    if (end !== start && (flags & (flag.metadata | flag.trailers)) === 0) {
      throw new ProtocolError(`${end - start} bytes too many in a frame`)
    }
  } else if ((flags & (flag.end | flag.more)) === (flag.end | flag.more)) {
    throw new ProtocolError('a stream ends within a message')
  }
}

function lostCall(operation: CallOperation, why: CallError, processed: 'no' | 'maybe'): CallError {
  return new CallError('unavailable', `${operation.id}: ${why.message}`, {
    processed,
    origin: 'downstream',
    cause: why,
  })
}

function asHandshakeError(why: CallError): CallError {
  return new CallError(why.code, why.message, { processed: 'no', origin: 'downstream', cause: why })
}
