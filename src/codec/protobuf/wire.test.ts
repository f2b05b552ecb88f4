/** The wire rules of proto3 and the mapping of layout.ts, byte by byte, over both back-ends. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Invalid } from '../../schema/invalid.ts'
import type { Field, Schema, Slot, Type, Types } from '../../schema/type.ts'
import { Writer } from '../writer.ts'
import { compileProtobuf, type ProtobufCodec, type ProtobufOptions } from './compile.ts'

const text: Type = { kind: 'string' }
const bool: Type = { kind: 'bool' }
const int32: Type = { kind: 'int', bits: 32, signed: true, js: 'number' }
const int64: Type = { kind: 'int', bits: 64, signed: true, js: 'number' }
const big64: Type = { kind: 'int', bits: 64, signed: true, js: 'bigint' }
const double: Type = { kind: 'float', bits: 64 }
const bytes: Type = { kind: 'bytes' }
const instant: Type = { kind: 'instant' }
const json: Type = { kind: 'json' }
const ref = (to: string): Type => ({ kind: 'ref', to })
const list = (of: Type | Slot): Type => ({ kind: 'list', js: 'array', of: slotOf(of) })
const set = (of: Type): Type => ({ kind: 'list', js: 'set', of: { type: of } })
const record = (of: Type | Slot): Type => ({ kind: 'map', js: 'record', key: text, of: slotOf(of) })

function slotOf(of: Type | Slot): Slot {
  return 'kind' in of ? { type: of } : of
}

type FieldOf = Type | (Slot & Partial<Omit<Field, 'name' | 'number'>>)

/** A message with the fields a, b, c … of the numbers 1, 2, 3 … */
function message(fields: Readonly<Record<string, FieldOf>>, types: Types = {}): Schema {
  const declared = Object.entries(fields).map(([name, of], index): Field => {
    const field = 'kind' in of ? { type: of } : of
    return { ...field, name, number: index + 1 }
  })
  return {
    root: { type: ref('Root') },
    types: { ...types, Root: { kind: 'object', unknown: 'strip', fields: declared } },
  }
}

function root(slot: Type | Slot, types: Types = {}): Schema {
  return { root: slotOf(slot), types }
}

for (const generate of [true, false]) {
  describe(generate ? 'generated' : 'closures', () => specification(generate))
}

function specification(generate: boolean): void {
  const compile = (schema: Schema, options: ProtobufOptions = {}): ProtobufCodec =>
    compileProtobuf(schema, { ...options, generate })

  function encode(schema: Schema, value: unknown): string {
    const writer = new Writer(16)
    compile(schema).encode(value, writer)
    return writer.copy().toString('hex')
  }

  function decode(schema: Schema, hex: string, options?: ProtobufOptions): unknown {
    const frame = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    return compile(schema, options).decode(frame, 0, frame.length)
  }

  /** The bytes that protobuf has for a value, there and back. */
  function assertWire(schema: Schema, value: unknown, hex: string): void {
    assert.equal(encode(schema, value), hex.replaceAll(' ', ''))
    assert.deepEqual(decode(schema, hex), value)
  }

  function issuesOf(run: () => unknown): readonly string[] {
    try {
      run()
    } catch (error) {
      assert.ok(error instanceof Invalid, String(error))
      return error.issues.map(({ path, message: words }) => (path === '' ? words : `${path}: ${words}`))
    }
    throw new assert.AssertionError({ message: 'nothing was refused' })
  }

  function assertRefused(schema: Schema, hex: string, ...issues: readonly string[]): void {
    assert.deepEqual(
      issuesOf(() => decode(schema, hex)),
      issues,
    )
  }

  test('scalars of implicit presence: the zero is not written and absent is the zero', () => {
    assertWire(
      message({ a: text, b: int32, c: double, d: bool, e: bytes, f: big64 }),
      { a: '', b: 0, c: 0, d: false, e: new Uint8Array(0), f: 0n },
      '',
    )
    assertWire(message({ a: int32 }), { a: 150 }, '08 9601')
    assertWire(message({ a: int32 }), { a: -1 }, '08 ffffffffffffffffff01')
    assertWire(message({ a: text }), { a: 'testing' }, '0a 07 74657374696e67')
    assertWire(message({ a: double }), { a: -0 }, '09 0000000000000080')
    assertWire(message({ a: big64 }), { a: -(2n ** 63n) }, '08 80808080808080808001')
    assertWire(message({ a: int64 }), { a: Number.MIN_SAFE_INTEGER }, '08 818080808080 80f0ff01')
  })

  test('a declared bound holds for the zero of an absent field too', () => {
    const quantity: Type = {
      kind: 'int',
      bits: 32,
      signed: true,
      js: 'number',
      checks: [{ check: 'min', value: '1' }],
    }
    assertRefused(message({ quantity }), '', 'quantity: expected an integer ≥ 1, got 0')
    assertRefused(message({ quantity }), '08 00', 'quantity: expected an integer ≥ 1, got 0')
    assert.deepEqual(
      issuesOf(() => encode(message({ quantity }), { quantity: 'two' })),
      ['quantity: expected an integer ≥ 1, got "two"'],
    )
  })

  test('optional, nullable and defaulted scalars have explicit presence', () => {
    assertWire(message({ a: { type: text, optional: true } }), {}, '')
    assertWire(message({ a: { type: text, optional: true } }), { a: '' }, '0a 00')
    assertWire(message({ a: { type: int32, nullable: true } }), { a: null }, '')
    assertWire(message({ a: { type: int32, nullable: true } }), { a: 0 }, '08 00')
    assertWire(message({ a: { type: int32, default: 7 } }), { a: 0 }, '08 00')
    assert.deepEqual(decode(message({ a: { type: int32, default: 7 } }), ''), { a: 7 })
    assert.equal(encode(message({ a: { type: int32, default: 7 } }), {}), '')
  })

  test('defaults are in our JSON dialect, and fresh each time', () => {
    const schema = message({
      a: { type: instant, default: '2024-02-29T00:00:00Z' },
      b: { type: big64, default: '9007199254740993' },
      c: { type: bytes, default: 'AQI=' },
      d: { type: list(int32), default: [1, 2] },
    })
    const expected = {
      a: new Date('2024-02-29T00:00:00Z'),
      b: 9007199254740993n,
      c: Uint8Array.of(1, 2),
      d: [1, 2],
    }
    const codec = compile(schema)
    const first = codec.decode(Buffer.alloc(0), 0, 0) as typeof expected
    assert.deepEqual(first, expected)
    first.d.push(3)
    first.c[0] = 9
    assert.deepEqual(codec.decode(Buffer.alloc(0), 0, 0), expected)
  })

  test('a nullish field is boxed: no box is undefined, an empty box is null', () => {
    const schema = message({ a: { type: int32, optional: true, nullable: true } })
    assertWire(schema, {}, '')
    assertWire(schema, { a: null }, '0a 00')
    assertWire(schema, { a: 0 }, '0a 02 08 00')

    const lists = message({ a: { type: list(int32), optional: true, nullable: true } })
    assertWire(lists, {}, '')
    assertWire(lists, { a: null }, '0a 00')
    assertWire(lists, { a: [] }, '0a 02 0a 00')
    assertWire(lists, { a: [1] }, '0a 05 0a 03 0a 01 01')
  })

  test('lists that may be absent, null elements, lists in lists and maps in lists are boxed', () => {
    assertWire(message({ a: { type: list(int32), optional: true } }), {}, '')
    assertWire(message({ a: { type: list(int32), optional: true } }), { a: [] }, '0a 00')
    assertWire(message({ a: { type: list(int32), nullable: true } }), { a: null }, '')
    assertWire(message({ a: list({ type: int32, nullable: true }) }), { a: [null, 0] }, '0a 00 0a 02 08 00')
    assertWire(message({ a: list(list(int32)) }), { a: [[], [1]] }, '0a 00 0a 03 0a 01 01')
    assertWire(message({ a: list(record(int32)) }), { a: [{}, { k: 1 }] }, '0a 00 0a 07 0a 05 0a 01 6b 10 01')
    assertWire(
      message({ a: record({ type: text, nullable: true }) }),
      { a: { k: null } },
      '0a 05 0a 01 6b 12 00',
    )
  })

  test('a root that is no message is boxed', () => {
    assertWire(root(int32), 0, '')
    assertWire(root(int32), 1, '08 01')
    assertWire(root({ type: int32, nullable: true }), null, '')
    assertWire(root(list(int32)), [1, 2], '0a 02 01 02')
    assertWire(root({ type: list(int32), nullable: true }), [], '0a 00')
    assertWire(root(instant), new Date(1000), '0a 02 08 01')
    assertWire(root({ type: instant, protobuf: 'google.protobuf.Timestamp' }), new Date(1000), '08 01')
    assertWire(root({ type: text, protobuf: 'google.protobuf.StringValue' }), 'a', '0a 01 61')
  })

  test('tuples are messages, the rest of one a repeated field', () => {
    const schema = root({
      kind: 'tuple',
      items: [{ type: text }, { type: int32, nullable: true }],
      rest: { type: bool },
    })
    assertWire(schema, ['a', null], '0a 01 61')
    assertWire(schema, ['', 0, true, false], '10 00 1a 02 01 00')
    assert.deepEqual(
      issuesOf(() => encode(schema, ['a'])),
      ['expected a list of at least 2 entries, got a list of 1 entries'],
    )
    assert.deepEqual(
      issuesOf(() => encode(schema, ['a', 1, true, 3])),
      ['[3]: expected true or false, got 3'],
    )
  })

  test('packed and unpacked are both read, mixed too; packed is written', () => {
    const schema = message({ a: list(int32), b: list(double), c: set(ref('Size')) }, sizes)
    assertWire(schema, { a: [3, 270, 86942], b: [], c: new Set() }, '0a 06 03 8e02 9ea705')
    assert.deepEqual(decode(schema, '08 03 0a 01 04 08 05 11 000000000000f03f'), {
      a: [3, 4, 5],
      b: [1],
      c: new Set(),
    })
    assertWire(schema, { a: [], b: [], c: new Set(['large', 'small']) }, '1a 02 02 01')
    assertRefused(schema, '1a 02 02 02', 'c: expected a set, got the same entry twice')
  })

  const sizes: Types = {
    Size: {
      kind: 'enum',
      values: [
        { name: 'SMALL', value: 'small', number: 1 },
        { name: 'LARGE', value: 'large', number: 2 },
      ],
    },
  }

  test('enums are closed; one without a zero must be there', () => {
    const schema = message({ size: ref('Size') }, sizes)
    assertWire(schema, { size: 'large' }, '08 02')
    assertRefused(schema, '', 'size: missing, expected one of "small", "large"')
    assertRefused(schema, '08 07', 'size: expected one of "small", "large", got "number 7"')
    assert.deepEqual(decode(schema, '08 82 80 80 80 10'), { size: 'large' }, 'cut to 32 bits')
  })

  test('a literal with one value may be left out by the sender', () => {
    const schema = message({ kind: { kind: 'literal', values: ['circle'] } })
    assertWire(schema, { kind: 'circle' }, '0a 06 636972636c65')
    assert.deepEqual(decode(schema, ''), { kind: 'circle' })
    assertRefused(schema, '0a 01 61', 'kind: expected "circle", got "a"')
  })

  test('messages that are not there are missing; JSON, dates and unions too', () => {
    const schema = message(
      { a: ref('Empty'), b: instant, c: json },
      { Empty: { kind: 'object', unknown: 'strip', fields: [] } },
    )
    assertRefused(
      schema,
      '',
      'a: missing, expected an object',
      'b: missing, expected a moment in time',
      'c: missing, expected a JSON value',
    )
  })

  test('fields that nobody knows are skipped, groups with all that is in them too', () => {
    const schema = message({ a: int32 })
    const unknown = [
      '50 01',
      '51 0102030405060708',
      '52 02 6162',
      '55 01020304',
      '53 08 01 5b 5c 55 01020304 54',
      'fa ff ff ff 0f 01 00',
    ]
    for (const field of unknown) assert.deepEqual(decode(schema, `${field} 08 05 ${field}`), { a: 5 }, field)

    assert.deepEqual(
      decode(schema, '0a 01 61 0d 01020304'),
      { a: 0 },
      'the wrong wire type is an unknown field',
    )
    assertRefused(schema, '53 08 01', 'malformed protobuf: a group has no end (byte 1)')
    assertRefused(schema, '53 5c', 'malformed protobuf: a group ends with the number of another (byte 2)')
    assertRefused(schema, '54', 'malformed protobuf: a group ends that never began (byte 1)')
  })

  test('bytes that are no message are refused, with the place', () => {
    const schema = message({ a: int32, b: text })
    assertRefused(schema, '00 01', 'malformed protobuf: there is no field number 0 (byte 0)')
    assertRefused(schema, '0e', 'malformed protobuf: there is no wire type 6 (byte 1)')
    assertRefused(schema, '0f', 'malformed protobuf: there is no wire type 7 (byte 1)')
    assertRefused(schema, '08', 'malformed protobuf: a number is cut off (byte 1)')
    assertRefused(
      schema,
      '08 ffffffffffffffffffff01',
      'malformed protobuf: a number is longer than ten bytes (byte 1)',
    )
    assertRefused(
      schema,
      '12 05 61',
      'malformed protobuf: a length reaches past the end of the message (byte 1)',
    )
    assertRefused(
      schema,
      '12 ffffffff0f 61',
      'malformed protobuf: a length reaches past the end of the message (byte 1)',
    )
    assertRefused(
      schema,
      '12 ffffffffffffffffff01',
      'malformed protobuf: a length reaches past the end of the message (byte 1)',
    )
    assertRefused(schema, '8080808010 00', 'malformed protobuf: a field number is too large (byte 0)')
  })

  test('the last of several scalars wins, whatever the others were', () => {
    const positive: Type = {
      kind: 'int',
      bits: 32,
      signed: true,
      js: 'number',
      checks: [{ check: 'min', value: '1' }],
    }
    assert.deepEqual(decode(message({ a: positive }), '08 00 08 05'), { a: 5 })
    assertRefused(message({ a: positive }), '08 05 08 00', 'a: expected an integer ≥ 1, got 0')
  })

  test('a message that comes in several parts is merged', () => {
    const inner = {
      kind: 'object',
      unknown: 'strip',
      fields: [
        { name: 'x', number: 1, type: int32 },
        { name: 'y', number: 2, type: list(int32) },
      ],
    } as const
    const schema = message({ a: ref('Inner') }, { Inner: inner })
    assert.deepEqual(decode(schema, '0a 05 08 01 12 01 01 0a 05 08 02 12 01 02'), { a: { x: 2, y: [1, 2] } })
  })

  const shapes: Types = {
    Circle: {
      kind: 'object',
      unknown: 'strip',
      fields: [
        { name: 'kind', number: 1, type: { kind: 'literal', values: ['circle'] } },
        { name: 'r', number: 2, type: int32 },
        { name: 's', number: 3, type: int32 },
      ],
    },
    Square: {
      kind: 'object',
      unknown: 'strip',
      fields: [{ name: 'kind', number: 1, type: { kind: 'literal', values: ['square'] } }],
    },
    Shape: {
      kind: 'union',
      by: 'kind',
      variants: [
        { tag: 'circle', to: 'Circle', number: 1 },
        { tag: 'square', to: 'Square', number: 2 },
      ],
    },
  }

  test('of a oneof the last variant wins, and only what came without another between is merged', () => {
    const schema = root(ref('Shape'), shapes)
    assertWire(schema, { kind: 'circle', r: 2, s: 0 }, '0a 0a 0a 06 636972636c65 10 02')
    assert.deepEqual(decode(schema, '0a 02 10 02 0a 02 18 03'), { kind: 'circle', r: 2, s: 3 })
    assert.deepEqual(decode(schema, '0a 02 10 02 12 00'), { kind: 'square' })
    assert.deepEqual(decode(schema, '0a 02 10 02 12 00 0a 02 18 03'), { kind: 'circle', r: 0, s: 3 })
    assertRefused(schema, '', 'expected one of "circle", "square", got none that is known')
    assert.deepEqual(
      issuesOf(() => encode(schema, { kind: 'oval' })),
      ['kind: expected one of "circle", "square", got "oval"'],
    )
  })

  test('entries of maps may lack key or value; the last of several wins', () => {
    const schema = message({ a: record(int32), b: { kind: 'map', js: 'map', key: bool, of: { type: text } } })
    assert.deepEqual(decode(schema, '0a 02 10 05 0a 03 0a 01 6b'), { a: { '': 5, k: 0 }, b: new Map() })
    assert.deepEqual(decode(schema, '0a 05 0a 01 6b 10 01 0a 05 0a 01 6b 10 02'), {
      a: { k: 2 },
      b: new Map(),
    })
    assert.deepEqual(decode(schema, '0a 05 10 07 0a 01 6b'), { a: { k: 7 }, b: new Map() }, 'in any order')
    assert.deepEqual(decode(schema, '12 00 12 05 08 01 12 01 61'), {
      a: {},
      b: new Map([
        [false, ''],
        [true, 'a'],
      ]),
    })
  })

  test('integers and booleans as keys of an object are its property names', () => {
    const schema = message({ a: { kind: 'map', js: 'record', key: int32, of: { type: bool } } })
    assertWire(schema, { a: { '7': true } }, '0a 04 08 07 10 01')
    assert.deepEqual(
      issuesOf(() => encode(schema, { a: { '07': true } })),
      ['a["07"]: expected a key that is a 32-bit integer, got "07"'],
    )
  })

  test('a key __proto__ is an entry like any other', () => {
    for (const schema of [
      message({ a: record(text) }),
      message({ a: json }),
      message({ a: { type: record(json), protobuf: 'google.protobuf.Struct' } }),
    ]) {
      const value = { a: JSON.parse('{"__proto__":"x","constructor":"y"}') }
      const back = decode(schema, encode(schema, value)) as typeof value
      assert.deepEqual(Object.entries(back.a), Object.entries(value.a))
      assert.equal(Object.getPrototypeOf(back.a), Object.prototype)
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
  })

  test('only declared properties leave, and only own ones where every object has such a property', () => {
    const mayBeThere: FieldOf = { type: text, optional: true }
    const schema = message({ a: text, constructor: mayBeThere })
    assert.equal(encode(schema, { a: 'x', passwordHash: 'secret' }), '0a0178')
    class Row {
      get a(): string {
        return 'x'
      }
    }
    assert.equal(encode(schema, new Row()), '0a0178')
  })

  test('integers out of range, lone surrogates and other shapes are refused before anything is written', () => {
    const cases: readonly (readonly [Type, unknown, string])[] = [
      [int32, 2 ** 31, 'a: expected a 32-bit integer, got 2147483648'],
      [int32, 1.5, 'a: expected a 32-bit integer, got 1.5'],
      [{ ...int32, signed: false } as Type, -1, 'a: expected a 32-bit integer ≥ 0, got -1'],
      [int64, 2 ** 53, 'a: expected an integer, got 9007199254740992'],
      [big64, 2n ** 63n, 'a: expected a 64-bit integer, got 9223372036854775808'],
      [big64, 5, 'a: expected a 64-bit integer, got 5'],
      [double, NaN, 'a: expected a finite number, got NaN'],
      [text, 'x\uD800', 'a: expected a string, got "x\\ud800"'],
      [text, `${'x'.repeat(50)}\uDFFF`, `a: expected a string, got "${'x'.repeat(40)}…" (51 characters)`],
      [text, undefined, 'a: expected a string, got nothing'],
      [bytes, [1], 'a: expected bytes, got a list of 1 entries'],
      [instant, new Date(NaN), 'a: expected a moment in the years 1 to 9999, got an invalid Date'],
      [
        instant,
        new Date(-62135596800001),
        'a: expected a moment in the years 1 to 9999, got 0000-12-31T23:59:59.999Z',
      ],
      [list(text), 'x', 'a: expected a list, got "x"'],
      [json, { deep: [undefined] }, 'a.deep[0]: expected a JSON value, got nothing'],
      [ref('Root'), [], 'a: expected an object, got a list of 0 entries'],
    ]

    for (const [type, value, issue] of cases) {
      const schema = message({ before: list(text), a: type, b: list(text) })
      const writer = new Writer(16)
      compile(message({ x: text })).encode({ x: 'kept' }, writer)
      const kept = writer.copy()

      assert.deepEqual(
        issuesOf(() => compile(schema).encode({ before: ['x'.repeat(100)], a: value, b: [] }, writer)),
        [issue],
      )
      assert.deepEqual(writer.copy(), kept, 'the writer is as it was')
    }
  })

  test('strings are UTF-8, short and long, and anything else is refused', () => {
    const schema = message({ a: text, b: text })
    for (const value of [
      '',
      'ascii',
      'é',
      '東京'.repeat(50),
      '😀'.repeat(500),
      '\uFFFD',
      `${'x'.repeat(126)}é`,
      'x'.repeat(5000),
      'é'.repeat(3000),
    ]) {
      assert.deepEqual(decode(schema, encode(schema, { a: value, b: value })), { a: value, b: value })
    }
    for (const wrong of ['ff', 'c0 80', 'ed a0 80', 'f4 90 80 80', 'e2 82']) {
      const size = wrong.split(' ').length.toString(16).padStart(2, '0')
      assertRefused(schema, `0a ${size} ${wrong}`, 'malformed protobuf: a string is not UTF-8 (byte 1)')
    }
  })

  test('64-bit integers are exact, or refused where they cannot be', () => {
    assertWire(message({ a: big64 }), { a: 9007199254740993n }, '08 8180808080808010')
    assertRefused(
      message({ a: int64 }),
      '08 8180808080808010',
      `a: expected an integer ≥ ${Number.MIN_SAFE_INTEGER} and ≤ ${Number.MAX_SAFE_INTEGER}, got 9007199254740993`,
    )
  })

  test('moments: what is finer than a millisecond is cut off, before 1970 too; the range is checked', () => {
    const schema = root({ type: instant, protobuf: 'google.protobuf.Timestamp' })
    assertWire(schema, new Date(-1), '08 ffffffffffffffffff01 10 c08faedc03')
    assert.deepEqual(decode(schema, '10 ff93ebdc03'), new Date(999))
    assert.deepEqual(decode(schema, '10 01 08 01'), new Date(1000), 'in any order')
    assertRefused(
      schema,
      '10 8094ebdc03',
      'expected a moment in the years 1 to 9999, got 0 seconds and 1000000000 nanoseconds',
    )
    assertRefused(
      schema,
      '08 8083d1ffaf07',
      'expected a moment in the years 1 to 9999, got 253402300800 seconds and 0 nanoseconds',
    )
  })

  test('a value of JSON must have a kind, and numbers be finite', () => {
    assertRefused(
      message({ a: json }),
      '0a 00',
      'a: expected a JSON value, got an empty google.protobuf.Value',
    )
    assertRefused(message({ a: json }), '0a 09 11 000000000000f07f', 'a: expected a JSON value, got Infinity')
  })

  test('nesting ends at the limit, both ways, also of JSON and of groups', () => {
    const tree: Types = {
      Tree: {
        kind: 'object',
        unknown: 'strip',
        fields: [{ name: 'next', number: 1, type: ref('Tree'), optional: true }],
      },
    }
    const schema = root(ref('Tree'), tree)
    const nested = (levels: number): unknown => (levels === 0 ? {} : { next: nested(levels - 1) })

    assert.deepEqual(decode(schema, encode(schema, nested(100))), nested(100))
    assert.throws(() => encode(schema, nested(101)), /next: is nested too deeply/)
    assert.deepEqual(decode(schema, '0a 02 0a 00', { depth: 2 }), nested(2))
    assert.throws(
      () => decode(schema, '0a 02 0a 00', { depth: 1 }),
      /next\.next: malformed protobuf: messages are nested too deeply/,
    )

    const cyclic: { next?: unknown } = {}
    cyclic.next = cyclic
    assert.throws(() => encode(schema, cyclic), Invalid)
    const loop: unknown[] = []
    loop.push(loop)
    assert.throws(() => encode(message({ a: json }), { a: loop }), Invalid)
    assert.throws(() => decode(schema, '53'.repeat(5000)), /nested too deeply/)
  })

  test('all issues are told with their paths, up to a limit; what is sensitive is not shown', () => {
    const item = {
      kind: 'object',
      unknown: 'strip',
      fields: [
        {
          name: 'order-id',
          number: 1,
          type: { kind: 'string', checks: [{ check: 'minLength', value: '1' }] },
        },
      ],
    } as const
    const schema = message(
      {
        lines: list(ref('Item')),
        prices: record(ref('Item')),
        pin: { type: { kind: 'string', checks: [{ check: 'maxLength', value: '1' }] }, sensitive: true },
      },
      { Item: item },
    )
    const wanted = 'expected a string of at least 1 characters, got ""'

    assertRefused(
      schema,
      '0a 00 0a 03 0a 01 61 0a 00 12 04 0a 02 65 75 1a 02 61 62',
      `lines[0]["order-id"]: ${wanted}`,
      `lines[2]["order-id"]: ${wanted}`,
      `prices.eu["order-id"]: ${wanted}`,
      'pin: expected a string of at most 1 characters, got something else (the field is sensitive)',
    )
    assert.equal(issuesOf(() => decode(schema, '0a00'.repeat(1000))).length, 20)
  })

  test('wrappers, Empty and Duration are what foreign contracts have', () => {
    const schema = message(
      {
        a: { type: int32, optional: true, protobuf: 'google.protobuf.Int32Value' },
        b: { type: ref('Nothing'), protobuf: 'google.protobuf.Empty' },
        c: { type: text, protobuf: 'google.protobuf.Duration' },
      },
      { Nothing: { kind: 'object', unknown: 'strip', fields: [] } },
    )
    assertWire(schema, { b: {}, c: 'PT1.5S' }, '12 00 1a 08 08 01 10 80cab5ee01')
    assertWire(schema, { a: 0, b: {}, c: '-PT1S' }, '0a 00 12 00 1a 0b 08 ffffffffffffffffff01')
    assert.deepEqual(
      issuesOf(() => encode(schema, { b: {}, c: 'P1M' })),
      ['c: expected a duration (ISO 8601) without years and months, got "P1M"'],
    )
    assert.throws(
      () => compile(message({ a: { type: text, protobuf: 'int32' } })),
      /Root, A: int32 cannot carry string/,
    )
  })

  test('numbers and types of every width have their place on the wire', () => {
    const as = (type: Type, protobuf: string): Schema => message({ a: { type, protobuf } })
    assertWire(as(int32, 'sint32'), { a: -2147483648 }, '08 ffffffff0f')
    assertWire(as(int64, 'sint64'), { a: -1 }, '08 01')
    assertWire(as(int32, 'sfixed32'), { a: -1 }, '0d ffffffff')
    assertWire(as(big64, 'sfixed64'), { a: -2n }, '09 feffffffffffffff')
    assertWire(as(double, 'float'), { a: 0.5 }, '0d 0000003f')
    assertWire(message({ a: { type: int32, protobuf: 'fixed32' } }), { a: 1 }, '0d 01000000')
    assertRefused(
      as(int32, 'int64'),
      '08 ffffffff0f',
      'a: expected an integer ≥ -2147483648 and ≤ 2147483647, got 4294967295',
    )
  })

  test('lengths that are announced but not there cost nothing', () => {
    const codec = compile(message({ a: bytes, b: list(double) }))
    const before = process.memoryUsage().arrayBuffers
    for (const lie of ['0affffff7f00', '12ffffff7f00']) {
      const frame = Buffer.from(lie, 'hex')
      assert.throws(() => codec.decode(frame, 0, frame.length), Invalid)
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024)
  })

  test('what is decoded is a copy: the bytes may be used again', () => {
    const schema = message({ a: bytes, b: text, c: list(text) })
    const value = { a: Uint8Array.of(1, 2, 3), b: 'a string that is long enough to be a slice', c: ['x'] }
    const frame = Buffer.from(encode(schema, value), 'hex')
    const decoded = compile(schema).decode(frame, 0, frame.length)
    frame.fill(0xff)
    assert.deepEqual(decoded, value)
  })
}
