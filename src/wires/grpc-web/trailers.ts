/**
 * Trailers in the body: the last message, whose first byte has the highest bit set.
 *
 *     last     = %x80 length *( name ":" OWS value OWS CRLF )
 *     name     = 1*( lower-case tchar )
 *     value    = field-value of RFC 9110 section 5.5
 *
 * Read generously: names in any case, LF alone, an empty line at the end. Follows gRPC's "gRPC-Web".
 */
import { isFieldValue, lowerName } from '../../http/field.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { prefixSize, writePrefix } from '../grpc-family/framing.ts'

/** The bit of the first byte. */
export const trailerFlag = 0x80

/** No honest peer has more. */
const mostFields = 1024

/** The last message, with its prefix. */
export function trailerMessage({ list }: HttpHeaders): Buffer {
  let block = ''
  for (let i = 0; i < list.length; i += 2) block += `${list[i]}: ${list[i + 1]}\r\n`

  const bytes = Buffer.allocUnsafe(prefixSize + block.length)
  writePrefix(bytes, 0, false, block.length)
  bytes[0] = trailerFlag
  bytes.write(block, prefixSize, 'latin1')
  return bytes
}

/** The fields of a block; `undefined` when it is malformed. */
export function parseTrailers(block: Buffer): HttpHeaders | undefined {
  const list: string[] = []
  for (const line of block.toString('latin1').split('\n')) {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    if (text === '') continue

    const colon = text.indexOf(':')
    const name = lowerName(text.slice(0, Math.max(0, colon)))
    const value = text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (colon < 0 || name === undefined || !isFieldValue(value) || list.length >= 2 * mostFields) {
      return undefined
    }
    list.push(name, value)
  }
  return new HttpHeaders(list)
}
