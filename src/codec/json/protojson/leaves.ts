/** Values that have no parts in ProtoJSON: from JSON, and to JSON. https://protobuf.dev/programming-guides/json */
import type { FloatType, IntType, LiteralType, Type } from '../../../schema/type.ts'
import type { EnumLayout, Scalar, ScalarLayout, WellKnown } from '../../protobuf/message-layout.ts'
import { integerRange, parseScientificInteger } from '../integer.ts'
import { leafOf, nonFiniteOf, wrong, type Leaf } from '../leaves.ts'
import { fromDuration, toDuration } from './duration.ts'
import { dateLeaf, textLeaf } from './timestamp.ts'

export function scalarLeaf({ proto, type }: ScalarLayout): Leaf {
  switch (type.kind) {
    case 'int':
      return integerLeaf(proto, type)
    case 'float':
      return floatLeaf(type)
    case 'literal':
      return literalLeaf(proto, type)
    default:
      return plainLeaf(type)
  }
}

function plainLeaf(type: Type): Leaf {
  const leaf = leafOf(type, {})
  if (leaf === undefined) throw new TypeError(`ProtoJSON has no scalar for the type "${type.kind}"`)
  return leaf
}

const quoted = new Set<Scalar>(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'])

/** Numbers of 64 bits are written as strings; both forms are read for all widths, with exponents, too. */
function integerLeaf(proto: Scalar, type: IntType): Leaf {
  const range = integerRange(type)
  const width = protoRange(proto)
  const least = range.least > width.least ? range.least : width.least
  const most = range.most < width.most ? range.most : width.most

  return {
    from: (json) => {
      const value = wholeOf(json)
      if (value === undefined || value < least || value > most) return wrong
      return type.js === 'bigint' ? value : Number(value)
    },
    to: (value) => {
      const whole =
        type.js === 'bigint' ? value : Number.isInteger(value) ? BigInt(value as number) : undefined
      if (typeof whole !== 'bigint' || whole < least || whole > most) return wrong
      return quoted.has(proto) ? whole.toString() : Number(whole)
    },
  }
}

function protoRange(proto: Scalar): { readonly least: bigint; readonly most: bigint } {
  const signed = !proto.startsWith('u') && !proto.startsWith('fixed')
  return integerRange({ kind: 'int', bits: proto.endsWith('64') ? 64 : 32, signed, js: 'bigint' })
}

function wholeOf(json: unknown): bigint | undefined {
  if (typeof json === 'bigint') return json
  if (typeof json === 'string') return parseScientificInteger(json)
  return Number.isSafeInteger(json) ? BigInt(json as number) : undefined
}

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function floatLeaf(type: FloatType): Leaf {
  const plain = plainLeaf(type)
  return {
    to: plain.to,
    from: (json) => {
      if (typeof json !== 'string') return plain.from(json)
      const special = nonFiniteOf(json)
      if (special !== wrong) return type.nonFinite ? special : wrong
      return number.test(json) ? plain.from(Number(json)) : wrong
    },
  }
}

function literalLeaf(proto: Scalar, type: LiteralType): Leaf {
  const plain = plainLeaf(type)
  if (typeof type.values[0] !== 'number') return plain
  return {
    to: (value) => {
      const json = plain.to(value)
      return json !== wrong && quoted.has(proto) ? String(json) : json
    },
    from: (json) => plain.from(typeof json === 'string' && number.test(json) ? Number(json) : json),
  }
}

/** Written by name, read by name or number. */
export function enumLeaf(layout: EnumLayout): Leaf {
  const read = new Map<unknown, unknown>()
  const written = new Map<unknown, string>()

  for (const { name, number: key, value } of layout.values) {
    if (value === undefined) continue
    read.set(name, value).set(key, value)
    if (!written.has(value)) written.set(value, name)
  }
  return {
    from: (json) => (read.has(json) ? read.get(json) : wrong),
    to: (value) => written.get(value) ?? wrong,
  }
}

/** `undefined` for the well-known types that hold any JSON. */
export function wellKnownLeaf(proto: WellKnown, type: Type): Leaf | undefined {
  if (proto === 'google.protobuf.Duration') return durationLeaf
  if (proto !== 'google.protobuf.Timestamp') return undefined
  return type.kind === 'instant' ? dateLeaf : textLeaf
}

const durationLeaf: Leaf = {
  from: (json) => (typeof json === 'string' ? (fromDuration(json) ?? wrong) : wrong),
  to: (value) => (typeof value === 'string' ? (toDuration(value) ?? wrong) : wrong),
}
