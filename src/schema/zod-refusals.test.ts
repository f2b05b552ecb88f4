/** What cannot be carried is refused when it is declared: the message names operation and path, and says what to use. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as newest from 'zod'
import * as lowest from 'zod-lowest'
import { tableBuilder } from './from-standard.ts'
import { declarationOrder } from './numbers.ts'
import { Undeclarable, type UndeclarableCode } from './undeclarable.ts'

function refusal(schema: StandardSchemaV1): Undeclarable {
  try {
    tableBuilder(declarationOrder()).read(schema, 'PlaceRequest', 'acme.orders.v1/place input')
  } catch (error) {
    assert.ok(error instanceof Undeclarable, String(error))

    return error
  }

  assert.fail('expected a refusal')
}

for (const [release, z] of [
  ['newest', newest],
  ['lowest', lowest as unknown as typeof newest],
] as const) {
  describe(`zod ${release}`, () => {
    const cases: readonly (readonly [
      what: string,
      make: () => StandardSchemaV1,
      code: UndeclarableCode,
      path: string,
      advice: RegExp,
    ])[] = [
      ['transform', () => z.string().transform(Number), 'schema_transforms', 'x', /convert in the handler/],
      ['pipe', () => z.string().pipe(z.string()), 'schema_transforms', 'x', /declare the type that travels/],
      ['preprocess', () => z.preprocess(Number, z.number()), 'schema_transforms', 'x', /declare the type/],
      [
        'codec',
        () => z.codec(z.string(), z.date(), { decode: (v) => new Date(v), encode: (v) => v.toISOString() }),
        'schema_transforms',
        'x',
        /declare the type/,
      ],
      ['stringbool', () => z.stringbool(), 'schema_transforms', 'x', /declare the type/],
      ['coerce', () => z.coerce.number(), 'schema_transforms', 'x', /declare the type itself/],
      ['catch', () => z.string().catch(''), 'schema_transforms', 'x', /use \.default\(\)/],
      ['any', () => z.any(), 'schema_kind', 'x', /use z\.json\(\)/],
      ['unknown', () => z.unknown(), 'schema_kind', 'x', /use z\.json\(\)/],
      ['never', () => z.never(), 'schema_kind', 'x', /leave the field out/],
      ['void', () => z.void(), 'schema_kind', 'x', /leave input or output out/],
      ['undefined', () => z.undefined(), 'schema_kind', 'x', /use \.optional\(\)/],
      ['null', () => z.null(), 'schema_kind', 'x', /use \.nullable\(\)/],
      ['nan', () => z.nan(), 'schema_kind', 'x', /use \.nullable\(\)/],
      ['symbol', () => z.symbol(), 'schema_kind', 'x', /use z\.enum\(\)/],
      ['function', () => z.function() as never, 'schema_kind', 'x', /declare an operation/],
      ['promise', () => z.promise(z.string()), 'schema_kind', 'x', /declare the type that it resolves to/],
      ['file', () => z.file(), 'schema_kind', 'x', /use z\.instanceof\(Uint8Array\)/],
      ['intersection', () => z.intersection(z.object({}), z.object({})), 'schema_kind', 'x', /use a\.extend/],
      [
        'templateLiteral',
        () => z.templateLiteral(['a', z.string()]),
        'schema_kind',
        'x',
        /use z\.string\(\)\.regex/,
      ],
      [
        'instanceof another class',
        () => z.instanceof(Map),
        'schema_kind',
        'x',
        /use z\.instanceof\(Uint8Array\)/,
      ],
      [
        'instanceof a subclass',
        () => z.instanceof(Buffer),
        'schema_kind',
        'x',
        /use z\.instanceof\(Uint8Array\)/,
      ],
      ['custom', () => z.custom(() => true), 'schema_kind', 'x', /use z\.instanceof\(Uint8Array\)/],
      ['union', () => z.union([z.string(), z.number()]), 'schema_kind', 'x', /use z\.discriminatedUnion/],
      [
        'union of objects',
        () => z.union([z.object({}), z.object({})]),
        'schema_kind',
        'x',
        /use z\.discriminatedUnion/,
      ],
      [
        'default inside of a union',
        () => z.union([z.string().default(''), z.null()]),
        'schema_place',
        'x',
        /put \.default\(\) on the union/,
      ],
      ['literal null', () => z.literal(null), 'schema_kind', 'x', /leave the field out/],
      ['literal bigint', () => z.literal(1n), 'schema_kind', 'x', /must all be strings/],
      ['mixed literals', () => z.literal(['a', 1]), 'schema_kind', 'x', /use z\.discriminatedUnion/],
      ['looseObject', () => z.looseObject({}), 'schema_kind', 'x', /put free fields into a z\.record/],
      [
        'catchall',
        () => z.object({}).catchall(z.string()),
        'schema_kind',
        'x',
        /put free fields into a z\.record/,
      ],
      ['optional element', () => z.array(z.string().optional()), 'schema_place', 'x[]', /use \.nullable\(\)/],
      ['default element', () => z.set(z.string().default('')), 'schema_place', 'x[]', /use \.nullable\(\)/],
      [
        'optional map value',
        () => z.record(z.string(), z.string().optional()),
        'schema_place',
        'x{}',
        /use \.nullable/,
      ],
      [
        'optional tuple item',
        () => z.tuple([z.string(), z.string().optional()]),
        'schema_place',
        'x[1]',
        /use \.nullable/,
      ],
      [
        'map with object keys',
        () => z.map(z.object({}), z.string()),
        'schema_place',
        'x{key}',
        /z\.object\(\{ key, value \}\)/,
      ],
      [
        'map with float keys',
        () => z.map(z.number(), z.string()),
        'schema_place',
        'x{key}',
        /z\.object\(\{ key, value \}\)/,
      ],
      [
        'map with nullable keys',
        () => z.map(z.string().nullable(), z.string()),
        'schema_place',
        'x{key}',
        /must be strings/,
      ],
      [
        'default that differs',
        () => z.string().default(() => String(Math.random())),
        'schema_default',
        'x',
        /use \.optional\(\)/,
      ],
      [
        'default without a JSON form',
        () => z.number().default(NaN),
        'schema_default',
        'x',
        /not a finite number/,
      ],
      [
        'default of another type',
        () => z.object({ a: z.string() }).default({ a: 1 } as never),
        'schema_default',
        'x',
        /the default\.a is not a string/,
      ],
      [
        'enum of one name',
        () => z.enum(['a-b', 'a_b']),
        'schema_conflict',
        'x',
        /both called A_B.*enumNames/,
      ],
      ['enum without names', () => z.enum(['', 'a']), 'schema_meta', 'x', /enumNames/],
      [
        'enum with half of the numbers',
        () => z.enum(['a', 'b']).meta({ numbers: { a: 1 } }),
        'schema_meta',
        'x',
        /give every value a number/,
      ],
      [
        'enum with a number twice',
        () => z.enum(['a', 'b']).meta({ numbers: { a: 1, b: 1 } }),
        'schema_conflict',
        'x',
        /the number 1/,
      ],
      [
        'meta of the wrong type',
        () => z.string().meta({ proto: 'no-name' }),
        'schema_meta',
        'x',
        /expects a field name/,
      ],
      [
        'id that is no name',
        () => z.object({}).meta({ id: 'not a name' }),
        'schema_meta',
        'x',
        /letters, digits and _/,
      ],
      [
        'int32 and uint32',
        () => z.int32().check(z.uint32() as never),
        'schema_conflict',
        'x',
        /int32 and uint32/,
      ],
      [
        'nullable variant',
        () =>
          z.object({
            u: z.discriminatedUnion('t', [
              z
                .object({ t: z.literal('a') })
                .readonly()
                .nullable() as never,
            ]),
          }),
        'schema_place',
        'x.u',
        /make the whole union/,
      ],
      [
        'enum as discriminator',
        () => z.discriminatedUnion('t', [z.object({ t: z.enum(['a', 'b']) })]),
        'schema_place',
        'x.t',
        /required z\.literal\(\)/,
      ],
    ]

    for (const [what, make, code, path, advice] of cases) {
      test(`refused: ${what}`, () => {
        const error = refusal(z.object({ x: make() as newest.ZodType }))

        assert.equal(error.code, code, error.message)
        assert.equal(error.operation, 'acme.orders.v1/place input')
        assert.equal(error.path, path)
        assert.match(error.message, advice)
        assert.ok(error.message.startsWith(`acme.orders.v1/place input, ${path}: `), error.message)
      })
    }

    test('the path leads through lists, maps, tuples and variants', () => {
      const schema = z.object({
        lines: z.array(
          z.object({
            price: z.discriminatedUnion('unit', [
              z.object({
                unit: z.literal('piece'),
                'by day': z.map(z.string(), z.tuple([z.string(), z.any()])),
              }),
            ]),
          }),
        ),
      })

      assert.equal(refusal(schema).path, 'lines[].price(piece)["by day"]{}[1]')
    })

    test('the value itself has no path', () => {
      assert.match(refusal(z.any()).message, /^acme\.orders\.v1\/place input: z\.any\(\)/)
      assert.match(
        refusal(z.object({}).default({})).message,
        /^acme\.orders\.v1\/place input: a whole message has no default/,
      )
    })

    test('fields that would be the same on a wire', () => {
      assert.match(
        refusal(z.object({ unitPrice: z.int(), unit_price: z.int() })).message,
        /both called unit_price in protobuf/,
      )
      assert.match(
        refusal(z.object({ a: z.int(), b: z.int().meta({ json: 'a' }) })).message,
        /both called a in JSON/,
      )
      assert.match(
        refusal(z.object({ a: z.int().meta({ proto: 'unitPrice' }), unit_price: z.int() })).message,
        /both called unitPrice in the JSON of gRPC and Connect.*meta\(\{ proto/,
      )
      const variant = (type: string, id: string) =>
        z.object({ type: z.literal(type) }).meta({ id: id + release })
      const One = variant('a-b', 'SpeltOne')
      const Other = variant('a_b', 'SpeltOther')
      assert.match(
        refusal(z.object({ x: z.discriminatedUnion('type', [One, Other]) })).message,
        /^acme\.orders\.v1\/place input, x: two variants are both called a_b in protobuf; give one another name/,
      )
      assert.match(refusal(z.object({ 数量: z.int() })).message, /\.meta\(\{ proto: '…' \}\)/)
      assert.match(
        refusal(
          z.object(
            JSON.parse('{"__proto__": 0}', (key, value) => (key === '__proto__' ? z.int() : value)) as never,
          ),
        ).message,
        /__proto__/,
      )
    })
  })
}

test('what is no schema at all is refused', () => {
  assert.equal(refusal(undefined as never).code, 'schema_library')
  assert.equal(refusal('string' as never).code, 'schema_library')
  assert.equal(refusal({} as never).code, 'schema_library')
  assert.match(
    refusal({ '~standard': { version: 1, vendor: 'own', validate: () => ({ value: 1 }) } } as never).message,
    /Standard JSON Schema/,
  )
})
