/**
 * HOT PATH. What generated encoders and decoders call: numbers of more than one byte, text, timestamps.
 * Guarded by `bench/scenarios/codec-protobuf`.
 *
 * They report nothing. Whatever is out of the ordinary is answered by throwing `giveUp`, and the closures then find out
 * what it was.
 */
import { isUtf8 } from 'node:buffer'
import type { Writer } from '../writer.ts'

/** Thrown by generated code when the closures have to take over. Without a stack, since nobody sees it. */
export const giveUp: unique symbol = Symbol('give up')

declare global {
  // Node's own methods, which take positions in bytes and check nothing else; `toString` and `write` end in them.
  interface Buffer {
    latin1Slice(start: number, end: number): string
    utf8Slice(start: number, end: number): string
    utf8Write(text: string, position: number, length: number): number
  }
}

// ── Reading ──

/** The position behind the varint read last, and its upper 32 bits. A typed array, because numbers in it never box. */
export const scratch = new Int32Array(2)

/** Reads a varint of any length; returns its lower 32 bits. */
export function varint(bytes: Buffer, start: number, end: number): number {
  let position = start
  let low = 0
  let high = 0

  for (let shift = 0; shift < 70; shift += 7) {
    if (position >= end) throw giveUp

    const byte = bytes[position++] as number
    const bits = byte & 0x7f
    if (shift < 28) {
      low |= bits << shift
    } else if (shift === 28) {
      low |= bits << 28
      high = bits >> 4
    } else {
      high |= bits << (shift - 32)
    }

    if (byte < 0x80) {
      scratch[0] = position
      scratch[1] = high
      return low
    }
  }
  throw giveUp
}

/** The end of a length-delimited value whose length has more than one byte; its first byte goes to `scratch[0]`. */
export function farEnd(bytes: Buffer, start: number, end: number): number {
  const length = varint(bytes, start, end)
  const position = scratch[0] as number
  if (scratch[1] !== 0 || length < 0 || length > end - position) throw giveUp
  return position + length
}

/** The position behind a field that nobody knows. Groups are left to the closures. */
export function skipped(bytes: Buffer, tag: number, position: number, end: number): number {
  if (tag < 8) throw giveUp

  let next = end + 1
  if ((tag & 7) === 0) {
    varint(bytes, position, end)
    next = scratch[0] as number
  } else if ((tag & 7) === 1) {
    next = position + 8
  } else if ((tag & 7) === 2) {
    next = farEnd(bytes, position, end)
  } else if ((tag & 7) === 5) {
    next = position + 4
  }

  if (next > end) throw giveUp
  return next
}

/** Text that is not plain ASCII, or stands in a large frame. Wrong UTF-8 decodes to U+FFFD, as may a right one. */
export function utf8(bytes: Buffer, position: number, end: number): string {
  const text = bytes.utf8Slice(position, end)
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(position, end))) throw giveUp
  return text
}

/** From this size on it costs more to fill memory with zeros than to ask for some that is not. */
const worthRawMemory = 4096

export function bytesOf(bytes: Buffer, position: number, end: number): Uint8Array {
  const size = end - position
  const copy =
    size < worthRawMemory ? new Uint8Array(size) : new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
  copy.set(bytes.subarray(position, end))
  return copy
}

const floats = new Float64Array(1)
const halves = new Int32Array(floats.buffer)
const single = new Float32Array(1)
const singleBits = new Int32Array(single.buffer)
const lowHalf = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1
const highHalf = 1 - lowHalf

export function fixed32(bytes: Buffer, position: number, end: number): number {
  if (end - position < 4) throw giveUp
  return (
    (bytes[position] as number) |
    ((bytes[position + 1] as number) << 8) |
    ((bytes[position + 2] as number) << 16) |
    ((bytes[position + 3] as number) << 24)
  )
}

export function double(bytes: Buffer, position: number, end: number): number {
  halves[lowHalf] = fixed32(bytes, position, end)
  halves[highHalf] = fixed32(bytes, position + 4, end)
  return floats[0] as number
}

export function float(bytes: Buffer, position: number, end: number): number {
  singleBits[0] = fixed32(bytes, position, end)
  return single[0] as number
}

/** A 64-bit integer that is exact as a number. */
export function signedNumber(low: number, high: number): number {
  const value = high * 0x1_0000_0000 + (low >>> 0)
  if (!Number.isSafeInteger(value)) throw giveUp
  return value
}

export function unsignedNumber(low: number, high: number): number {
  return signedNumber(low, high >>> 0)
}

export function signedBigInt(low: number, high: number): bigint {
  const value = high * 0x1_0000_0000 + (low >>> 0)
  return Number.isSafeInteger(value) ? BigInt(value) : (BigInt(high) << 32n) | BigInt(low >>> 0)
}

export function unsignedBigInt(low: number, high: number): bigint {
  return signedBigInt(low, high >>> 0)
}

/** The halves of a ZigZag number that has more than 32 bits. */
export function zigZagLow(low: number, high: number): number {
  return ((low >>> 1) | (high << 31)) ^ -(low & 1)
}

export function zigZagHigh(low: number, high: number): number {
  return (high >>> 1) ^ -(low & 1)
}

/** A google.protobuf.Timestamp with its fields in order, or any part of it. */
export function timestamp(bytes: Buffer, start: number, end: number): Date {
  let position = start
  let seconds = 0
  let nanos = 0

  if (position < end && bytes[position] === 8) {
    const low = varint(bytes, position + 1, end)
    seconds = signedNumber(low, scratch[1] as number)
    position = scratch[0] as number
  }
  if (position < end && bytes[position] === 16) {
    nanos = varint(bytes, position + 1, end)
    position = scratch[0] as number
  }

  const inRange = seconds >= -62_135_596_800 && seconds <= 253_402_300_799
  if (position !== end || !inRange || nanos < 0 || nanos > 999_999_999) throw giveUp
  return new Date(seconds * 1000 + Math.trunc(nanos / 1_000_000))
}

// ── Writing ──

/** Makes room; returns the bytes to write to from now on. */
export function room(writer: Writer, position: number, size: number): Buffer {
  if (position + size <= writer.bytes.length) return writer.bytes

  writer.position = position
  writer.reserve(size)
  return writer.bytes
}

/** An unsigned 32-bit integer; returns the position behind it. */
export function putVarint(bytes: Buffer, start: number, value: number): number {
  let position = start
  let rest = value >>> 0

  while (rest > 0x7f) {
    bytes[position++] = rest | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

export function putVarint64(bytes: Buffer, start: number, low: number, high: number): number {
  let position = start
  let lower = low >>> 0
  let upper = high >>> 0

  while (upper !== 0 || lower > 0x7f) {
    bytes[position++] = lower | 0x80
    lower = ((lower >>> 7) | (upper << 25)) >>> 0
    upper >>>= 7
  }
  bytes[position++] = lower
  return position
}

export function putFixed32(bytes: Buffer, position: number, value: number): number {
  bytes[position] = value
  bytes[position + 1] = value >> 8
  bytes[position + 2] = value >> 16
  bytes[position + 3] = value >> 24
  return position + 4
}

export function putDouble(bytes: Buffer, position: number, value: number): number {
  floats[0] = value
  putFixed32(bytes, position, halves[lowHalf] as number)
  return putFixed32(bytes, position + 4, halves[highHalf] as number)
}

export function putFloat(bytes: Buffer, position: number, value: number): number {
  single[0] = value
  return putFixed32(bytes, position, singleBits[0] as number)
}

/** Beyond this a call into the engine is faster than a loop; and so long a text has a one-byte length in any case. */
const longestLoop = 40

/** Length and UTF-8. There must be room for `3 * text.length + 5` bytes, or for as many as it takes. */
export function putText(bytes: Buffer, position: number, text: string): number {
  const { length } = text
  if (length > longestLoop) return putLongText(bytes, position, text)

  let next = position + 1
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return putLongText(bytes, position, text)
    bytes[next++] = code
  }
  bytes[position] = length
  return next
}

/** Guesses that it is ASCII, which decides how long the length is, and moves it if it was not. */
function putLongText(bytes: Buffer, position: number, text: string): number {
  const { length } = text
  const first = position + sizeOf(length)
  const written = bytes.utf8Write(text, first, bytes.length - first)
  if (written === length) {
    putVarint(bytes, position, length)
    return first + length
  }

  if (!text.isWellFormed()) throw giveUp
  const actual = position + sizeOf(written)
  if (actual !== first) bytes.copyWithin(actual, first, first + written)
  putVarint(bytes, position, written)
  return actual + written
}

/** How many bytes a length has. */
export function sizeOf(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : length < 0x1000_0000 ? 4 : 5
}

export function putBytes(bytes: Buffer, position: number, value: Uint8Array): number {
  const next = putVarint(bytes, position, value.length)
  bytes.set(value, next)
  return next + value.length
}

/** Fills in the length of what was written from `start + guess` to `position`; returns the position behind it. */
export function putLength(writer: Writer, start: number, guess: number, position: number): number {
  const first = start + guess
  const length = position - first
  const actual = start + sizeOf(length)

  const bytes = room(writer, position, actual - start)
  if (actual !== first) bytes.copyWithin(actual, first, position)
  putVarint(bytes, start, length)
  return actual + length
}

export function putTimestamp(bytes: Buffer, start: number, value: Date): number {
  const time = value.getTime()
  const seconds = Math.floor(time / 1000)
  if (!(seconds >= -62_135_596_800 && seconds <= 253_402_300_799)) throw giveUp

  let position = start + 1
  if (seconds !== 0) {
    bytes[position++] = 8
    position = putVarint64(bytes, position, seconds | 0, (seconds - (seconds >>> 0)) / 0x1_0000_0000)
  }
  const nanos = (time - seconds * 1000) * 1_000_000
  if (nanos !== 0) {
    bytes[position++] = 16
    position = putVarint(bytes, position, nanos)
  }
  bytes[start] = position - start - 1
  return position
}
