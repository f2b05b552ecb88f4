/** Every kind of zod 4 that can be carried, in the newest and in the lowest release of the peer range. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as newest from 'zod'
import * as lowest from 'zod-lowest'
import * as newestMini from 'zod/mini'
import * as lowestMini from 'zod-lowest/mini'
import { tableBuilder } from './from-standard.ts'
import { declarationOrder } from './numbers.ts'
import type { Named, Slot } from './type.ts'

const releases: readonly (readonly [string, typeof newest, typeof newestMini])[] = [
  ['newest', newest, newestMini],
  ['lowest', lowest as unknown as typeof newest, lowestMini as unknown as typeof newestMini],
]

function read(schema: StandardSchemaV1, name = 'Root') {
  const builder = tableBuilder(declarationOrder())

  return { ...builder.read(schema, name, 'acme.orders.v1/place input'), types: builder.types }
}

function slotOf(schema: StandardSchemaV1): Slot {
  return read(schema).slot
}

function typesOf(schema: StandardSchemaV1): Record<string, Named> {
  return read(schema).types
}

/** The fields of a root object. */
function fieldsOf(schema: StandardSchemaV1) {
  const named = typesOf(schema).Root

  assert.equal(named?.kind, 'object')

  return named.fields
}

const int = (bits: 32 | 64, signed: boolean, js: 'number' | 'bigint') => ({ kind: 'int', bits, signed, js })

for (const [release, z, mini] of releases) {
  describe(`zod ${release}`, () => {
    test('numbers: the width and the JavaScript type of each', () => {
      assert.deepEqual(slotOf(z.int32()), { type: int(32, true, 'number') })
      assert.deepEqual(slotOf(z.uint32()), { type: int(32, false, 'number') })
      assert.deepEqual(slotOf(z.int()), { type: int(64, true, 'number') })
      assert.deepEqual(slotOf(z.number().int()), { type: int(64, true, 'number') })
      assert.deepEqual(slotOf(z.int64()), { type: int(64, true, 'bigint') })
      assert.deepEqual(slotOf(z.uint64()), { type: int(64, false, 'bigint') })
      assert.deepEqual(slotOf(z.bigint()), { type: int(64, true, 'bigint') })
      assert.deepEqual(slotOf(z.float32()), { type: { kind: 'float', bits: 32 } })
      assert.deepEqual(slotOf(z.float64()), { type: { kind: 'float', bits: 64 } })
      assert.deepEqual(slotOf(z.number()), { type: { kind: 'float', bits: 64 } })
    })

    test('a bigint that is never negative and may exceed int64 is a uint64', () => {
      assert.deepEqual(
        slotOf(
          z
            .bigint()
            .nonnegative()
            .max(2n ** 64n - 1n),
        ).type,
        {
          ...int(64, false, 'bigint'),
          checks: [
            { check: 'min', value: '0' },
            { check: 'max', value: '18446744073709551615' },
          ],
        },
      )
    })

    test('bounds and multiples of numbers are exact decimal strings', () => {
      assert.deepEqual(slotOf(z.int32().min(1).lt(10).multipleOf(3)).type, {
        ...int(32, true, 'number'),
        checks: [
          { check: 'min', value: '1' },
          { check: 'max', value: '10', exclusive: true },
          { check: 'multipleOf', value: '3' },
        ],
      })
      assert.deepEqual(slotOf(z.number().gt(0.5).max(1e21)).type, {
        kind: 'float',
        bits: 64,
        checks: [
          { check: 'min', value: '0.5', exclusive: true },
          { check: 'max', value: '1000000000000000000000' },
        ],
      })
      assert.deepEqual(slotOf(z.int64().min(-(2n ** 63n))).type, {
        ...int(64, true, 'bigint'),
        checks: [{ check: 'min', value: '-9223372036854775808' }],
      })
    })

    test('a fractional bound of an integer is the next integer inside', () => {
      assert.deepEqual(slotOf(z.int().gt(0.5).max(9.5)).type, {
        ...int(64, true, 'number'),
        checks: [
          { check: 'min', value: '1' },
          { check: 'max', value: '9' },
        ],
      })
    })

    test('an infinite bound is none', () => {
      assert.deepEqual(slotOf(z.number().max(Infinity).min(-Infinity)), { type: { kind: 'float', bits: 64 } })
    })

    test('strings: lengths and patterns', () => {
      assert.deepEqual(slotOf(z.string()), { type: { kind: 'string' } })
      assert.deepEqual(slotOf(z.string().min(1).max(9)).type, {
        kind: 'string',
        checks: [
          { check: 'minLength', value: '1' },
          { check: 'maxLength', value: '9' },
        ],
      })
      assert.deepEqual(slotOf(z.string().length(3)).type, {
        kind: 'string',
        checks: [
          { check: 'minLength', value: '3' },
          { check: 'maxLength', value: '3' },
        ],
      })
      assert.deepEqual(slotOf(z.string().regex(/^a\d$/iu)).type, {
        kind: 'string',
        checks: [{ check: 'pattern', source: '^a\\d$', flags: 'iu' }],
      })
      assert.deepEqual(slotOf(z.string().startsWith('a.').endsWith('$').includes('*')).type, {
        kind: 'string',
        checks: [
          { check: 'pattern', source: '^a\\.', flags: '' },
          { check: 'pattern', source: '\\$$', flags: '' },
          { check: 'pattern', source: '\\*', flags: '' },
        ],
      })
    })

    test('a global or sticky pattern has no memory of the last test', () => {
      assert.deepEqual(slotOf(z.string().regex(/a/g)).type, {
        kind: 'string',
        checks: [{ check: 'pattern', source: 'a', flags: '' }],
      })
      assert.deepEqual(slotOf(z.string().regex(/a|b/y)).type, {
        kind: 'string',
        checks: [{ check: 'pattern', source: '^(?:a|b)', flags: '' }],
      })
    })

    test('formats have JSON Schema’s names and zod’s patterns', () => {
      const formats = [
        [z.uuid(), 'uuid'],
        [z.guid(), 'uuid'],
        [z.email(), 'email'],
        [z.url(), 'uri'],
        [z.ipv4(), 'ipv4'],
        [z.ipv6(), 'ipv6'],
        [z.iso.date(), 'date'],
        [z.iso.time(), 'time'],
        [z.iso.datetime({ offset: true }), 'date-time'],
        [z.iso.datetime({ local: true }), 'local-date-time'],
        [z.iso.duration(), 'duration'],
        [z.base64(), 'base64'],
        [z.ulid(), 'ulid'],
        [z.e164(), 'e164'],
        [z.string().email(), 'email'],
      ] as const

      for (const [schema, format] of formats) {
        const { type } = slotOf(schema)

        assert.equal(type.kind, 'string')
        assert.equal(type.format, format)

        for (const check of type.checks ?? []) {
          assert.equal(check.check, 'pattern')
          assert.ok(new RegExp(check.source, check.flags))
        }
        assert.equal(
          type.checks === undefined,
          format === 'uri' || format === 'ipv6',
          `${format} has a pattern`,
        )
      }
    })

    test('what a format checks by code is left to zod', () => {
      assert.equal(read(z.email()).refine, undefined)
      assert.equal(read(z.url()).refine, undefined)
      assert.notEqual(read(z.url({ protocol: /^https$/ })).refine, undefined)
      assert.notEqual(read(z.url().regex(/x/)).refine, undefined)
      assert.notEqual(read(z.jwt()).refine, undefined)
      assert.notEqual(read(z.cidrv6()).refine, undefined)
      assert.notEqual(read(z.string().includes('x', { position: 2 })).refine, undefined)
    })

    test('booleans, moments, bytes, JSON', () => {
      assert.deepEqual(slotOf(z.boolean()), { type: { kind: 'bool' } })
      assert.deepEqual(slotOf(z.date()), { type: { kind: 'instant' } })
      assert.deepEqual(slotOf(z.date().min(new Date(0))).type, {
        kind: 'instant',
        checks: [{ check: 'min', value: '1970-01-01T00:00:00.000Z' }],
      })
      assert.deepEqual(slotOf(z.instanceof(Uint8Array)), { type: { kind: 'bytes' } })
      assert.equal(read(z.instanceof(Uint8Array)).refine, undefined)
      assert.deepEqual(slotOf(z.json()), { type: { kind: 'json' } })
      assert.deepEqual(slotOf(z.json().describe('anything')), { type: { kind: 'json' } })
    })

    test('a check of one’s own on bytes runs; one of their length is declared', () => {
      assert.notEqual(
        read(z.custom((value) => value instanceof Uint8Array && value.length < 3)).refine,
        undefined,
      )
      assert.deepEqual(slotOf(z.instanceof(Uint8Array).check(z.minLength(2) as never)).type, {
        kind: 'bytes',
        checks: [{ check: 'minLength', value: '2' }],
      })
    })

    test('literals, alone and in choices', () => {
      assert.deepEqual(slotOf(z.literal('a')), { type: { kind: 'literal', values: ['a'] } })
      assert.deepEqual(slotOf(z.literal([1, 2.5])), { type: { kind: 'literal', values: [1, 2.5] } })
      assert.deepEqual(slotOf(z.literal(['a', null])), {
        type: { kind: 'literal', values: ['a'] },
        nullable: true,
      })
      assert.deepEqual(slotOf(z.union([z.literal('a'), z.literal('b'), z.null()])), {
        type: { kind: 'literal', values: ['a', 'b'] },
        nullable: true,
      })
      assert.equal(fieldsOf(z.object({ a: z.literal(['x', undefined]) }))[0]?.optional, true)
    })

    test('enums: of strings number from 1, numeric ones are their own numbers', () => {
      assert.deepEqual(typesOf(z.enum(['new', 'in-transit', '2xl'])), {
        Root: {
          kind: 'enum',
          values: [
            { name: 'NEW', value: 'new', number: 1 },
            { name: 'IN_TRANSIT', value: 'in-transit', number: 2 },
            { name: '_2XL', value: '2xl', number: 3 },
          ],
        },
      })
      const Level = { Low: 0, VeryHigh: 10, 0: 'Low', 10: 'VeryHigh' } as const

      assert.deepEqual(typesOf(z.enum(Level as unknown as { Low: 0; VeryHigh: 10 })), {
        Root: {
          kind: 'enum',
          values: [
            { name: 'LOW', value: 0, number: 0 },
            { name: 'VERY_HIGH', value: 10, number: 10 },
          ],
        },
      })
    })

    test('an enum may declare its numbers and names', () => {
      const schema = z
        .enum(['none', 'some'])
        .meta({ id: 'Amount', numbers: { none: 0, some: 5 }, enumNames: { none: 'AMOUNT_NONE' } })

      assert.deepEqual(typesOf(schema), {
        Amount: {
          kind: 'enum',
          values: [
            { name: 'AMOUNT_NONE', value: 'none', number: 0 },
            { name: 'SOME', value: 'some', number: 5 },
          ],
        },
      })
    })

    test('what is said of a type stays out of the field that holds it', () => {
      const schema = z.object({
        a: z.string().meta({ id: `Text${release}` }),
        b: z
          .enum(['x'])
          .optional()
          .meta({ numbers: { x: 0 } }),
      })

      assert.deepEqual(fieldsOf(schema), [
        { name: 'a', number: 1, type: { kind: 'string' } },
        { name: 'b', number: 2, type: { kind: 'ref', to: 'RootB' }, optional: true },
      ])
      assert.deepEqual(typesOf(schema).RootB, {
        kind: 'enum',
        values: [{ name: 'X', value: 'x', number: 0 }],
      })
    })

    test('lists, sets and tuples', () => {
      const string = { type: { kind: 'string' } }

      assert.deepEqual(slotOf(z.array(z.string())).type, { kind: 'list', of: string, js: 'array' })
      assert.deepEqual(slotOf(z.array(z.string().nullable()).min(1)).type, {
        kind: 'list',
        of: { ...string, nullable: true },
        js: 'array',
        checks: [{ check: 'minLength', value: '1' }],
      })
      assert.deepEqual(slotOf(z.set(z.string()).max(2)).type, {
        kind: 'list',
        of: string,
        js: 'set',
        checks: [{ check: 'maxLength', value: '2' }],
      })
      assert.deepEqual(slotOf(z.tuple([z.string(), z.boolean()])).type, {
        kind: 'tuple',
        items: [string, { type: { kind: 'bool' } }],
      })
      assert.deepEqual(slotOf(z.tuple([z.string()], z.boolean())).type, {
        kind: 'tuple',
        items: [string],
        rest: { type: { kind: 'bool' } },
      })
    })

    test('records and maps: which keys must be there', () => {
      const bool = { type: { kind: 'bool' } }

      assert.deepEqual(slotOf(z.record(z.string(), z.boolean())).type, {
        kind: 'map',
        key: { kind: 'string' },
        of: bool,
        js: 'record',
      })
      assert.deepEqual(slotOf(z.record(z.literal(['a', 'b']), z.boolean())).type, {
        kind: 'map',
        key: { kind: 'literal', values: ['a', 'b'] },
        of: bool,
        js: 'record',
        keys: ['a', 'b'],
      })
      assert.deepEqual(slotOf(z.record(z.enum(['a', 'b']), z.boolean())).type, {
        kind: 'map',
        key: { kind: 'ref', to: 'RootKey' },
        of: bool,
        js: 'record',
        keys: ['a', 'b'],
      })
      assert.deepEqual(slotOf(z.partialRecord(z.enum(['a', 'b']), z.boolean())).type, {
        kind: 'map',
        key: { kind: 'ref', to: 'RootKey' },
        of: bool,
        js: 'record',
      })
      assert.deepEqual(slotOf(z.map(z.int64(), z.boolean())).type, {
        kind: 'map',
        key: int(64, true, 'bigint'),
        of: bool,
        js: 'map',
      })
    })

    test('objects: what happens to undeclared fields', () => {
      assert.deepEqual(typesOf(z.object({ a: z.string() })), {
        Root: {
          kind: 'object',
          fields: [{ name: 'a', number: 1, type: { kind: 'string' } }],
          unknown: 'strip',
        },
      })
      assert.equal((typesOf(z.strictObject({})).Root as { unknown: string }).unknown, 'refuse')
    })

    test('fields: optional, nullable, nullish, default, and what undoes them', () => {
      const fields = fieldsOf(
        z.object({
          optional: z.string().optional(),
          nullable: z.string().nullable(),
          nullish: z.string().nullish(),
          default: z.string().default('x'),
          prefault: z.string().prefault('y'),
          both: z.string().default('z').optional(),
          nothing: z.string().nullable().default(null),
          required: z.string().optional().nonoptional(),
          readonly: z.array(z.string()).readonly().optional(),
          union: z.union([z.string(), z.null(), z.undefined()]),
          branded: z.string().brand('Sku'),
        }),
      )
      const marks = fields.map(({ name, optional, nullable, default: initial }) => [
        name,
        optional,
        nullable,
        initial,
      ])

      assert.deepEqual(marks, [
        ['optional', true, undefined, undefined],
        ['nullable', undefined, true, undefined],
        ['nullish', true, true, undefined],
        ['default', undefined, undefined, 'x'],
        ['prefault', undefined, undefined, 'y'],
        ['both', undefined, undefined, 'z'],
        ['nothing', undefined, true, null],
        ['required', undefined, undefined, undefined],
        ['readonly', true, undefined, undefined],
        ['union', true, true, undefined],
        ['branded', undefined, undefined, undefined],
      ])
    })

    test('a default has the form of our own JSON', () => {
      const Point = z.object({ x: z.number(), label: z.string().optional().meta({ json: 'lb' }) })
      const fields = fieldsOf(
        z.object({
          moment: z.date().default(new Date('2020-02-29T12:00:00.000Z')),
          big: z.int64().default(2n ** 62n),
          bytes: z.instanceof(Uint8Array).default(new Uint8Array([1, 2, 255])),
          list: z.array(z.int()).default([1, 2]),
          set: z.set(z.string()).default(new Set(['a'])),
          map: z.map(z.int(), z.int64()).default(new Map([[1, 2n]])),
          pair: z.tuple([z.string(), z.boolean().nullable()]).default(['a', null]),
          point: Point.default({ x: 1, label: 'here' }),
          choice: z
            .discriminatedUnion('is', [
              z.object({ is: z.literal('a'), at: z.date() }),
              z.object({ is: z.literal('b') }),
            ])
            .default({ is: 'a', at: new Date(0) }),
          made: z.array(z.string()).default(() => ['fresh']),
          json: z.json().default({ a: [1] }),
          kind: z.enum(['a', 'b']).default('b'),
        }),
      )

      assert.deepEqual(Object.fromEntries(fields.map((field) => [field.name, field.default])), {
        moment: '2020-02-29T12:00:00.000Z',
        big: '4611686018427387904',
        bytes: 'AQL/',
        list: [1, 2],
        set: ['a'],
        map: { 1: '2' },
        pair: ['a', null],
        point: { x: 1, lb: 'here' },
        choice: { is: 'a', at: '1970-01-01T00:00:00.000Z' },
        made: ['fresh'],
        json: { a: [1] },
        kind: 'b',
      })
    })

    test('a discriminated union names its variants after their tags', () => {
      const schema = z.discriminatedUnion('type', [
        z.object({ type: z.literal('card'), number: z.string() }),
        z.discriminatedUnion('type', [
          z.object({ type: z.literal(['cash', 'cheque']) }),
          z.object({ type: z.literal('gift') }).meta({ id: 'Gift' }),
        ]),
      ])
      const { slot, types } = read(schema, 'Payment')

      assert.deepEqual(slot, { type: { kind: 'ref', to: 'Payment' } })
      assert.deepEqual(types.Payment, {
        kind: 'union',
        by: 'type',
        variants: [
          { tag: 'card', to: 'PaymentCard', number: 1 },
          { tag: 'cash', to: 'PaymentCash', number: 2 },
          { tag: 'cheque', to: 'PaymentCash', number: 3 },
          { tag: 'gift', to: 'Gift', number: 4 },
        ],
      })
      assert.deepEqual(types.PaymentCash, {
        kind: 'object',
        fields: [{ name: 'type', number: 1, type: { kind: 'literal', values: ['cash', 'cheque'] } }],
        unknown: 'strip',
      })
    })

    test('metadata of a field stands on the field, wherever its wrappers are', () => {
      const [a, b] = fieldsOf(
        z.object({
          a: z
            .int32()
            .meta({ description: 'how many', protobuf: 'sint32' })
            .optional()
            .meta({ proto: 'a_count', json: 'aCount', deprecated: true, sensitive: true, header: 'X-Count' }),
          b: z.array(z.int32().meta({ protobuf: 'fixed32' })).meta({ xml: { name: 'bee' }, examples: [[1]] }),
        }),
      )

      assert.deepEqual(a, {
        name: 'a',
        number: 1,
        type: int(32, true, 'number'),
        protobuf: 'sint32',
        doc: 'how many',
        proto: 'a_count',
        json: 'aCount',
        deprecated: true,
        sensitive: true,
        header: 'x-count',
        optional: true,
      })
      assert.deepEqual(b, {
        name: 'b',
        number: 2,
        type: { kind: 'list', of: { type: int(32, true, 'number'), protobuf: 'fixed32' }, js: 'array' },
        xml: { name: 'bee' },
        examples: [[1]],
      })
    })

    test('an id and a description of an object belong to the type, what a use of it adds to the field', () => {
      const Line = z.object({ sku: z.string() }).meta({ id: 'Line', description: 'a line' })
      const types = typesOf(
        z.object({ first: Line, second: Line.describe('the second line'), third: Line.optional() }),
      )
      const root = types.Root as Extract<Named, { kind: 'object' }>

      assert.deepEqual(Object.keys(types).sort(), ['Line', 'Root'])
      assert.equal(types.Line?.doc, 'a line')
      assert.deepEqual(
        root.fields.map(({ type, doc }) => [type, doc]),
        [
          [{ kind: 'ref', to: 'Line' }, undefined],
          [{ kind: 'ref', to: 'Line' }, 'the second line'],
          [{ kind: 'ref', to: 'Line' }, undefined],
        ],
      )
    })

    test('zod/mini is read the same', () => {
      const schema = mini.object({
        sku: mini.string().check(mini.minLength(1), mini.maxLength(9)),
        quantity: mini.optional(mini.int32().check(mini.gte(1))),
        tags: mini._default(mini.array(mini.string()), []),
        note: mini.nullable(mini.string()),
      })

      assert.deepEqual(fieldsOf(schema), [
        {
          name: 'sku',
          number: 1,
          type: {
            kind: 'string',
            checks: [
              { check: 'minLength', value: '1' },
              { check: 'maxLength', value: '9' },
            ],
          },
        },
        {
          name: 'quantity',
          number: 2,
          type: { ...int(32, true, 'number'), checks: [{ check: 'min', value: '1' }] },
          optional: true,
        },
        {
          name: 'tags',
          number: 3,
          type: { kind: 'list', of: { type: { kind: 'string' } }, js: 'array' },
          default: [],
        },
        { name: 'note', number: 4, type: { kind: 'string' }, nullable: true },
      ])
      assert.notEqual(read(mini.string().check(mini.trim())).refine, undefined)
      assert.equal(read(mini.string().check(mini.minLength(1))).refine, undefined)
    })
  })
}

test('metadata of zod/mini is found where zod shares its registry', () => {
  const schema = newestMini
    .object({ a: newestMini.string() })
    .register(newestMini.globalRegistry, { id: 'FromMini' })

  assert.deepEqual(Object.keys(typesOf(schema)), ['FromMini'])
})
