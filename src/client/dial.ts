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
}

/** Connects. Rejects with `unavailable`, processed `no`, whose message says what failed and where. */
export function dial(target: Target, settings: DialSettings): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = open(target, settings)
    const ready = target.secure ? 'secureConnect' : 'connect'

    const fail = (why: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(unreachable(target, why))
    }

    const timer = setTimeout(
      () => fail(new Error(`no connection within ${settings.timeout} ms`)),
      settings.timeout,
    )
    socket.once('error', fail)
    socket.once(ready, () => {
      clearTimeout(timer)
      socket.off('error', fail)
      const { alpnProtocol } = socket as tls.TLSSocket
      if (
        target.secure &&
        alpnProtocol === false &&
        settings.alpn.length > 0 &&
        !settings.alpn.includes('http/1.1')
      ) {
        fail(new Error(`the server speaks none of ${settings.alpn.join(', ')} over TLS`))
        return
      }
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

function unreachable({ label, wire }: Target, why: Error): CallError {
  const code = (why as NodeJS.ErrnoException).code
  const reason = code === 'ECONNREFUSED' ? 'nothing listens there' : why.message
  return new CallError('unavailable', `${wire.name}://${label}: ${reason}`, {
    processed: 'no',
    origin: 'downstream',
    cause: why,
  })
}
