/**
 * HOT PATH; guarded by `bench/scenarios/codec-json.ts`. Printers for the writers that are generated for a type: each
 * writes at `position` and returns the position behind. Those whose size is bounded rely on the caller for space; the
 * others make sure that `spare` bytes remain behind what they wrote, and may replace the writer's buffer.
 */
import type { Writer } from '../writer.ts'

/** What is printed into: the codecs' writer, or another that grows in the same way. */
export type Output = Pick<Writer, 'bytes' | 'position' | 'reserve'>

interface Bytes extends Buffer {
  latin1Write(text: string, position: number): number
  utf8Write(text: string, position: number): number
}

/** Up to here characters are written one by one; a native call costs more. */
const shortText = 24
/** Up to here they are written natively and then looked at; beyond, `JSON.stringify` is faster in spite of its copy. */
const middlingText = 128

/** The bytes that a JSON string has to escape, and one with which the stand-in for a lone surrogate begins. */
const mustEscape = new Uint8Array(256)
mustEscape.fill(1, 0, 0x20)
mustEscape[0x22] = 1
mustEscape[0x5c] = 1
mustEscape[0xef] = 1

/** A JSON string. */
export function printText(writer: Output, position: number, text: string, spare: number): number {
  const { length } = text
  if (length > middlingText) return printRaw(writer, position, JSON.stringify(text), spare)
  if (length > shortText) return printMiddling(writer, position, text, spare)

  let next = position
  if (next + length + 2 + spare > writer.bytes.length) makeRoom(writer, next, length + 2 + spare)
  const { bytes } = writer
  bytes[next++] = 0x22
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) {
      return printRaw(writer, position, JSON.stringify(text), spare)
    }
    bytes[next++] = code
  }
  bytes[next++] = 0x22
  return next
}

function printMiddling(writer: Output, position: number, text: string, spare: number): number {
  const { length } = text
  const most = length * 3 + 2 + spare
  if (position + most > writer.bytes.length) makeRoom(writer, position, most)
  const bytes = writer.bytes as Bytes
  const first = position + 1
  const end = first + bytes.utf8Write(text, first)

  let escapes = 0
  for (let index = first; index < end; index++) escapes |= mustEscape[bytes[index]!]!
  if (escapes !== 0) return printRaw(writer, position, JSON.stringify(text), spare)

  bytes[position] = 0x22
  bytes[end] = 0x22
  return end + 1
}

/** Below this, room for the worst case costs less than counting. */
const fewCharacters = 2048

/** Text that is JSON already. */
export function printRaw(writer: Output, position: number, json: string, spare: number): number {
  const size = json.length < fewCharacters ? json.length * 3 : Buffer.byteLength(json)
  makeRoom(writer, position, size + spare)
  return position + (writer.bytes as Bytes).utf8Write(json, position)
}

let viewed: Buffer | undefined
let view: DataView = new DataView(new ArrayBuffer(0))

/** The same bytes, for wider stores. Printing goes on in one buffer for long. */
export function viewOf(bytes: Buffer): DataView {
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    viewed = bytes
  }
  return view
}

export function makeRoom(writer: Output, position: number, size: number): void {
  writer.position = position
  writer.reserve(size)
}

/** ASCII of at most 32 characters, such as numbers. */
export function printShort(bytes: Buffer, position: number, text: string): number {
  const { length } = text
  for (let index = 0; index < length; index++) bytes[position + index] = text.charCodeAt(index)
  return position + length
}

/** An integer or a finite double. */
export function printNumber(bytes: Buffer, position: number, value: number): number {
  if (value >= 0 && value <= 999_999) {
    if ((value | 0) === value) return printSmall(bytes, position, value)
    const thousandths = Math.round(value * 1000)
    if (thousandths / 1000 === value) return printDecimal(bytes, position, thousandths)
  }
  return printShort(bytes, position, value === 0 ? '0' : String(value))
}

/**
 * Up to three decimals. A double has only one decimal of at most 15 digits that is read as it, so this is the shortest
 * one, which JavaScript prints.
 */
function printDecimal(bytes: Buffer, position: number, thousandths: number): number {
  const whole = (thousandths / 1000) | 0
  const fraction = thousandths - whole * 1000
  const hundreds = (fraction / 100) | 0
  const tens = ((fraction - hundreds * 100) / 10) | 0
  const ones = fraction - hundreds * 100 - tens * 10

  let next = printSmall(bytes, position, whole)
  bytes[next++] = 0x2e
  bytes[next++] = 0x30 + hundreds
  if (tens !== 0 || ones !== 0) bytes[next++] = 0x30 + tens
  if (ones !== 0) bytes[next++] = 0x30 + ones
  return next
}

/** An integer. */
export function printWhole(bytes: Buffer, position: number, value: number): number {
  if (value >= 0 && value <= 999_999) return printSmall(bytes, position, value)
  return printShort(bytes, position, value === 0 ? '0' : String(value))
}

/** The digits of 0 to 99. */
const tens = new Uint8Array(100)
const ones = new Uint8Array(100)
for (let value = 0; value < 100; value++) {
  tens[value] = 0x30 + Math.floor(value / 10)
  ones[value] = 0x30 + (value % 10)
}

/** A whole number below a million. */
function printSmall(bytes: Buffer, position: number, value: number): number {
  if (value < 10) {
    bytes[position] = 0x30 + value
    return position + 1
  }

  const length = value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : value < 100_000 ? 5 : 6
  const end = position + length
  let rest = value | 0
  let at = end
  while (rest >= 100) {
    const next = (rest / 100) | 0
    const last = rest - next * 100
    at -= 2
    bytes[at] = tens[last]!
    bytes[at + 1] = ones[last]!
    rest = next
  }
  bytes[at - 1] = ones[rest]!
  if (rest >= 10) bytes[position] = tens[rest]!
  return end
}

/** In quotes. */
export function printBigInteger(bytes: Buffer, position: number, value: bigint): number {
  bytes[position] = 0x22
  const end = printShort(bytes, position + 1, value.toString())
  bytes[end] = 0x22
  return end + 1
}

/** RFC 3339 with milliseconds and `Z`, in quotes, of a moment in the years 0000 to 9999. */
export function printInstant(bytes: Buffer, position: number, milliseconds: number): number {
  const days = Math.floor(milliseconds / 86_400_000)
  const time = milliseconds - days * 86_400_000

  // From days to a date in the proleptic Gregorian calendar, in years that begin in March.
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const leaps = ((dayOfEra / 1460) | 0) - ((dayOfEra / 36_524) | 0) + ((dayOfEra / 146_096) | 0)
  const yearOfEra = ((dayOfEra - leaps) / 365) | 0
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0))
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0
  const day = dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

  const seconds = (time / 1000) | 0
  const minutes = (seconds / 60) | 0
  const hours = (minutes / 60) | 0
  const fraction = time - seconds * 1000

  bytes[position] = 0x22
  printTwo(bytes, position + 1, (year / 100) | 0)
  printTwo(bytes, position + 3, year % 100)
  bytes[position + 5] = 0x2d
  printTwo(bytes, position + 6, month)
  bytes[position + 8] = 0x2d
  printTwo(bytes, position + 9, day)
  bytes[position + 11] = 0x54
  printTwo(bytes, position + 12, hours)
  bytes[position + 14] = 0x3a
  printTwo(bytes, position + 15, minutes % 60)
  bytes[position + 17] = 0x3a
  printTwo(bytes, position + 18, seconds % 60)
  bytes[position + 20] = 0x2e
  bytes[position + 21] = 0x30 + ((fraction / 100) | 0)
  printTwo(bytes, position + 22, fraction % 100)
  bytes[position + 24] = 0x5a
  bytes[position + 25] = 0x22
  return position + 26
}

function printTwo(bytes: Buffer, position: number, value: number): void {
  const tens = (value / 10) | 0
  bytes[position] = 0x30 + tens
  bytes[position + 1] = 0x30 + value - tens * 10
}
