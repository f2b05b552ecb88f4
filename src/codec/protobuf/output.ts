/**
 * Writes the protobuf wire format, one item at a time: the counterpart of input.ts, for the closures.
 * Everything reserves what it needs, so the writer grows while a message is written.
 */
import type { Writer } from '../writer.ts'

/** An unsigned 32-bit integer. */
export function writeVarint(writer: Writer, value: number): void {
  writer.reserve(5)
  const { bytes } = writer
  let { position } = writer
  let rest = value >>> 0

  while (rest > 0x7f) {
    bytes[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  writer.position = position
}

/** A 64-bit integer by its halves. */
export function writeVarint64(writer: Writer, low: number, high: number): void {
  writer.reserve(10)
  const { bytes } = writer
  let { position } = writer
  let lower = low >>> 0
  let upper = high >>> 0

  while (upper !== 0 || lower > 0x7f) {
    bytes[position++] = (lower & 0x7f) | 0x80
    lower = ((lower >>> 7) | (upper << 25)) >>> 0
    upper >>>= 7
  }
  bytes[position++] = lower
  writer.position = position
}

export function writeFixed32(writer: Writer, value: number): void {
  writer.reserve(4)
  writer.position = writer.bytes.writeInt32LE(value | 0, writer.position)
}

export function writeFixed64(writer: Writer, low: number, high: number): void {
  writeFixed32(writer, low)
  writeFixed32(writer, high)
}

export function writeDouble(writer: Writer, value: number): void {
  writer.reserve(8)
  writer.position = writer.bytes.writeDoubleLE(value, writer.position)
}

export function writeFloat(writer: Writer, value: number): void {
  writer.reserve(4)
  writer.position = writer.bytes.writeFloatLE(value, writer.position)
}

/** Length and UTF-8. The caller has made sure that the text is well formed. */
export function writeText(writer: Writer, text: string): void {
  const length = Buffer.byteLength(text, 'utf8')
  writeVarint(writer, length)
  writer.reserve(length)
  writer.bytes.write(text, writer.position, length, 'utf8')
  writer.position += length
}

export function writeBytes(writer: Writer, value: Uint8Array): void {
  writeVarint(writer, value.length)
  writer.reserve(value.length)
  writer.bytes.set(value, writer.position)
  writer.position += value.length
}

/** The lower half of a 64-bit integer, as a signed 32-bit one. */
export function lowOf(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value | 0
}

/** The upper half. Exact for safe integers: what is left after the lower half is a multiple of 2^32. */
export function highOf(value: number | bigint): number {
  if (typeof value === 'bigint') return Number(BigInt.asIntN(32, value >> 32n))
  return (value - (value >>> 0)) / 0x1_0000_0000
}

/** Leaves room for a length; `endLength` fills it in, and moves what was written if the length takes more room. */
export function beginLength(writer: Writer): number {
  writer.reserve(1)
  writer.position += 1
  return writer.position
}

/** `start` is what `beginLength` gave. */
export function endLength(writer: Writer, start: number): void {
  const length = writer.position - start
  if (length < 0x80) {
    writer.bytes[start - 1] = length
    return
  }

  const room = length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5
  writer.reserve(room - 1)
  writer.bytes.copyWithin(start + room - 1, start, writer.position)
  writer.position = start - 1
  writeVarint(writer, length)
  writer.position = start + room - 1 + length
}
