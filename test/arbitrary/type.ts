/**
 * Type models with a value each: what no schema library has a word for too, such as `sint64`, wrappers and nullable
 * elements of lists in lists. The protobuf codec is tested with them.
 */
import * as fc from 'fast-check'
import type { Field, Json, Named, Schema, Slot, Type } from '../../src/schema/type.ts'

export interface Example {
  readonly schema: Schema
  readonly value: unknown
}

type Table = Readonly<Record<string, Named>>

/** A slot, values for it, and the named types that it brings along. */
interface Place {
  readonly slot: Slot
  readonly value: fc.Arbitrary<unknown>
  readonly types?: Table
}

let count = 0

/** Names that nobody has yet, also while an example is being shrunk. */
function freshName(hint: string): string {
  count += 1
  return `${hint}${count}`
}

const text = fc.string({ unit: 'grapheme', maxLength: 60 })
const key = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('__proto__', 'constructor', '', 'é'))

const integers = (low: number, high: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: low, max: high }), fc.constantFrom(low, high, 0, 1, 127, 128, 16384))
const bigs = (low: bigint, high: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt({ min: low, max: high }), fc.constantFrom(low, high, 0n, 1n, 127n, 128n, 2n ** 53n))

const int32 = integers(-(2 ** 31), 2 ** 31 - 1)
const uint32 = integers(0, 2 ** 32 - 1)
const safe = integers(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
const positiveSafe = integers(0, Number.MAX_SAFE_INTEGER)
const int64 = bigs(-(2n ** 63n), 2n ** 63n - 1n)
const uint64 = bigs(0n, 2n ** 64n - 1n)

function integer(bits: 32 | 64, signed: boolean, js: 'number' | 'bigint'): Type {
  return { kind: 'int', bits, signed, js }
}

const scalars: readonly Place[] = [
  { slot: { type: { kind: 'string' } }, value: text },
  { slot: { type: { kind: 'bool' } }, value: fc.boolean() },
  {
    slot: { type: { kind: 'bytes' } },
    value: fc.uint8Array({ maxLength: 200 }).map((one) => Uint8Array.from(one)),
  },
  { slot: { type: { kind: 'float', bits: 64 } }, value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { slot: { type: { kind: 'float', bits: 64, nonFinite: true } }, value: fc.double() },
  { slot: { type: { kind: 'float', bits: 32 } }, value: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { slot: { type: integer(32, true, 'number') }, value: int32 },
  { slot: { type: integer(32, true, 'number'), protobuf: 'sint32' }, value: int32 },
  { slot: { type: integer(32, true, 'number'), protobuf: 'sfixed32' }, value: int32 },
  { slot: { type: integer(32, true, 'number'), protobuf: 'int64' }, value: int32 },
  { slot: { type: integer(32, false, 'number') }, value: uint32 },
  { slot: { type: integer(32, false, 'number'), protobuf: 'fixed32' }, value: uint32 },
  { slot: { type: integer(64, true, 'number') }, value: safe },
  { slot: { type: integer(64, true, 'number'), protobuf: 'sint64' }, value: safe },
  { slot: { type: integer(64, true, 'number'), protobuf: 'sfixed64' }, value: safe },
  { slot: { type: integer(64, true, 'number'), protobuf: 'uint32' }, value: uint32 },
  { slot: { type: integer(64, false, 'number'), protobuf: 'int64' }, value: positiveSafe },
  { slot: { type: integer(64, true, 'bigint') }, value: int64 },
  { slot: { type: integer(64, true, 'bigint'), protobuf: 'sint64' }, value: int64 },
  { slot: { type: integer(64, true, 'bigint'), protobuf: 'sfixed64' }, value: int64 },
  { slot: { type: integer(64, true, 'bigint'), protobuf: 'sint32' }, value: int32.map(BigInt) },
  { slot: { type: integer(64, false, 'bigint') }, value: uint64 },
  { slot: { type: integer(64, false, 'bigint'), protobuf: 'fixed64' }, value: uint64 },
  { slot: { type: { kind: 'literal', values: ['only'] } }, value: fc.constant('only') },
  {
    slot: { type: { kind: 'literal', values: ['', 'one', 'two'] } },
    value: fc.constantFrom('', 'one', 'two'),
  },
  { slot: { type: { kind: 'literal', values: [3, -7] } }, value: fc.constantFrom(3, -7) },
  { slot: { type: { kind: 'literal', values: [0, 1.5] } }, value: fc.constantFrom(0, 1.5) },
  { slot: { type: { kind: 'literal', values: [true] } }, value: fc.constant(true) },
  { slot: { type: { kind: 'ref', to: 'Size' } }, value: fc.constantFrom('small', 'large', 7) },
  { slot: { type: { kind: 'ref', to: 'Sign' } }, value: fc.constantFrom('minus', 'plus') },
]

const moments = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})
const durations = fc
  .tuple(fc.boolean(), fc.nat(10_000_000), fc.nat(999_999_999))
  .map(([negative, seconds, nanos]) => durationText(negative, seconds, nanos))

function durationText(negative: boolean, seconds: number, nanos: number): string {
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`
  const parts = [
    seconds >= 3600 ? `${Math.floor(seconds / 3600)}H` : '',
    seconds % 3600 >= 60 ? `${Math.floor((seconds % 3600) / 60)}M` : '',
    seconds % 60 > 0 || nanos > 0 ? `${seconds % 60}${fraction}S` : '',
  ]
  const shown = parts.join('')
  return shown === '' ? 'PT0S' : `${negative ? '-' : ''}PT${shown}`
}

/** JSON without the prototype that `fc.jsonValue` sometimes leaves out, and without −0. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value): unknown => JSON.parse(JSON.stringify(value)))
const jsonObject = fc
  .dictionary(key, json, { maxKeys: 3 })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))
const anyJson: Type = { kind: 'json' }

const messages: readonly Place[] = [
  { slot: { type: { kind: 'instant' } }, value: moments },
  { slot: { type: anyJson }, value: json },
  { slot: { type: anyJson, protobuf: 'google.protobuf.Struct' }, value: jsonObject },
  { slot: { type: anyJson, protobuf: 'google.protobuf.ListValue' }, value: fc.array(json, { maxLength: 3 }) },
  {
    slot: {
      type: { kind: 'list', js: 'array', of: { type: anyJson } },
      protobuf: 'google.protobuf.ListValue',
    },
    value: fc.array(json, { maxLength: 3 }),
  },
  {
    slot: {
      type: { kind: 'map', js: 'record', key: { kind: 'string' }, of: { type: anyJson } },
      protobuf: 'google.protobuf.Struct',
    },
    value: jsonObject,
  },
  { slot: { type: { kind: 'string' }, protobuf: 'google.protobuf.Duration' }, value: durations },
  {
    slot: { type: { kind: 'string' }, protobuf: 'google.protobuf.Timestamp' },
    value: moments.map((one) => one.toISOString().replace(/\.?0+Z$/, 'Z')),
  },
  { slot: { type: { kind: 'string' }, protobuf: 'google.protobuf.StringValue' }, value: text },
  { slot: { type: { kind: 'bool' }, protobuf: 'google.protobuf.BoolValue' }, value: fc.boolean() },
  { slot: { type: integer(64, true, 'bigint'), protobuf: 'google.protobuf.Int64Value' }, value: int64 },
  {
    slot: { type: { kind: 'ref', to: 'Nothing' }, protobuf: 'google.protobuf.Empty' },
    value: fc.constant({}),
  },
]

/** The named types that are always there; `Tree` is recursive. */
const common: Table = {
  Size: {
    kind: 'enum',
    values: [
      { name: 'LARGE', value: 'large', number: 2 },
      { name: 'SMALL', value: 'small', number: 0 },
      { name: 'SEVEN', value: 7, number: 1000 },
    ],
  },
  Sign: {
    kind: 'enum',
    values: [
      { name: 'MINUS', value: 'minus', number: -1 },
      { name: 'PLUS', value: 'plus', number: 1 },
    ],
  },
  Nothing: { kind: 'object', unknown: 'strip', fields: [] },
  Tree: {
    kind: 'object',
    unknown: 'strip',
    fields: [
      { name: 'label', number: 1, type: { kind: 'string' } },
      {
        name: 'branches',
        number: 2,
        type: { kind: 'list', js: 'array', of: { type: { kind: 'ref', to: 'Tree' } } },
      },
      { name: 'next', number: 20, optional: true, type: { kind: 'ref', to: 'Tree' } },
    ],
  },
}

function tree(depth: number): fc.Arbitrary<unknown> {
  if (depth === 0) return fc.record({ label: text, branches: fc.constant([]) }, { noNullPrototype: true })

  const inner = tree(depth - 1)
  return fc
    .record(
      {
        label: text,
        branches: fc.array(inner, { maxLength: 2 }),
        next: fc.option(inner, { nil: undefined }),
      },
      { noNullPrototype: true },
    )
    .map(withoutUndefined)
}

function withoutUndefined(value: unknown): unknown {
  return Object.fromEntries(Object.entries(value as object).filter(([, one]) => one !== undefined))
}

/** A place whose types are added to the table, which all places of one schema share. */
function place(depth: number): fc.Arbitrary<Place> {
  const flat = fc.constantFrom(...scalars, ...messages, {
    slot: { type: { kind: 'ref', to: 'Tree' } as Type },
    value: tree(3),
  })
  if (depth === 0) return flat

  const inner = fc.constant(undefined).chain(() => nullable(place(depth - 1)))
  return fc.oneof(
    { arbitrary: flat, weight: 4 },
    { arbitrary: inner.map(list), weight: 2 },
    { arbitrary: fc.constantFrom(...scalars).map(set), weight: 1 },
    { arbitrary: fc.tuple(fc.constantFrom(...keys), inner).map(([one, of]) => map(one, of)), weight: 2 },
    {
      arbitrary: fc
        .tuple(fc.array(inner, { minLength: 1, maxLength: 3 }), fc.option(inner))
        .map(([items, rest]) => tuple(items, rest)),
      weight: 1,
    },
    { arbitrary: fc.constant(undefined).chain(() => object(depth - 1)), weight: 2 },
    { arbitrary: fc.constant(undefined).chain(() => union(depth - 1)), weight: 1 },
  )
}

function nullable(of: fc.Arbitrary<Place>): fc.Arbitrary<Place> {
  return fc
    .tuple(of, fc.boolean())
    .map(([one, isNullable]) =>
      isNullable ? { ...one, slot: { ...one.slot, nullable: true }, value: fc.option(one.value) } : one,
    )
}

function list(of: Place): Place {
  return {
    types: of.types,
    slot: { type: { kind: 'list', js: 'array', of: of.slot } },
    value: fc.array(of.value, { maxLength: 4 }),
  }
}

/** Of scalars only: what is equal is the same then. NaN and bytes are left to lists. */
function set(of: Place): Place {
  if (of.slot.type.kind === 'bytes' || of.slot.type.kind === 'float') return list(of)
  return {
    slot: { type: { kind: 'list', js: 'set', of: of.slot } },
    value: fc.array(of.value, { maxLength: 4 }).map((elements) => new Set(elements)),
  }
}

interface Key {
  readonly type: Type
  readonly value: fc.Arbitrary<unknown>
}

const keys: readonly Key[] = [
  { type: { kind: 'string' }, value: key },
  { type: integer(32, true, 'number'), value: int32 },
  { type: integer(64, false, 'bigint'), value: uint64 },
  { type: { kind: 'bool' }, value: fc.boolean() },
  { type: { kind: 'literal', values: ['a', 'b'] }, value: fc.constantFrom('a', 'b') },
  { type: { kind: 'ref', to: 'Size' }, value: fc.constantFrom('small', 'large', 7) },
]

function map(of: Key, value: Place): Place {
  const entries = fc.array(fc.tuple(of.value, value.value), { maxLength: 4 })
  const type = { kind: 'map', key: of.type, of: value.slot } as const
  const { types } = value
  if (of.type.kind === 'string') {
    return { types, slot: { type: { ...type, js: 'record' } }, value: entries.map(record) }
  }
  return { types, slot: { type: { ...type, js: 'map' } }, value: entries.map((pairs) => new Map(pairs)) }
}

function record(pairs: readonly (readonly [unknown, unknown])[]): unknown {
  return Object.fromEntries(pairs.map(([name, value]) => [String(name), value]))
}

function tuple(items: readonly Place[], rest: Place | null): Place {
  const slots = items.map(({ slot }) => slot)
  const fixed = fc.tuple(...items.map(({ value }) => value))
  const types = typesOf(rest === null ? items : [...items, rest])
  if (rest === null) return { types, slot: { type: { kind: 'tuple', items: slots } }, value: fixed }
  return {
    types,
    slot: { type: { kind: 'tuple', items: slots, rest: rest.slot } },
    value: fc
      .tuple(fixed, fc.array(rest.value, { maxLength: 3 }))
      .map(([first, more]) => [...first, ...more]),
  }
}

type Presence = 'required' | 'optional' | 'nullable' | 'nullish' | 'default'

const defaults: Readonly<Partial<Record<Type['kind'], Json>>> = {
  string: 'else',
  bool: true,
  float: 0.5,
  list: [],
  map: {},
}

function field(
  name: string,
  number: number,
  of: Place,
  presence: Presence,
): { field: Field; value: fc.Arbitrary<unknown> } {
  const base = { ...of.slot, name, number }
  switch (presence) {
    case 'optional':
      return { field: { ...base, optional: true }, value: fc.option(of.value, { nil: undefined }) }
    case 'nullable':
      return { field: { ...base, nullable: true }, value: fc.option(of.value) }
    case 'nullish':
      return {
        field: { ...base, nullable: true, optional: true },
        value: fc.oneof(of.value, fc.constantFrom(null, undefined)),
      }
    case 'default': {
      const fallback = of.slot.protobuf === undefined ? defaults[of.slot.type.kind] : undefined
      return fallback === undefined
        ? { field: base, value: of.value }
        : { field: { ...base, default: fallback }, value: of.value }
    }
    default:
      return { field: base, value: of.value }
  }
}

const names = [
  'id',
  'orderId',
  'order-id',
  '__proto__',
  'constructor',
  'größe',
  '0',
  'value',
  'a b',
  'length',
]

function object(depth: number, discriminator?: readonly [string, string]): fc.Arbitrary<Place> {
  const presences = fc.constantFrom<Presence>(
    'required',
    'required',
    'optional',
    'nullable',
    'nullish',
    'default',
  )
  const numbers = fc.uniqueArray(
    fc.oneof(fc.integer({ min: 2, max: 40 }), fc.constantFrom(2047, 2048, 536_870_911)),
    { minLength: 6, maxLength: 6 },
  )

  return fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...names), { maxLength: 6 }),
      fc.array(fc.tuple(place(depth), presences), { minLength: 6, maxLength: 6 }),
      numbers,
    )
    .map(([chosen, places, taken]) => {
      const ascending = taken.toSorted((one, other) => one - other)
      const fields = chosen.map((name, index) => {
        const [of, presence] = places[index] as [Place, Presence]
        return field(name, ascending[index] as number, of, presence)
      })
      if (discriminator !== undefined) {
        const tag: Type = { kind: 'literal', values: [discriminator[1]] }
        fields.unshift(
          field(
            discriminator[0],
            1,
            { slot: { type: tag }, value: fc.constant(discriminator[1]) },
            'required',
          ),
        )
      }

      const name = freshName('Object')
      const made: Named = { kind: 'object', unknown: 'strip', fields: fields.map((one) => one.field) }
      const values = fc.tuple(...fields.map((one) => one.value))
      return {
        types: { ...typesOf(places.map(([of]) => of)), [name]: made },
        slot: { type: { kind: 'ref', to: name } },
        value: values.map((all) =>
          assembled(
            fields.map((one) => one.field.name),
            all,
          ),
        ),
      }
    })
}

/** Own properties, whatever they are called, and none that is undefined. */
function assembled(of: readonly string[], values: readonly unknown[]): unknown {
  return Object.fromEntries(
    of.map((name, index) => [name, values[index]] as const).filter(([, value]) => value !== undefined),
  )
}

function union(depth: number): fc.Arbitrary<Place> {
  return fc.tuple(object(depth, ['kind', 'left']), object(depth, ['kind', 'right'])).map(([left, right]) => {
    const name = freshName('Union')
    const target = (of: Place): string => (of.slot.type as { to: string }).to
    const made: Named = {
      kind: 'union',
      by: 'kind',
      variants: [
        { tag: 'left', to: target(left), number: 1 },
        { tag: 'right', to: target(right), number: 17 },
      ],
    }
    return {
      types: { ...typesOf([left, right]), [name]: made },
      slot: { type: { kind: 'ref', to: name } },
      value: fc.oneof(left.value, right.value),
    }
  })
}

/** A schema and a value of it. Fields have ascending numbers; values come back from the wire as they are. */
export function example(depth = 3): fc.Arbitrary<Example> {
  const root = fc.oneof(
    { arbitrary: object(depth), weight: 3 },
    { arbitrary: nullable(place(depth)), weight: 1 },
  )
  return root.chain(({ slot, value, types }) =>
    value.map((one) => ({ schema: { root: slot, types: { ...common, ...types } }, value: one })),
  )
}

function typesOf(places: readonly Place[]): Table {
  return Object.assign({}, ...places.map(({ types }) => types)) as Table
}
