/** Which messages of google/protobuf are values of their own in the Type model, and which scalars mean what. */
import type { Json, Slot, Type } from '../../../schema/type.ts'
import type { Scalar } from './ast.ts'

const int = (bits: 32 | 64, signed: boolean): Type => ({
  kind: 'int',
  bits,
  signed,
  js: bits === 64 ? 'bigint' : 'number',
})

/** NaN and infinity are values of protobuf's numbers, though not of every schema library's. */
export interface Floats {
  readonly nonFinite: boolean
}

/** A scalar as a slot: what is not the usual type of its kind says so. */
export function scalarSlot(scalar: Scalar, { nonFinite }: Floats): Slot {
  const float = (bits: 32 | 64): Slot => ({
    type: { kind: 'float', bits, ...(nonFinite ? { nonFinite: true as const } : {}) },
  })

  switch (scalar) {
    case 'double':
      return float(64)
    case 'float':
      return float(32)
    case 'bool':
    case 'string':
    case 'bytes':
      return { type: { kind: scalar } }
    case 'int32':
      return { type: int(32, true) }
    case 'uint32':
      return { type: int(32, false) }
    case 'int64':
      return { type: int(64, true) }
    case 'uint64':
      return { type: int(64, false) }
    case 'sint32':
    case 'sfixed32':
      return { type: int(32, true), protobuf: scalar }
    case 'fixed32':
      return { type: int(32, false), protobuf: scalar }
    case 'sint64':
    case 'sfixed64':
      return { type: int(64, true), protobuf: scalar }
    case 'fixed64':
      return { type: int(64, false), protobuf: scalar }
  }
}

/** What a scalar is when nobody has written it, in our JSON. */
export function zeroJson(scalar: Scalar): Json {
  if (scalar === 'bool') return false
  if (scalar === 'string' || scalar === 'bytes') return ''
  return scalar.includes('64') ? '0' : 0
}

const json: Slot = { type: { kind: 'json' } }

const values: Readonly<Record<string, Slot>> = {
  'google.protobuf.Timestamp': { type: { kind: 'instant' } },
  'google.protobuf.Duration': { type: { kind: 'string' }, protobuf: 'google.protobuf.Duration' },
  'google.protobuf.Value': json,
  'google.protobuf.Struct': {
    type: { kind: 'map', key: { kind: 'string' }, of: json, js: 'record' },
    protobuf: 'google.protobuf.Struct',
  },
  'google.protobuf.ListValue': {
    type: { kind: 'list', of: json, js: 'array' },
    protobuf: 'google.protobuf.ListValue',
  },
}

const wrapped: Readonly<Record<string, Scalar>> = {
  'google.protobuf.DoubleValue': 'double',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
}

/** The slot of a message that is a value of its own; `undefined` for every other. */
export function wellKnownSlot(message: string, floats: Floats): Slot | undefined {
  if (Object.hasOwn(values, message)) return values[message]

  const scalar = Object.hasOwn(wrapped, message) ? wrapped[message] : undefined
  return scalar === undefined ? undefined : { ...scalarSlot(scalar, floats), protobuf: message }
}

/** A root stands in no field: it says itself which message carries it. */
export function rootSlot(slot: Slot, message: string): Slot {
  return { ...slot, protobuf: message }
}

export const emptyMessage = 'google.protobuf.Empty'
