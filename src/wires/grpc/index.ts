import type { Operation } from '../../contract/operation.ts'
import type { Wire } from '../wire.ts'
import { GrpcChannel } from '../grpc-family/channel.ts'
import type { GrpcCompression } from '../grpc-family/compression.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import { ownServices } from './own-services.ts'
import { grpcServer } from './server.ts'

/** What the gRPC wire can be told; everything has a default. */
export interface GrpcOptions {
  /**
   * How messages of 1 KiB and more are compressed: by clients always, by servers for clients that say they understand it.
   * Whatever comes compressed by gzip or deflate is understood anyway. Default: not at all.
   */
  readonly compression?: GrpcCompression
  /** How clients write messages: protobuf, or ProtoJSON. Servers answer as they are asked. Default `proto`. */
  readonly format?: MessageFormat
  /** Whether servers describe themselves to grpcurl and the like (`grpc.reflection.v1` and `v1alpha`). Default: yes. */
  readonly reflection?: boolean
}

/**
 * The gRPC wire: all four kinds of calls over HTTP/2, with any gRPC implementation on the other side. Services and
 * methods have the names of the contract (`acme.orders.v1.Orders/Place`), which can be set. Its URLs are `grpc://`,
 * `grpcs://` (TLS) and `grpc+unix://`. Servers answer `grpc.health.v1.Health` too, and server reflection.
 * Follows gRPC's "Protocol over HTTP2".
 *
 * @param options See `GrpcOptions`.
 * @returns A wire for the `wires` of `serve` and `connect`; it is among their defaults.
 *
 * @example
 * ```ts
 * import { call, connect, contract, implement, serve } from 'trunkline'
 * import { grpc } from 'trunkline/wires'
 * import * as z from 'zod'
 *
 * const Greeter = contract('acme.greeter.v1', {
 *   greet: call({ input: z.object({ name: z.string() }), output: z.object({ text: z.string() }) }),
 * })
 *
 * const wires = [grpc({ compression: 'gzip' })]
 * const greeter = implement(Greeter, { greet: ({ name }) => ({ text: `Hello ${name}` }) })
 * await using server = await serve(greeter, { port: 0, wires })
 * await using client = connect(Greeter, `grpc://127.0.0.1:${server.port}`, { wires })
 * console.log(await client.greet({ name: 'Ada' })) // { text: 'Hello Ada' }
 * ```
 */
export function grpc(options: GrpcOptions = {}): Wire {
  const { compression, format = 'proto', reflection = true } = options

  return {
    name: 'grpc',
    schemes: ['grpc', 'grpcs', 'grpc+unix'],
    needsNumbers: true,
    supports,
    server: grpcServer({ compression, services: (host) => ownServices(host, { reflection }) }),
    client: {
      over: 'http',
      versions: ['2'],
      open: (transport, channel) => new GrpcChannel(transport, channel, { format, compression }),
      // Loaded when it is asked for, since it knows .proto files, which a server's start can do without.
      describe: async (transport, given) =>
        (await import('./describe.ts')).describeByReflection(transport, given),
    },
  }
}

function supports({ kind, id }: Operation): true | string {
  if (kind === 'call') return true
  return `${id} is ${kind === 'event' ? 'an event' : `a ${kind}`}; gRPC carries calls`
}
