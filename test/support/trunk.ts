/** A trunk server and channels to it over real sockets on loopback, without the rooms above the wire. */
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { Call } from '../../src/call/call.ts'
import { clock } from '../../src/call/clock.ts'
import type { Filter, Reply } from '../../src/call/handler.ts'
import { type Limits, withLimits } from '../../src/call/limits.ts'
import type { Logger } from '../../src/call/logger.ts'
import { Metadata, type MetadataInit } from '../../src/call/metadata.ts'
import { type About, type Contract, type about, contractInfo } from '../../src/contract/contract.ts'
import type { CallOperation, ContractInfo } from '../../src/contract/operation.ts'
import { ServerHost } from '../../src/server/host.ts'
import type { Implementation } from '../../src/server/implement.ts'
import { trunk } from '../../src/wires/trunk/index.ts'
import type { ByteClient, ByteServer, Channel, Served } from '../../src/wires/wire.ts'

/** A logger that keeps what it is told. */
export class Log implements Logger {
  readonly lines: { level: string; fields: Record<string, unknown>; message: string }[] = []
  debug(): void {}
  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields: { ...fields }, message })
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields: { ...fields }, message })
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields: { ...fields }, message })
  }
}

export interface PairOptions {
  readonly limits?: Partial<Limits>
  readonly clientLimits?: Partial<Limits>
  readonly filters?: readonly Filter[]
  /** The contract the client holds, when it is not the server's. */
  readonly contract?: ContractInfo
}

export interface Pair extends AsyncDisposable {
  readonly port: number
  readonly host: ServerHost
  readonly log: Log
  readonly clientLog: Log
  readonly served: Set<Served>
  readonly sockets: Set<net.Socket>
  /** Another connection. */
  open(limits?: Partial<Limits>): Promise<Channel>
  /** Another connection that is not a client yet. */
  dial(): Promise<net.Socket>
  readonly channel: Channel
}

/** Serves implementations on a free port and opens a channel for the first of them. */
export async function trunkPair(
  implementations: readonly Implementation[],
  options: PairOptions = {},
): Promise<Pair> {
  const wire = trunk()
  const server = wire.server as ByteServer
  const client = wire.client as ByteClient
  const log = new Log()
  const clientLog = new Log()
  const host = new ServerHost(implementations, {
    filters: options.filters ?? [],
    limits: withLimits(options.limits),
    log,
  })
  const served = new Set<Served>()
  const sockets = new Set<net.Socket>()

  const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    const one = server.serve(socket, { remoteAddress: 'loopback', secure: false }, host)
    served.add(one)
    one.onClose(() => {
      served.delete(one)
      sockets.delete(socket)
    })
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const { port } = listener.address() as net.AddressInfo

  const dial = (): Promise<net.Socket> =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
      socket.once('error', reject)
    })

  const open = async (limits: Partial<Limits> | undefined): Promise<Channel> =>
    openOn(client, await dial(), options.contract ?? host.contracts[0]!, limits, clientLog)

  const channels: Channel[] = []
  const tracked = async (limits: Partial<Limits> | undefined = options.clientLimits): Promise<Channel> => {
    const channel = await open(limits)
    channels.push(channel)
    return channel
  }

  const close = async (): Promise<void> => {
    await Promise.all(channels.map((channel) => channel.close(0)))
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => {
      listener.close(resolve)
    })
  }

  try {
    return {
      port,
      host,
      log,
      clientLog,
      served,
      sockets,
      dial,
      open: tracked,
      channel: await tracked(),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A channel to whatever listens on a port. */
export async function channelTo(
  port: number,
  contract: ContractInfo,
  limits: Partial<Limits> | undefined,
  log: Logger,
): Promise<Channel> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return openOn(trunk().client as ByteClient, socket, contract, limits, log)
}

function openOn(
  client: ByteClient,
  stream: Duplex,
  contract: ContractInfo,
  limits: Partial<Limits> | undefined,
  log: Logger,
): Promise<Channel> {
  return client.open(stream, {
    url: new URL('trunk://127.0.0.1'),
    peer: { address: 'server', wire: 'trunk', secure: false },
    contract,
    limits: withLimits(limits),
    clock,
    log,
  })
}

export interface CallSettings {
  readonly timeout?: number
  readonly metadata?: MetadataInit
}

/** A client's call of an operation, ready for a channel. */
export function callOf(
  contract: Contract | { readonly [about]: About<unknown> },
  name: string,
  input: unknown,
  { timeout, metadata }: CallSettings = {},
): Call {
  const operation = contractInfo(contract).operations.get(name) as CallOperation
  const given = metadata === undefined ? undefined : new Metadata(metadata)
  const call = new Call(operation, undefined, input, given, undefined)
  if (timeout !== undefined) call.limit(clock.now() + timeout)
  return call
}

/** Makes a call, and turns what a channel throws at once into a rejection. */
export async function send(channel: Channel, call: Call): Promise<Reply> {
  return channel.call(call)
}
