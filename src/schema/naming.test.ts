/** How types are named, met again, and how recursion ends. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as newest from 'zod'
import * as lowest from 'zod-lowest'
import { tableBuilder } from './from-standard.ts'
import { declarationOrder } from './numbers.ts'
import type { Field, Named } from './type.ts'
import { Undeclarable } from './undeclarable.ts'

const builder = () => tableBuilder(declarationOrder())
const input = 'acme.orders.v1/place input'
const output = 'acme.orders.v1/place output'

function field(types: Record<string, Named>, type: string, name: string): Field {
  const named = types[type]
  assert.equal(named?.kind, 'object', `${type} in ${Object.keys(types).join(', ')}`)

  const found = named.fields.find((one) => one.name === name)
  assert.ok(found)

  return found
}

for (const [release, z] of [
  ['newest', newest],
  ['lowest', lowest as unknown as typeof newest],
] as const) {
  describe(`zod ${release}`, () => {
    test('types without an id are named by their position', () => {
      const { read, types } = builder()

      read(
        z.object({
          address: z.object({ street: z.string() }),
          lines: z.array(z.object({ sku: z.object({}) })),
          'by-day': z.map(z.enum(['mon']), z.object({})),
          pair: z.tuple([z.object({}), z.object({})], z.object({})),
        }),
        'PlaceRequest',
        input,
      )

      assert.deepEqual(Object.keys(types).sort(), [
        'PlaceRequest',
        'PlaceRequestAddress',
        'PlaceRequestByDay',
        'PlaceRequestByDayKey',
        'PlaceRequestLines',
        'PlaceRequestLinesSku',
        'PlaceRequestPair1',
        'PlaceRequestPair2',
        'PlaceRequestPairRest',
      ])
    })

    test('the same instance at two places is two types, unless it has an id', () => {
      const { read, types } = builder()
      const Anonymous = z.object({ a: z.string() })
      const Named = z.object({ a: z.string() }).meta({ id: `Named${release}` })

      read(z.object({ a: Anonymous, b: Anonymous, c: Named, d: Named }), 'Root', input)

      assert.deepEqual(Object.keys(types).sort(), [`Named${release}`, 'Root', 'RootA', 'RootB'])
    })

    test('what an id contains is named after the id, wherever it is used', () => {
      const { read, types } = builder()
      const Order = z.object({ address: z.object({ street: z.string() }) }).meta({ id: `Order${release}` })

      read(Order, 'PlaceRequest', input)
      read(z.object({ order: Order }), 'PlaceResponse', output)

      assert.deepEqual(Object.keys(types).sort(), [
        `Order${release}`,
        `Order${release}Address`,
        'PlaceResponse',
      ])
    })

    test('an id may be qualified by its package', () => {
      const { read, types } = builder()

      read(z.object({}).meta({ id: `google.rpc.Status${release}` }), 'Root', input)

      assert.deepEqual(Object.keys(types), [`google.rpc.Status${release}`])
    })

    test('a refined or described clone of a type with an id is that type', () => {
      const { read, types } = builder()
      const Line = z.object({ sku: z.string() }).meta({ id: `Line${release}` })

      // Early releases forget on .refine() where the clone comes from: there, .meta({ id }) has to stand last.
      if (release === 'newest') {
        read(
          Line.refine(() => true),
          'Root',
          input,
        )
      }
      read(Line.describe('described'), 'Root', input)

      assert.deepEqual(Object.keys(types), [`Line${release}`])
    })

    test('an id on a wrapper names the type inside of it', () => {
      const { read, types } = builder()
      const inner = z.object({ a: z.string() })

      read(
        z.object({
          lazy: z.lazy(() => inner).meta({ id: `Lazy${release}` }),
          optional: inner.optional().meta({ id: `Optional${release}` }),
        }),
        'Root',
        input,
      )

      assert.deepEqual(Object.keys(types).sort(), [`Lazy${release}`, `Optional${release}`, 'Root'])
    })

    test('an extended type is another type', () => {
      const { read, types } = builder()
      const Line = z.object({ sku: z.string() }).meta({ id: `Extended${release}` })

      read(z.object({ line: Line, more: Line.extend({ note: z.string() }) }), 'Root', input)

      assert.deepEqual(Object.keys(types).sort(), [`Extended${release}`, 'Root', 'RootMore'])
    })

    test('one id for two different types is refused, naming both places', () => {
      const { read } = builder()
      const id = `Conflict${release}`
      const first = z.object({ a: z.string() }).meta({ id })

      read(z.object({ first }), 'PlaceRequest', input)

      // The lowest release refuses to register an id twice; a contract may come from two copies of zod.
      const second =
        release === 'lowest'
          ? newest.object({ a: newest.int() }).meta({ id })
          : z.object({ a: z.int() }).meta({ id })

      assert.throws(
        () => read(second, 'PlaceResponse', output),
        (error) =>
          error instanceof Undeclarable &&
          error.code === 'schema_conflict' &&
          error.message.includes(output) &&
          error.message.includes(`${input}, first`),
      )
    })

    test('recursion through a getter, without an id', () => {
      const { read, types } = builder()
      const Category = z.object({
        name: z.string(),
        get children() {
          return z.array(Category)
        },
        get parent() {
          return Category.nullish()
        },
      })

      read(z.object({ root: Category }), 'Root', input)

      assert.deepEqual(Object.keys(types).sort(), ['Root', 'RootRoot'])
      assert.deepEqual(field(types, 'RootRoot', 'children').type, {
        kind: 'list',
        of: { type: { kind: 'ref', to: 'RootRoot' } },
        js: 'array',
      })
      assert.deepEqual(field(types, 'RootRoot', 'parent').type, { kind: 'ref', to: 'RootRoot' })
    })

    test('recursion through z.lazy(), with an id', () => {
      const { read, types } = builder()
      const Node: newest.ZodType = z
        .object({ value: z.int32(), next: z.lazy(() => Node).optional() })
        .meta({ id: `Node${release}` })

      read(Node, 'Root', input)

      assert.deepEqual(Object.keys(types), [`Node${release}`])
      assert.deepEqual(field(types, `Node${release}`, 'next').type, { kind: 'ref', to: `Node${release}` })
    })

    test('two types that refer to each other', () => {
      const { read, types } = builder()
      const User = z.object({
        get posts() {
          return z.array(Post)
        },
      })
      const Post: newest.ZodType = z.object({
        get author() {
          return User
        },
      })

      read(User, 'Root', input)

      assert.deepEqual(Object.keys(types).sort(), ['Root', 'RootPosts'])
      assert.deepEqual(field(types, 'RootPosts', 'author').type, { kind: 'ref', to: 'Root' })
    })

    test('a recursive union', () => {
      const { read, types } = builder()
      const Expression: newest.ZodType = z.discriminatedUnion('op', [
        z.object({ op: z.literal('number'), value: z.number() }),
        z.object({ op: z.literal('sum'), of: z.array(z.lazy(() => Expression)) }),
      ])

      read(Expression, 'Root', input)

      assert.deepEqual(Object.keys(types).sort(), ['Root', 'RootNumber', 'RootSum'])
    })

    test('a list that holds itself has no name to refer to', () => {
      const { read } = builder()
      const Nested: newest.ZodType = z.array(z.lazy(() => Nested))

      assert.throws(() => read(Nested, 'Root', input), /recursion has to pass through an object/)
    })

    test('a lazy schema that is nothing but itself', () => {
      const { read } = builder()
      const Loop: newest.ZodType = z.lazy(() => Loop)

      assert.throws(() => read(Loop, 'Root', input), /wraps itself without an end/)
    })

    test('a getter that makes a new object each time never ends, and is refused', () => {
      const { read } = builder()
      const make = (): newest.ZodType =>
        z.object({
          left: z.lazy(make),
          right: z.lazy(make),
        })

      assert.throws(
        () => read(make(), 'Root', input),
        (error) =>
          error instanceof Undeclarable &&
          error.code === 'schema_recursion' &&
          /never ends/.test(error.message),
      )
    })
  })
}

test('a getter that makes a new instance of a named object each time ends', () => {
  const { read, types } = builder()
  const make = (): newest.ZodType =>
    newest.object({ value: newest.int(), children: newest.array(newest.lazy(make)) }).meta({ id: 'Fresh' })

  read(make(), 'Root', input)

  assert.deepEqual(Object.keys(types), ['Fresh'])
})

test('a named object that contains another object of its name is refused', () => {
  const { read } = builder()
  const inner = newest.object({ other: newest.boolean() }).meta({ id: 'Twice' })
  const outer = newest.object({ inner }).meta({ id: 'Twice' })

  assert.throws(() => read(outer, 'Root', input), /the type Twice differs from the one of the same name/)
})
