/**
 * HOT PATH; guarded by `bench/scenarios/codec-json.ts`. Scanners for the readers that are generated for a type: each
 * starts at `position` of the bytes and leaves the cursor behind what it read.
 *
 * They know the same grammar as `parse.ts` and never accept more, but they do not say what is wrong: whatever they do
 * not expect is `unexpected`, and the bytes are read again by the slow and talkative pair of `parse.ts` and `from.ts`.
 * Nor do they look for the end of the text on every byte: whoever calls them compares the position with it afterwards.
 */
import { isUtf8 } from 'node:buffer'
import { parseInstant } from './instant.ts'

/** Methods that Buffer has and its types do not: `toString` without looking up an encoding. */
export interface Bytes extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

export interface Cursor {
  bytes: Bytes
  position: number
  /** How many brackets are open. */
  depth: number
  /**
   * A window of the bytes as text, of which short strings are slices: much cheaper than decoding each. A slice keeps
   * what it was cut from alive, so the window is never longer than 1 KiB.
   */
  window: string
  windowStart: number
  windowEnd: number
}

const windowSize = 1024

/** Thrown instead of an error: it carries nothing, costs nothing to make and never leaves the room. */
export const unexpected: unique symbol = Symbol('unexpected')

const none = Buffer.alloc(0) as Bytes

export function createCursor(): Cursor {
  return { bytes: none, position: 0, depth: 0, window: '', windowStart: 0, windowEnd: 0 }
}

export function openCursor(cursor: Cursor, bytes: Buffer, start: number, end: number): void {
  cursor.bytes = bytes as Bytes
  cursor.position = start
  cursor.depth = 0
  if (end - start <= windowSize) {
    cursor.window = cursor.bytes.latin1Slice(start, end)
    cursor.windowStart = start
    cursor.windowEnd = end
  }
}

/** Lets go of the bytes. */
export function closeCursor(cursor: Cursor): void {
  cursor.bytes = none
  cursor.window = ''
  cursor.windowStart = 0
  cursor.windowEnd = 0
}

const quote = 0x22
const backslash = 0x5c

/** From here on a string is found by its end, natively, and not byte by byte. */
const longString = 48

/** From here on, guessing where a string with escapes ends costs less than looking at every byte. */
const veryLongString = 512

export function readText(cursor: Cursor, position: number): string {
  const { bytes } = cursor
  if (bytes[position] !== quote) throw unexpected

  const first = position + 1
  const patience = first + longString
  let last = first
  for (;;) {
    const byte = bytes[last]!
    if (byte === quote) break
    // The end of the buffer, where there is no byte, fails the first comparison.
    if (!(byte >= 0x20) || byte === backslash || byte > 0x7f || last > patience)
      return readHardText(cursor, first)
    last++
  }

  cursor.position = last + 1
  if (first >= cursor.windowStart && last <= cursor.windowEnd) {
    return cursor.window.slice(first - cursor.windowStart, last - cursor.windowStart)
  }
  return readIntoWindow(cursor, first, last)
}

/** Moves the window to the string. What follows it is likely to be read next. */
function readIntoWindow(cursor: Cursor, first: number, last: number): string {
  cursor.window = cursor.bytes.latin1Slice(first, Math.min(first + windowSize, cursor.bytes.length))
  cursor.windowStart = first
  cursor.windowEnd = first + cursor.window.length
  return cursor.window.slice(0, last - first)
}

/** A string that is long, or has escapes, or is not ASCII. */
function readHardText(cursor: Cursor, first: number): string {
  const { bytes } = cursor
  let last = bytes.indexOf(quote, first)
  if (last > first && bytes[last - 1] === backslash) {
    last = endOfEscaped(bytes, first, Math.min(first + veryLongString, bytes.length))
    if (last < 0) {
      const text = guessEscaped(cursor, first)
      if (text !== undefined) return text
      last = endOfEscaped(bytes, first, bytes.length)
    }
  }
  if (last < 0) throw unexpected
  cursor.position = last + 1

  if (last - first > longString || hasEscape(bytes, first, last)) {
    const text = unquote(bytes, first - 1, last + 1)
    if (text === undefined) throw unexpected
    return text
  }
  const text = bytes.utf8Slice(first, last)
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(first, last))) throw unexpected
  return text
}

/** `undefined` for what is not exactly one string in its quotes. */
function unquote(bytes: Bytes, start: number, end: number): string | undefined {
  const text = bytes.utf8Slice(start, end)
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** A comma and the next key or string: never inside of a string, where a quote has a backslash before it. */
const nextString = Buffer.from(',"')
const closeBrace = 0x7d
const closeBracket = 0x5d

/** How far is looked, so that many strings never cost more than what they are long. */
const reach = 16 * 1024
const mostGuesses = 16

/**
 * A string with escaped quotes ends where a quote and a comma or bracket follow each other, mostly. Those are rarer than
 * quotes, so they are found natively, and when a guess is wrong, what stands before it is not one string.
 */
function guessEscaped(cursor: Cursor, first: number): string | undefined {
  const { bytes } = cursor
  const near = bytes.subarray(first, first + reach)

  let nearest = near.indexOf(nextString) - 1
  if (!isClosingQuote(near, nearest)) nearest = near.length
  for (const close of [closeBrace, closeBracket]) {
    let at = near.indexOf(close)
    for (let guesses = 0; guesses < mostGuesses && at >= 0 && at < nearest; guesses++) {
      if (isClosingQuote(near, at - 1)) nearest = at - 1
      else at = near.indexOf(close, at + 1)
    }
  }
  if (nearest < veryLongString || nearest >= near.length) return undefined

  const text = unquote(bytes, first - 1, first + nearest + 1)
  if (text !== undefined) cursor.position = first + nearest + 1
  return text
}

function isClosingQuote(bytes: Buffer, position: number): boolean {
  return bytes[position] === quote && !isEscaped(bytes, position)
}

/** Behind an odd number of backslashes. */
function isEscaped(bytes: Buffer, position: number): boolean {
  let before = position
  while (before > 0 && bytes[before - 1] === backslash) before--
  return (position - before) % 2 === 1
}

function endOfEscaped(bytes: Bytes, first: number, end: number): number {
  for (let position = first; position < end; position++) {
    const byte = bytes[position]
    if (byte === quote) return position
    if (byte === backslash) position++
  }
  return -1
}

/** Or a control character, which must be escaped. */
function hasEscape(bytes: Bytes, first: number, last: number): boolean {
  for (let position = first; position < last; position++) {
    const byte = bytes[position]!
    if (byte === backslash || byte < 0x20) return true
  }
  return false
}

/** The powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** So many digits are always below 2^53. */
const exactDigits = 15

/** A number of any form. With few enough digits, the division of two exact doubles rounds as it should. */
export function readNumber(cursor: Cursor, position: number): number {
  const { bytes } = cursor
  const negative = bytes[position] === 0x2d
  const first = negative ? position + 1 : position
  let last = first
  let value = 0

  for (;;) {
    const digit = bytes[last]! - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
    last++
  }
  if (last === first || (last - first > 1 && bytes[first] === 0x30)) throw unexpected

  let digits = last - first
  let next = bytes[last]
  if (next === 0x2e) {
    const point = last++
    for (;;) {
      const digit = bytes[last]! - 0x30
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
      last++
    }
    const decimals = last - point - 1
    if (decimals === 0) throw unexpected
    digits += decimals
    next = bytes[last]
    if (digits <= exactDigits) value /= powers[decimals]!
  }

  if (digits > exactDigits || next === 0x65 || next === 0x45) return readHardNumber(cursor, position, last)
  cursor.position = last
  return negative ? -value : value
}

/** With an exponent, or more digits than can be added up exactly. */
function readHardNumber(cursor: Cursor, position: number, mantissaEnd: number): number {
  const { bytes } = cursor
  let last = mantissaEnd
  if (bytes[last] === 0x65 || bytes[last] === 0x45) {
    last++
    if (bytes[last] === 0x2b || bytes[last] === 0x2d) last++
    const first = last
    while (isDigit(bytes[last])) last++
    if (last === first) throw unexpected
  }

  const value = Number(bytes.latin1Slice(position, last))
  if (!Number.isFinite(value)) throw unexpected
  cursor.position = last
  return value
}

/** From here on a list of numbers with fractions is read natively. In bytes. */
const longList = 128

/** A list of finite numbers; `undefined` when it is short, and better read one by one. */
export function readNumbers(cursor: Cursor, position: number): number[] | undefined {
  const { bytes } = cursor
  const last = bytes.indexOf(closeBracket, position)
  if (last - position < longList) return undefined

  let list: unknown
  try {
    list = JSON.parse(bytes.latin1Slice(position, last + 1))
  } catch {
    throw unexpected
  }
  if (!isNumbers(list)) throw unexpected
  cursor.position = last + 1
  return list
}

function isNumbers(list: unknown): list is number[] {
  if (!Array.isArray(list)) return false
  for (let index = 0; index < list.length; index++) {
    if (!Number.isFinite(list[index])) return false
  }
  return true
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

/** An integer that a double holds exactly, without a minus zero. Its range is the caller's to check. */
export function readInteger(cursor: Cursor, position: number): number {
  const value = readNumber(cursor, position)
  if (!Number.isSafeInteger(value)) throw unexpected
  return value + 0
}

/** From a decimal string, or from a number, exactly. Its range is the caller's to check. */
export function readBigInteger(cursor: Cursor, position: number): bigint {
  const { bytes } = cursor
  const quoted = bytes[position] === quote
  const first = quoted ? position + 1 : position
  let last = bytes[first] === 0x2d ? first + 1 : first
  const digits = last
  while (isDigit(bytes[last])) last++

  const count = last - digits
  if (count === 0 || count > 20 || (count > 1 && bytes[digits] === 0x30)) throw unexpected
  if (quoted ? bytes[last] !== quote : hasFraction(bytes[last])) throw unexpected

  cursor.position = quoted ? last + 1 : last
  if (count <= exactDigits) return BigInt(smallInteger(bytes, first, digits, last))
  return BigInt(bytes.latin1Slice(first, last))
}

function smallInteger(bytes: Bytes, first: number, digits: number, last: number): number {
  let value = 0
  for (let index = digits; index < last; index++) value = value * 10 + bytes[index]! - 0x30
  return first === digits ? value : -value
}

function hasFraction(byte: number | undefined): boolean {
  return byte === 0x2e || byte === 0x65 || byte === 0x45
}

export function readInstant(cursor: Cursor, position: number): Date {
  const milliseconds = parseInstant(readText(cursor, position))
  if (Number.isNaN(milliseconds)) throw unexpected
  return new Date(milliseconds)
}

/** Behind any white space. */
export function skipSpace(cursor: Cursor, position: number): number {
  const { bytes } = cursor
  let next = position
  for (;;) {
    const byte = bytes[next]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return next
    next++
  }
}

/** Behind a comma, at the next key or element; or, negative (`~position`), behind the closing bracket. */
export function nextPart(cursor: Cursor, position: number, close: number): number {
  const next = skipSpace(cursor, position)
  const byte = cursor.bytes[next]
  if (byte === 0x2c) return skipSpace(cursor, next + 1)
  if (byte === close) return ~(next + 1)
  throw unexpected
}

/** Behind a colon and the white space around it. */
export function skipColon(cursor: Cursor, position: number): number {
  const colon = skipSpace(cursor, position)
  if (cursor.bytes[colon] !== 0x3a) throw unexpected
  return skipSpace(cursor, colon + 1)
}

export function readNull(cursor: Cursor, position: number): number {
  const { bytes } = cursor
  const isNull =
    bytes[position] === 0x6e &&
    bytes[position + 1] === 0x75 &&
    bytes[position + 2] === 0x6c &&
    bytes[position + 3] === 0x6c
  if (!isNull) throw unexpected
  return position + 4
}
