/** Values that have no parts, in our own dialect: from JSON, and to JSON. */
import type { FloatType, IntType, Json, Type, Types } from '../../schema/type.ts'
import { formatBase64, parseBase64 } from './base64.ts'
import { formatInstant, parseInstant } from './instant.ts'
import { integerRange, parseInteger } from './integer.ts'

/** What a leaf returns for a value that does not fit. */
export const wrong: unique symbol = Symbol('wrong')

export type FromLeaf = (json: unknown) => unknown
export type ToLeaf = (value: unknown) => Json | typeof wrong

export type Leaf = { readonly from: FromLeaf; readonly to: ToLeaf }

/** `undefined` for a type that has parts. `json` has parts, too: any. */
export function leafOf(type: Type, types: Types): Leaf | undefined {
  switch (type.kind) {
    case 'string':
      return stringLeaf
    case 'bool':
      return boolLeaf
    case 'int':
      return type.js === 'bigint' ? bigintLeaf(type) : integerLeaf(type)
    case 'float':
      return floatLeaf(type)
    case 'bytes':
      return bytesLeaf
    case 'instant':
      return instantLeaf
    case 'literal':
      return oneOf(type.values)
    case 'ref': {
      const named = types[type.to]
      return named?.kind === 'enum' ? oneOf(named.values.map(({ value }) => value)) : undefined
    }
    default:
      return undefined
  }
}

const stringLeaf: Leaf = { from: same('string'), to: same('string') }
const boolLeaf: Leaf = { from: same('boolean'), to: same('boolean') }

function same(type: 'string' | 'boolean'): ToLeaf {
  return (value) => (typeof value === type ? (value as string | boolean) : wrong)
}

function integerLeaf(type: IntType): Leaf {
  const range = integerRange(type)
  const least = Number(range.least)
  const most = Number(range.most)

  // Adding zero makes minus zero zero: an integer has no sign of its own there.
  const check: ToLeaf = (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? value + 0
      : wrong
  return { from: check, to: check }
}

/** Written as a decimal string always; read from one, or from an integer literal, exactly. */
export function bigintLeaf(type: IntType): Leaf {
  const { least, most } = integerRange(type)
  return {
    from: (json) => {
      const value = typeof json === 'bigint' ? json : wholeOf(json)
      return value !== undefined && value >= least && value <= most ? value : wrong
    },
    to: (value) => (typeof value === 'bigint' && value >= least && value <= most ? value.toString() : wrong),
  }
}

function wholeOf(json: unknown): bigint | undefined {
  if (typeof json === 'string') return parseInteger(json)
  return Number.isSafeInteger(json) ? BigInt(json as number) : undefined
}

/** The largest finite float. Beyond it protobuf's `float` would become infinite. */
export const largestFloat = 3.4028234663852886e38

function floatLeaf(type: FloatType): Leaf {
  const most = type.bits === 32 ? largestFloat : Number.MAX_VALUE
  const fits = (value: number): boolean => value >= -most && value <= most

  return {
    from: (json) => {
      if (typeof json === 'number') return fits(json) ? json : wrong
      if (typeof json === 'bigint') return fits(Number(json)) ? Number(json) : wrong
      return type.nonFinite ? nonFiniteOf(json) : wrong
    },
    to: (value) => {
      if (typeof value !== 'number') return wrong
      if (fits(value)) return value
      return type.nonFinite && !Number.isFinite(value) ? String(value) : wrong
    },
  }
}

export function nonFiniteOf(json: unknown): number | typeof wrong {
  return json === 'NaN' || json === 'Infinity' || json === '-Infinity' ? Number(json) : wrong
}

const bytesLeaf: Leaf = {
  from: (json) => (typeof json === 'string' ? (parseBase64(json) ?? wrong) : wrong),
  to: (value) => (value instanceof Uint8Array ? formatBase64(value) : wrong),
}

const instantLeaf: Leaf = {
  from: (json) => {
    const milliseconds = typeof json === 'string' ? parseInstant(json) : NaN
    return Number.isNaN(milliseconds) ? wrong : new Date(milliseconds)
  },
  to: (value) => (value instanceof Date ? (formatInstant(value) ?? wrong) : wrong),
}

function oneOf(values: readonly (string | number | boolean)[]): Leaf {
  const known = new Set<unknown>(values)
  const check: ToLeaf = (value) => (known.has(value) ? (value as string | number | boolean) : wrong)
  return { from: check, to: check }
}
