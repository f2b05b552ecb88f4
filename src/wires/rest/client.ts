/** HOT PATH. The client half: a channel over a pool of HTTP connections. */
import type { Call } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import type { Reply } from '../../call/handler.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { HttpTransport } from '../../http/exchange.ts'
import type { Channel, ChannelOptions, HttpClient } from '../wire.ts'
import { ClientCall } from './client-call.ts'
import { ClientOperation, type ClientOperationOptions } from './client-operation.ts'
import { fetchDescription } from './description.ts'

export interface RestClientOptions {
  /** Whether to ask for compressed answers. */
  readonly compression: boolean
  readonly http: '1.1' | '2'
}

/** The client half of the wire. */
export function restClient({ compression, http }: RestClientOptions): HttpClient {
  return {
    over: 'http',
    versions: [http],
    open: (transport, options) => new RestChannel(transport, options, compression),
    describe: fetchDescription,
  }
}

class RestChannel implements Channel {
  state: 'ready' | 'draining' | 'closed' = 'ready'
  readonly #transport: HttpTransport
  readonly #options: ChannelOptions
  readonly #operations = new Map<CallOperation, ClientOperation>()
  readonly #operationOptions: ClientOperationOptions
  #listener: (why: CallError | undefined) => void = () => {}

  constructor(transport: HttpTransport, options: ChannelOptions, compression: boolean) {
    const { url, limits } = options
    const socket = url.protocol.endsWith('+unix:')
    this.#transport = transport
    this.#options = options
    this.#operationOptions = {
      // A Unix socket's URL has its path where others have a prefix.
      prefix: socket ? '' : url.pathname.replace(/\/+$/, ''),
      authority: socket ? 'localhost' : url.host,
      compression,
      limits,
    }
  }

  get active(): number {
    return this.#transport.active
  }

  call(call: Call): Promise<Reply> {
    const { operation } = call
    if (this.state !== 'ready') {
      throw new CallError('unavailable', `${operation.id}: the client is closing`, {
        processed: 'no',
        origin: 'downstream',
      })
    }

    let called = this.#operations.get(operation)
    if (called === undefined) {
      called = new ClientOperation(operation, this.#operationOptions)
      this.#operations.set(operation, called)
    }

    const { clock, limits } = this.#options
    const timeout = call.deadline === Infinity ? Infinity : Math.ceil(call.deadline - clock.now())
    if (timeout <= 0) {
      throw new CallError('deadline_exceeded', `${operation.id}: the deadline has passed`, {
        processed: 'no',
        origin: 'downstream',
      })
    }
    return new ClientCall(called, call, limits).start(this.#transport, timeout)
  }

  onState(listener: (why: CallError | undefined) => void): void {
    this.#listener = listener
  }

  async close(grace: number): Promise<void> {
    if (this.state !== 'ready') return
    this.state = 'draining'
    this.#listener(undefined)
    await this.#transport.close(grace)
    this.state = 'closed'
    this.#listener(undefined)
  }
}
