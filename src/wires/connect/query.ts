/**
 * A call in a query, for operations that change nothing.
 *
 *     query = "connect=v1" "&encoding=" ( "proto" / "json" ) "&message=" *octet
 *             [ "&base64=1" ] [ "&compression=" coding ]          in any order; the first of two counts
 *
 * The message is percent-encoded, or base64 in the URL's alphabet, padded or not. Follows the "Connect Protocol".
 */
import { parseBase64 } from '../../codec/json/base64.ts'

export interface CallQuery {
  readonly connect: string | undefined
  readonly encoding: string | undefined
  readonly compression: string | undefined
  /** `undefined`: there is none; `malformed`: what it is not. */
  readonly message: Buffer | 'malformed' | undefined
}

/** The part of a target behind its `?`. */
export function parseQuery(query: string): CallQuery {
  const values = new Map<string, string>()
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    const name = equals < 0 ? part : part.slice(0, equals)
    if (!values.has(name)) values.set(name, equals < 0 ? '' : part.slice(equals + 1))
  }

  const text = (name: string) => values.get(name)
  const raw = text('message')
  const plain = raw === undefined ? undefined : percentDecoded(raw)
  let message: CallQuery['message'] = plain ?? (raw === undefined ? undefined : 'malformed')
  if (plain !== undefined && text('base64') === '1') {
    const bytes = parseBase64(plain.toString('latin1'))
    message = bytes === undefined ? 'malformed' : Buffer.from(bytes.buffer)
  }
  return { connect: text('connect'), encoding: text('encoding'), compression: text('compression'), message }
}

const hex = /^[0-9A-Fa-f]{2}$/

/** `undefined` when a `%` is not followed by two digits. */
function percentDecoded(text: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(text.length)
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x25) {
      const digits = text.slice(i + 1, i + 3)
      if (!hex.test(digits)) return undefined
      bytes[size++] = Number.parseInt(digits, 16)
      i += 2
    } else bytes[size++] = code === 0x2b ? 0x20 : code
  }
  return bytes.subarray(0, size)
}

/** The query of a call. */
export function formatQuery(format: 'proto' | 'json', message: Buffer): string {
  return `connect=v1&encoding=${format}&base64=1&message=${message.toString('base64url')}`
}
