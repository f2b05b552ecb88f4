/**
 * The rules of ProtoJSON (https://protobuf.dev/programming-guides/json) one by one, with protobuf-es as the judge: what
 * it reads we read as the same value, and what it refuses we refuse. Where we differ, it is said here and why.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fromJson, toBinary, toJson, fromBinary, type JsonValue } from '@bufbuild/protobuf'
import { descriptorOf } from '../../../../test/support/descriptor.ts'
import { Invalid } from '../../../schema/invalid.ts'
import type { Field, ObjectType, Schema, Slot, Type, Types } from '../../../schema/type.ts'
import { compileProtobuf } from '../../protobuf/compile.ts'
import { layout } from '../../protobuf/layout.ts'
import { Writer } from '../../writer.ts'
import { compileJson } from '../compile.ts'

const text: Type = { kind: 'string' }
const json: Type = { kind: 'json' }
const int = (bits: 32 | 64, signed: boolean, js: 'number' | 'bigint' = 'number'): Type => ({
  kind: 'int',
  bits,
  signed,
  js,
})

const slots = {
  orderId: { type: text },
  i32: { type: int(32, true) },
  u32: { type: int(32, false) },
  i64: { type: int(64, true, 'bigint') },
  u64: { type: int(64, false, 'bigint') },
  fixed64: { type: int(64, false, 'bigint'), protobuf: 'fixed64' },
  double: { type: { kind: 'float', bits: 64, nonFinite: true } },
  float: { type: { kind: 'float', bits: 32, nonFinite: true } },
  bool: { type: { kind: 'bool' } },
  bytes: { type: { kind: 'bytes' } },
  status: { type: { kind: 'ref', to: 'Status' } },
  at: { type: { kind: 'instant' } },
  atText: { type: text, protobuf: 'google.protobuf.Timestamp' },
  took: { type: text, protobuf: 'google.protobuf.Duration' },
  struct: { type: json, protobuf: 'google.protobuf.Struct' },
  value: { type: json, protobuf: 'google.protobuf.Value' },
  listValue: { type: json, protobuf: 'google.protobuf.ListValue' },
  boxedText: { type: text, protobuf: 'google.protobuf.StringValue' },
  boxedInt: { type: int(32, true), protobuf: 'google.protobuf.Int32Value' },
  boxedLong: { type: int(64, true, 'bigint'), protobuf: 'google.protobuf.Int64Value' },
  boxedDouble: {
    type: { kind: 'float', bits: 64, nonFinite: true },
    protobuf: 'google.protobuf.DoubleValue',
  },
  boxedBool: { type: { kind: 'bool' }, protobuf: 'google.protobuf.BoolValue' },
  boxedBytes: { type: { kind: 'bytes' }, protobuf: 'google.protobuf.BytesValue' },
  list: { type: { kind: 'list', of: { type: int(32, true) }, js: 'array' } },
  byText: { type: { kind: 'map', key: text, of: { type: int(32, true) }, js: 'record' } },
  byInt: { type: { kind: 'map', key: int(32, true), of: { type: text }, js: 'map' } },
  byBool: { type: { kind: 'map', key: { kind: 'bool' }, of: { type: text }, js: 'map' } },
  inner: { type: { kind: 'ref', to: 'Inner' } },
} satisfies Record<string, Slot>

type Name = keyof typeof slots

const fields: Field[] = Object.entries(slots).map(([name, slot], index) => ({
  ...slot,
  name,
  number: index + 1,
  optional: true,
}))

const types: Types = {
  Root: { kind: 'object', unknown: 'strip', fields },
  Inner: {
    kind: 'object',
    unknown: 'strip',
    fields: [{ name: 'note', number: 1, type: text, optional: true }],
  },
  Status: {
    kind: 'enum',
    values: [
      { name: 'STATUS_UNSPECIFIED', value: 'unspecified', number: 0 },
      { name: 'STATUS_PAID', value: 'paid', number: 1 },
      { name: 'STATUS_LOST', value: 'lost', number: -3 },
    ],
  },
}
const schema: Schema = { root: { type: { kind: 'ref', to: 'Root' } }, types }
const codec = compileJson(schema, 'protojson')
const protobuf = compileProtobuf(schema)
const judge = descriptorOf(layout(schema))

/** What ours makes of it: the value, or `refused`. */
function ours(document: JsonValue): unknown {
  try {
    return codec.decodeText(JSON.stringify(document))
  } catch (error) {
    if (error instanceof Invalid) return 'refused'
    throw error
  }
}

/** What the judge makes of it, in our values. */
function theirs(document: JsonValue): unknown {
  let bytes
  try {
    bytes = Buffer.from(toBinary(judge, fromJson(judge, document, { ignoreUnknownFields: true })))
  } catch {
    return 'refused'
  }
  return protobuf.decode(bytes, 0, bytes.length)
}

const integers = (
  [
    [0, -0, 1, -1, 2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296, 1.5, 1e3, 5e-1],
    ['0', '1', '-1', '2147483647', '4294967295', '4294967296', '1.0', '1e3', '1.5e1', '1.5', '', ' 1', '1 '],
    ['0x10', 'NaN', 'Infinity', '9007199254740993', '9223372036854775807', '9223372036854775808', 'one'],
    ['18446744073709551615', '18446744073709551616', '-9223372036854775808', '-9223372036854775809'],
    [9007199254740991, true, false, null, [], {}, [1]],
  ] as JsonValue[][]
).flat()
const doubles = (
  [
    [0, 1, -1.5, 1e300, -1e300, 1e-320, 3.4028234663852886e38, 3.5e38, -3.5e38],
    ['NaN', 'Infinity', '-Infinity', '1', '-1.5', '1e3', '1E-3', '', ' 1', 'nan', 'inf', '+Infinity', '0x1'],
    [true, null, [], {}],
  ] as JsonValue[][]
).flat()
const texts: JsonValue[] = ['', 'a', 'é€😀', '\u0000', 1, true, null, [], {}]
const base64: JsonValue[] = [
  '',
  'AA==',
  'AA',
  'A',
  '+/+/',
  '-_-_',
  '+/8=',
  '-_8=',
  '-_8',
  'not base64!',
  1,
  null,
  [1],
]
const bools: JsonValue[] = [true, false, 'true', 'false', 0, 1, '', null, [], {}]
const times = (
  [
    ['2026-11-21T10:24:15Z', '2026-11-21T10:24:15.5Z', '2026-11-21T10:24:15.123456789Z'],
    [
      '2026-11-21T10:24:15+01:30',
      '2026-11-21T10:24:15.1-08:00',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
    ],
    [
      '0000-12-31T23:59:59Z',
      '10000-01-01T00:00:00Z',
      '2026-11-21',
      '2026-11-21T10:24:15',
      '2026-02-30T00:00:00Z',
    ],
    ['', 'now', 0, 1700000000, true, null, {}, []],
  ] as JsonValue[][]
).flat()

const cases: Record<Name, JsonValue[]> = {
  orderId: texts,
  i32: integers,
  u32: integers,
  i64: integers,
  u64: integers,
  fixed64: integers,
  double: doubles,
  float: doubles,
  bool: bools,
  bytes: base64,
  status: [
    'STATUS_PAID',
    'STATUS_UNSPECIFIED',
    'STATUS_LOST',
    0,
    1,
    -3,
    1.5,
    '1',
    'paid',
    '',
    true,
    null,
    [],
    {},
  ],
  at: times,
  atText: times,
  took: (
    [
      ['0s', '1s', '1.5s', '-1.5s', '0.000000001s', '-0.5s', '315576000000s', '-315576000000s', '3600s'],
      ['315576000001s', '1', 's', '1.s', '.5s', '1.0000000001s', '1.50s', 'PT1S', '', 1, true, null, {}],
    ] as JsonValue[][]
  ).flat(),
  struct: [{}, { a: 1, b: 'x', c: null, d: [1, { e: true }] }, { __proto__: 1 }, [], 'a', 1, true, null],
  value: [null, 0, 1.5, 'a', '', true, false, [], [null, 1], {}, { a: null, b: { c: [] } }],
  listValue: [[], [1, 'a', null, [], {}], {}, 'a', 1, true, null],
  boxedText: texts,
  boxedInt: integers,
  boxedLong: integers,
  boxedDouble: doubles,
  boxedBool: bools,
  boxedBytes: base64,
  list: [[], [1], [1, '2', 3], [1, null], ['a'], [[1]], {}, 'a', 1, null],
  byText: [
    {},
    { a: 1, '': 2, é: '3' },
    { a: null },
    { a: 'x' },
    [],
    'a',
    null,
    JSON.parse('{"__proto__":1}'),
  ],
  byInt: [
    {},
    { 1: 'a', '-2': 'b' },
    { a: 'a' },
    { '1.5': 'a' },
    { 2147483648: 'a' },
    { 1: null },
    { '': 'a' },
    null,
  ],
  byBool: [{}, { true: 'a', false: 'b' }, { 1: 'a' }, { TRUE: 'a' }, null],
  inner: [{}, { note: 'a' }, { note: null }, { unknown: 1 }, { note: 1 }, [], 'a', null],
}

const hexadecimal = 'not a number in JSON, which has no hexadecimal digits'
const exponents = 'the rules allow exponents in quotes, for 64 bits too, and white space for none'
const keepsDigits = 'a float keeps the digits that it was sent with; protobuf rounds it'
const enumName = 'an enum is validated like all else'
const calendar = 'there is no such day'

/** Where we are not of the judge's opinion: what ours makes of it, and why. */
const differences: Partial<Record<Name, readonly (readonly [JsonValue, unknown, why: string])[]>> = {
  i32: [['0x10', 'refused', hexadecimal]],
  u32: [['0x10', 'refused', hexadecimal]],
  i64: wide('i64'),
  u64: wide('u64'),
  fixed64: wide('fixed64'),
  double: [['0x1', 'refused', hexadecimal]],
  float: [
    ['0x1', 'refused', hexadecimal],
    [1e-320, { float: 1e-320 }, keepsDigits],
    ['1E-3', { float: 0.001 }, keepsDigits],
  ],
  status: [
    ['1', 'refused', enumName],
    ['paid', 'refused', enumName],
    ['', 'refused', enumName],
  ],
  at: [['2026-02-30T00:00:00Z', 'refused', calendar]],
  atText: [['2026-02-30T00:00:00Z', 'refused', calendar]],
  boxedInt: [['0x10', 'refused', hexadecimal]],
  boxedLong: wide('boxedLong'),
  boxedDouble: [['0x1', 'refused', hexadecimal]],
}

function wide(name: Name): (readonly [JsonValue, unknown, string])[] {
  return [
    ['0x10', 'refused', hexadecimal],
    ['1.0', { [name]: 1n }, exponents],
    ['1e3', { [name]: 1000n }, exponents],
    ['1.5e1', { [name]: 15n }, exponents],
    [' 1', 'refused', exponents],
    ['1 ', 'refused', exponents],
  ]
}

suite('ProtoJSON', () => {
  for (const [name, documents] of Object.entries(cases) as [Name, JsonValue[]][]) {
    test(`${name} is read as protobuf-es reads it`, () => {
      for (const document of documents) {
        const whole = { [name]: document }
        const difference = differences[name]?.find(([other]) => Object.is(other, document))
        const wanted = difference === undefined ? theirs(whole) : difference[1]
        assert.deepEqual(ours(whole), wanted, `${JSON.stringify(whole)} ${difference?.[2] ?? ''}`)
        if (difference !== undefined) assert.notDeepEqual(theirs(whole), wanted, JSON.stringify(whole))
      }
    })
  }

  test('what is read is written as protobuf-es writes it, and read from that again', () => {
    for (const [name, documents] of Object.entries(cases)) {
      for (const document of documents) {
        const value = ours({ [name]: document })
        if (value === 'refused' || name === 'float') continue
        const writer = new Writer()
        protobuf.encode(value, writer)
        const written = codec.toJson(value)
        assert.deepEqual(
          written,
          toJson(judge, fromBinary(judge, writer.written())),
          `${name}: ${JSON.stringify(document)}`,
        )
        assert.deepEqual(codec.fromJson(written), value)
      }
    }
  })

  test('a field is read by its name in .proto as well; only the name in lowerCamelCase is written', () => {
    assert.deepEqual(codec.fromJson({ order_id: 'a', at_text: '2026-11-21T10:24:15Z' }), {
      orderId: 'a',
      atText: '2026-11-21T10:24:15Z',
    })
    assert.deepEqual(codec.toJson({ orderId: 'a' }), { orderId: 'a' })
  })

  test('unknown fields are ignored, or refused by name where the type says so', () => {
    assert.deepEqual(codec.fromJson({ orderId: 'a', other: 1, inner: { more: {} } }), {
      orderId: 'a',
      inner: {},
    })
    const strict = compileJson(
      { ...schema, types: { ...types, Inner: { ...types['Inner'], unknown: 'refuse' } as ObjectType } },
      'protojson',
    )
    assert.throws(() => strict.fromJson({ inner: { more: 1 } }), /inner\.more: is not a declared field/)
    assert.deepEqual(strict.fromJson({ other: 1, inner: { note: 'a' } }), { inner: { note: 'a' } })
  })

  test('of a oneof at most one field is there; null is none', () => {
    const member = (name: string, number: number): Field => ({
      name,
      number,
      type: text,
      optional: true,
      oneof: 'kind',
    })
    const either = compileJson(
      {
        root: { type: { kind: 'ref', to: 'Either' } },
        types: {
          Either: { kind: 'object', unknown: 'strip', fields: [member('left', 1), member('right', 2)] },
        },
      },
      'protojson',
    )
    assert.deepEqual(either.fromJson({}), {})
    assert.deepEqual(either.fromJson({ left: null, right: '' }), { right: '' })
    assert.throws(() => either.fromJson({ left: 'a', right: 'b' }), /at most one of "left", "right"/)
  })

  test('a required field of proto2 must be there, and is written when it is zero', () => {
    const required = compileJson(
      {
        root: { type: { kind: 'ref', to: 'Old' } },
        types: {
          Old: {
            kind: 'object',
            unknown: 'strip',
            fields: [{ name: 'count', number: 1, type: int(32, true), presence: 'required' }],
          },
        },
      },
      'protojson',
    )
    assert.deepEqual(required.toJson({ count: 0 }), { count: 0 })
    assert.deepEqual(required.fromJson({ count: 0 }), { count: 0 })
    assert.throws(() => required.fromJson({}), Invalid)
  })
})
