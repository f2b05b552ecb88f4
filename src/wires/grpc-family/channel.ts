/** HOT PATH. The client half of gRPC and gRPC-Web: a channel over HTTP connections. Guarded by `bench/scenarios/grpc`. */
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import type { Limits } from '../../call/limits.ts'
import type { Reply } from '../../call/handler.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { HttpTransport } from '../../http/exchange.ts'
import type { Channel, ChannelOptions, ReplySink } from '../wire.ts'
import { ClientCall, type ClientCallOwner } from './client-call.ts'
import { ClientMethod, type ClientMethodOptions } from './client-method.ts'
import { type ClientDialect, grpcClientDialect } from './client-dialect.ts'
import type { Compression } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import { ResponseHeadReader } from './response-head.ts'

export interface GrpcClientOptions {
  readonly format: MessageFormat
  /** How requests are compressed. */
  readonly compression: Compression | undefined
  /** gRPC's own when nothing is said. */
  readonly dialect?: ClientDialect
}

export class GrpcChannel implements Channel, ClientCallOwner {
  state: 'ready' | 'draining' | 'closed' = 'ready'
  readonly transport: HttpTransport
  readonly heads: ResponseHeadReader
  readonly limits: Limits
  readonly #options: Omit<ChannelOptions, 'contract'>
  readonly #methods = new Map<CallOperation, ClientMethod>()
  readonly #methodOptions: ClientMethodOptions
  #listener: (why: CallError | undefined) => void = () => {}

  constructor(
    transport: HttpTransport,
    options: Omit<ChannelOptions, 'contract'>,
    { format, compression, dialect = grpcClientDialect }: GrpcClientOptions,
  ) {
    const { url, limits } = options
    const socket = url.protocol.endsWith('+unix:')
    this.transport = transport
    this.heads = new ResponseHeadReader(dialect.readHead)
    this.limits = limits
    this.#options = options
    this.#methodOptions = {
      // A Unix socket's URL has its path where others have a prefix.
      prefix: socket ? '' : url.pathname.replace(/\/+$/, ''),
      authority: socket ? 'localhost' : url.host,
      dialect,
      format,
      compression,
      limits,
    }
  }

  get active(): number {
    return this.transport.active
  }

  call(call: Call): Promise<Reply> {
    return new Promise((answered, failed) => this.send(call, { answered, failed }))
  }

  send(call: Call, sink: ReplySink): void {
    const { operation } = call
    if (this.state !== 'ready') {
      throw new CallError('unavailable', `${operation.id}: the client is closing`, {
        processed: 'no',
        origin: 'downstream',
      })
    }
    if (call.canceled !== undefined) throw asDownstream(call.canceled)

    let timeout = Infinity
    if (call.deadline !== Infinity) {
      // What is left of a time that was just given is that time, in spite of how sums of fractions come out.
      timeout = Math.ceil(call.deadline - this.#options.clock.now() - 0.001)
      if (timeout <= 0) throw deadlinePassed(operation)
    }

    let method = this.#methods.get(operation)
    if (method === undefined) {
      method = new ClientMethod(operation, this.#methodOptions)
      this.#methods.set(operation, method)
    }
    new ClientCall(method, call, this, sink).start(method.head(call, timeout))
  }

  onState(listener: (why: CallError | undefined) => void): void {
    this.#listener = listener
  }

  async close(grace: number): Promise<void> {
    if (this.state !== 'ready') return
    this.state = 'draining'
    this.#listener(undefined)
    await this.transport.close(grace)
    this.state = 'closed'
    this.#listener(undefined)
  }
}

function deadlinePassed({ id }: CallOperation): CallError {
  return new CallError('deadline_exceeded', `${id}: the deadline has passed`, {
    processed: 'no',
    origin: 'downstream',
  })
}
