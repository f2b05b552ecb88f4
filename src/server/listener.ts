/**
 * The I/O shell around one port: accepts connections, finds out what each speaks, and hands it over.
 *
 * `allowHalfOpen`, since an HTTP client may end its side and still wait for the answer. Sniffing uses `readable`,
 * `read()` and `unshift()`, and takes its listeners off before it hands over, so that the next owner finds a fresh stream.
 */
import net from 'node:net'
import tls from 'node:tls'
import type { ByteServer, ConnectionInfo, Host, Served } from '../wires/wire.ts'
import { type Sniffed, sniff } from './sniff.ts'

/** Certificates and what else `node:tls` takes. */
export type TlsOptions = Pick<
  tls.TlsOptions,
  | 'key'
  | 'cert'
  | 'ca'
  | 'pfx'
  | 'passphrase'
  | 'requestCert'
  | 'rejectUnauthorized'
  | 'minVersion'
  | 'SNICallback'
>

export interface ListenerOptions {
  readonly tls: TlsOptions | undefined
  readonly host: Host
  readonly wires: readonly ByteServer[]
  /** Serves HTTP/1.1 on a connection. */
  readonly http1: (stream: net.Socket, connection: ConnectionInfo) => Served
  /** Serves HTTP/2 on a connection, where there is an engine for it. */
  readonly http2?: (stream: net.Socket, connection: ConnectionInfo) => Served
}

export interface Address {
  readonly port: number
  readonly host: string
  /** The Unix socket's path, instead of port and host. */
  readonly path?: string
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #server: net.Server
  readonly #waiting = new Set<net.Socket>()
  readonly #served = new Map<Served, net.Socket>()
  #onEmpty: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    const shell = { allowHalfOpen: true, noDelay: true, handshakeTimeout: options.host.limits.headerTimeout }
    const accept = (socket: net.Socket) => this.#accept(socket)
    this.#server =
      options.tls === undefined
        ? net.createServer(shell, accept)
        : tls.createServer({ ...options.tls, ...this.#alpn(), ...shell } as tls.TlsOptions, accept)
    this.#server.maxConnections = options.host.limits.connections
    this.#server.on('tlsClientError', (error: Error, socket: net.Socket) => {
      options.host.log.info({ remote: addressOf(socket), err: error }, 'a TLS handshake failed')
      socket.destroy()
    })
  }

  #alpn(): { ALPNProtocols: string[] } {
    const { wires, http2 } = this.#options
    return { ALPNProtocols: [...wires.map(({ alpn }) => alpn), ...(http2 ? ['h2'] : []), 'http/1.1'] }
  }

  /** Begins to listen. Rejects with Node's error when the address cannot be had. */
  listen(target: { port: number; host: string } | { path: string }): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...target, backlog: 1024 }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) =>
          this.#options.host.log.error({ err: error }, 'the listener failed'),
        )
        const address = this.#server.address()
        if (typeof address === 'string') resolve({ port: 0, host: '', path: address })
        else resolve({ port: address?.port ?? 0, host: address?.address ?? '' })
      })
    })
  }

  get connections(): number {
    return this.#waiting.size + this.#served.size
  }

  /** Calls open now, on all connections. */
  get active(): number {
    let sum = 0
    for (const served of this.#served.keys()) sum += served.active
    return sum
  }

  /** Stops accepting, tells every peer, and resolves when all connections are gone, or were cut after `grace` ms. */
  async close(grace: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#waiting) socket.destroy()
    for (const served of this.#served.keys()) served.drain()

    if (this.#served.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace)
        this.#onEmpty = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      for (const [served, socket] of this.#served) {
        served.close()
        socket.destroy()
      }
    }

    await closed
  }

  #accept(socket: net.Socket): void {
    socket.on('error', () => socket.destroy())
    const info = connectionInfo(socket)
    const negotiated = (socket as tls.TLSSocket).alpnProtocol
    if (typeof negotiated === 'string' && negotiated !== '') {
      this.#serve(socket, info, this.#byAlpn(negotiated))
      return
    }
    this.#sniff(socket, info)
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
    served.onClose(() => {
      this.#served.delete(served)
      if (this.#served.size === 0) this.#onEmpty?.()
    })
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

function connectionInfo(socket: net.Socket): ConnectionInfo {
  const secure = socket instanceof tls.TLSSocket
  return {
    remoteAddress: addressOf(socket),
    secure,
    ...(secure ? { certificate: certificateOf(socket) } : {}),
  }
}

function addressOf(socket: net.Socket): string {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined) return 'unix'
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`
}

function certificateOf(socket: tls.TLSSocket): ConnectionInfo['certificate'] {
  if (!socket.authorized) return undefined
  const certificate = socket.getPeerCertificate()
  if (certificate === null || certificate.subject === undefined) return undefined
  return {
    subject: String(certificate.subject.CN ?? ''),
    names: (certificate.subjectaltname ?? '').split(', ').filter((name) => name !== ''),
    fingerprint: certificate.fingerprint256,
  }
}
