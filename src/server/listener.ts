/**
 * The I/O shell around one port: accepts connections, finds out what each speaks, and hands it over.
 *
 * `allowHalfOpen`, since an HTTP client may end its side and still wait for the answer. Sniffing uses `readable`,
 * `read()` and `unshift()`, and takes its listeners off before it hands over, so that the next owner finds a fresh stream.
 */
import net from 'node:net'
import tls from 'node:tls'
import { peerCertificate } from '../http/peer-certificate.ts'
import type { ByteServer, ConnectionInfo, Host, Served } from '../wires/wire.ts'
import { type Address, type BindTarget, bind } from './bind.ts'
import { answerPlaintext } from './plaintext.ts'
import { type Sniffed, sniff } from './sniff.ts'
import { renewTicketKeys } from './ticket-keys.ts'
import { type TlsOptions, addServerNames, serverTls } from './tls.ts'

export interface ListenerOptions {
  readonly tls: TlsOptions | undefined
  readonly host: Host
  readonly wires: readonly ByteServer[]
  /** Serves HTTP/1.1 on a connection. */
  readonly http1: (stream: net.Socket, connection: ConnectionInfo) => Served
  /** Serves HTTP/2 on a connection, where there is an engine for it. */
  readonly http2?: (stream: net.Socket, connection: ConnectionInfo) => Served
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #server: net.Server
  /** All connections, with what is known of them before TLS is done. */
  readonly #sockets = new Set<net.Socket>()
  /** Those whose TLS handshake goes on, by the peer's address. */
  readonly #handshaking = new Map<string, net.Socket>()
  /** Those that have not said yet what they speak. */
  readonly #waiting = new Set<net.Socket>()
  readonly #served = new Map<Served, net.Socket>()
  #closing = false
  #full = false

  constructor(options: ListenerOptions) {
    this.#options = options
    const { limits, log } = options.host
    const shell = { allowHalfOpen: true, noDelay: true, handshakeTimeout: limits.headerTimeout }
    const accept = (socket: net.Socket) => this.#accept(socket)
    this.#server =
      options.tls === undefined ? net.createServer(shell, accept) : this.#secured(options.tls, shell, accept)

    this.#server.maxConnections = limits.connections
    this.#server.on('connection', (socket: net.Socket) => this.#track(socket))
    this.#server.on('drop', () => this.#dropped())
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: net.Socket) => {
      const remote = addressOf(socket)
      log.info({ remote, err: error }, 'a TLS handshake failed')
      const plain = this.#handshaking.get(remote)
      if (plain === undefined || !answerPlaintext(error, plain)) socket.destroy()
    })
  }

  /** With TLS this is before the handshake, and `#accept` behind it. */
  #track(socket: net.Socket): void {
    const address = addressOf(socket)
    const { tls: secured } = this.#options
    this.#sockets.add(socket)
    if (secured !== undefined && address !== unixPeer) this.#handshaking.set(address, socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#handshaking.delete(address)
      this.#full = false
    })
  }

  /** Says it once until there is room again: whoever opens connections without end shall not fill the log too. */
  #dropped(): void {
    if (this.#full) return
    this.#full = true
    const { limits, log } = this.#options.host
    log.warn({ connections: limits.connections }, 'connections are refused: limits.connections is reached')
  }

  #secured(options: TlsOptions, shell: object, accept: (socket: net.Socket) => void): tls.Server {
    const server = tls.createServer({ ...serverTls(options), ...this.#alpn(), ...shell }, accept)
    addServerNames(server, options)
    renewTicketKeys(server, options.ticketKeys, this.#options.host.log)
    return server
  }

  #alpn(): { ALPNProtocols: string[] } {
    const { wires, http2 } = this.#options
    return { ALPNProtocols: [...wires.map(({ alpn }) => alpn), ...(http2 ? ['h2'] : []), 'http/1.1'] }
  }

  /** Begins to listen. Rejects with an Error that says why the address cannot be had. */
  async listen(target: BindTarget): Promise<Address> {
    const address = await bind(this.#server, target)
    this.#server.on('error', (error) => this.#options.host.log.error({ err: error }, 'the listener failed'))
    return address
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Calls open now, on all connections. */
  get active(): number {
    let sum = 0
    for (const served of this.#served.keys()) sum += served.active
    return sum
  }

  /** Stops accepting, tells every peer, and resolves when all connections are gone, or were cut after `grace` ms. */
  async close(grace: number): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#handshaking.values()) socket.destroy()
    for (const socket of this.#waiting) socket.destroy()
    for (const served of this.#served.keys()) served.drain()

    const late = setTimeout(() => {
      for (const served of this.#served.keys()) served.close()
      for (const socket of this.#sockets) socket.destroy()
    }, grace)
    await closed
    clearTimeout(late)
    // The last of them says so a moment after the server does.
    this.#sockets.clear()
  }

  #accept(socket: net.Socket): void {
    socket.on('error', () => socket.destroy())
    this.#handshaking.delete(addressOf(socket))
    if (this.#closing) {
      socket.destroy()
      return
    }
    const info = connectionInfo(socket)
    if (info.certificate === undefined && this.#demandsCertificate()) {
      const { log } = this.#options.host
      log.info({ remote: info.remoteAddress }, 'refused: a TLS session whose client certificate has expired')
      socket.destroy()
      return
    }
    const negotiated = (socket as tls.TLSSocket).alpnProtocol
    if (typeof negotiated === 'string' && negotiated !== '') {
      this.#serve(socket, info, this.#byAlpn(negotiated))
      return
    }
    this.#sniff(socket, info)
  }

  /** OpenSSL refuses who has none, but not a session that it resumes. */
  #demandsCertificate(): boolean {
    const { tls: options } = this.#options
    return options?.clientCa !== undefined && options.clientCertificate !== 'optional'
  }

  #byAlpn(name: string): Sniffed {
    if (name === 'h2') return 'http2'
    if (name === 'http/1.1') return 'http1'
    return this.#options.wires.find(({ alpn }) => alpn === name) ?? 'unknown'
  }

  #sniff(socket: net.Socket, info: ConnectionInfo): void {
    const { host, wires } = this.#options
    let head: Buffer = Buffer.alloc(0)
    this.#waiting.add(socket)

    const leave = () => {
      clearTimeout(timer)
      this.#waiting.delete(socket)
      socket.off('readable', look)
      socket.off('close', leave)
      socket.off('end', giveUp)
    }

    const giveUp = () => {
      leave()
      socket.destroy()
    }

    const look = () => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      const found = sniff(head, wires)
      if (found === 'more' && head.length < 64) return
      leave()
      socket.unshift(head)
      this.#serve(socket, info, found === 'more' ? 'unknown' : found)
    }

    const timer = setTimeout(giveUp, host.limits.firstByteTimeout)
    timer.unref()
    socket.on('readable', look)
    socket.once('close', leave)
    socket.once('end', giveUp)
  }

  #serve(socket: net.Socket, info: ConnectionInfo, found: Sniffed): void {
    const served = this.#begin(socket, info, found)
    if (served === undefined) {
      this.#options.host.log.info(
        { remote: info.remoteAddress },
        'a connection speaks none of the protocols served here',
      )
      socket.destroy()
      return
    }

    this.#served.set(served, socket)
    served.onClose(() => this.#served.delete(served))
  }

  #begin(socket: net.Socket, info: ConnectionInfo, found: Sniffed): Served | undefined {
    switch (found) {
      case 'http1':
        return this.#options.http1(socket, info)
      case 'http2':
        return this.#options.http2?.(socket, info)
      case 'more':
      case 'unknown':
        return undefined
      default:
        return found.serve(socket, info, this.#options.host)
    }
  }
}

/** What peers on a Unix socket are called: they have no address. */
const unixPeer = 'unix'

function connectionInfo(socket: net.Socket): ConnectionInfo {
  const secure = socket instanceof tls.TLSSocket
  return {
    remoteAddress: addressOf(socket),
    secure,
    ...(secure ? { certificate: peerCertificate(socket) } : {}),
  }
}

function addressOf(socket: net.Socket): string {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined) return unixPeer
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`
}
