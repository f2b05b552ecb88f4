/** Opens byte streams: TCP, TLS with ALPN, Unix sockets. The only place of the client that knows sockets. */
import net from 'node:net'
import tls from 'node:tls'
import { CallError } from '../call/error.ts'
import type { Target } from './target.ts'

/** Certificates and what else `node:tls` takes on a client. */
export type ClientTlsOptions = Pick<
  tls.ConnectionOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername' | 'minVersion'
>

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
        const doubt = doubtOf(socket, target, settings)
        if (doubt !== undefined) return fail(doubt)
        const chosen = socket.alpnProtocol !== false || alpn.includes('http/1.1')
        if (!chosen) return fail(new Error(`the server speaks none of ${alpn.join(', ')} over TLS`))
        socket.emit(trustedEvent)
      }
      settle()
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}

function open({ address, secure }: Target, { alpn, tls: options, resumption }: DialSettings): net.Socket {
  if ('path' in address) return net.connect({ path: address.path })
  if (!secure) return net.connect({ ...address, autoSelectFamily: true })

  const socket = tls.connect({
    ...options,
    ...address,
    // Node refuses an IP address as server name.
    servername: options?.servername ?? (net.isIP(address.host) === 0 ? address.host : ''),
    ALPNProtocols: [...alpn],
    // Who the server is is looked at in `doubtOf`, before anything is sent: Node destroys the socket, and with it the
    // certificate that the message should tell of.
    rejectUnauthorized: false,
    ...(resumption?.session === undefined ? {} : { session: resumption.session }),
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
    resumption.session = latest ?? resumption.session
  })
}

/** Emitted on a socket whose server is the right one. */
const trustedEvent = Symbol('trusted')

/** Why the server is not to be trusted; `undefined` when it is. Nothing was sent yet. */
function doubtOf(socket: tls.TLSSocket, target: Target, settings: DialSettings): Error | undefined {
  if (socket.authorized || settings.tls?.rejectUnauthorized === false) return undefined
  // Node's types say Error, and it is the code of one, or, for a wrong name, that error.
  const given = socket.authorizationError as unknown
  const code =
    given instanceof Error ? ((given as NodeJS.ErrnoException).code ?? given.message) : String(given)
  return new UntrustedServer(code, socket.getPeerCertificate(), nameOfServer(target, settings))
}

function nameOfServer({ address }: Target, { tls: options }: DialSettings): string {
  return options?.servername ?? ('host' in address ? address.host : address.path)
}

/** A certificate that does not fit, with what it says of itself. */
class UntrustedServer extends Error {
  constructor(code: string, certificate: tls.PeerCertificate, asked: string) {
    super(untrusted(code, certificate, asked))
  }
}

function untrusted(code: string, certificate: tls.PeerCertificate, asked: string): string {
  const names = certificate.subjectaltname ?? `CN=${String(certificate.subject?.CN ?? '')}`
  const about = `its names: ${names}; issued by ${nameOf(certificate.issuer)}`

  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `the server's certificate expired on ${certificate.valid_to} (${about})`
    case 'CERT_NOT_YET_VALID':
      return `the server's certificate is valid only from ${certificate.valid_from} on; is this machine's clock right? (${about})`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the server's certificate is for another name than ${asked} (${about}): connect to one of these, or pass it as tls: { servername }`
    default:
      return `the server's certificate is not trusted (${reasons[code] ?? code}; ${about}): pass its authority's as tls: { ca }`
  }
}

/** Certificates that nobody vouches for, as OpenSSL names the reasons. */
const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in its chain',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
  INVALID_PURPOSE: 'it is not for servers',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  CERT_REVOKED: 'revoked',
}

function nameOf(issuer: tls.PeerCertificate['issuer'] | undefined): string {
  if (issuer === undefined) return 'nobody'
  const parts = [issuer.CN, issuer.O, issuer.OU].flat().filter((part) => part !== undefined)
  return parts.length === 0 ? 'a nameless authority' : parts.join(', ')
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
