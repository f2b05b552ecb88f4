/** HOT PATH. A message whose body was encoded in place: its head goes in front of it. Guarded by `bench/scenarios/rest-server`. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type BodyBuffer, frontRoom } from '../http/body-buffer.ts'

/** Bytes of `content-length: `, ten digits and two line breaks. */
const longestLength = 30

interface Bytes extends Buffer {
  latin1Write(text: string, position: number): number
}

/** `head`: start line and fields, without framing and empty line. */
export function writeComposed(stream: Duplex, head: string, body: BodyBuffer): void {
  // A socket of the system takes the bytes, or says that they wait; other streams may pass them on as they are.
  const isSystems = stream instanceof Socket
  if (!isSystems) body.hold()

  const text = `${head}content-length: ${body.size}\r\n\r\n`
  if (head.length + longestLength <= frontRoom) {
    const from = body.start - text.length
    ;(body.bytes as Bytes).latin1Write(text, from)
    stream.write(body.bytes.subarray(from, body.position))
  } else {
    stream.cork()
    stream.write(text, 'latin1')
    stream.write(body.bytes.subarray(body.start, body.position))
    stream.uncork()
  }
  if (isSystems && stream.writableLength > 0) body.hold()
}
