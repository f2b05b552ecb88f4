/**
 * HOT PATH. The server half: what the frames of a connection mean. Guarded by `bench/scenarios/trunk`.
 *
 * What a peer may cost is bounded: slots bound the calls that are open, `running` the handlers that are still at work
 * after their call was cancelled, budgets the frames that cost the peer nothing, credit the bytes.
 */
import type { Duplex } from 'node:stream'
import { CallError } from '../../call/error.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { Peer } from '../../call/peer.ts'
import { describe } from '../../contract/describe.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { statusFromNumber } from '../../contract/status.ts'
import type { ConnectionInfo, Host, Served } from '../wire.ts'
import { Budget } from './budget.ts'
import type { Codecs } from './codecs.ts'
import { Connection, type Role, goawayCode } from './connection.ts'
import { writeError } from './error-frame.ts'
import {
  defaultFrameSize,
  flag,
  fragmentSize,
  frameCost,
  frameType,
  magic,
  protocolVersion,
} from './frames.ts'
import {
  type ServedContract,
  type Settings,
  numberMethods,
  readClientHello,
  settingsOf,
  writeServerHello,
} from './hello.ts'
import { ProtocolError } from './protocol-error.ts'
import { type ServerMethod, ServerStream, type StreamOwner } from './server-stream.ts'
import { Slots } from './slots.ts'
import { largestCredit } from './window.ts'
import type { Writers } from './writers.ts'

/** What all connections of a server share. */
export class TrunkService {
  readonly host: Host
  readonly codecs: Codecs
  readonly writers: Writers
  readonly settings: Settings
  readonly served: readonly ServedContract[]
  readonly #operations: readonly CallOperation[]
  readonly #methods: (ServerMethod | undefined)[] = []
  readonly #descriptions = new Map<string, Buffer>()

  constructor(host: Host, codecs: Codecs, writers: Writers) {
    this.host = host
    this.codecs = codecs
    this.writers = writers
    this.settings = settingsOf(host.limits)
    const { served, operations } = numberMethods(host.contracts)
    this.served = served
    this.#operations = operations
  }

  /** A method by its number; its codecs are compiled when it is first called. */
  method(id: number): ServerMethod | undefined {
    return this.#methods[id] ?? this.#compile(id)
  }

  #compile(id: number): ServerMethod | undefined {
    const operation = this.#operations[id]
    if (operation === undefined || !this.host.operations.has(operation.id)) return undefined
    const { input, output } = operation
    const method: ServerMethod = {
      operation,
      input: input && this.codecs.of(input),
      output: output && this.codecs.of(output),
      refine: input?.refine,
      streamedInput: input?.stream === true,
      streamedOutput: output?.stream === true,
    }
    this.#methods[id] = method
    return method
  }

  /** The description of one contract, or, for '', of all, as the JSON of a list. */
  description(name: string): Buffer {
    const known = this.#descriptions.get(name)
    if (known !== undefined) return known
    const contracts = this.host.contracts.filter((contract) => name === '' || contract.name === name)
    const json = Buffer.from(JSON.stringify(contracts.map((contract) => describe(contract))))
    // Only names that exist are kept: a peer must not fill the table with others.
    if (contracts.length > 0) this.#descriptions.set(name, json)
    return json
  }
}

export class ServerConnection implements Role, Served, StreamOwner {
  readonly closesIdle = true
  readonly host: Host
  readonly codecs: Codecs
  readonly connection: Connection
  readonly #service: TrunkService
  readonly #peer: Peer
  readonly #slots: Slots<ServerStream>
  /** Cancelled calls and such as were refused cost the server something; see budget.ts. */
  readonly #wasted: Budget
  /** Handlers at work, those of cancelled calls included. */
  #running = 0
  #draining = false
  #gone = false
  #onClose: (() => void)[] = []

  constructor(service: TrunkService, stream: Duplex, info: ConnectionInfo) {
    const { host, settings } = service
    this.#service = service
    this.host = host
    this.codecs = service.codecs
    this.#peer = {
      address: info.remoteAddress,
      wire: 'trunk',
      secure: info.secure,
      ...(info.certificate === undefined ? {} : { certificate: info.certificate }),
    }
    this.#slots = new Slots(settings.streams)
    this.#wasted = new Budget(1000 + 8 * settings.streams, 1000 + 4 * settings.streams, host.clock.now())
    this.connection = new Connection(stream, this, {
      limits: host.limits,
      settings,
      clock: host.clock,
      writers: service.writers,
      preface: magic,
      firstFrame: defaultFrameSize,
    })
  }

  // ── Served ──

  get active(): number {
    return this.#slots.size
  }

  drain(): void {
    if (this.#draining || this.connection.closed) return
    this.#draining = true
    if (this.connection.peer !== undefined) {
      this.connection.goaway(goawayCode.leaving, false, 'the server is closing')
    }
    this.#finishIfDone()
  }

  #finishIfDone(): void {
    if (this.#draining && this.#slots.size === 0) this.connection.finish('the server is closing')
  }

  close(why?: CallError): void {
    const reason = why ?? new CallError('unavailable', 'the server is closing')
    for (const stream of this.#slots.all()) stream.call?.cancel(reason)
    this.connection.finish(reason.message)
  }

  onClose(listener: () => void): void {
    if (this.#gone) listener()
    else this.#onClose.push(listener)
  }

  // ── Role ──

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.connection.peer === undefined && type !== frameType.hello && type !== frameType.goaway) {
      throw new ProtocolError(`frame type ${type} before HELLO`)
    }

    switch (type) {
      case frameType.open:
        this.#open(flags, id, bytes, start, end)
        return
      case frameType.data:
        this.#data(flags, id, bytes, start, end)
        return
      case frameType.cancel:
        this.#cancel(id, bytes, start, end)
        return
      case frameType.hello:
        this.#hello(bytes, start, end)
        return
      case frameType.describe:
        this.#describe(bytes, start, end)
        return
      case frameType.goaway:
        this.#goaway(flags)
        return
      default:
        throw new ProtocolError(`frame type ${type}, which only servers send`)
    }
  }

  #hello(bytes: Buffer, start: number, end: number): void {
    const { connection } = this
    if (connection.peer !== undefined) throw new ProtocolError('a second HELLO')
    const hello = readClientHello(connection.cursor.set(bytes, start, end))

    if (hello.lowest > protocolVersion || hello.highest < protocolVersion) {
      const offered = hello.lowest === hello.highest ? hello.lowest : `${hello.lowest} to ${hello.highest}`
      connection.refuse(
        goawayCode.refused,
        `this server speaks version ${protocolVersion} of trunk, and the client offers ${offered}`,
      )
      return
    }

    const { served, settings } = this.#service
    const asked = new Set(hello.contracts.map(({ name }) => name))
    const known = asked.size === 0 ? served : served.filter(({ name }) => asked.has(name))

    if (known.length === 0 && asked.size > 0) {
      const names = served.map(({ name }) => name).join(', ')
      const wanted = hello.contracts.map(({ name }) => name).join(', ')
      connection.refuse(goawayCode.refused, `this server serves ${names || 'nothing'}, and not ${wanted}`)
      return
    }

    connection.greeted(hello.settings)
    const writer = connection.out.begin(frameType.hello, 0, 0)
    writeServerHello(writer, { version: protocolVersion, settings, contracts: known })
    connection.out.commit(writer)
    if (this.#draining) {
      connection.goaway(goawayCode.leaving, false, 'the server is closing')
      this.#finishIfDone()
    }
  }

  #open(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { connection, host } = this
    this.#slots.check(id)
    const cursor = connection.cursor.set(bytes, start, end)
    const number = cursor.varint()
    const timeout = cursor.varint()
    let metadata: Metadata | undefined
    if ((flags & flag.metadata) !== 0) metadata = cursor.metadata(this.#service.settings.headerSize)
    const at = cursor.at
    checkMessage(flags, at, end)
    let cost = 0
    if ((flags & flag.message) !== 0) {
      connection.received(end - at)
      cost = frameCost(end - at)
    }
    if (end - at > this.#service.settings.streamWindow) {
      throw new ProtocolError(`stream ${id}: more bytes than its credit`)
    }
    connection.out.opens++

    const method = this.#service.method(number)
    const refusal = method === undefined ? unknownMethod(number) : this.#refusal(end - at)
    if (method === undefined || refusal !== undefined) {
      this.#refuse(id, cost, refusal as CallError)
      return
    }

    const stream = new ServerStream(id, method, this)
    this.#slots.put(stream)
    this.#running++

    if ((flags & (flag.end | flag.message)) === (flag.end | flag.message) && !method.streamedInput) {
      stream.accept(bytes, at, end)
      connection.release(cost)
    } else if (method.input !== undefined) {
      const incoming = stream.expect(this.#service.settings)
      if ((flags & flag.message) !== 0) incoming.receive(bytes, at, end, (flags & flag.more) !== 0)
      if ((flags & flag.end) !== 0) incoming.end()
    } else {
      connection.release(cost)
    }

    connection.watch()
    const call = host.open(
      method.operation,
      stream,
      metadata,
      timeout === 0 ? undefined : timeout,
      this.#peer,
    )
    stream.call = call
    call.onCancel((why) => stream.canceled(why))
    if (stream.over) this.#running--
    else stream.run(call)
  }

  #refusal(size: number): CallError | undefined {
    const { limits } = this.host

    if (this.#draining || this.host.draining) {
      return new CallError('unavailable', 'the server is closing', { processed: 'no' })
    }
    if (size > limits.messageSize) return tooLarge(limits.messageSize)
    if (this.#running >= 2 * this.#slots.limit) {
      return new CallError('resource_exhausted', 'too many cancelled calls are still being worked at', {
        processed: 'no',
      })
    }
    if (this.connection.out.waiting > 2 * Math.max(limits.connectionWindow, limits.messageSize)) {
      return new CallError('resource_exhausted', 'too many answers are waiting to be read', {
        processed: 'no',
      })
    }
    return undefined
  }

  /** Answers an OPEN that becomes no call. */
  #refuse(id: number, cost: number, error: CallError): void {
    const { connection } = this
    this.#slots.skip(id)
    connection.release(cost)
    if (!this.#spend()) return
    const writer = connection.out.begin(frameType.error, 0, id)
    writeError(writer, undefined, error, this.codecs, 0)
    connection.out.commit(writer)
  }

  #spend(): boolean {
    if (this.#wasted.take(1, this.host.clock.now())) return true
    this.connection.refuse(goawayCode.flood, 'too many calls that were cancelled or refused')
    return false
  }

  #data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { connection } = this
    if ((flags & (flag.metadata | flag.trailers)) !== 0) {
      throw new ProtocolError('DATA with metadata or trailers, which only servers send')
    }
    checkMessage(flags, start, end)
    const size = end - start
    if ((flags & flag.message) !== 0) connection.received(size)
    const stream = this.#slots.get(id)

    if (stream === undefined) {
      // The call was over when this came: its sender cannot have known.
      if ((flags & flag.message) === 0) connection.spend(1)
      else connection.release(frameCost(size))
      return
    }

    const { incoming } = stream
    if (incoming === undefined || incoming.complete)
      throw new ProtocolError(`stream ${id}: DATA after its end`)
    if ((flags & flag.message) !== 0) {
      if (size === 0 && (flags & flag.more) !== 0 && !connection.spend(1)) return
      if (!stream.method.streamedInput && incoming.received > 0) {
        throw new ProtocolError(`stream ${id}: a second message, where one was declared`)
      }
      const problem = incoming.receive(bytes, start, end, (flags & flag.more) !== 0)
      if (problem === 'overrun') throw new ProtocolError(`stream ${id}: more bytes than its credit`)
      if (problem === 'too large') {
        stream.call?.cancel(tooLarge(this.host.limits.messageSize))
        return
      }
    } else if ((flags & flag.end) === 0) {
      throw new ProtocolError(`stream ${id}: DATA that carries nothing`)
    } else if (incoming.partial) {
      throw new ProtocolError(`stream ${id}: ends within a message`)
    }

    if ((flags & flag.end) !== 0) incoming.end()
  }

  #cancel(id: number, bytes: Buffer, start: number, end: number): void {
    const cursor = this.connection.cursor.set(bytes, start, end)
    const code = statusFromNumber(cursor.varint())
    const message = cursor.text()
    cursor.finish()
    const stream = this.#slots.get(id)
    if (!this.#spend()) return
    stream?.call?.cancel(new CallError(code, message === '' ? 'the caller gave up' : message))
  }

  #describe(bytes: Buffer, start: number, end: number): void {
    const { connection } = this
    const cursor = connection.cursor.set(bytes, start, end)
    const name = cursor.text()
    cursor.finish()
    if (!connection.spend(Math.min(256, this.#service.settings.streams))) return
    const json = this.#service.description(name)
    let at = 0

    do {
      const size = Math.min(json.length - at, fragmentSize)
      const more = at + size < json.length
      const writer = connection.out.begin(frameType.description, more ? flag.more : 0, 0)
      writer.reserve(size)
      json.copy(writer.bytes, writer.position, at, at + size)
      writer.position += size
      connection.out.commit(writer)
      at += size
    } while (at < json.length)
  }

  #goaway(flags: number): void {
    if ((flags & flag.end) !== 0)
      this.connection.cut(new CallError('canceled', 'the caller has closed the connection'))
  }

  credit(id: number, bytes: number): void {
    const outgoing = this.#slots.get(id)?.outgoing
    if (outgoing === undefined) return
    if (outgoing.credit + bytes > largestCredit)
      throw new ProtocolError(`stream ${id}: more credit than 2^31 - 1`)
    outgoing.grant(bytes)
  }

  idle(): void {
    this.#draining = true
    this.connection.finish(`nothing was called for ${this.host.limits.idleTimeout} ms`)
  }

  failed(error: unknown): void {
    this.host.log.error({ peer: this.#peer.address, err: error }, 'trunk: a connection failed')
  }

  refused(reason: string): void {
    const about = { peer: this.#peer.address, reason }
    // Whoever scans ports sends nonsense; only of a client that has said hello is it news.
    if (this.connection.peer === undefined) this.host.log.info(about, 'trunk: a connection was refused')
    else this.host.log.warn(about, 'trunk: a client was disconnected')
  }

  ended(why: CallError): void {
    const lost = new CallError('canceled', `the connection to the caller is lost: ${why.message}`, {
      cause: why,
    })
    for (const stream of this.#slots.all()) stream.call?.cancel(lost)
  }

  gone(): void {
    this.#gone = true
    for (const listener of this.#onClose.splice(0)) listener()
  }

  // ── StreamOwner ──

  release(stream: ServerStream): void {
    this.#slots.remove(stream)
    if (this.#draining) this.#finishIfDone()
  }

  settled(): void {
    this.#running--
  }
}

/** A message needs its flag, and the flag a message that ends or goes on. */
function checkMessage(flags: number, start: number, end: number): void {
  if ((flags & flag.message) === 0) {
    if (end !== start) throw new ProtocolError(`${end - start} bytes too many in a frame`)
    if ((flags & flag.more) !== 0) throw new ProtocolError('a message goes on that has not begun')
  } else if ((flags & (flag.end | flag.more)) === (flag.end | flag.more)) {
    throw new ProtocolError('a stream ends within a message')
  }
}

function unknownMethod(number: number): CallError {
  return new CallError('unimplemented', `method ${number} is none of those the server named`, {
    processed: 'no',
  })
}

function tooLarge(limit: number): CallError {
  return new CallError('resource_exhausted', `a message is larger than ${limit} bytes (limits.messageSize)`)
}
