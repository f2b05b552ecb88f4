/**
 * Which protocol a plaintext connection speaks, by its first bytes. Pure.
 *
 * ```
 * HTTP/2   = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"     RFC 9113 section 3.4
 * HTTP/1.1 = 1*tchar SP …                           RFC 9112 section 3; methods are upper-case letters in practice
 * other    = whatever a wire recognises as its own
 * ```
 */
import type { ByteServer } from '../wires/wire.ts'

export type Sniffed = ByteServer | 'http1' | 'http2' | 'unknown' | 'more'

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** The longest head that is looked at; a method longer than this is none. */
const longestMethod = 32

export function sniff(head: Buffer, wires: readonly ByteServer[]): Sniffed {
  if (head.length === 0) return 'more'
  let undecided = false

  for (const wire of wires) {
    const own = wire.sniff(head)
    if (own === true) return wire
    if (own === undefined) undecided = true
  }

  const compared = Math.min(head.length, preface.length)
  if (head.compare(preface, 0, compared, 0, compared) === 0) {
    // `PRI` might still become another method; the preface says it with its 24 bytes.
    return compared === preface.length ? 'http2' : 'more'
  }

  const method = looksLikeMethod(head)
  if (method === true) return 'http1'
  return method === undefined || undecided ? 'more' : 'unknown'
}

/** Upper-case letters (and the dash of M-SEARCH) up to a space; empty lines before a request are allowed by RFC 9112. */
function looksLikeMethod(head: Buffer): boolean | undefined {
  let start = 0
  while (start < head.length && (head[start] === 0x0d || head[start] === 0x0a)) start++
  if (start === head.length) return start > 4 ? false : undefined

  for (let i = start; i < head.length; i++) {
    const byte = head[i] as number
    if (byte === 0x20) return i > start
    const letter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x2d
    if (!letter || i - start >= longestMethod) return false
  }

  return undefined
}
