import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import * as z from 'zod'
import { tableBuilder } from '../../schema/from-standard.ts'
import { Invalid, type Issue } from '../../schema/invalid.ts'
import { declarationOrder } from '../../schema/numbers.ts'
import type { Field, Schema, Slot, Type } from '../../schema/type.ts'
import { Writer } from '../writer.ts'
import { compileJson, type JsonCodec } from './compile.ts'

const runs = Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

function schemaOf(schema: z.ZodType): Schema {
  const builder = tableBuilder(declarationOrder())
  return { root: builder.read(schema, 'Root', 'test').slot, types: builder.types }
}

/** An object with one field that is called `v`. */
function fieldOf(slot: Slot & Partial<Field>): Schema {
  const field: Field = { name: 'v', number: 1, ...slot }
  return {
    root: { type: { kind: 'ref', to: 'Root' } },
    types: { Root: { kind: 'object', fields: [field], unknown: 'strip' } },
  }
}

function issuesOf(run: () => unknown): readonly Issue[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Invalid, String(error))
    return error.issues
  }
  assert.fail('accepted')
}

const wrongInstants = [
  ['2021-02-29T00:00:00Z', '2020-13-01T00:00:00Z', '2020-01-01T24:00:00Z', '2020-01-01T00:00:60Z'],
  ['2020-01-01', '2020-01-01T00:00:00', '2020-01-01 00:00:00Z', '2020-01-01T00:00:00.Z', '1', ''],
  [
    '2020-01-01T00:00:00+24:00',
    '2020-01-01T00:00:00+0100',
    '+12020-01-01T00:00:00Z',
    '２020-01-01T00:00:00Z',
  ],
].flat()

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const Order = z.object({
  id: z.string(),
  sku: z.string(),
  quantity: z.int32().min(1),
  price: z.number(),
  note: z.string(),
  tags: z.array(z.string()),
})

const order = {
  id: 'ord_01HZX3Q5',
  sku: 'SKU-4711',
  quantity: 3,
  price: 12.5,
  note: 'leave at the door, ring twice please',
  tags: ['fragile', 'eu', 'priority'],
}

for (const generate of [true, false]) {
  const name = generate ? 'generated' : 'closures'
  const codecOf = (schema: z.ZodType): JsonCodec => compileJson(schemaOf(schema), 'trunkline', { generate })
  const codecOfType = (type: Type): JsonCodec =>
    compileJson({ root: { type }, types: {} }, 'trunkline', { generate })

  test(`${name}: keys come in any order, with any white space, twice, and among others`, () => {
    const codec = codecOf(Order)
    const entries = Object.entries(order)

    assert.deepEqual(codec.decodeText(JSON.stringify(Object.fromEntries(entries.toReversed()))), order)
    assert.deepEqual(codec.decodeText(JSON.stringify(order, null, '\t')), order)
    assert.deepEqual(codec.decodeText(`{"id":7,"x":[{"y":1e3}],${JSON.stringify(order).slice(1)}`), order)
    assert.deepEqual(codec.decodeText(JSON.stringify(order).replace('{"id"', '{"\\u0069d"')), order)
  })

  test(`${name}: text cut at every byte is refused, within any surroundings`, () => {
    const codec = codecOf(Order)
    const bytes = Buffer.from(`${JSON.stringify({ ...order, note: 'é\n"quoted"' })}}]"`)
    const length = bytes.length - 3

    for (let end = 0; end < length; end++) issuesOf(() => codec.decode(bytes, 0, end))
    assert.deepEqual(codec.decode(bytes, 0, length), { ...order, note: 'é\n"quoted"' })
    issuesOf(() => codec.decode(bytes, 0, length + 1))
  })

  test(`${name}: any byte changed anywhere gives the verdict of zod on what JSON.parse reads`, () => {
    const codec = codecOf(Order)
    const text = Buffer.from(JSON.stringify({ ...order, note: 'é\n"quoted"' }))
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"\\{}[],:0-e. nt')))

    fc.assert(
      fc.property(fc.nat(text.length - 1), byte, (at, value) => {
        const bytes = Buffer.from(text)
        bytes[at] = value
        let expected: unknown
        try {
          expected = Order.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
        } catch {
          issuesOf(() => codec.decode(bytes, 0, bytes.length))
          return
        }
        assert.deepEqual(codec.decode(bytes, 0, bytes.length), expected)
      }),
      { numRuns: 2000 * runs },
    )
  })

  test(`${name}: any text is read as JSON.parse reads it when the type is json`, () => {
    const codec = codecOfType({ kind: 'json' })
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(), (text, cut) => {
        for (const each of [text, text.slice(0, cut % (text.length + 1))]) {
          let expected: unknown
          try {
            expected = JSON.parse(each)
          } catch {
            issuesOf(() => codec.decodeText(each))
            continue
          }
          assert.deepEqual(codec.decodeText(each), expected)
        }
      }),
      { numRuns: 300 * runs },
    )
  })

  test(`${name}: numbers are the doubles that JSON.parse reads`, () => {
    const codec = codecOf(z.array(z.number()))
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,24})?([eE][+-]?\d{1,3})?$/)
    fc.assert(
      fc.property(
        fc.array(fc.oneof(digits, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String))),
        (list) => {
          const text = `[${list.join(',')}]`
          const expected = JSON.parse(text) as number[]
          if (expected.every(Number.isFinite)) assert.deepEqual(codec.decodeText(text), expected)
          else issuesOf(() => codec.decodeText(text))
        },
      ),
      { numRuns: 500 * runs },
    )
  })

  test(`${name}: numbers are written as JSON.stringify writes them`, () => {
    const codec = codecOf(z.array(z.number()))
    const double = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => Number(value.toFixed(4))),
      fc.integer(),
    )
    fc.assert(
      fc.property(fc.array(double, { maxLength: 6 }), (list) => {
        assert.equal(codec.encode(list), JSON.stringify(list))
      }),
      { numRuns: 500 * runs },
    )
  })

  test(`${name}: moments are written as toISOString writes them`, () => {
    const codec = codecOf(z.array(z.date()))
    const date = fc.date({
      noInvalidDate: true,
      min: new Date('0000-01-01T00:00:00.000Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
    })
    fc.assert(
      fc.property(fc.array(date), (list) => {
        assert.equal(codec.encode(list), JSON.stringify(list))
      }),
      { numRuns: 300 * runs },
    )
    issuesOf(() => codec.encode([new Date(NaN)]))
    issuesOf(() => codec.encode([new Date(8.64e15)]))
  })

  test(`${name}: moments are read with any offset, and to the millisecond`, () => {
    const codec = codecOfType({ kind: 'instant' })
    const read = (text: string): string => (codec.decodeText(JSON.stringify(text)) as Date).toISOString()

    assert.equal(read('2020-02-29T23:59:59Z'), '2020-02-29T23:59:59.000Z')
    assert.equal(read('2020-02-29t23:59:59.1z'), '2020-02-29T23:59:59.100Z')
    assert.equal(read('2020-03-01T05:29:59.123999+05:30'), '2020-02-29T23:59:59.123Z')
    for (const text of wrongInstants) {
      issuesOf(() => codec.decodeText(JSON.stringify(text)))
    }
  })

  test(`${name}: 64-bit integers are exact, as strings and as literals`, () => {
    const codec = codecOf(z.object({ v: z.int64() }))
    for (const digits of ['0', '-1', '9007199254740993', '-9223372036854775808', '9223372036854775807']) {
      assert.deepEqual(codec.decodeText(`{"v":${digits}}`), { v: BigInt(digits) })
      assert.deepEqual(codec.decodeText(`{"v":"${digits}"}`), { v: BigInt(digits) })
      assert.equal(codec.encode({ v: BigInt(digits) }), `{"v":"${digits}"}`)
    }
    for (const json of [
      '9223372036854775808',
      '"9223372036854775808"',
      '1.5',
      '"1.0"',
      '"01"',
      '""',
      '"0x1"',
      '" 1"',
    ]) {
      issuesOf(() => codec.decodeText(`{"v":${json}}`))
    }
    assert.deepEqual(codec.decodeText('{"v":1.0}'), { v: 1n })
    issuesOf(() => codec.fromJson({ v: 2 ** 60 }))
  })

  test(`${name}: bytes are base64, in either alphabet, padded or not`, () => {
    const codec = codecOfType({ kind: 'bytes' })
    const bytes = new Uint8Array([251, 255, 191, 1])

    assert.equal(codec.encode(bytes), '"+/+/AQ=="')
    for (const text of ['+/+/AQ==', '+/+/AQ', '-_-_AQ==', '-_-_AQ']) {
      assert.deepEqual(codec.decodeText(`"${text}"`), bytes)
    }
    for (const text of ['+/+/AQ=', 'A', 'AA=A', '====', '=', 'AA AA', 'AAAA=', 'AAAA====']) {
      issuesOf(() => codec.decodeText(`"${text}"`))
    }
  })

  test(`${name}: non-finite numbers are refused, or are strings where the type has them`, () => {
    const finite = codecOfType({ kind: 'float', bits: 64 })
    const open = codecOfType({ kind: 'float', bits: 64, nonFinite: true })

    for (const value of [NaN, Infinity, -Infinity]) {
      issuesOf(() => finite.encode(value))
      assert.equal(open.encode(value), `"${value}"`)
      assert.deepEqual(open.decodeText(`"${value}"`), value)
      issuesOf(() => finite.decodeText(`"${value}"`))
    }
    issuesOf(() => finite.decodeText('1e999'))
  })

  test(`${name}: only declared fields leave, and toJSON is not asked`, () => {
    const codec = codecOf(
      z.object({ id: z.string(), inner: z.object({ a: z.int32() }), list: z.array(z.string()) }),
    )
    const value = {
      id: 'a',
      passwordHash: 'secret',
      inner: { a: 1, b: 2, toJSON: () => 'leak' },
      list: Object.assign(
        Array.from({ length: 20 }, () => 'x'),
        { toJSON: () => 'leak' },
      ),
      toJSON: () => 'leak',
    }
    assert.deepEqual(JSON.parse(codec.encode(value)), { id: 'a', inner: { a: 1 }, list: value.list.slice() })
  })

  test(`${name}: the text is the same however the value is made`, () => {
    const Line = z.object({ sku: z.string(), quantity: z.int32() })
    const schema = z.object({ id: z.string(), note: z.string().optional(), lines: z.array(Line) })
    const codec = codecOf(schema)
    const line = { sku: 'a', quantity: 1 }
    const text = '{"id":"x","note":"n","lines":[{"sku":"a","quantity":1}]}'

    class Order {
      id = 'x'
      lines = [line]
      get note(): string {
        return 'n'
      }
    }
    const values = [
      { id: 'x', note: 'n', lines: [line] },
      { lines: [line], note: 'n', id: 'x' },
      { id: 'x', note: 'n', lines: [{ quantity: 1, sku: 'a' }], [Symbol('s')]: 1 },
      new Order(),
      Object.create({ id: 'x', note: 'n', lines: [line] }),
      Object.assign(Object.create({ note: 'n' }), { id: 'x', lines: [line] }),
      Object.defineProperty({ id: 'x', lines: [line] }, 'note', { value: 'n' }),
      { id: 'x', note: 'n', lines: [Object.assign(Object.create(null), line)] },
    ]
    for (const value of values) assert.equal(codec.encode(value), text)
    assert.equal(codec.encode({ id: 'x', note: undefined, lines: [] }), '{"id":"x","lines":[]}')

    const many = { id: 'x', lines: Array.from({ length: 100 }, () => line) }
    assert.equal(codec.encode(many), JSON.stringify(many))
    issuesOf(() => codec.encode({ ...many, lines: Array.from({ length: 3 }) }))
    issuesOf(() => codec.encode({ lines: [] }))
  })

  test(`${name}: a long list of numbers has nothing but numbers within their bounds`, () => {
    const codec = codecOf(z.object({ all: z.array(z.number().max(1000)).max(300), last: z.string() }))
    const value = { all: Array.from({ length: 200 }, (_, index) => index + 0.25), last: '] 1; 2' }
    const text = JSON.stringify(value)
    assert.deepEqual(codec.decodeText(text), value)
    assert.deepEqual(codec.decodeText(text.replace('[', ' [ \n').replaceAll(',', ' , ')), value)

    for (const wrong of ['"7.25"', 'null', 'true', '[7.25]', '{}', '1e999', '1000.5', '07.25', '', '7.25,']) {
      issuesOf(() => codec.decodeText(text.replace('7.25', wrong)))
    }
    issuesOf(() => codec.decodeText(JSON.stringify({ ...value, all: [...value.all, ...value.all] })))
    for (let end = 0; end < text.length; end += 7) issuesOf(() => codec.decodeText(text.slice(0, end)))
  })

  test(`${name}: an optional field is absent, never null; a default fills in, afresh each time`, () => {
    const schema = z.object({
      a: z.string().optional(),
      b: z.array(z.int32()).default([1]),
      c: z.string().nullish(),
    })
    const codec = codecOf(schema)
    const first = codec.decodeText('{}') as { b: number[] }

    assert.deepEqual(first, { b: [1] })
    first.b.push(2)
    assert.deepEqual(codec.decodeText('{}'), { b: [1] })
    assert.deepEqual(codec.decodeText('{"c":null}'), { b: [1], c: null })
    assert.equal(codec.encode({ a: undefined }), '{}')
    assert.equal(codec.encode({ c: null, b: [] }), '{"b":[],"c":null}')
    assert.deepEqual(
      issuesOf(() => codec.decodeText('{"a":null}')),
      [{ path: 'a', message: 'expected a string, got null' }],
    )
  })

  test(`${name}: an undeclared key is dropped, or refused by name`, () => {
    const strict = codecOf(z.strictObject({ a: z.int32() }))
    assert.deepEqual(codecOf(z.object({ a: z.int32() })).decodeText('{"a":1,"b":2}'), { a: 1 })
    assert.deepEqual(
      issuesOf(() => strict.decodeText('{"a":1,"b":2}')),
      [{ path: 'b', message: 'is not a declared field' }],
    )
  })

  test(`${name}: all that is wrong is said, with paths`, () => {
    const codec = codecOf(z.object({ lines: z.array(Order) }))
    const lines = [order, { ...order, quantity: 'two', tags: [1] }, { ...order, quantity: 0 }, {}]
    assert.deepEqual(issuesOf(() => codec.decodeText(JSON.stringify({ lines }))).slice(0, 4), [
      { path: 'lines[1].quantity', message: 'expected an integer ≥ 1, got "two"' },
      { path: 'lines[1].tags[0]', message: 'expected a string, got 1' },
      { path: 'lines[2].quantity', message: 'expected an integer ≥ 1, got 0' },
      { path: 'lines[3].id', message: 'expected a string, got nothing' },
    ])
    const many = issuesOf(() =>
      codec.decodeText(JSON.stringify({ lines: Array.from({ length: 50 }, () => ({})) })),
    )
    assert.equal(many.length, 20)
  })

  test(`${name}: long values are cut and sensitive ones are not shown`, () => {
    const codec = compileJson(fieldOf({ type: { kind: 'bool' } }), 'trunkline', { generate })
    const secret = compileJson(
      fieldOf({ sensitive: true, type: { kind: 'list', js: 'array', of: { type: { kind: 'bool' } } } }),
      'trunkline',
      { generate },
    )
    const long = issuesOf(() => codec.decodeText(JSON.stringify({ v: 'x'.repeat(1000) })))[0]!.message
    assert.ok(long.length < 120 && long.includes(`"${'x'.repeat(40)}…"`), long)

    for (const run of [
      () => secret.decodeText('{"v":["hunter2"]}'),
      () => secret.encode({ v: ['hunter2'] }),
    ]) {
      const [issue] = issuesOf(run)
      assert.equal(issue!.path, 'v[0]')
      assert.equal(issue!.message, 'expected true or false, got something else (not shown)')
    }
  })

  test(`${name}: keys of Object.prototype are nobody's, and pollute nothing`, () => {
    const map = codecOf(z.record(z.string(), z.int32()))
    const text = '{"__proto__":1,"constructor":2,"toString":3}'
    const value = map.decodeText(text) as Record<string, unknown>

    assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString'])
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.equal(map.encode(value), text)

    const object = codecOf(z.object({ constructor: z.string().optional(), toString: z.string().optional() }))
    assert.deepEqual(Object.keys(object.decodeText('{"__proto__":{"polluted":1}}') as object), [])
    assert.equal(object.encode({}), '{}')
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)

    const proto = compileJson(fieldOf({ name: '__proto__', type: { kind: 'string' } }), 'trunkline', {
      generate,
    })
    const own = proto.decodeText('{"__proto__":"a"}')
    assert.deepEqual(Object.entries(own as object), [['__proto__', 'a']])
    assert.equal(proto.encode(own), '{"__proto__":"a"}')
  })

  test(`${name}: nesting stops at the limit, in both directions`, () => {
    interface Node {
      next?: Node
    }
    const Node: z.ZodType<Node> = z.object({
      get next() {
        return Node.optional()
      },
    })
    const codec = compileJson(schemaOf(Node), 'trunkline', { generate, depth: 10 })
    const deep = (levels: number): Node => (levels === 1 ? {} : { next: deep(levels - 1) })

    assert.deepEqual(codec.decodeText(codec.encode(deep(10))), deep(10))
    assert.match(issuesOf(() => codec.encode(deep(11)))[0]!.message, /nested deeper than 10 levels/)
    assert.match(issuesOf(() => codec.decodeText(JSON.stringify(deep(11))))[0]!.message, /nested deeper/)
    assert.match(issuesOf(() => codec.decodeText('{"x":'.repeat(100_000)))[0]!.message, /nested deeper/)
    const circle: Node = {}
    circle.next = circle
    issuesOf(() => codec.encode(circle))
  })

  test(`${name}: strings survive whatever is in them`, () => {
    const codec = codecOf(z.array(z.string()))
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({
        unit: fc.constantFrom('"', '\\', ',', '}', ']', 'é', '\n', '\u{1f600}', 'a', '\ufffd'),
        maxLength: 300,
      }),
    )
    fc.assert(
      fc.property(fc.array(text), (list) => {
        const encoded = codec.encode(list)
        assert.equal(encoded, JSON.stringify(list))
        assert.deepEqual(codec.decodeText(encoded), list)
        assert.deepEqual(codec.decodeText(JSON.stringify(list, null, 1)), list)
      }),
      { numRuns: 500 * runs },
    )
    for (const bad of ['22ff22', '22c222', '22eda08022', '22f490808022', '22c0af22']) {
      const bytes = Buffer.from(`5b${bad}5d`, 'hex')
      assert.match(issuesOf(() => codec.decode(bytes, 0, bytes.length))[0]!.message, /not valid UTF-8/)
    }
    assert.equal(codec.encode(['\ud800']), '["\\ud800"]')
    issuesOf(() => codec.decodeText('["\ud800"]'))
  })

  test(`${name}: a value that does not fit leaves the writer as it was`, () => {
    const codec = codecOf(Order)
    const writer = new Writer(16)
    codec.encodeInto(order, writer)
    const { position } = writer
    issuesOf(() => codec.encodeInto({ ...order, tags: [1] }, writer))
    assert.equal(writer.position, position)
    assert.equal(writer.written().toString(), JSON.stringify(order))
  })

  test(`${name}: a set has no duplicates, a map's keys have their type`, () => {
    const set = codecOf(z.set(z.int32()))
    assert.deepEqual(set.decodeText('[1,2]'), new Set([1, 2]))
    assert.match(issuesOf(() => set.decodeText('[1,1]'))[0]!.message, /without duplicates/)

    const map = codecOf(z.map(z.int32(), z.string()))
    assert.deepEqual(map.decodeText('{"-1":"a"}'), new Map([[-1, 'a']]))
    assert.equal(map.encode(new Map([[-1, 'a']])), '{"-1":"a"}')
    for (const key of ['', '01', '1.0', '-0', 'x', '2147483648']) {
      assert.match(issuesOf(() => map.decodeText(`{"${key}":"a"}`))[0]!.message, /as the key/)
    }
  })

  test(`${name}: short strings of a large text do not keep it in memory`, () => {
    const codec = codecOf(z.object({ short: z.string(), long: z.string() }))
    const kept: unknown[] = []
    const text = Buffer.from(
      JSON.stringify({ short: 'a short string of some length', long: 'x'.repeat(1 << 20) }),
    )
    const heap = (): number => {
      collectGarbage()
      return process.memoryUsage().heapUsed + process.memoryUsage().external
    }
    const before = heap()
    for (let index = 0; index < 100; index++) {
      kept.push((codec.decode(text, 0, text.length) as { short: string }).short)
    }
    assert.ok(heap() - before < 10 * (1 << 20))
    assert.equal(kept.length, 100)
  })
}
