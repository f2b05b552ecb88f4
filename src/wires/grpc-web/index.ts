import { GrpcChannel } from '../grpc-family/channel.ts'
import type { GrpcCompression } from '../grpc-family/compression.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import type { Wire } from '../wire.ts'
import { webClientDialect } from './client-dialect.ts'
import { grpcWebServer } from './server.ts'
import { supports } from './supports.ts'

/** What the gRPC-Web wire can be told; everything has a default. */
export interface GrpcWebOptions {
  /**
   * Whose web pages may call a server that is of another origin: `['https://app.example']`, or `['*']` for all.
   * Default: nobody's.
   */
  readonly origins?: readonly string[]
  /** How messages of 1 KiB and more are compressed, as in `GrpcOptions`. Default: not at all. */
  readonly compression?: GrpcCompression
  /** How clients write messages: protobuf, or ProtoJSON. Servers answer as they are asked. Default `proto`. */
  readonly format?: MessageFormat
  /** The HTTP version of clients: `2` carries all calls over one connection. Servers speak both. Default `1.1`. */
  readonly http?: '1.1' | '2'
}

/**
 * The gRPC-Web wire, for browsers and for proxies that know HTTP/1.1 only: calls without a streamed input, in binary or
 * as base64 text. Its URLs are `grpc-web+http://` and `grpc-web+https://`. Follows gRPC's "gRPC-Web".
 *
 * @param options See `GrpcWebOptions`.
 * @returns A wire for the `wires` of `serve` and `connect`; it is among their defaults.
 *
 * @example
 * ```ts
 * import { call, connect, contract, implement, serve } from 'trunkline'
 * import { grpcWeb } from 'trunkline/wires'
 * import * as z from 'zod'
 *
 * const Greeter = contract('acme.greeter.v1', {
 *   greet: call({ input: z.object({ name: z.string() }), output: z.object({ text: z.string() }) }),
 * })
 *
 * const greeter = implement(Greeter, { greet: ({ name }) => ({ text: `Hello ${name}` }) })
 * const wires = [grpcWeb({ origins: ['https://app.example'] })]
 * await using server = await serve(greeter, { port: 0, wires })
 * await using client = connect(Greeter, `grpc-web+http://127.0.0.1:${server.port}`)
 * console.log(await client.greet({ name: 'Ada' })) // { text: 'Hello Ada' }
 * ```
 */
export function grpcWeb(options: GrpcWebOptions = {}): Wire {
  const { origins = [], compression, format = 'proto', http = '1.1' } = options

  return {
    name: 'grpc-web',
    schemes: ['grpc-web+http', 'grpc-web+https'],
    needsNumbers: true,
    supports,
    server: grpcWebServer({ origins, compression }),
    client: {
      over: 'http',
      versions: [http],
      open: (transport, channel) =>
        new GrpcChannel(transport, channel, { format, compression, dialect: webClientDialect }),
    },
  }
}
