/** HOT PATH. Bytes to a value that fits its declaration: the compiled codec, then what only the schema library checks. */
import type { Message } from '../../contract/operation.ts'
import type { Codec } from './codecs.ts'

/**
 * @param wrong Makes the error that the reader gets of what codec or refinement threw.
 * @returns The value, or a Promise of it when a refinement is asynchronous.
 */
export function decodeMessage(
  codec: Codec,
  refine: Message['refine'],
  bytes: Buffer,
  start: number,
  end: number,
  wrong: (error: unknown) => unknown,
): unknown {
  try {
    const value = codec.decode(bytes, start, end)
    if (refine === undefined) return value
    const refined = refine(value)
    if (!(refined instanceof Promise)) return refined

    return refined.catch((error: unknown) => {
      throw wrong(error)
    })
  } catch (error) {
    throw wrong(error)
  }
}
