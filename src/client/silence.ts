/**
 * A server that hangs up before it has said anything, or answers plaintext with a TLS alert: told to whoever speaks on the
 * connection as its error, in words, whichever wire that is.
 *
 * ```
 * alert = 21 3 minor length:16 level description        RFC 8446 sections 5.1 and 6
 * ```
 */
import type { Socket } from 'node:net'
import type { Target } from './target.ts'

const certificateAlerts: Readonly<Record<string, string>> = {
  UNKNOWN_CA: 'it does not know the authority',
  BAD_CERTIFICATE: 'it is not valid',
  UNSUPPORTED_CERTIFICATE: 'of a kind it does not take',
  CERTIFICATE_EXPIRED: 'expired',
  CERTIFICATE_REVOKED: 'revoked',
  CERTIFICATE_UNKNOWN: 'without saying why',
  ACCESS_DENIED: 'valid, but not allowed',
}

/** What a TLS alert of the server means, by Node's code of it; `undefined` for those that say nothing of certificates. */
export function alertInWords(code: string | undefined): string | undefined {
  const alert = /_ALERT_(?<name>[A-Z_]+)$/.exec(code ?? '')?.groups?.['name'] ?? ''
  if (alert === 'CERTIFICATE_REQUIRED') {
    return 'the server demands a client certificate: pass tls: { cert, key }'
  }
  if (alert === 'HANDSHAKE_FAILURE') {
    return 'the server refused the TLS handshake: it may demand a client certificate (tls: { cert, key }), or share no version or cipher with this side'
  }
  const reason = certificateAlerts[alert]
  return reason === undefined ? undefined : `the server refuses this side's client certificate (${reason})`
}

/** Begins to listen when the wire does, and hears what comes before it. */
export function explainSilence(socket: Socket, { secure, url }: Target): void {
  let heard = false

  const fail = (message: string) => {
    // At once: the wire would else find a reason of its own in these bytes.
    socket.emit('error', new Error(message))
    socket.destroy()
  }

  const first = (chunk: Buffer) => {
    heard = true
    if (!secure && chunk[0] === 21 && chunk[1] === 3) fail(`the server speaks TLS there: ${useTls(url)}`)
  }

  const attach = (event: string | symbol) => {
    if (event !== 'data') return
    socket.off('newListener', attach)
    socket.once('data', first)
  }
  socket.on('newListener', attach)

  // In TLS 1.3 a client learns only after the handshake that its certificate is not taken.
  socket.prependListener('error', (error: NodeJS.ErrnoException) => {
    error.message = alertInWords(error.code) ?? error.message
  })

  socket.once('end', () => {
    if (heard) return
    fail(
      secure
        ? 'the server closed the connection right after the TLS handshake: perhaps it demands a client certificate (tls: { cert, key }), or refuses this one'
        : `the server closed the connection without an answer: perhaps it speaks TLS there (${useTls(url)}), or takes no more connections`,
    )
  })
}

/** `use trunks:// instead of trunk://` */
function useTls({ protocol }: URL): string {
  const scheme = protocol.slice(0, -1)
  return scheme.endsWith('+unix')
    ? 'it is not offered over Unix sockets'
    : `use ${scheme}s:// instead of ${scheme}://`
}
