/** The client half: a channel whose unary calls are plain HTTP requests, and whose streams are in envelopes. */
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import type { Reply } from '../../call/handler.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { HttpTransport } from '../../http/exchange.ts'
import { GrpcChannel } from '../grpc-family/channel.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import type { Channel, ChannelOptions, ReplySink } from '../wire.ts'
import { streamClientDialect } from './client-dialect.ts'
import { UnaryMethod, type UnaryMethodOptions } from './client-method.ts'
import type { ConnectCompression } from './server.ts'
import { UnaryClientCall } from './unary-client-call.ts'

export interface ConnectClientOptions {
  readonly format: MessageFormat
  readonly compression: ConnectCompression | undefined
  readonly get: boolean
}

export class ConnectChannel implements Channel {
  readonly #transport: HttpTransport
  readonly #streams: GrpcChannel
  readonly #options: ChannelOptions
  readonly #methods = new Map<CallOperation, UnaryMethod>()
  readonly #methodOptions: UnaryMethodOptions

  constructor(transport: HttpTransport, options: ChannelOptions, own: ConnectClientOptions) {
    const { url, limits } = options
    this.#transport = transport
    this.#streams = new GrpcChannel(transport, options, { ...own, dialect: streamClientDialect })
    this.#options = options
    this.#methodOptions = { ...own, prefix: url.pathname.replace(/\/+$/, ''), authority: url.host, limits }
  }

  get state(): Channel['state'] {
    return this.#streams.state
  }

  get active(): number {
    return this.#streams.active
  }

  call(call: Call): Promise<Reply> {
    return new Promise((answered, failed) => this.send(call, { answered, failed }))
  }

  send(call: Call, sink: ReplySink): void {
    const { operation } = call
    if (operation.streaming !== 'unary') return this.#streams.send(call, sink)

    const { clock, limits } = this.#options
    const refused = { processed: 'no', origin: 'downstream' } as const
    if (this.state !== 'ready')
      throw new CallError('unavailable', `${operation.id}: the client is closing`, refused)
    if (call.canceled !== undefined) throw asDownstream(call.canceled)
    const timeout = call.deadline === Infinity ? Infinity : Math.ceil(call.deadline - clock.now() - 0.001)
    if (timeout <= 0)
      throw new CallError('deadline_exceeded', `${operation.id}: the deadline has passed`, refused)

    let method = this.#methods.get(operation)
    if (method === undefined) {
      method = new UnaryMethod(operation, this.#methodOptions)
      this.#methods.set(operation, method)
    }
    new UnaryClientCall(method, call, this.#transport, limits, sink).start(timeout)
  }

  onState(listener: (why: CallError | undefined) => void): void {
    this.#streams.onState(listener)
  }

  close(grace: number): Promise<void> {
    return this.#streams.close(grace)
  }
}
