/**
 * RFC 8259, strictly, from UTF-8 bytes to a tree. Nothing is known of types here.
 *
 *     value  = object / array / string / number / "true" / "false" / "null"
 *     object = "{" [ string ":" value *( "," string ":" value ) ] "}"
 *     array  = "[" [ value *( "," value ) ] "]"
 *     number = [ "-" ] ( "0" / %x31-39 *DIGIT ) [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ]
 *     string = quote *( unescaped / "\" ( quote / "\" / "/" / "b" / "f" / "n" / "r" / "t" / "u" 4HEXDIG ) ) quote
 *
 * What the RFC leaves open: the last of duplicate keys wins, a byte order mark is refused, lone surrogates may be
 * escaped, and a number too large for a double is refused. The tree is what `JSON.parse` gives, except that an integer
 * beyond ±(2^53 − 1) is a `bigint`, so that 64-bit integers stay exact.
 */
import { isUtf8 } from 'node:buffer'
import { Invalid } from '../../schema/invalid.ts'
import { setOwn } from '../set-own.ts'

/** What `parse` returns: JSON, with `bigint` where a `number` would not be exact. */
export type Tree = null | boolean | number | bigint | string | Tree[] | { [key: string]: Tree }

/** Longer integers cannot be any integer type, and `BigInt` of very long ones is slow. */
const longestInteger = 40

const quote = 0x22
const backslash = 0x5c

/** Throws `Invalid` with one issue that names the byte offset, counted from `start`. */
export function parse(bytes: Buffer, start: number, end: number, maximumDepth: number): Tree {
  const parser: Parser = { bytes, start, end, position: start, depth: 0, maximumDepth, exact: true }

  if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && end - start > 1) {
    throw refused(parser, start, 'a byte order mark is not allowed in JSON')
  }
  const value = readValue(parser)
  skipSpace(parser)
  if (parser.position < end) throw unexpected(parser, 'the end of the text')

  return value
}

/** Where a value begins that is part of a larger text, and where it ends after it was read. */
export interface Place {
  readonly bytes: Buffer
  position: number
  /** How many brackets are open there. */
  readonly depth: number
}

/** One value within a text. Unless `exact`, integers beyond 2^53 are numbers, as `JSON.parse` has them. */
export function parsePart(place: Place, position: number, maximumDepth: number, exact: boolean): Tree {
  const { bytes, depth } = place
  const parser: Parser = { bytes, start: 0, end: bytes.length, position, depth, maximumDepth, exact }
  const value = readValue(parser)
  place.position = parser.position
  return value
}

interface Parser {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  position: number
  depth: number
  readonly maximumDepth: number
  readonly exact: boolean
}

function readValue(parser: Parser): Tree {
  skipSpace(parser)
  if (parser.position >= parser.end) throw unexpected(parser, 'a value')
  const byte = parser.bytes[parser.position]!

  switch (byte) {
    case 0x7b:
      return readObject(parser)
    case 0x5b:
      return readArray(parser)
    case quote:
      return readString(parser)
    case 0x74:
      return readWord(parser, 'true', true)
    case 0x66:
      return readWord(parser, 'false', false)
    case 0x6e:
      return readWord(parser, 'null', null)
  }
  if (byte === 0x2d || isDigit(byte)) return readNumber(parser)
  throw unexpected(parser, 'a value')
}

function readObject(parser: Parser): Tree {
  enter(parser)
  const object: { [key: string]: Tree } = {}
  let byte = nextByte(parser)

  if (byte === 0x7d) {
    parser.position++
    parser.depth--
    return object
  }

  for (;;) {
    if (byte !== quote) throw unexpected(parser, 'a key in double quotes')
    const key = readString(parser)
    if (nextByte(parser) !== 0x3a) throw unexpected(parser, '":"')
    parser.position++
    setOwn(object, key, readValue(parser))

    byte = nextByte(parser)
    if (byte === 0x7d) break
    if (byte !== 0x2c) throw unexpected(parser, '"," or "}"')
    parser.position++
    byte = nextByte(parser)
  }

  parser.position++
  parser.depth--
  return object
}

function readArray(parser: Parser): Tree {
  enter(parser)
  const array: Tree[] = []
  if (nextByte(parser) === 0x5d) {
    parser.position++
    parser.depth--
    return array
  }

  for (;;) {
    array.push(readValue(parser))
    const byte = nextByte(parser)
    if (byte === 0x5d) break
    if (byte !== 0x2c) throw unexpected(parser, '"," or "]"')
    parser.position++
  }

  parser.position++
  parser.depth--
  return array
}

function readString(parser: Parser): string {
  const { bytes, end } = parser
  const first = parser.position + 1
  let position = first
  let escaped = false
  let ascii = true

  for (;;) {
    if (position >= end) {
      parser.position = end
      throw unexpected(parser, 'the end of a string')
    }
    const byte = bytes[position]!
    if (byte === quote) break
    if (byte < 0x20) {
      throw refused(parser, position, 'a control character must be escaped inside a string')
    }
    if (byte > 0x7f) ascii = false

    if (byte === backslash) {
      escaped = true
      position += escapeLength(parser, position)
    } else {
      position++
    }
  }

  parser.position = position + 1
  if (ascii && !escaped) return bytes.toString('latin1', first, position)
  if (!ascii && !isUtf8(bytes.subarray(first, position))) {
    throw refused(parser, first, 'a string is not valid UTF-8')
  }
  if (!escaped) return bytes.toString('utf8', first, position)
  // The grammar was checked above, so this cannot throw.
  return JSON.parse(bytes.toString('utf8', first - 1, position + 1)) as string
}

function escapeLength(parser: Parser, position: number): number {
  const { bytes, end } = parser
  const letter = position + 1 < end ? bytes[position + 1]! : 0

  switch (letter) {
    case quote:
    case backslash:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2
    case 0x75:
      for (let digit = position + 2; digit < position + 6; digit++) {
        if (digit >= end || !isHexadecimal(bytes[digit]!)) {
          throw refused(parser, position, '"\\u" must be followed by four hexadecimal digits')
        }
      }
      return 6
  }
  throw refused(
    parser,
    position,
    'an unknown escape: allowed are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX',
  )
}

function readNumber(parser: Parser): number | bigint {
  const { bytes } = parser
  const first = parser.position
  if (bytes[first] === 0x2d) parser.position++

  const leading = parser.position
  readDigits(parser)
  if (bytes[leading] === 0x30 && parser.position - leading > 1) {
    throw refused(parser, leading, 'a number must not begin with a zero')
  }

  let integer = true
  if (peek(parser) === 0x2e) {
    integer = false
    parser.position++
    readDigits(parser)
  }
  const exponent = peek(parser)
  if (exponent === 0x65 || exponent === 0x45) {
    integer = false
    parser.position++
    const sign = peek(parser)
    if (sign === 0x2b || sign === 0x2d) parser.position++
    readDigits(parser)
  }

  const text = bytes.toString('latin1', first, parser.position)
  const value = Number(text)
  if (Number.isSafeInteger(value) || !integer || !parser.exact || text.length > longestInteger) {
    if (Number.isFinite(value)) return value
    throw refused(parser, first, 'a number is too large for a double')
  }
  return BigInt(text)
}

function readDigits(parser: Parser): void {
  const first = parser.position
  while (isDigit(peek(parser))) parser.position++
  if (parser.position === first) throw unexpected(parser, 'a digit')
}

function readWord<Value>(parser: Parser, word: string, value: Value): Value {
  const { bytes, end } = parser
  for (let index = 0; index < word.length; index++) {
    if (parser.position >= end || bytes[parser.position] !== word.charCodeAt(index)) {
      throw unexpected(parser, `"${word}"`)
    }
    parser.position++
  }
  return value
}

function enter(parser: Parser): void {
  if (++parser.depth > parser.maximumDepth) {
    throw refused(parser, parser.position, `nested deeper than ${parser.maximumDepth} levels`)
  }
  parser.position++
}

function skipSpace(parser: Parser): void {
  const { bytes, end } = parser
  let position = parser.position
  while (position < end) {
    const byte = bytes[position]!
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    position++
  }
  parser.position = position
}

/** The byte after any space, not yet consumed; −1 at the end. */
function nextByte(parser: Parser): number {
  skipSpace(parser)
  return peek(parser)
}

function peek(parser: Parser): number {
  return parser.position < parser.end ? parser.bytes[parser.position]! : -1
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isHexadecimal(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46)
}

function unexpected(parser: Parser, expected: string): Invalid {
  const byte = peek(parser)
  const printable = byte > 0x20 && byte < 0x7f
  const found =
    byte === -1 ? 'the end of the text' : printable ? `"${String.fromCharCode(byte)}"` : `byte 0x${hex(byte)}`
  return refused(parser, parser.position, `expected ${expected}, got ${found}`)
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

function refused(parser: Parser, position: number, reason: string): Invalid {
  return Invalid.at('', `not valid JSON at byte ${position - parser.start}: ${reason}`)
}
