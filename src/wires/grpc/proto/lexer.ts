/**
 * .proto files as tokens. A state machine over characters, pure.
 *
 *   https://protobuf.dev/reference/protobuf/edition-2023-spec/#lexical_elements (proto2 and proto3 are the same)
 *
 *   ident      = ( letter | "_" ) { letter | digit | "_" }
 *   decimalLit = "0" | ( "1" … "9" ) { digit }
 *   octalLit   = "0" octalDigit { octalDigit }
 *   hexLit     = "0" ( "x" | "X" ) hexDigit { hexDigit }
 *   floatLit   = digits "." [ digits ] [ exponent ] | digits exponent | "." digits [ exponent ]
 *   strLit     = "'" { character } "'" | '"' { character } '"'
 *   character  = any but NUL, newline and "\" | "\x" 1*2hexDigit | "\" 1*3octalDigit
 *              | "\" ( "a" | "b" | "f" | "n" | "r" | "t" | "v" | "?" | "\" | "'" | '"' )
 *              | "\u" 4hexDigit | "\U" 8hexDigit
 *   symbol     = any other character that is no space
 *   comment    = "//" to the end of the line | "/*" … "*" "/", not nested
 */
import { ProtoError, type Position } from './error.ts'

export type TokenKind = 'identifier' | 'integer' | 'float' | 'string' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; of a string what it stands for. */
  readonly text: string
  /** Of a string whose bytes are no UTF-8: `text` has each of them as a character. */
  readonly binary?: true
  readonly start: number
  readonly end: number
  /** The comments since the token before, in order. */
  readonly comments: readonly Comment[]
}

export interface Comment {
  /** Without its marks. */
  readonly text: string
  readonly block: boolean
  readonly firstLine: number
  readonly lastLine: number
}

export interface Tokens {
  readonly file: string
  readonly tokens: readonly Token[]
  positionOf(offset: number): Position
}

const none: readonly Comment[] = []

const word = /[A-Za-z_][A-Za-z0-9_]*/y
const float = /(?:\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)[fF]?/y
const integer = /0[xX][0-9A-Fa-f]+|\d+/y

/** Cuts a file into tokens, the last of which is `end`. Throws ProtoError. */
export function tokenize(file: string, text: string): Tokens {
  const tokens: Token[] = []
  const lines = lineStarts(text)
  let offset = text.startsWith('\uFEFF') ? 1 : 0
  let comments: Comment[] = []

  const positionOf = (at: number): Position => {
    const line = lineOf(lines, at)
    return { line: line + 1, column: at - (lines[line] as number) + 1 }
  }
  const fail = (at: number, what: string, hint?: string): never => {
    throw new ProtoError(file, positionOf(at), what, hint)
  }

  function push(kind: TokenKind, value: string, end: number, binary = false): void {
    tokens.push({
      kind,
      text: value,
      start: offset,
      end,
      comments: comments.length === 0 ? none : comments,
      ...(binary ? { binary: true as const } : {}),
    })
    if (comments.length > 0) comments = []
    offset = end
  }

  /** Matches at the offset; `''` when there is nothing. */
  function match(pattern: RegExp): string {
    pattern.lastIndex = offset
    return pattern.exec(text)?.[0] ?? ''
  }

  while (offset < text.length) {
    const code = text.charCodeAt(offset)

    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) {
      offset += 1
      continue
    }

    if (code === 0x2f && (text[offset + 1] === '/' || text[offset + 1] === '*')) {
      const end = endOfComment(text, offset)
      if (end === -1) fail(offset, 'this comment never ends', 'close it with */')
      comments.push(commentOf(text.slice(offset, end), lineOf(lines, offset), lineOf(lines, end - 1)))
      offset = end
      continue
    }

    if (code === 0x22 || code === 0x27) {
      const { value, end, binary } = readString(text, offset, fail)
      push('string', value, end, binary)
      continue
    }

    const identifier = match(word)
    if (identifier !== '') {
      push('identifier', identifier, offset + identifier.length)
      continue
    }

    const digit = code >= 0x30 && code <= 0x39
    if (digit || code === 0x2e) {
      const real = match(float)
      const whole = real === '' && digit ? match(integer) : ''
      const number = real === '' ? whole : real

      if (number !== '') {
        const next = text.slice(offset + number.length, offset + number.length + 1)
        if (/[A-Za-z0-9_]/.test(next))
          fail(offset, `'${number}${next}' is no number`, 'put a space between a number and a name')
        if (/^0\d/.test(whole) && /[89]/.test(whole))
          fail(offset, `'${whole}' begins with 0, so it is octal, and has no 8 or 9`)
        push(real === '' ? 'integer' : 'float', number, offset + number.length)
        continue
      }
    }

    if (code < 0x20 || code === 0x7f)
      fail(offset, `the control character U+${code.toString(16).padStart(4, '0').toUpperCase()} stands here`)
    if (code > 0x7f) {
      const character = String.fromCodePoint(text.codePointAt(offset) as number)
      fail(offset, `'${character}' can only stand in strings and comments`)
    }

    push('symbol', text[offset] as string, offset + 1)
  }

  push('end', '', offset)
  return { file, tokens, positionOf }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** The index of the line that holds an offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1

  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] as number) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** Behind the last character of a comment; −1 when it never ends. */
function endOfComment(text: string, start: number): number {
  if (text[start + 1] === '/') {
    const newline = text.indexOf('\n', start)
    return newline === -1 ? text.length : newline
  }

  const end = text.indexOf('*/', start + 2)
  return end === -1 ? -1 : end + 2
}

function commentOf(raw: string, firstLine: number, lastLine: number): Comment {
  const block = raw.startsWith('/*')
  const text = block ? blockText(raw.slice(2, -2)) : raw.slice(2).replace(/\r$/, '')
  return { text, block, firstLine, lastLine }
}

/** The stars in front of the lines of a comment belong to its frame. */
function blockText(raw: string): string {
  const [first = '', ...rest] = raw.split(/\r?\n/)
  return [first.replace(/^\*+(?!\S)/, ''), ...rest.map((line) => line.replace(/^\s*\*(?!\S)?/, ''))].join(
    '\n',
  )
}

type Fail = (at: number, what: string, hint?: string) => never

const simple: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '?': 63,
  '\\': 92,
  "'": 39,
  '"': 34,
}

/** Escapes are bytes, other characters UTF-8: together they are text, or bytes when they are none. */
function readString(
  text: string,
  start: number,
  fail: Fail,
): { value: string; end: number; binary: boolean } {
  const quote = text[start] as string
  let plain = true
  let at = start + 1

  for (; at < text.length && text[at] !== quote; at += 1) {
    const character = text[at]
    if (character === '\n') fail(start, 'this string does not end on its line', `close it with ${quote}`)
    if (character === '\0') fail(at, 'a NUL character stands in a string', 'write \\0')
    if (character === '\\') {
      plain = false
      at += 1
    }
  }
  if (at >= text.length) fail(start, 'this string never ends', `close it with ${quote}`)

  const raw = text.slice(start + 1, at)
  const read = plain ? { value: raw, binary: false } : unescape(raw, start + 1, fail)
  return { ...read, end: at + 1 }
}

const escape = /\\(?:[xX]([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.?))/gsu

function unescape(raw: string, start: number, fail: Fail): { value: string; binary: boolean } {
  const bytes: Buffer[] = []
  let last = 0

  for (const found of raw.matchAll(escape)) {
    const [whole, hex, octal, short, long, other = ''] = found
    bytes.push(Buffer.from(raw.slice(last, found.index)))
    last = found.index + whole.length

    const point = short ?? long
    if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)))
    else if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8) & 0xff))
    else if (point !== undefined) {
      const code = Number.parseInt(point, 16)
      if (code > 0x10ffff) fail(start + found.index, `${whole} is beyond the last character of Unicode`)
      bytes.push(Buffer.from(String.fromCodePoint(code)))
    } else if (simple[other] !== undefined) bytes.push(Buffer.of(simple[other]))
    else fail(start + found.index, `'${whole}' is no escape`, 'a backslash itself is written \\\\')
  }
  bytes.push(Buffer.from(raw.slice(last)))

  const all = Buffer.concat(bytes)
  const utf8 = all.toString('utf8')
  const binary = !Buffer.from(utf8).equals(all)
  return { value: binary ? all.toString('latin1') : utf8, binary }
}
