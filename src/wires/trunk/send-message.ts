/** HOT PATH of streams. One message of a stream into a frame, or, when it is large or has to wait, into the queue. */
import type { Codec } from './codecs.ts'
import type { Connection } from './connection.ts'
import { flag, fragmentSize, frameCost, frameType } from './frames.ts'
import type { Settings } from './hello.ts'
import type { Outgoing } from './outgoing.ts'

/**
 * Sends a message of a stream that may send one now. Throws what the codec throws, having written nothing.
 * @returns Its size in bytes. When that is more than the peer's `messageSize` it was not sent.
 */
export function sendMessage(
  connection: Connection,
  outgoing: Outgoing,
  codec: Codec | undefined,
  value: unknown,
): number {
  const { out } = connection
  const peer = connection.peer as Settings
  const writer = out.begin(frameType.data, flag.message, outgoing.id)
  const at = writer.position

  try {
    codec?.encode(value, writer)
  } catch (error) {
    out.rollback(writer)
    throw error
  }

  const size = writer.position - at

  // One that takes exactly what is left goes by the queue, so that credit of 0 needs no look of its own.
  if (size <= fragmentSize && size < outgoing.credit && size < out.credit && size <= peer.messageSize) {
    const cost = frameCost(size)
    outgoing.credit -= cost
    out.credit -= cost
    out.commit(writer)
    return size
  }

  const bytes = out.takeOut(writer, at, out.frameStart)
  if (size <= peer.messageSize) out.send(outgoing, { bytes, at: 0, last: false })
  return size
}
