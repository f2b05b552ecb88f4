import type { Operation } from '../../contract/operation.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import type { Wire } from '../wire.ts'
import { ConnectChannel } from './client.ts'
import { type ConnectCompression, connectServer } from './server.ts'

/** What the Connect wire can be told; everything has a default. */
export interface ConnectRpcOptions {
  /**
   * Whose web pages may call a server that is of another origin: `['https://app.example']`, or `['*']` for all.
   * Default: nobody's.
   */
  readonly origins?: readonly string[]
  /**
   * How messages of 1 KiB and more are compressed: by clients always, by servers for clients that say they understand it.
   * Whatever comes compressed by gzip or br is understood anyway. Default: not at all.
   */
  readonly compression?: ConnectCompression
  /** How clients write messages: protobuf, or ProtoJSON. Servers answer as they are asked. Default `proto`. */
  readonly format?: MessageFormat
  /** Whether clients ask by GET for operations that change nothing (`idempotency: 'safe'`). Default: no. */
  readonly get?: boolean
  /**
   * The HTTP version of clients: `2` carries all calls over one connection, and foreign servers need it for streams both
   * ways. Servers speak both. Default `1.1`.
   */
  readonly http?: '1.1' | '2'
}

/**
 * The Connect wire: unary calls as plain POST requests with JSON or protobuf, or as GET where nothing is changed, and
 * streams in envelopes. Its URLs are `connect+http://` and `connect+https://`. Follows the "Connect Protocol".
 *
 * @param options See `ConnectRpcOptions`.
 * @returns A wire for the `wires` of `serve` and `connect`; it is among their defaults.
 *
 * @example
 * ```ts
 * import { call, contract, implement, serve } from 'trunkline'
 * import { connectRpc } from 'trunkline/wires'
 * import * as z from 'zod'
 *
 * const Greeter = contract('acme.greeter.v1', {
 *   greet: call({ input: z.object({ name: z.string() }), output: z.object({ text: z.string() }) }),
 * })
 *
 * const greeter = implement(Greeter, { greet: ({ name }) => ({ text: `Hello ${name}` }) })
 * await using server = await serve(greeter, { port: 0, wires: [connectRpc()] })
 * const answer = await fetch(`http://127.0.0.1:${server.port}/acme.greeter.v1.Greeter/Greet`, {
 *   method: 'POST',
 *   headers: { 'content-type': 'application/json' },
 *   body: JSON.stringify({ name: 'Ada' }),
 * })
 * console.log(await answer.json()) // { text: 'Hello Ada' }
 * ```
 */
export function connectRpc(options: ConnectRpcOptions = {}): Wire {
  const { origins = [], compression, format = 'proto', get = false, http = '1.1' } = options

  return {
    name: 'connect',
    schemes: ['connect+http', 'connect+https'],
    needsNumbers: true,
    supports,
    server: connectServer({ origins, compression }),
    client: {
      over: 'http',
      versions: [http],
      open: (transport, channel) => new ConnectChannel(transport, channel, { format, compression, get }),
    },
  }
}

function supports({ kind, id }: Operation): true | string {
  if (kind === 'call') return true
  return `${id} is ${kind === 'event' ? 'an event' : `a ${kind}`}; Connect carries calls`
}
