/**
 * Reads the protobuf wire format, one item at a time. For the closures; generated code has its own, inlined.
 *
 *   message  := (tag value)*
 *   tag      := varint of (field number << 3 | wire type)
 *   value    := varint                   wire type 0
 *             | 8 bytes                  wire type 1
 *             | length bytes             wire type 2
 *             | (tag value)* end-group   wire type 3, ends with a tag of wire type 4 and the same field number
 *             | 4 bytes                  wire type 5
 *   length   := varint
 *   varint   := at most ten bytes of seven bits, the lowest first, all but the last with the high bit set
 *
 * https://protobuf.dev/programming-guides/encoding
 */
import { isUtf8 } from 'node:buffer'
import { Malformed, type Problem } from './problem.ts'

/** Bytes, and how far they were read. */
export interface Input {
  readonly bytes: Buffer
  position: number
  /** The lower and upper half of the 64-bit integer that was read last, both as signed 32-bit integers. */
  low: number
  high: number
  /** How many more messages may be nested in this one. */
  depth: number
  readonly problems: Problem[]
}

export function malformed(what: string, position: number): Malformed {
  return new Malformed(`malformed protobuf: ${what} (byte ${position})`)
}

/** Reads a varint of up to 64 bits into `low` and `high`. */
export function readVarint(input: Input, end: number): void {
  const { bytes } = input
  const start = input.position
  let position = start
  let low = 0
  let high = 0

  for (let shift = 0; shift < 70; shift += 7) {
    if (position >= end) throw malformed('a number is cut off', start)

    const byte = bytes[position++] as number
    const bits = byte & 0x7f
    if (shift < 28) {
      low |= bits << shift
    } else if (shift === 28) {
      low |= bits << 28
      high = bits >> 4
    } else if (shift < 63) {
      high |= bits << (shift - 32)
    } else {
      high |= bits << 31
    }

    if (byte < 0x80) {
      input.position = position
      input.low = low
      input.high = high
      return
    }
  }

  throw malformed('a number is longer than ten bytes', start)
}

/** A tag: field number << 3 | wire type, as an unsigned 32-bit integer. */
export function readTag(input: Input, end: number): number {
  const start = input.position
  readVarint(input, end)

  const tag = input.low >>> 0
  if (input.high !== 0) throw malformed('a field number is too large', start)
  if (tag < 8) throw malformed('there is no field number 0', start)
  return tag
}

/** The end of a length-delimited value; the position is at its first byte. */
export function readLength(input: Input, end: number): number {
  const start = input.position
  readVarint(input, end)

  const length = input.low >>> 0
  if (input.high !== 0 || length > end - input.position) {
    throw malformed('a length reaches past the end of the message', start)
  }
  return input.position + length
}

/** Four bytes as a signed integer. */
export function readFixed32(input: Input, end: number): number {
  const { bytes, position } = input
  if (end - position < 4) throw malformed('four bytes are cut off', position)

  input.position = position + 4
  return bytes.readInt32LE(position)
}

/** Eight bytes into `low` and `high`. */
export function readFixed64(input: Input, end: number): void {
  const { bytes, position } = input
  if (end - position < 8) throw malformed('eight bytes are cut off', position)

  input.low = bytes.readInt32LE(position)
  input.high = bytes.readInt32LE(position + 4)
  input.position = position + 8
}

export function readDouble(input: Input, end: number): number {
  const { bytes, position } = input
  if (end - position < 8) throw malformed('eight bytes are cut off', position)

  input.position = position + 8
  return bytes.readDoubleLE(position)
}

export function readFloat(input: Input, end: number): number {
  const { bytes, position } = input
  if (end - position < 4) throw malformed('four bytes are cut off', position)

  input.position = position + 4
  return bytes.readFloatLE(position)
}

export function readText(input: Input, end: number): string {
  const start = input.position
  const stop = readLength(input, end)
  const text = input.bytes.toString('utf8', input.position, stop)

  // What is no UTF-8 decodes to the replacement character, which may also have been sent as such.
  if (text.includes('\uFFFD') && !isUtf8(input.bytes.subarray(input.position, stop))) {
    throw malformed('a string is not UTF-8', start)
  }
  input.position = stop
  return text
}

/** A copy, which does not keep the frame in memory. */
export function readBytes(input: Input, end: number): Uint8Array {
  const stop = readLength(input, end)
  const copy = new Uint8Array(stop - input.position)
  copy.set(input.bytes.subarray(input.position, stop))
  input.position = stop
  return copy
}

/** The last 64-bit integer that was read; a number when that is exact. */
export function signed64(input: Input): number | bigint {
  const value = input.high * 0x1_0000_0000 + (input.low >>> 0)
  return Number.isSafeInteger(value) ? value : (BigInt(input.high) << 32n) | BigInt(input.low >>> 0)
}

export function unsigned64(input: Input): number | bigint {
  const high = input.high >>> 0
  const value = high * 0x1_0000_0000 + (input.low >>> 0)
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(input.low >>> 0)
}

/** ZigZag: 0, −1, 1, −2 … are 0, 1, 2, 3 … */
export function zigZag64(input: Input): number | bigint {
  const sign = -(input.low & 1)
  const low = ((input.low >>> 1) | (input.high << 31)) ^ sign
  input.high = (input.high >>> 1) ^ sign
  input.low = low
  return signed64(input)
}

/** Passes over the value of a field that nobody asked for; the tag was read already. */
export function skip(input: Input, tag: number, end: number, depth: number): void {
  const { position } = input

  switch (tag & 7) {
    case 0:
      readVarint(input, end)
      return
    case 1:
      readFixed64(input, end)
      return
    case 2:
      input.position = readLength(input, end)
      return
    case 3:
      skipGroup(input, tag >>> 3, end, depth)
      return
    case 4:
      throw malformed('a group ends that never began', position)
    case 5:
      readFixed32(input, end)
      return
    default:
      throw malformed(`there is no wire type ${tag & 7}`, position)
  }
}

function skipGroup(input: Input, number: number, end: number, depth: number): void {
  const start = input.position
  if (depth <= 0) throw malformed('messages are nested too deeply', start)

  while (input.position < end) {
    const tag = readTag(input, end)
    if ((tag & 7) !== 4) {
      skip(input, tag, end, depth - 1)
    } else if (tag >>> 3 === number) {
      return
    } else {
      throw malformed('a group ends with the number of another', input.position)
    }
  }

  throw malformed('a group has no end', start)
}
