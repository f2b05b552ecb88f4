/**
 * What plaintext on a TLS port is answered. OpenSSL hangs up without a word; whoever wrote `http://` for `https://` shall be
 * told, in a protocol that they understand.
 *
 * ```
 * to HTTP/1.1  400 (Bad Request), as application/problem+json (RFC 9457), and the end of the connection
 * to others    a TLS record: alert (21), version 3.3, length 2: fatal (2), protocol_version (70)      RFC 8446 section 6
 * ```
 */
import type { Socket } from 'node:net'

const alert = Buffer.from([21, 3, 3, 0, 2, 2, 70])

const problem = JSON.stringify({
  type: 'urn:trunkline:code:unavailable',
  title: 'Unavailable',
  status: 400,
  detail: 'the server speaks TLS there, and this was plaintext: write https:// instead of http://',
  code: 'unavailable',
  processed: 'no',
})

const response = Buffer.from(
  'HTTP/1.1 400 Bad Request\r\n' +
    'connection: close\r\n' +
    'content-type: application/problem+json\r\n' +
    `content-length: ${Buffer.byteLength(problem)}\r\n\r\n${problem}`,
)

/**
 * Answers on the socket below TLS, and closes it.
 *
 * @returns Whether the handshake failed because what came was no TLS; else nothing was done.
 */
export function answerPlaintext({ code }: NodeJS.ErrnoException, socket: Socket): boolean {
  if (code !== 'ERR_SSL_HTTP_REQUEST' && code !== 'ERR_SSL_WRONG_VERSION_NUMBER') return false
  if (!socket.writable) return false
  socket.end(code === 'ERR_SSL_HTTP_REQUEST' ? response : alert, () => socket.destroy())
  return true
}
