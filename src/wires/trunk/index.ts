import type { Duplex } from 'node:stream'
import { CallError } from '../../call/error.ts'
import { compileProtobuf } from '../../codec/protobuf/compile.ts'
import type { ContractDescription } from '../../contract/describe.ts'
import type { ByteClient, ByteServer, ChannelOptions, Host, Wire } from '../wire.ts'
import { readDescriptions } from './agreement.ts'
import { type TrunkChannelOptions, TrunkChannel } from './client.ts'
import { Codecs } from './codecs.ts'
import { magic } from './frames.ts'
import { ServerConnection, TrunkService } from './server.ts'
import { Writers } from './writers.ts'

const alpn = 'trunk/1'

/**
 * Trunkline's own protocol: multiplexed calls of all four streaming kinds in protobuf over one byte stream, by TCP,
 * TLS (ALPN `trunk/1`) or Unix socket. URLs: `trunk://host:7000`, `trunks://host:7000` (TLS),
 * `trunk+unix:///run/orders.sock`. docs/trunk-protocol.md describes it for other languages.
 *
 * @returns A wire for the `wires` of `serve` and `connect`; it is among their defaults.
 *
 * @example
 * ```ts
 * import { trunk } from 'trunkline/wires'
 *
 * const wire = trunk()
 * console.log(wire.schemes) // [ 'trunk', 'trunks', 'trunk+unix' ]
 * ```
 */
export function trunk(): Wire {
  const codecs = codecsByDepth()
  const writers = new Writers()
  const services = new WeakMap<Host, TrunkService>()

  const server: ByteServer = {
    over: 'bytes',
    alpn,
    sniff,
    serve(stream, connection, host) {
      let service = services.get(host)
      if (service === undefined) {
        service = new TrunkService(host, codecs(host.limits.depth), writers)
        services.set(host, service)
      }
      return new ServerConnection(service, stream, connection)
    },
  }

  const client: ByteClient = {
    over: 'bytes',
    alpn,
    open: (stream, options) => openChannel(stream, options, codecs(options.limits.depth), writers),
    describe: (stream, options) => describeOverTrunk(stream, options),
  }

  return {
    name: 'trunk',
    schemes: ['trunk', 'trunks', 'trunk+unix'],
    defaultPort: 7000,
    needsNumbers: true,
    supports: () => true,
    server,
    client,
  }
}

/** Codecs refuse what is nested deeper than `limits.depth`; servers and clients that agree on it share theirs. */
function codecsByDepth(): (depth: number) => Codecs {
  const made = new Map<number, Codecs>()

  return (depth) => {
    const known = made.get(depth)
    if (known !== undefined) return known
    const codecs = new Codecs((schema) => compileProtobuf(schema, { depth }))
    made.set(depth, codecs)
    return codecs
  }
}

/** Whether a connection begins as trunk; `undefined` while there are too few bytes to tell. */
function sniff(head: Buffer): boolean | undefined {
  const length = Math.min(head.length, magic.length)
  if (head.compare(magic, 0, length, 0, length) !== 0) return false
  return length === magic.length ? true : undefined
}

async function openChannel(
  stream: Duplex,
  options: TrunkChannelOptions,
  codecs: Codecs,
  writers: Writers,
): Promise<TrunkChannel> {
  const channel = new TrunkChannel(stream, options, codecs, writers)

  try {
    await channel.greet()
    return channel
  } catch (error) {
    channel.connection.finish('the handshake failed')
    if (CallError.is(error)) throw error
    throw new CallError('unavailable', `${options.peer.address}: ${(error as Error).message}`, {
      processed: 'no',
      origin: 'downstream',
      cause: error,
    })
  }
}

/**
 * Asks a trunk server what it serves, without knowing a contract.
 *
 * @param stream A connected byte stream; it is closed afterwards.
 * @param options Limits, clock, log and peer, as for a channel.
 * @param contract One contract's name; all by default.
 * @returns The descriptions, for `fromDescription` and `diff`.
 * @throws CallError `unavailable` when it is no trunk server, or when the connection is lost.
 */
export async function describeOverTrunk(
  stream: Duplex,
  options: Pick<ChannelOptions, 'limits' | 'clock' | 'log' | 'peer'>,
  contract = '',
): Promise<readonly ContractDescription[]> {
  const codecs = codecsByDepth()(options.limits.depth)
  const channel = await openChannel(stream, { ...options, contract: undefined }, codecs, new Writers())
  try {
    return readDescriptions(await channel.describe(contract))
  } finally {
    await channel.close(0)
  }
}
