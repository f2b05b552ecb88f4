/** Opens byte streams: TCP, TLS with ALPN, Unix sockets. The only place of the client that knows sockets. */
import net from 'node:net'
import tls from 'node:tls'
import { CallError } from '../call/error.ts'
import { alertInWords, explainSilence } from './silence.ts'
import type { Target } from './target.ts'
import type { ClientTlsOptions } from './tls.ts'
import { doubtOf } from './trust.ts'

export interface DialSettings {
  readonly alpn: readonly string[]
  readonly tls: ClientTlsOptions | undefined
  /** Milliseconds for the connection and the TLS handshake together. */
  readonly timeout: number
  /** Gives the attempt up. */
  readonly signal?: AbortSignal
  /** Where the last TLS session is kept, so that the next handshake with this server is a short one. */
  readonly resumption?: Resumption
}

/** A TLS session to go on with, as the server gave it last. */
export interface Resumption {
  session: Buffer | undefined
  /** When the server's certificate ends, in milliseconds since 1970: a session has the verdict of its first handshake. */
  until: number
}

/** Connects. Rejects with `unavailable`, processed `no`, whose message says what failed and where. */
export function dial(target: Target, settings: DialSettings): Promise<net.Socket> {
  const { alpn, timeout, signal } = settings

  return new Promise((resolve, reject) => {
    const socket = open(target, settings)
    // Errors between here and the wire's own listener are told by `close`.
    socket.on('error', () => undefined)

    const settle = () => {
      clearTimeout(timer)
      socket.off('error', fail)
      signal?.removeEventListener('abort', stop)
    }
    const fail = (why: Error) => {
      settle()
      socket.destroy()
      if (settings.resumption !== undefined) settings.resumption.session = undefined
      reject(unreachable(target, why))
    }
    const stop = () => fail(new Error('the client was closed'))

    const timer = setTimeout(() => fail(new Error(`no connection within ${timeout} ms`)), timeout)
    socket.once('error', fail)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()

    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      if (socket instanceof tls.TLSSocket) {
        const doubt = doubtOf(socket, nameOfServer(target, settings), settings.tls)
        if (doubt !== undefined) return fail(doubt)
        const chosen = socket.alpnProtocol !== false || alpn.includes('http/1.1')
        if (!chosen) return fail(new Error(`the server speaks none of ${alpn.join(', ')} over TLS`))
        socket.emit(trustedEvent)
      }
      settle()
      socket.setNoDelay(true)
      explainSilence(socket, target)
      resolve(socket)
    })
  })
}

function open({ address, secure }: Target, { alpn, tls: options, resumption }: DialSettings): net.Socket {
  if ('path' in address) return net.connect({ path: address.path })
  if (!secure) return net.connect({ ...address, autoSelectFamily: true })

  const socket = tls.connect({
    ...(options as tls.ConnectionOptions),
    ...address,
    // Node refuses an IP address as server name.
    servername: options?.servername ?? (net.isIP(address.host) === 0 ? address.host : ''),
    ALPNProtocols: [...alpn],
    // Who the server is is looked at in `doubtOf`, before anything is sent: Node destroys the socket, and with it the
    // certificate that the message should tell of.
    rejectUnauthorized: false,
    ...(resumption?.session === undefined || resumption.until <= Date.now()
      ? {}
      : { session: resumption.session }),
  })
  if (resumption !== undefined) keepSession(socket, resumption)
  return socket
}

/** A session is gone on with unasked, so only one with a server that was found to be the right one is kept. */
function keepSession(socket: tls.TLSSocket, resumption: Resumption): void {
  let latest: Buffer | undefined
  let trusted = false
  socket.on('session', (session) => {
    latest = session
    if (trusted) resumption.session = session
  })
  socket.once(trustedEvent, () => {
    trusted = true
    if (!socket.isSessionReused()) resumption.until = Date.parse(socket.getPeerCertificate().valid_to)
    resumption.session = latest ?? resumption.session
  })
}

/** Emitted on a socket whose server is the right one. */
const trustedEvent = Symbol('trusted')

function nameOfServer({ address }: Target, { tls: options }: DialSettings): string {
  return options?.servername ?? ('host' in address ? address.host : address.path)
}

function unreachable({ url, label, address }: Target, why: Error): CallError {
  const where = `${url.protocol}//${'path' in address ? address.path : label}`
  return new CallError('unavailable', `${where}: ${explained(why as NodeJS.ErrnoException)}`, {
    processed: 'no',
    origin: 'downstream',
    cause: why,
  })
}

function explained({ code = '', message }: NodeJS.ErrnoException): string {
  const alert = alertInWords(code)
  if (alert !== undefined) return alert
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'nothing listens there'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_WRONG_VERSION')) {
    return `the TLS handshake failed, perhaps because the server speaks no TLS there (${message})`
  }
  if (code === 'ECONNRESET' && message.includes('secure TLS')) {
    return 'the server ended the TLS handshake, perhaps because it speaks no TLS there'
  }
  if (code === 'ENOTFOUND') return `no such host is known (${message})`
  return message
}
