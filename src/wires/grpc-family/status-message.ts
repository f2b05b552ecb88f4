/**
 * `grpc-message`: text for people, percent-encoded UTF-8.
 *
 *     grpc-message = *( %x20-24 / %x26-7E / "%" 2HEXDIGIT )
 *
 * Spaces at either end are encoded too, which a header would lose (RFC 9113 section 8.2.1). What is malformed is decoded
 * as far as it goes and never refused. Follows gRPC's "Protocol over HTTP2".
 */

const plain = /^(?:[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?)?$/
const hex = '0123456789ABCDEF'

export function encodeStatusMessage(text: string): string {
  if (plain.test(text)) return text

  const bytes = Buffer.from(text)
  let encoded = ''
  for (const [index, byte] of bytes.entries()) {
    const atEnd = byte === 0x20 && (index === 0 || index === bytes.length - 1)
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && !atEnd) encoded += String.fromCharCode(byte)
    else encoded += `%${hex[byte >>> 4]}${hex[byte & 0xf]}`
  }
  return encoded
}

export function decodeStatusMessage(text: string): string {
  if (!text.includes('%')) return text

  const bytes = Buffer.allocUnsafe(text.length * 3)
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const digits = text.slice(i + 1, i + 3)
    if (text[i] === '%' && /^[0-9A-Fa-f]{2}$/.test(digits)) {
      bytes[size++] = Number.parseInt(digits, 16)
      i += 2
    } else {
      size += bytes.write(text[i] as string, size, 'utf8')
    }
  }
  return bytes.toString('utf8', 0, size)
}
