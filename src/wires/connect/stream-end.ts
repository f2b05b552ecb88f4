/**
 * The last message of a stream, which says how the call went.
 *
 *     last = %x02 length end          ; or %x03, compressed; `end` is JSON, see error-json.ts
 *
 * Follows the "Connect Protocol" (EndStreamResponse).
 */
import { prefixSize, writePrefix } from '../grpc-family/framing.ts'

/** The bit of the first byte. */
export const endFlag = 0x02

/** The last message, with its prefix. */
export function endMessage(json: string): Buffer {
  const size = Buffer.byteLength(json)
  const bytes = Buffer.allocUnsafe(prefixSize + size)
  writePrefix(bytes, 0, false, size)
  bytes[0] = endFlag
  bytes.write(json, prefixSize)
  return bytes
}
