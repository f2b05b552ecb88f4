/**
 * The rows of the cross-wire suite: every wire under every transport it has. A wire joins by one line in `rows`.
 *
 * Each behaviour is one file beside this one; it asks for a row's server and client and never for a certain wire.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import {
  type Client,
  type ConnectOptions,
  type Contract,
  type Implementation,
  type ServeOptions,
  type Server,
  connect,
  serve,
} from 'trunkline'
import { type Wire, connectRpc, grpcWeb, rest } from 'trunkline/wires'
import { certificate } from '../support/certificate.ts'
import { quiet } from '../support/quiet-log.ts'

export interface Row {
  readonly name: string
  /** How a URL begins, before the authority; `undefined` for calls within the process. */
  readonly scheme: string | undefined
  readonly tls?: true
  readonly unix?: true
  /** Both directions of a call flow at once (false: an answer may only begin when the request is over). */
  readonly duplex: boolean
  /** Whether inputs can be streams; yes, if nothing is said. */
  readonly streamedInput?: false
  /** Clients of other options than the wire's default ones. */
  readonly wires?: () => readonly Wire[]
  /** Another row has the same code under it: left out where a test takes seconds. */
  readonly light?: true
}

export const rows: readonly Row[] = [
  { name: 'in-process', scheme: undefined, duplex: true },
  { name: 'trunk', scheme: 'trunk://', duplex: true },
  { name: 'trunk over TLS', scheme: 'trunks://', tls: true, duplex: true },
  { name: 'trunk over a Unix socket', scheme: 'trunk+unix://', unix: true, duplex: true },
  { name: 'gRPC', scheme: 'grpc://', duplex: true },
  { name: 'gRPC over TLS', scheme: 'grpcs://', tls: true, duplex: true },
  { name: 'gRPC over a Unix socket', scheme: 'grpc+unix://', unix: true, duplex: true },
  { name: 'gRPC-Web', scheme: 'grpc-web+http://', duplex: true, streamedInput: false },
  {
    name: 'gRPC-Web over HTTP/2 and TLS, in JSON',
    scheme: 'grpc-web+https://',
    tls: true,
    duplex: true,
    streamedInput: false,
    wires: () => [grpcWeb({ http: '2', format: 'json', compression: 'gzip' })],
    light: true,
  },
  { name: 'Connect', scheme: 'connect+http://', duplex: true },
  {
    name: 'Connect over HTTP/2 and TLS, in JSON',
    scheme: 'connect+https://',
    tls: true,
    duplex: true,
    wires: () => [connectRpc({ http: '2', format: 'json', compression: 'br', get: true })],
    light: true,
  },
  { name: 'REST', scheme: 'http://', duplex: true },
  { name: 'REST over TLS', scheme: 'https://', tls: true, duplex: true },
  {
    name: 'REST over HTTP/2',
    scheme: 'http://',
    duplex: true,
    wires: () => [rest({ http: '2' })],
    light: true,
  },
]

/** Rows whose calls leave the process; the others have no connection that could be cut. */
export const networkRows = rows.filter(({ scheme }) => scheme !== undefined)

/** For tests of streamed inputs: over which rows there are none. */
export function withoutStreamedInput({ streamedInput }: Row): boolean {
  return streamedInput === false
}

/** A running pair: what the rows of one test share. */
export interface Pair<C> extends AsyncDisposable {
  readonly server: Server
  readonly client: Client<C>
  /** Another client of the same server. */
  connect(options?: ConnectOptions): Client<C>
  readonly target: Parameters<typeof connect>[1]
}

/** Serves an implementation and connects to it over the row's wire. */
export async function pair<C extends Contract>(
  row: Row,
  contract: C,
  implementation: Implementation<C>,
  options: { readonly serve?: ServeOptions; readonly connect?: ConnectOptions } = {},
): Promise<Pair<C>> {
  const folder = row.unix ? mkdtempSync(path.join(os.tmpdir(), 'trunkline-')) : undefined
  const server = await serve(implementation, {
    log: quiet,
    ...(folder === undefined ? { port: 0 } : { path: path.join(folder, 'socket') }),
    ...(row.tls ? { tls: { key: certificate().key, cert: certificate().cert } } : {}),
    ...options.serve,
  })

  const target = targetOf(row, server)
  const open: AsyncDisposable[] = []
  const connectOnce = (extra: ConnectOptions = {}) => {
    const client = connect(contract, target, {
      log: quiet,
      ...(row.tls ? { tls: { ca: certificate().cert, servername: 'localhost' } } : {}),
      ...(row.wires ? { wires: row.wires() } : {}),
      ...options.connect,
      ...extra,
    })
    open.push(client)
    return client
  }

  return {
    server,
    target,
    client: connectOnce(),
    connect: connectOnce,
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((client) => client[Symbol.asyncDispose]()))
      await server.close({ grace: 2_000 })
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function targetOf(row: Row, server: Server): Parameters<typeof connect>[1] {
  if (row.scheme === undefined) return server
  if (row.unix) return `${row.scheme}${encodeURI(server.address.path ?? '')}`
  return `${row.scheme}127.0.0.1:${server.port}`
}

/** A TCP relay in front of a server, whose connections a test can cut or stall. */
export interface Relay extends AsyncDisposable {
  readonly port: number
  /** Ends all connections with a reset, as a dying machine or a cable does. */
  cut(): void
  /** Lets nothing through any more, in either direction, as a network does that was taken apart. */
  stall(): void
  readonly connections: number
}

/** Starts a relay to a port on loopback. */
export async function relay(to: number): Promise<Relay> {
  const pairs = new Set<[net.Socket, net.Socket]>()
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ port: to, host: '127.0.0.1', allowHalfOpen: true })
    const both: [net.Socket, net.Socket] = [near, far]
    pairs.add(both)
    near.pipe(far)
    far.pipe(near)
    for (const socket of both) {
      socket.on('error', () => undefined)
      socket.once('close', () => {
        pairs.delete(both)
        near.destroy()
        far.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as net.AddressInfo).port,
    get connections() {
      return pairs.size
    },
    cut() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy()
        far.resetAndDestroy()
      }
    },
    stall() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause()
        far.unpipe(near).pause()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const [near, far] of pairs) {
        near.destroy()
        far.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The row's URL with the relay's port instead of the server's. */
export function throughRelay(row: Row, { port }: Relay): string {
  return `${row.scheme}127.0.0.1:${port}`
}
