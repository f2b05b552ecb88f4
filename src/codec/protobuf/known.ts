/**
 * Timestamp, Duration, Value, Struct and ListValue: messages of google/protobuf that are JavaScript values here.
 *
 *   Timestamp  { int64 seconds = 1; int32 nanos = 2 }     Date, or an RFC 3339 string; years 1 to 9999
 *   Duration   { int64 seconds = 1; int32 nanos = 2 }     an ISO 8601 duration without years and months
 *   Value      { oneof { null = 1; double = 2; string = 3; bool = 4; Struct = 5; ListValue = 6 } }
 *   Struct     { map<string, Value> fields = 1 }
 *   ListValue  { repeated Value values = 1 }
 *
 * https://protobuf.dev/reference/protobuf/google.protobuf
 */
import type { Types } from '../../schema/type.ts'
import { formatStep } from '../../schema/path.ts'
import { broken, expected } from '../checks.ts'
import type { Writer } from '../writer.ts'
import {
  type Input,
  malformed,
  readDouble,
  readLength,
  readTag,
  readText,
  readVarint,
  signed64,
  skip,
} from './input.ts'
import type { KnownLayout } from './message-layout.ts'
import {
  beginLength,
  endLength,
  highOf,
  lowOf,
  writeDouble,
  writeText,
  writeVarint,
  writeVarint64,
} from './output.ts'
import { setOwn } from '../set-own.ts'
import { note, noteText, type Problem, within } from './problem.ts'

/** Reads a message up to `end`, and notes what is wrong with it. */
export type DecodeKnown = (input: Input, end: number) => unknown

/** Writes a message without its length, or notes why not. `depth`: how many more may be nested in it. */
export type EncodeKnown = (value: unknown, writer: Writer, problems: Problem[], depth: number) => void

export function knownDecoder(known: KnownLayout, types: Types): DecodeKnown {
  const breaks = broken(known.type)
  const expectation = expected(known.type, types)
  const decode = decoderOf(known)
  if (breaks === undefined) return decode

  return (input, end) => {
    const before = input.problems.length
    const value = decode(input, end)
    if (input.problems.length === before && breaks(value)) note(input.problems, expectation, value)
    return value
  }
}

function decoderOf(known: KnownLayout): DecodeKnown {
  switch (known.proto) {
    case 'google.protobuf.Timestamp':
      return known.type.kind === 'string' ? decodeTimestampText : decodeTimestamp
    case 'google.protobuf.Duration':
      return decodeDuration
    case 'google.protobuf.Value':
      return decodeValue
    case 'google.protobuf.Struct':
      return decodeStruct
    case 'google.protobuf.ListValue':
      return decodeList
  }
}

export function knownEncoder(known: KnownLayout): EncodeKnown {
  switch (known.proto) {
    case 'google.protobuf.Timestamp':
      return known.type.kind === 'string' ? encodeTimestampText : encodeTimestamp
    case 'google.protobuf.Duration':
      return encodeDuration
    case 'google.protobuf.Value':
      return encodeValue
    case 'google.protobuf.Struct':
      return encodeStruct
    case 'google.protobuf.ListValue':
      return encodeList
  }
}

// ── Timestamp ──

const firstSecond = -62_135_596_800
const lastSecond = 253_402_300_799
const moment = 'a moment in the years 1 to 9999'

interface Span {
  readonly seconds: number | bigint
  readonly nanos: number
}

function readSpan(input: Input, end: number): Span {
  let seconds: number | bigint = 0
  let nanos = 0

  while (input.position < end) {
    const tag = readTag(input, end)
    if (tag === 8) {
      readVarint(input, end)
      seconds = signed64(input)
    } else if (tag === 16) {
      readVarint(input, end)
      nanos = input.low
    } else {
      skip(input, tag, end, input.depth)
    }
  }
  return { seconds, nanos }
}

function writeSpan(writer: Writer, seconds: number, nanos: number): void {
  if (seconds !== 0) {
    writeVarint(writer, 8)
    writeVarint64(writer, lowOf(seconds), highOf(seconds))
  }
  if (nanos !== 0) {
    writeVarint(writer, 16)
    writeVarint64(writer, nanos, nanos < 0 ? -1 : 0)
  }
}

function readTimestamp(input: Input, end: number): { seconds: number; nanos: number } | undefined {
  const { seconds, nanos } = readSpan(input, end)
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) {
    noteText(input.problems, `expected ${moment}, got ${seconds} seconds and ${nanos} nanoseconds`)
    return undefined
  }
  return { seconds: Number(seconds), nanos }
}

/** What is finer than a millisecond is cut off. */
function decodeTimestamp(input: Input, end: number): unknown {
  const read = readTimestamp(input, end)
  return read && new Date(read.seconds * 1000 + Math.trunc(read.nanos / 1_000_000))
}

function decodeTimestampText(input: Input, end: number): unknown {
  const read = readTimestamp(input, end)
  if (read === undefined) return undefined

  const whole = new Date(read.seconds * 1000).toISOString().slice(0, 19)
  return `${whole}${fraction(read.nanos)}Z`
}

/** `.5`, `.000000001`, or nothing. */
function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`
}

function encodeTimestamp(value: unknown, writer: Writer, problems: Problem[]): void {
  if (!(value instanceof Date)) {
    note(problems, 'a Date', value)
    return
  }

  const seconds = Math.floor(value.getTime() / 1000)
  if (seconds >= firstSecond && seconds <= lastSecond) {
    writeSpan(writer, seconds, (value.getTime() - seconds * 1000) * 1_000_000)
  } else {
    note(problems, moment, value)
  }
}

const rfc3339 = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/

function encodeTimestampText(value: unknown, writer: Writer, problems: Problem[]): void {
  const parts = typeof value === 'string' ? rfc3339.exec(value) : null
  const seconds = parts === null ? NaN : Date.parse(`${parts[1]}${parts[3]}`.toUpperCase()) / 1000
  if (seconds >= firstSecond && seconds <= lastSecond) {
    writeSpan(writer, seconds, Number((parts?.[2] ?? '').padEnd(9, '0')))
  } else {
    note(problems, 'a date and time (RFC 3339)', value)
  }
}

// ── Duration ──

const longestDuration = 315_576_000_000
const iso8601 =
  /^(-?)P(?:(\d+)W|(?=\d|T\d)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9})\d*)?S)?)?)$/

function decodeDuration(input: Input, end: number): unknown {
  const { seconds, nanos } = readSpan(input, end)
  const inRange = seconds >= -longestDuration && seconds <= longestDuration && Math.abs(nanos) <= 999_999_999
  const oneSign = !(seconds > 0 && nanos < 0) && !(seconds < 0 && nanos > 0)
  if (!inRange || !oneSign) {
    const limit = `a duration of at most ${longestDuration} seconds`
    noteText(input.problems, `expected ${limit}, got ${seconds} seconds and ${nanos} nanoseconds`)
    return undefined
  }

  const negative = seconds < 0 || nanos < 0
  return `${negative ? '-' : ''}${durationText(Math.abs(Number(seconds)), Math.abs(nanos))}`
}

function durationText(seconds: number, nanos: number): string {
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = seconds % 60
  const shown = [
    hours === 0 ? '' : `${hours}H`,
    minutes === 0 ? '' : `${minutes}M`,
    rest === 0 && nanos === 0 ? '' : `${rest}${fraction(nanos)}S`,
  ].join('')
  return shown === '' ? 'PT0S' : `PT${shown}`
}

function encodeDuration(value: unknown, writer: Writer, problems: Problem[]): void {
  const parts = typeof value === 'string' ? iso8601.exec(value) : null
  if (parts === null) {
    note(problems, 'a duration (ISO 8601) without years and months', value)
    return
  }

  const [weeks = 0, days = 0, hours = 0, minutes = 0, rest = 0] = parts
    .slice(2, 7)
    .map((part) => Number(part ?? 0))
  const seconds = weeks * 604_800 + days * 86_400 + hours * 3600 + minutes * 60 + rest
  const nanos = Number((parts[7] ?? '').padEnd(9, '0'))
  if (seconds > longestDuration) {
    note(problems, `a duration of at most ${longestDuration} seconds`, value)
    return
  }

  const sign = parts[1] === '-' ? -1 : 1
  writeSpan(writer, seconds === 0 ? 0 : sign * seconds, nanos === 0 ? 0 : sign * nanos)
}

// ── Value, Struct, ListValue ──

/**
 * Reads a message that is nested in this one. `ranges` are the stretches of bytes in which it came, start and end of
 * each: read behind each other they are the message, since merging is just that.
 */
export function readNested(
  input: Input,
  ranges: readonly number[],
  decode: (input: Input, end: number) => unknown,
): unknown {
  const { depth, position } = input
  if (depth <= 0) throw malformed('messages are nested too deeply', ranges[0] as number)

  if (ranges.length === 2) {
    input.depth = depth - 1
    input.position = ranges[0] as number
    const value = decode(input, ranges[1] as number)
    input.depth = depth
    input.position = position
    return value
  }

  const parts: Buffer[] = []
  for (let index = 0; index < ranges.length; index += 2) {
    parts.push(input.bytes.subarray(ranges[index], ranges[index + 1]))
  }
  const bytes = Buffer.concat(parts)
  return decode({ ...input, bytes, position: 0, depth: depth - 1 }, bytes.length)
}

function decodeValue(input: Input, end: number): unknown {
  let kind = 0
  let scalar: unknown
  let ranges: number[] = []

  while (input.position < end) {
    const tag = readTag(input, end)
    const before = kind
    switch (tag) {
      case 8:
        readVarint(input, end)
        kind = 1
        scalar = null
        break
      case 17:
        scalar = readDouble(input, end)
        kind = 2
        break
      case 26:
        scalar = readText(input, end)
        kind = 3
        break
      case 32:
        readVarint(input, end)
        kind = 4
        scalar = (input.low | input.high) !== 0
        break
      case 42:
      case 50: {
        const stop = readLength(input, end)
        kind = tag >>> 3
        if (kind !== before) ranges = []
        ranges.push(input.position, stop)
        input.position = stop
        break
      }
      default:
        skip(input, tag, end, input.depth)
    }
  }

  if (kind === 5) return readNested(input, ranges, decodeStruct)
  if (kind === 6) return readNested(input, ranges, decodeList)
  if (kind === 0) noteText(input.problems, 'expected a JSON value, got an empty google.protobuf.Value')
  if (kind === 2 && !Number.isFinite(scalar)) note(input.problems, 'a JSON value', scalar)
  return scalar
}

/** Values are read last, since of several with one key only the last counts. */
function decodeStruct(input: Input, end: number): unknown {
  const entries = new Map<string, number[]>()

  while (input.position < end) {
    const tag = readTag(input, end)
    if (tag === 10) {
      const { key, ranges } = readStructEntry(input, readLength(input, end))
      entries.set(key, ranges)
    } else {
      skip(input, tag, end, input.depth)
    }
  }

  const result: Record<string, unknown> = {}
  for (const [key, ranges] of entries) {
    const before = input.problems.length
    setOwn(result, key, readNested(input, ranges, decodeValue))
    within(input.problems, before, formatStep(key), false)
  }
  return result
}

function readStructEntry(input: Input, end: number): { key: string; ranges: number[] } {
  let key = ''
  const ranges: number[] = []

  while (input.position < end) {
    const tag = readTag(input, end)
    if (tag === 10) {
      key = readText(input, end)
    } else if (tag === 18) {
      const stop = readLength(input, end)
      ranges.push(input.position, stop)
      input.position = stop
    } else {
      skip(input, tag, end, input.depth)
    }
  }
  return { key, ranges: ranges.length === 0 ? [end, end] : ranges }
}

function decodeList(input: Input, end: number): unknown {
  const result: unknown[] = []

  while (input.position < end) {
    const tag = readTag(input, end)
    if (tag !== 10) {
      skip(input, tag, end, input.depth)
      continue
    }

    const stop = readLength(input, end)
    const before = input.problems.length
    result.push(readNested(input, [input.position, stop], decodeValue))
    within(input.problems, before, formatStep(result.length - 1), false)
    input.position = stop
  }
  return result
}

function encodeValue(value: unknown, writer: Writer, problems: Problem[], depth: number): void {
  if (value === null) {
    writeVarint(writer, 8)
    writeVarint(writer, 0)
  } else if (typeof value === 'number' && Number.isFinite(value)) {
    writeVarint(writer, 17)
    writeDouble(writer, value)
  } else if (typeof value === 'string' && value.isWellFormed()) {
    writeVarint(writer, 26)
    writeText(writer, value)
  } else if (typeof value === 'boolean') {
    writeVarint(writer, 32)
    writeVarint(writer, value ? 1 : 0)
  } else if (Array.isArray(value)) {
    writeVarint(writer, 50)
    writeNested(value, writer, problems, depth, encodeList)
  } else if (isPlainObject(value)) {
    writeVarint(writer, 42)
    writeNested(value, writer, problems, depth, encodeStruct)
  } else {
    note(problems, 'a JSON value', value)
  }
}

/** Length and message. */
export function writeNested(
  value: unknown,
  writer: Writer,
  problems: Problem[],
  depth: number,
  encode: EncodeKnown,
): void {
  if (depth <= 0) {
    noteText(problems, 'is nested too deeply')
    return
  }

  const start = beginLength(writer)
  encode(value, writer, problems, depth - 1)
  endLength(writer, start)
}

/** Objects of classes are no JSON: nobody could tell a Date or a Map from what is read again. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function encodeStruct(value: unknown, writer: Writer, problems: Problem[], depth: number): void {
  if (!isPlainObject(value)) {
    note(problems, 'an object', value)
    return
  }

  for (const key of Object.keys(value)) {
    const before = problems.length
    if (!key.isWellFormed()) note(problems, 'a key of whole characters', key)
    writeVarint(writer, 10)
    const start = beginLength(writer)
    writeVarint(writer, 10)
    writeText(writer, key)
    writeVarint(writer, 18)
    writeNested(value[key], writer, problems, depth, encodeValue)
    endLength(writer, start)
    within(problems, before, formatStep(key), false)
  }
}

function encodeList(value: unknown, writer: Writer, problems: Problem[], depth: number): void {
  if (!Array.isArray(value)) {
    note(problems, 'a list', value)
    return
  }

  for (const [index, element] of value.entries()) {
    const before = problems.length
    writeVarint(writer, 10)
    writeNested(element, writer, problems, depth, encodeValue)
    within(problems, before, formatStep(index), false)
  }
}
