/** zod as the judge of what a decoded value is: over generated schemas, and around every bound. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import * as newest from 'zod'
import type * as z from 'zod'
import * as lowest from 'zod-lowest'
import { carriable } from '../../test/arbitrary/zod.ts'
import { tableBuilder } from '../schema/from-standard.ts'
import { Invalid } from '../schema/invalid.ts'
import { declarationOrder } from '../schema/numbers.ts'
import type { Schema } from '../schema/type.ts'
import { compileJson } from './json/compile.ts'
import { Writer } from './writer.ts'
import { compileProtobuf, type ProtobufCodec } from './protobuf/compile.ts'

const runs = (count: number): number => count * Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

function schemaOf(type: z.ZodType): Schema {
  const builder = tableBuilder(declarationOrder())
  const { slot } = builder.read(type, 'Root', 'test')
  return { root: slot, types: builder.types }
}

function codecs(type: z.ZodType): readonly ProtobufCodec[] {
  const schema = schemaOf(type)
  return [compileProtobuf(schema, { generate: true }), compileProtobuf(schema, { generate: false })]
}

function overTheWire(codec: ProtobufCodec, value: unknown): unknown {
  const writer = new Writer(16)
  codec.encode(value, writer)
  return codec.decode(writer.bytes, 0, writer.position)
}

test('every value of every schema arrives as zod parses it', () => {
  fc.assert(
    fc.property(
      carriable().chain(({ schema, value }) => value.map((one) => ({ schema, value: one }))),
      ({ schema, value }) => {
        const parsed = schema.parse(value)
        for (const codec of codecs(schema)) {
          assert.deepEqual(overTheWire(codec, parsed), parsed)
          // What zod changes (trim, lower case) it changes behind the codec.
          assert.deepEqual(schema.parse(overTheWire(codec, value)), parsed)
        }
      },
    ),
    { numRuns: runs(300) },
  )
})

const integers = (low: number, high: number): fc.Arbitrary<number> => fc.integer({ min: low, max: high })
const digits = fc.stringMatching(/^[0-9TZ:.+-]{0,12}$/)

/** Types with bounds, and values on both sides of them. */
type Bounded = readonly (readonly [z.ZodType, fc.Arbitrary<unknown>])[]

const bounded = (z: typeof newest, words: fc.Arbitrary<string>): Bounded => [
  [z.int32().min(1).max(9), integers(-2, 12)],
  [z.int32().gt(1).lt(9), integers(-2, 12)],
  [z.int32().multipleOf(3), integers(-10, 10)],
  [z.uint32().max(5), integers(0, 8)],
  [
    z
      .int()
      .min(-5)
      .max(2 ** 40),
    fc.oneof(integers(-8, 8), integers(2 ** 40 - 3, 2 ** 40 + 3)),
  ],
  [z.int64().min(9007199254740992n), fc.bigInt({ min: 9007199254740989n, max: 9007199254740995n })],
  [z.int64().multipleOf(7n), fc.bigInt({ min: -30n, max: 30n })],
  [
    z.uint64().lt(18446744073709551614n),
    fc.bigInt({ min: 18446744073709551610n, max: 18446744073709551615n }),
  ],
  [z.number().min(0.5).max(1), fc.double({ min: 0, max: 2, noNaN: true })],
  [z.number().multipleOf(0.1), integers(-50, 50).map((n) => n / 10)],
  [z.number().positive(), fc.constantFrom(-1, 0, 5e-324, 1)],
  [z.string().min(2).max(4), words],
  [z.string().length(3), words],
  [z.string().regex(/^[a-c]+$/), fc.stringMatching(/^[a-d]{0,5}$/)],
  [z.string().regex(/a/gi), fc.stringMatching(/^[aAb]{0,3}$/)],
  [z.string().startsWith('ab').endsWith('b').includes('b'), fc.stringMatching(/^[abc]{0,4}$/)],
  [z.iso.date(), fc.oneof(digits, fc.stringMatching(/^20(00|23|24)-0[12]-[0-3]\d$/))],
  [z.iso.time(), fc.oneof(digits, fc.stringMatching(/^[0-2]\d:[0-6]\d(:[0-6]\d(\.\d{0,3})?)?$/))],
  [z.iso.datetime(), fc.oneof(digits, fc.stringMatching(/^2024-0[12]-3[01]T[0-2]\d:00:00(Z|\+01:00)?$/))],
  [z.iso.datetime({ offset: true }), fc.stringMatching(/^2024-01-3[01]T[0-2]\d:00:00(Z|\+01:00)?$/)],
  [z.iso.duration(), fc.stringMatching(/^P(\d[YMWD]){0,2}(T(\d[HMS]){0,2})?$/)],
  [z.uuid(), fc.oneof(fc.uuid(), words)],
  [z.email(), fc.oneof(fc.emailAddress(), fc.stringMatching(/^[a.@]{0,6}$/))],
  [z.ipv4(), fc.oneof(fc.ipV4(), fc.stringMatching(/^[0-9.]{0,9}$/))],
  [z.date().min(new Date(10)).max(new Date(20)), integers(5, 25).map((ms) => new Date(ms))],
  [z.array(z.boolean()).min(1).max(3), fc.array(fc.boolean(), { maxLength: 5 })],
  [z.set(z.string()).min(1).max(2), fc.array(words, { maxLength: 4 }).map((all) => new Set(all))],
  [
    z.record(z.string().min(2), z.boolean()),
    fc.dictionary(fc.stringMatching(/^[a-z]{0,4}$/), fc.boolean(), { noNullPrototype: true }),
  ],
  [
    z.record(z.enum(['a', 'b']), z.boolean()),
    fc.constantFrom<unknown>({}, { a: true }, { a: true, b: false }),
  ],
  [z.instanceof(Uint8Array), fc.uint8Array().map((bytes) => Uint8Array.from(bytes))],
  [z.tuple([z.int32().min(0)], z.string().max(1)), fc.tuple(integers(-1, 1), fc.constantFrom('', 'a', 'ab'))],
]

/** The root of such a type, a field, an optional field, and elements. */
type InPlace = (type: z.ZodType, value: unknown) => readonly [z.ZodType, unknown]

const places = (z: typeof newest): readonly InPlace[] => [
  (type, value) => [type, value],
  (type, value) => [z.object({ field: type }), { field: value }],
  (type, value) => [z.object({ field: type.nullish() }), { field: value }],
  (type, value) => [z.array(type.nullable()), [null, value]],
  (type, value) => [z.record(z.string(), type), { __proto__: null, key: value }],
]

const graphemes = fc.string({ unit: 'grapheme', maxLength: 8 })

/** What the lowest release does not have, or rounds in its own way. */
const sinceThen: Bounded = [
  [
    newest.map(newest.string(), newest.boolean()).min(1),
    fc.array(fc.tuple(graphemes, fc.boolean()), { maxLength: 3 }).map((all) => new Map(all)),
  ],
  [newest.number().multipleOf(0.1), fc.double({ min: -5, max: 5, noNaN: true })],
]

test('around every bound, both codecs refuse what the newest zod refuses', () => {
  judge([...bounded(newest, graphemes), ...sinceThen], places(newest))
})

// It counts UTF-16 units where the newest, and the codecs, count code points.
test('around every bound, both codecs refuse what the lowest zod refuses', () => {
  const zod = lowest as unknown as typeof newest
  judge(bounded(zod, fc.string({ unit: 'grapheme-ascii', maxLength: 8 })), places(zod))
})

function judge(types: Bounded, inPlaces: readonly InPlace[]): void {
  for (const [type, values] of types) {
    for (const place of inPlaces) {
      const [schema] = place(type, undefined)
      const ways = [
        ...codecs(schema).map((codec) => (value: unknown) => overTheWire(codec, value)),
        ...[true, false].map((generate) => {
          const json = compileJson(schemaOf(schema), 'trunkline', { generate })
          return (value: unknown) => json.decodeText(json.encode(value))
        }),
      ]

      fc.assert(
        fc.property(values, (one) => {
          const [, value] = place(type, one)
          const verdict = schema.safeParse(value).success

          for (const send of ways) {
            if (verdict) assert.doesNotThrow(() => send(value))
            else assert.throws(() => send(value), Invalid)
          }
        }),
        { numRuns: runs(40) },
      )
    }
  }
}
