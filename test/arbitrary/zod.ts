/**
 * zod schemas that Trunkline carries, each with an arbitrary of valid input values: all kinds, wrappers, checks and
 * recursion. The reader of schemas, every codec and the cross-wire suite are tested with them.
 *
 * Values avoid only what has no exact form on every wire: −0, lone surrogates, moments outside of the years 1 to 9999,
 * `float32` values that are no 32-bit floats, and keys that are there but hold `undefined`.
 */
import * as fc from 'fast-check'
import * as z from 'zod'

export interface Carried {
  readonly schema: z.ZodType
  /** Valid input: what `schema.parse` accepts; fields with a default may be left out. */
  readonly value: fc.Arbitrary<unknown>
}

/** Any carriable schema; `depth` bounds how deep containers nest. */
export function carriable(depth = 3): fc.Arbitrary<Carried> {
  return fc.oneof(
    { arbitrary: scalar, weight: 2 },
    { arbitrary: container(depth), weight: 5 },
    { arbitrary: carriableObject(depth), weight: 5 },
  )
}

/** Only objects at the root, as most messages are. */
export function carriableObject(depth = 3): fc.Arbitrary<Carried> {
  return fc.oneof({ arbitrary: object(depth), weight: 4 }, { arbitrary: recursive, weight: 1 })
}

/** A schema together with one valid input value. */
export function carriableWithValue(
  of: fc.Arbitrary<Carried> = carriable(),
): fc.Arbitrary<{ schema: z.ZodType; value: unknown }> {
  return of.chain(({ schema, value }) => value.map((one) => ({ schema, value: one })))
}

// --- scalars

const positiveZero = (value: number): number => value + 0
const text = fc.string({ unit: 'grapheme', maxLength: 12 })

const double = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(0.1, 1e21, 5e-324),
  )
  .map(positiveZero)
const single = fc
  .float({ noNaN: true, noDefaultInfinity: true, max: Math.fround(3.4e38), min: Math.fround(-3.4e38) })
  .map(positiveZero)
const safeInteger = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 })).map(positiveZero)
const int32 = fc.oneof(
  fc.integer(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
)
const uint32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 127, 128, 2 ** 32 - 1))
const bigInteger = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, -1n, -(2n ** 63n), 2n ** 63n - 1n),
)
const unsignedBigInteger = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 127n, 128n, 2n ** 64n - 1n),
)
const bytes = fc.uint8Array({ maxLength: 24 }).map((array) => new Uint8Array(array))
const moment = fc.date({
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})
const pad = (value: number): string => String(value).padStart(2, '0')
const clock = fc
  .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999))
  .map(([hour, minute, second, milli]) => `${pad(hour)}:${pad(minute)}:${pad(second)}.${milli}`)
const json = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: false })
  .map((value): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('"__proto__"', '"proto"').replaceAll('-0', '0')),
  )

/** A schema, and values that are kept only when zod accepts them (its formats are stricter than the generators). */
function leaf(schema: z.ZodType, values: fc.Arbitrary<unknown>): fc.Arbitrary<Carried> {
  return fc.constant({ schema, value: values.filter((value) => schema.safeParse(value).success) })
}

/** Where no value can be invalid, nothing is filtered. */
function exactly(schema: z.ZodType, value: fc.Arbitrary<unknown>): fc.Arbitrary<Carried> {
  return fc.constant({ schema, value })
}

const bounded: fc.Arbitrary<Carried> = fc
  .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(1000), fc.boolean())
  .chain(([min, span, exclusive]) =>
    fc.constantFrom<Carried>(
      {
        schema: exclusive
          ? z
              .int32()
              .gt(min - 1)
              .lt(min + span + 1)
          : z
              .int32()
              .min(min)
              .max(min + span),
        value: fc.integer({ min, max: min + span }),
      },
      {
        schema: z.int().min(min).multipleOf(3),
        value: fc
          .integer({ min: Math.ceil(min / 3), max: 1_000_000 })
          .map((value) => positiveZero(value * 3)),
      },
      {
        schema: z.number().min(min),
        value: fc.double({ min, noNaN: true, noDefaultInfinity: true }).map(positiveZero),
      },
      {
        schema: z
          .int64()
          .min(BigInt(min))
          .max(BigInt(min + span)),
        value: fc.bigInt({ min: BigInt(min), max: BigInt(min + span) }),
      },
    ),
  )

const lengths: fc.Arbitrary<Carried> = fc.tuple(fc.nat(4), fc.nat(6)).map(([min, span]) => ({
  schema: z
    .string()
    .min(min)
    .max(min + span),
  value: fc.string({ unit: 'binary-ascii', minLength: min, maxLength: min + span }),
}))

const literal: fc.Arbitrary<Carried> = fc.constantFrom<Carried>(
  { schema: z.literal('only'), value: fc.constant('only') },
  { schema: z.literal(['a', 'b', '']), value: fc.constantFrom('a', 'b', '') },
  { schema: z.literal(7), value: fc.constant(7) },
  { schema: z.literal([0, -1, 2.5]), value: fc.constantFrom(0, -1, 2.5) },
  { schema: z.literal(true), value: fc.constant(true) },
  { schema: z.union([z.literal('x'), z.literal('y')]), value: fc.constantFrom('x', 'y') },
)

const enumeration: fc.Arbitrary<Carried> = fc.constantFrom<Carried>(
  { schema: z.enum(['new', 'paid', 'in-transit']), value: fc.constantFrom('new', 'paid', 'in-transit') },
  {
    schema: z.enum(['none', 'some']).meta({ numbers: { none: 0, some: 5 } }),
    value: fc.constantFrom('none', 'some'),
  },
  { schema: z.enum({ Low: 0, High: 10, Negative: -3 }), value: fc.constantFrom(0, 10, -3) },
)

const format: fc.Arbitrary<Carried> = fc.oneof(
  leaf(z.uuid(), fc.uuid()),
  leaf(
    z.email(),
    fc.constantFrom('a@example.org', "o'neil+tag@mail.example.co.uk", 'first.last@example.com'),
  ),
  leaf(z.url(), fc.webUrl({ withFragments: true, withQueryParameters: true })),
  leaf(z.ipv4(), fc.ipV4()),
  leaf(z.ipv6(), fc.ipV6()),
  leaf(
    z.iso.datetime(),
    moment.map((date) => date.toISOString()),
  ),
  leaf(
    z.iso.datetime({ offset: true }),
    fc.constantFrom('2020-02-29T23:59:59+02:00', '2020-01-01T00:00:00Z'),
  ),
  leaf(
    z.iso.date(),
    moment.map((date) => date.toISOString().slice(0, 10)),
  ),
  leaf(z.iso.time(), clock),
  leaf(z.iso.duration(), fc.constantFrom('P1D', 'PT1.5S', 'P1Y2M3DT4H5M6S', 'P3W', 'PT0S')),
  leaf(z.string().regex(/^[a-z]+\d?$/i), fc.constantFrom('a', 'Abc1', 'z9')),
  leaf(z.string().startsWith('a.').endsWith('$'), fc.constantFrom('a.$', 'a.b$')),
)

/** What only zod can check or change, so that `refine` is needed. */
const refined: fc.Arbitrary<Carried> = fc.oneof(
  leaf(z.string().trim(), fc.constantFrom('a', ' b ', '')),
  leaf(z.string().toLowerCase(), fc.constantFrom('a', 'B')),
  leaf(
    z.int32().refine((value) => value % 2 === 0),
    int32,
  ),
)

const scalar: fc.Arbitrary<Carried> = fc.oneof(
  { arbitrary: exactly(z.string(), text), weight: 3 },
  exactly(z.boolean(), fc.boolean()),
  exactly(z.number(), double),
  exactly(z.float32(), single),
  exactly(z.float64(), double),
  { arbitrary: exactly(z.int32(), int32), weight: 2 },
  exactly(z.uint32(), uint32),
  exactly(z.int(), safeInteger),
  exactly(z.number().int(), safeInteger),
  exactly(z.int64(), bigInteger),
  exactly(z.uint64(), unsignedBigInteger),
  exactly(z.bigint(), bigInteger),
  exactly(z.date(), moment),
  exactly(z.instanceof(Uint8Array), bytes),
  exactly(z.json(), json),
  { arbitrary: bounded, weight: 2 },
  lengths,
  { arbitrary: literal, weight: 2 },
  { arbitrary: enumeration, weight: 2 },
  { arbitrary: format, weight: 2 },
  refined,
)

/** Scalars whose values a JavaScript Set or Map tells apart. */
const key: fc.Arbitrary<Carried> = fc.oneof(
  exactly(
    z.string(),
    text.filter((value) => value !== '__proto__'),
  ),
  exactly(z.int32(), int32),
  exactly(z.int(), safeInteger),
  exactly(z.int64(), bigInteger),
  exactly(z.uint64(), unsignedBigInteger),
  exactly(z.boolean(), fc.boolean()),
  exactly(z.enum(['left', 'right']), fc.constantFrom('left', 'right')),
)

// --- containers

function any(depth: number): fc.Arbitrary<Carried> {
  if (depth <= 0) return scalar

  return fc.oneof(
    { arbitrary: scalar, weight: 4 },
    { arbitrary: fc.constant(depth - 1).chain(container), weight: 2 },
    { arbitrary: fc.constant(depth - 1).chain(object), weight: 2 },
    { arbitrary: recursive, weight: 1 },
  )
}

/** A list's element or a map's value: may be null, never absent. */
function element(depth: number): fc.Arbitrary<Carried> {
  return fc
    .tuple(any(depth), fc.nat(4))
    .map(([{ schema, value }, roll]) =>
      roll === 0 ? { schema: schema.nullable(), value: fc.option(value) } : { schema, value },
    )
}

function container(depth: number): fc.Arbitrary<Carried> {
  return fc.oneof(
    element(depth).map(({ schema, value }) => ({
      schema: z.array(schema),
      value: fc.array(value, { maxLength: 4 }),
    })),
    element(depth).map(({ schema, value }) => ({
      schema: z.array(schema).min(1).max(3).readonly(),
      value: fc.array(value, { minLength: 1, maxLength: 3 }),
    })),
    element(depth).map(({ schema, value }) => ({
      schema: z.record(z.string(), schema),
      value: fc.dictionary(
        text.filter((name) => name !== '__proto__'),
        value,
        { maxKeys: 4, noNullPrototype: true },
      ),
    })),
    element(depth).map(({ schema, value }) => ({
      schema: z.record(z.enum(['left', 'right']), schema),
      value: fc.record({ left: value, right: value }, { noNullPrototype: true }),
    })),
    element(depth).map(({ schema, value }) => ({
      schema: z.partialRecord(z.enum(['left', 'right']), schema),
      value: fc.record({ left: value, right: value }, { noNullPrototype: true, requiredKeys: [] }),
    })),
    fc.tuple(key, element(depth)).map(([{ schema: keys, value: keyValue }, { schema, value }]) => ({
      schema: z.map(keys, schema),
      value: fc.array(fc.tuple(keyValue, value), { maxLength: 4 }).map((entries) => new Map(entries)),
    })),
    key.map(({ schema, value }) => ({
      schema: z.set(schema),
      value: fc.array(value, { maxLength: 5 }).map((values) => new Set(values)),
    })),
    fc.tuple(element(depth), element(depth)).map(([first, second]) => ({
      schema: z.tuple([first.schema, second.schema]),
      value: fc.tuple(first.value, second.value),
    })),
    fc.tuple(element(depth), element(depth)).map(([first, rest]) => ({
      schema: z.tuple([first.schema], rest.schema),
      value: fc
        .tuple(first.value, fc.array(rest.value, { maxLength: 3 }))
        .map(([head, tail]) => [head, ...tail]),
    })),
    union(depth),
  )
}

/**
 * Names that are traps: keywords, array properties, two conventions, no identifiers. (Not those that every object
 * inherits, such as `constructor`: zod itself takes the inherited one for a field that is absent.)
 */
const names = [
  'id',
  'unitPrice',
  'line_count',
  'length',
  'toJSON',
  'HTTPStatus',
  'class',
  'x1',
  '$ref',
  'a b',
]

/** A field: required, optional, nullable, nullish, or with a default. */
interface CarriedField extends Carried {
  readonly required: boolean
}

function field(depth: number): fc.Arbitrary<CarriedField> {
  return any(depth).chain(({ schema, value }) =>
    fc.oneof(
      { arbitrary: fc.constant({ schema, value, required: true }), weight: 4 },
      fc.constant({ schema: schema.optional(), value, required: false }),
      fc.constant({ schema: schema.nullable(), value: fc.option(value), required: true }),
      fc.constant({ schema: schema.nullish(), value: fc.option(value), required: false }),
      value.map((initial) => ({ schema: withDefault(schema, initial), value, required: false })),
      fc.constant({ schema: schema.nullable().default(null), value: fc.option(value), required: false }),
    ),
  )
}

/** zod hands a default out as it is, so that it has to be what zod would have made of it. */
function withDefault(schema: z.ZodType, initial: unknown): z.ZodType {
  return schema.default(schema.parse(initial) as never)
}

function object(depth: number): fc.Arbitrary<Carried> {
  return fc
    .dictionary(fc.constantFrom(...names), field(depth), { maxKeys: 6, noNullPrototype: true })
    .chain((fields) =>
      fc.constantFrom<Carried>(
        { schema: z.object(shapeOf(fields)), value: valueOf(fields) },
        { schema: z.strictObject(shapeOf(fields)), value: valueOf(fields) },
      ),
    )
}

function shapeOf(fields: Record<string, CarriedField>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))
}

function valueOf(fields: Record<string, CarriedField>): fc.Arbitrary<Record<string, unknown>> {
  const values = Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))
  const requiredKeys = Object.keys(fields).filter((name) => fields[name]?.required)

  return fc.record(values, { requiredKeys, noNullPrototype: true })
}

function union(depth: number): fc.Arbitrary<Carried> {
  return fc.tuple(fields(depth), fields(depth)).map(([card, cash]) => ({
    schema: z.discriminatedUnion('type', [
      z.object({ type: z.literal('card'), ...shapeOf(card) }),
      z.object({ type: z.literal(['cash', 'cheque']), ...shapeOf(cash) }),
    ]),
    value: fc.oneof(
      valueOf(card).map((rest) => ({ type: 'card', ...rest })),
      fc.tuple(fc.constantFrom('cash', 'cheque'), valueOf(cash)).map(([type, rest]) => ({ type, ...rest })),
    ),
  }))
}

function fields(depth: number): fc.Arbitrary<Record<string, CarriedField>> {
  return fc.dictionary(fc.constantFrom(...names), field(depth - 1), { maxKeys: 3, noNullPrototype: true })
}

// --- recursion

interface Tree {
  name: string
  children: Tree[]
}

interface Chain {
  value: number
  next?: Chain
}

type Expression = { op: 'number'; value: number } | { op: 'sum'; of: Expression[]; label: string | null }

const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ name: text, children: fc.constant<Tree[]>([]) }, { noNullPrototype: true }),
    fc.record({ name: text, children: fc.array(tie('tree'), { maxLength: 3 }) }, { noNullPrototype: true }),
  ),
})).tree

const chain = fc.letrec<{ chain: Chain }>((tie) => ({
  chain: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ value: int32 }, { noNullPrototype: true }),
    fc.record({ value: int32, next: tie('chain') }, { noNullPrototype: true }),
  ),
})).chain

const expression = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ op: fc.constant('number' as const), value: double }, { noNullPrototype: true }),
    fc.record(
      {
        op: fc.constant('sum' as const),
        of: fc.array(tie('expression'), { maxLength: 3 }),
        label: fc.option(text),
      },
      { noNullPrototype: true },
    ),
  ),
})).expression

/** Recursive by a getter and by z.lazy(), with an id and without. New instances each time, as contracts have them. */
const recursive: fc.Arbitrary<Carried> = fc.constantFrom('getter', 'named', 'lazy', 'union').map((kind) => {
  if (kind === 'getter') {
    const schema = z.object({
      name: z.string(),
      get children() {
        return z.array(schema)
      },
    })

    return { schema, value: tree }
  }

  if (kind === 'named') {
    const schema = z
      .object({
        value: z.int32(),
        get next(): z.ZodOptional<z.ZodType<Chain>> {
          return schema.optional() as never
        },
      })
      .meta({ id: 'Chain' })

    return { schema, value: chain }
  }

  if (kind === 'lazy') {
    const schema: z.ZodType<Chain> = z.object({
      value: z.int32(),
      next: z.lazy(() => schema).optional(),
    })

    return { schema, value: chain }
  }

  const schema: z.ZodType<Expression> = z.discriminatedUnion('op', [
    z.object({ op: z.literal('number'), value: z.number() }),
    z.object({ op: z.literal('sum'), of: z.array(z.lazy(() => schema)), label: z.string().nullable() }),
  ])

  return { schema, value: expression }
})
