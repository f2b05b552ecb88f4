/**
 * Scalars and enums, between the wire and JavaScript. Reading is in two steps, because the last one of several wins and
 * only that must be valid: `read` takes a value off the wire, `accept` makes it a value of the type or notes a problem.
 */
import type { EnumType, IntType, LiteralType, Type, Types } from '../../schema/type.ts'
import { broken, expected } from '../checks.ts'
import type { Writer } from '../writer.ts'
import {
  type Input,
  readBytes,
  readDouble,
  readFixed32,
  readFixed64,
  readFloat,
  readText,
  readVarint,
  signed64,
  unsigned64,
  zigZag64,
} from './input.ts'
import type { Scalar, ScalarLayout, ValueLayout } from './message-layout.ts'
import {
  highOf,
  lowOf,
  writeBytes,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeFloat,
  writeText,
  writeVarint,
  writeVarint64,
} from './output.ts'
import { note, type Problem } from './problem.ts'

export type ScalarValue = string | number | bigint | boolean | Uint8Array

type Read = (input: Input, end: number) => ScalarValue

/** As the specification says, a varint longer than the type is cut to its lower bits. */
export const scalarReaders: Readonly<Record<Scalar, Read>> = {
  double: readDouble,
  float: readFloat,
  int32: (input, end) => (readVarint(input, end), input.low),
  int64: (input, end) => (readVarint(input, end), signed64(input)),
  uint32: (input, end) => (readVarint(input, end), input.low >>> 0),
  uint64: (input, end) => (readVarint(input, end), unsigned64(input)),
  sint32: (input, end) => (readVarint(input, end), (input.low >>> 1) ^ -(input.low & 1)),
  sint64: (input, end) => (readVarint(input, end), zigZag64(input)),
  fixed32: (input, end) => readFixed32(input, end) >>> 0,
  fixed64: (input, end) => (readFixed64(input, end), unsigned64(input)),
  sfixed32: readFixed32,
  sfixed64: (input, end) => (readFixed64(input, end), signed64(input)),
  bool: (input, end) => (readVarint(input, end), (input.low | input.high) !== 0),
  string: readText,
  bytes: readBytes,
}

type Write = (writer: Writer, value: never) => void

export const scalarWriters: Readonly<Record<Scalar, Write>> = {
  double: writeDouble,
  float: writeFloat,
  int32: (writer, value: number) => writeVarint64(writer, Number(value), Number(value) < 0 ? -1 : 0),
  int64: (writer, value: number | bigint) => writeVarint64(writer, lowOf(value), highOf(value)),
  uint32: (writer, value: number) => writeVarint(writer, Number(value)),
  uint64: (writer, value: number | bigint) => writeVarint64(writer, lowOf(value), highOf(value)),
  sint32: (writer, value: number) => writeVarint(writer, (Number(value) << 1) ^ (Number(value) >> 31)),
  sint64: writeZigZag64,
  fixed32: (writer, value: number) => writeFixed32(writer, Number(value)),
  fixed64: (writer, value: number | bigint) => writeFixed64(writer, lowOf(value), highOf(value)),
  sfixed32: (writer, value: number) => writeFixed32(writer, Number(value)),
  sfixed64: (writer, value: number | bigint) => writeFixed64(writer, lowOf(value), highOf(value)),
  bool: (writer, value: boolean) => writeVarint(writer, value ? 1 : 0),
  string: writeText,
  bytes: writeBytes,
}

function writeZigZag64(writer: Writer, value: number | bigint): void {
  const low = lowOf(value)
  const high = highOf(value)
  const sign = high >> 31
  writeVarint64(writer, (low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign)
}

/** Makes a value off the wire one of the type; notes a problem when it is none, and returns whatever then. */
export type Accept = (raw: ScalarValue, problems: Problem[]) => unknown

export function acceptor(value: Extract<ValueLayout, { kind: 'scalar' | 'enum' }>, types: Types): Accept {
  if (value.kind === 'enum') return enumAcceptor(value.of.type, value.type, types)

  const { type } = value
  if (type.kind === 'ref') return enumKeyAcceptor(types[type.to] as EnumType, type, types)
  if (type.kind === 'literal') return literalAcceptor(type, value.proto, types)
  if (type.kind === 'int') return integerAcceptor(type, types)

  const breaks = broken(type)
  const finite = type.kind === 'float' && !type.nonFinite
  if (breaks === undefined && !finite) return (raw) => raw

  const expectation = expected(type, types)
  return (raw, problems) => {
    if ((finite && !Number.isFinite(raw)) || breaks?.(raw)) note(problems, expectation, raw)
    return raw
  }
}

function integerAcceptor(type: IntType, types: Types): Accept {
  const { lowest, highest } = rangeOf(type)
  const breaks = broken(type)
  const expectation = expected(type, types)
  const range = `an integer ≥ ${lowest} and ≤ ${highest}`

  return (raw, problems) => {
    const value = type.js === 'bigint' ? BigInt(raw as number | bigint) : raw
    if ((value as number) < lowest || (value as number) > highest) note(problems, range, raw)
    else if (breaks?.(value)) note(problems, expectation, raw)
    return value
  }
}

/** The integers that a type has: those of its width, and of 64-bit numbers those that are exact. */
export function rangeOf(type: IntType): {
  readonly lowest: number | bigint
  readonly highest: number | bigint
} {
  if (type.bits === 32) {
    return type.signed ? { lowest: -0x8000_0000, highest: 0x7fff_ffff } : { lowest: 0, highest: 0xffff_ffff }
  }
  if (type.js === 'number') {
    return { lowest: type.signed ? Number.MIN_SAFE_INTEGER : 0, highest: Number.MAX_SAFE_INTEGER }
  }
  return type.signed
    ? { lowest: -(2n ** 63n), highest: 2n ** 63n - 1n }
    : { lowest: 0n, highest: 2n ** 64n - 1n }
}

const carried: Readonly<Partial<Record<Scalar, { lowest: number | bigint; highest: number | bigint }>>> = {
  int32: { lowest: -0x8000_0000, highest: 0x7fff_ffff },
  sint32: { lowest: -0x8000_0000, highest: 0x7fff_ffff },
  sfixed32: { lowest: -0x8000_0000, highest: 0x7fff_ffff },
  uint32: { lowest: 0, highest: 0xffff_ffff },
  fixed32: { lowest: 0, highest: 0xffff_ffff },
  uint64: { lowest: 0n, highest: 2n ** 64n - 1n },
  fixed64: { lowest: 0n, highest: 2n ** 64n - 1n },
  int64: { lowest: -(2n ** 63n), highest: 2n ** 63n - 1n },
  sint64: { lowest: -(2n ** 63n), highest: 2n ** 63n - 1n },
  sfixed64: { lowest: -(2n ** 63n), highest: 2n ** 63n - 1n },
}

/** The integers that the type has and that the protobuf type can carry. */
export function carriedRange(
  type: IntType,
  proto: Scalar,
): { lowest: number | bigint; highest: number | bigint } {
  const own = rangeOf(type)
  const wire = carried[proto] ?? own
  return {
    lowest: wire.lowest > own.lowest ? wire.lowest : own.lowest,
    highest: wire.highest < own.highest ? wire.highest : own.highest,
  }
}

/** A float is compared as it was rounded when it was written. */
function literalAcceptor(type: LiteralType, proto: Scalar, types: Types): Accept {
  const known = new Map(
    type.values.map((value) => [proto === 'float' ? Math.fround(Number(value)) : value, value]),
  )
  const expectation = expected(type, types)

  return (raw, problems) => {
    const value = known.get(raw as string)
    if (value === undefined) note(problems, expectation, raw)
    return value
  }
}

function enumAcceptor(named: EnumType, type: Type, types: Types): Accept {
  const known = new Map<number, string | number>()
  for (const { number, value } of named.values) {
    if (!known.has(number)) known.set(number, value)
  }
  const expectation = expected(type, types)

  return (raw, problems) => {
    const value = known.get(raw as number)
    if (value === undefined) note(problems, expectation, `number ${String(raw)}`)
    return value
  }
}

function enumKeyAcceptor(named: EnumType, type: Type, types: Types): Accept {
  const known = new Map(named.values.map(({ value }) => [String(value), value]))
  const expectation = expected(type, types)

  return (raw, problems) => {
    const value = known.get(raw as string)
    if (value === undefined) note(problems, expectation, raw)
    return value
  }
}

/** What an absent field of implicit presence reads as, off the wire; `undefined` when the type has no zero. */
export function zeroOf(value: Extract<ValueLayout, { kind: 'scalar' | 'enum' }>): ScalarValue | undefined {
  if (value.kind === 'enum') return value.of.type.values.some(({ number }) => number === 0) ? 0 : undefined

  const { type } = value
  if (type.kind === 'literal') {
    const zero = zeros[value.proto] as string | number | boolean
    if (type.values.includes(zero)) return zero
    return type.values.length === 1 ? type.values[0] : undefined
  }
  return value.proto === 'bytes' ? new Uint8Array(0) : zeros[value.proto]
}

const zeros: Readonly<Record<Scalar, ScalarValue>> = {
  double: 0,
  float: 0,
  int32: 0,
  int64: 0,
  uint32: 0,
  uint64: 0,
  sint32: 0,
  sint64: 0,
  fixed32: 0,
  fixed64: 0,
  sfixed32: 0,
  sfixed64: 0,
  bool: false,
  string: '',
  bytes: '',
}

/** Whether a value is the zero that implicit presence does not write. −0 is written, as C++ and Go do. */
export function isZero(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0
  return value === '' || value === false || value === 0n || Object.is(value, 0)
}

/** Whether a value has the JavaScript type and the range to be written. */
export type Fits = (value: unknown) => boolean

export function fitsScalar(value: ScalarLayout): Fits {
  const { type, proto } = value
  switch (type.kind) {
    case 'string':
      return (text) => typeof text === 'string' && text.isWellFormed()
    case 'bool':
      return (bool) => typeof bool === 'boolean'
    case 'bytes':
      return (bytes) => bytes instanceof Uint8Array
    case 'float':
      return proto === 'float' ? fitsFloat(type.nonFinite === true) : fitsDouble(type.nonFinite === true)
    case 'literal': {
      const values = new Set<unknown>(type.values)
      return (constant) => values.has(constant)
    }
    case 'int': {
      const { lowest, highest } = carriedRange(type, proto)
      if (type.js === 'bigint') return (int) => typeof int === 'bigint' && int >= lowest && int <= highest
      return (int) => Number.isInteger(int) && (int as number) >= lowest && (int as number) <= highest
    }
    default:
      throw new Error(`${type.kind} is no scalar`)
  }
}

function fitsDouble(nonFinite: boolean): Fits {
  return nonFinite ? (value) => typeof value === 'number' : (value) => Number.isFinite(value)
}

const largestFloat = 3.4028234663852886e38

function fitsFloat(nonFinite: boolean): Fits {
  if (nonFinite) return (value) => typeof value === 'number'
  return (value) => typeof value === 'number' && Math.abs(value) <= largestFloat
}
