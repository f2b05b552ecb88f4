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
      reject(unreachable(target, why))
    }
    const stop = () => fail(new Error('the client was closed'))

    const timer = setTimeout(() => fail(new Error(`no connection within ${timeout} ms`)), timeout)
    socket.once('error', fail)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()

    socket.once(target.secure ? 'secureConnect' : 'connect', () => {
      const { alpnProtocol } = socket as tls.TLSSocket
      const chosen = !target.secure || alpnProtocol !== false || alpn.includes('http/1.1')
      if (!chosen) return fail(new Error(`the server speaks none of ${alpn.join(', ')} over TLS`))
      settle()
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}

function open({ address, secure }: Target, { alpn, tls: options }: DialSettings): net.Socket {
  if ('path' in address) return net.connect({ path: address.path })
  if (!secure) return net.connect({ ...address, autoSelectFamily: true })
  // Node refuses an IP address as server name.
  const servername = options?.servername ?? (net.isIP(address.host) === 0 ? address.host : '')
  return tls.connect({ ...options, ...address, servername, ALPNProtocols: [...alpn] })
}

function unreachable({ url, label, address }: Target, why: Error): CallError {
  const where = `${url.protocol}//${'path' in address ? address.path : label}`
  return new CallError('unavailable', `${where}: ${explained(why as NodeJS.ErrnoException)}`, {
    processed: 'no',
    origin: 'downstream',
    cause: why,
  })
}

/** Certificates that nobody vouches for, as OpenSSL names the reasons. */
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function explained({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'nothing listens there'
  if (untrusted.has(code)) {
    return `the server's certificate is not trusted (${message}): pass its authority's as tls: { ca }`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the server's certificate is for another name (${message}): pass it as tls: { servername }`
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_WRONG_VERSION')) {
    return `the TLS handshake failed, perhaps because the server speaks no TLS there (${message})`
  }
  if (code === 'ECONNRESET' && message.includes('secure TLS')) {
    return 'the server ended the TLS handshake, perhaps because it speaks no TLS there'
  }
  if (code === 'ENOTFOUND') return `no such host is known (${message})`
  return message
}
