/**
 * HOT PATH. Integers with a prefix (RFC 7541 section 5.1). Guarded by `bench/systems/http2-raw-server.ts`.
 *
 *     integer = N-bit prefix                               when the value is below 2^N - 1
 *             / N-bit prefix of ones, *(1 7BIT) (0 7BIT)   the value less 2^N - 1, lowest bits first
 *
 * The RFC lets a decoder set a bound (section 7.4): nothing here is larger than 2^31 - 1, which takes five
 * further octets; a sixth, even one that adds nothing, is refused.
 */
import { HpackError } from './failure.ts'

export const largestInteger = 0x7fffffff

/** The most octets that an integer takes: the prefix and five. */
export const longestInteger = 6

/** A place in a block, moved on by what reads there. */
export interface Cursor {
  at: number
}

/** Reads the integer whose prefix is at `cursor.at`; `mask` is the prefix of ones, 2^N - 1. */
export function readInteger(bytes: Uint8Array, cursor: Cursor, end: number, mask: number): number {
  const start = cursor.at
  if (start >= end) throw new HpackError(`the block ends at octet ${start}, where a length is expected`)

  let value = (bytes[start] as number) & mask
  let at = start + 1

  if (value === mask) {
    let scale = 1

    for (;;) {
      if (at >= end) throw new HpackError(`the block ends within the integer that begins at octet ${start}`)
      if (at - start >= longestInteger) {
        throw new HpackError(`the integer at octet ${start} takes more than ${longestInteger} octets`)
      }

      const octet = bytes[at] as number
      at += 1
      value += (octet & 0x7f) * scale
      if (octet < 0x80) break
      scale *= 0x80
    }

    if (value > largestInteger) throw new HpackError(`the integer at octet ${start} is larger than 2^31 - 1`)
  }

  cursor.at = at
  return value
}

/** Writes an integer after the bits of `pattern`, and says where it ends. */
export function writeInteger(
  out: Uint8Array,
  at: number,
  pattern: number,
  mask: number,
  value: number,
): number {
  if (value < mask) {
    out[at] = pattern | value
    return at + 1
  }

  out[at] = pattern | mask
  let rest = value - mask
  let next = at + 1

  while (rest >= 0x80) {
    out[next] = (rest & 0x7f) | 0x80
    rest >>>= 7
    next += 1
  }

  out[next] = rest
  return next + 1
}
