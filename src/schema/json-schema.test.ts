/** Libraries with Standard JSON Schema: Valibot through its converter, ArkType by itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import * as v from 'valibot'
import { tableBuilder } from './from-standard.ts'
import { Invalid } from './invalid.ts'
import { declarationOrder } from './numbers.ts'
import type { Field, Named } from './type.ts'
import { Undeclarable } from './undeclarable.ts'

function read(schema: StandardSchemaV1) {
  const builder = tableBuilder(declarationOrder())

  return { ...builder.read(schema, 'Root', 'acme.orders.v1/place input'), types: builder.types }
}

const valibot = (schema: v.GenericSchema) => read(toStandardJsonSchema(schema))

function fieldsOf(types: Record<string, Named>, name = 'Root'): readonly Field[] {
  const named = types[name]
  assert.equal(named?.kind, 'object')

  return named.fields
}

function refused(schema: () => StandardSchemaV1, message: RegExp, path = '') {
  assert.throws(
    () => read(schema()),
    (error) => {
      assert.ok(error instanceof Undeclarable, String(error))
      assert.match(error.message, message)
      assert.equal(error.path, path)
      assert.equal(error.operation, 'acme.orders.v1/place input')

      return true
    },
  )
}

/** Any library: what its Standard JSON Schema says is all that is known. */
const described = (input: object, output: object = input): StandardSchemaV1 =>
  ({
    '~standard': {
      version: 1,
      vendor: 'own',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: () => input, output: () => output },
    },
  }) as StandardSchemaV1

test('Valibot: an object with every kind of field', () => {
  const { slot, types } = valibot(
    v.strictObject({
      string: v.pipe(v.string(), v.minLength(1), v.maxLength(9), v.description('a text')),
      email: v.pipe(v.string(), v.email()),
      number: v.pipe(v.number(), v.gtValue(0), v.maxValue(1.5)),
      integer: v.pipe(v.number(), v.integer()),
      byte: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
      large: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1)),
      boolean: v.boolean(),
      literal: v.literal('x'),
      optional: v.optional(v.number()),
      nullable: v.nullable(v.string()),
      nullish: v.nullish(v.boolean()),
      default: v.optional(v.string(), 'x'),
      list: v.pipe(v.array(v.nullable(v.string())), v.minLength(1)),
      tuple: v.strictTuple([v.string(), v.boolean()]),
      rest: v.tupleWithRest([v.string()], v.boolean()),
      record: v.record(v.string(), v.boolean()),
      status: v.picklist(['new', 'in-transit']),
      base64: v.pipe(v.string(), v.base64()),
    }),
  )
  const bool = { type: { kind: 'bool' } }
  const string = { type: { kind: 'string' } }

  assert.deepEqual(slot, { type: { kind: 'ref', to: 'Root' } })
  assert.equal((types.Root as { unknown: string }).unknown, 'refuse')
  assert.deepEqual(
    fieldsOf(types).map(({ number: _number, ...field }) => field),
    [
      {
        name: 'string',
        type: {
          kind: 'string',
          checks: [
            { check: 'minLength', value: '1' },
            { check: 'maxLength', value: '9' },
          ],
        },
        doc: 'a text',
      },
      { name: 'email', type: { kind: 'string', format: 'email' } },
      {
        name: 'number',
        type: {
          kind: 'float',
          bits: 64,
          checks: [
            { check: 'min', value: '0', exclusive: true },
            { check: 'max', value: '1.5' },
          ],
        },
      },
      { name: 'integer', type: { kind: 'int', bits: 64, signed: true, js: 'number' } },
      {
        name: 'byte',
        type: {
          kind: 'int',
          bits: 32,
          signed: true,
          js: 'number',
          checks: [
            { check: 'min', value: '0' },
            { check: 'max', value: '255' },
          ],
        },
      },
      {
        name: 'large',
        type: {
          kind: 'int',
          bits: 32,
          signed: false,
          js: 'number',
          checks: [
            { check: 'min', value: '0' },
            { check: 'max', value: '4294967295' },
          ],
        },
      },
      { name: 'boolean', ...bool },
      { name: 'literal', type: { kind: 'literal', values: ['x'] } },
      { name: 'optional', type: { kind: 'float', bits: 64 }, optional: true },
      { name: 'nullable', ...string, nullable: true },
      { name: 'nullish', ...bool, nullable: true, optional: true },
      { name: 'default', ...string, default: 'x' },
      {
        name: 'list',
        type: {
          kind: 'list',
          of: { ...string, nullable: true },
          js: 'array',
          checks: [{ check: 'minLength', value: '1' }],
        },
      },
      { name: 'tuple', type: { kind: 'tuple', items: [string, bool] } },
      { name: 'rest', type: { kind: 'tuple', items: [string], rest: bool } },
      { name: 'record', type: { kind: 'map', key: { kind: 'string' }, of: bool, js: 'record' } },
      { name: 'status', type: { kind: 'ref', to: 'RootStatus' } },
      { name: 'base64', type: { kind: 'string', format: 'base64' } },
    ],
  )
  assert.deepEqual(types.RootStatus, {
    kind: 'enum',
    values: [
      { name: 'NEW', value: 'new', number: 1 },
      { name: 'IN_TRANSIT', value: 'in-transit', number: 2 },
    ],
  })
})

test('Valibot: a variant is a union by its literal', () => {
  const { types } = valibot(
    v.variant('type', [
      v.object({ type: v.literal('card'), number: v.string() }),
      v.object({ type: v.literal('cash') }),
    ]),
  )

  assert.deepEqual(types.Root, {
    kind: 'union',
    by: 'type',
    variants: [
      { tag: 'card', to: 'RootCard', number: 1 },
      { tag: 'cash', to: 'RootCash', number: 2 },
    ],
  })
})

test('Valibot: recursion ends, and metadata names types and fields', () => {
  interface Node {
    value: string
    next?: Node | undefined
  }
  const Node: v.GenericSchema<Node> = v.object({ value: v.string(), next: v.optional(v.lazy(() => Node)) })
  const Named = v.pipe(
    v.object({ node: Node, count: v.pipe(v.number(), v.metadata({ protobuf: 'float' })) }),
    v.metadata({ id: 'Holder' }),
  )
  const { types } = valibot(Named)

  assert.deepEqual(Object.keys(types).sort(), ['Holder', 'HolderNode', 'HolderNodeNext'])
  assert.deepEqual(fieldsOf(types, 'HolderNodeNext')[1]?.type, { kind: 'ref', to: 'HolderNodeNext' })
  assert.equal(fieldsOf(types, 'Holder')[1]?.protobuf, 'float')
})

test('Valibot: what its converter cannot say is refused in its words', () => {
  const refusals = [
    [v.date(), /"date" schema cannot be converted/],
    [v.bigint(), /"bigint" schema cannot be converted/],
    [v.map(v.string(), v.string()), /"map" schema cannot be converted/],
    [v.pipe(v.string(), v.transform(Number)), /cannot be converted/],
    [
      v.pipe(
        v.string(),
        v.check(() => true),
      ),
      /"check" action cannot be converted/,
    ],
  ] as const

  for (const [schema, message] of refusals) refused(() => toStandardJsonSchema(schema), message)
})

test('ArkType: an object with every kind of field', () => {
  const { types } = read(
    type({
      string: 'string >= 2',
      integer: '-2147483648 <= number.integer <= 2147483647',
      even: 'number % 2',
      nullable: 'string | null',
      'optional?': 'number',
      status: "'new' | 'paid'",
      one: '5',
      list: 'string[] >= 1',
      uuid: 'string.uuid',
      record: 'Record<string, number>',
      pair: ['string', 'boolean'],
      default: "string = 'x'",
    }),
  )
  const fields = Object.fromEntries(
    fieldsOf(types).map(({ name, number: _number, ...field }) => [name, field]),
  )

  assert.deepEqual(fields, {
    string: { type: { kind: 'string', checks: [{ check: 'minLength', value: '2' }] } },
    integer: {
      type: {
        kind: 'int',
        bits: 32,
        signed: true,
        js: 'number',
        checks: [
          { check: 'min', value: '-2147483648' },
          { check: 'max', value: '2147483647' },
        ],
      },
    },
    even: {
      type: {
        kind: 'int',
        bits: 64,
        signed: true,
        js: 'number',
        checks: [{ check: 'multipleOf', value: '2' }],
      },
    },
    nullable: { type: { kind: 'string' }, nullable: true },
    optional: { type: { kind: 'float', bits: 64 }, optional: true },
    status: { type: { kind: 'ref', to: 'RootStatus' } },
    one: { type: { kind: 'literal', values: [5] } },
    list: {
      type: {
        kind: 'list',
        of: { type: { kind: 'string' } },
        js: 'array',
        checks: [{ check: 'minLength', value: '1' }],
      },
    },
    uuid: { type: { kind: 'string', format: 'uuid' }, doc: 'a UUID' },
    record: {
      type: { kind: 'map', key: { kind: 'string' }, of: { type: { kind: 'float', bits: 64 } }, js: 'record' },
    },
    pair: { type: { kind: 'tuple', items: [{ type: { kind: 'string' } }, { type: { kind: 'bool' } }] } },
    // ArkType does not say the default: the receiver's own ArkType fills it in.
    default: { type: { kind: 'string' }, optional: true },
  })
})

test('ArkType: unions, recursion, undeclared keys', () => {
  const union = read(type({ t: "'a'", x: 'number' }).or({ t: "'b'" }))
  assert.equal(union.types.Root?.kind, 'union')

  const { node } = type.module({ node: { value: 'string', 'next?': 'node', kids: 'node[]' } })
  const recursive = read(node)
  assert.deepEqual(Object.keys(recursive.types), ['Root'])

  assert.equal(
    (read(type({ '+': 'reject', a: 'string' })).types.Root as { unknown: string }).unknown,
    'refuse',
  )
  assert.equal(
    (read(type({ '+': 'delete', a: 'string' })).types.Root as { unknown: string }).unknown,
    'strip',
  )
})

test('ArkType: what it leaves open is refused, never guessed', () => {
  refused(() => type({ a: { b: 'bigint' } }), /says nothing about this type.*zod 4/, 'a.b')
  refused(() => type({ a: 'Date' }), /says nothing/, 'a')
  refused(() => type({ a: 'unknown' }), /says nothing/, 'a')
  refused(() => type({ a: type.instanceOf(Uint8Array) }), /says nothing/, 'a')
  refused(() => type({ a: 'object' }), /nothing about the fields/, 'a')
  refused(() => type({ a: 'string | number' }), /union cannot be carried/, 'a')
  refused(() => type({ a: 'string.numeric.parse' }), /input and output of this arktype schema differ/)
  refused(() => type({ a: ['string', 'number?'] }), /none can be optional/, 'a')
  refused(() => type({ 'a?': 'never' }), /nothing is valid here/, 'a')
  refused(() => type({ '[string]': 'number', a: 'number' }), /undeclared fields/)
})

test('the library always has the last word on a decoded value', () => {
  const even = read(
    type('number.integer').narrow((value, context) => value % 2 === 0 || context.mustBe('even')),
  )

  assert.equal(even.refine?.(2), 2)
  assert.throws(() => even.refine?.(3), Invalid)

  const withDefault = read(type({ a: "string = 'x'" }))
  assert.deepEqual(withDefault.refine?.({}), { a: 'x' })
})

test('any library: references, nulls and choices as JSON Schema writes them', () => {
  const { types } = read(
    described({
      type: 'object',
      required: ['a', 'b', 'c', 'd', 'e'],
      properties: {
        a: { type: ['string', 'null'] },
        b: { $ref: '#/$defs/a~1b' },
        c: { enum: ['x', null] },
        d: { oneOf: [{ const: 1 }, { const: 2 }] },
        e: {
          type: 'object',
          propertyNames: { enum: ['l', 'r'] },
          additionalProperties: { type: 'boolean' },
          required: ['l', 'r'],
        },
        f: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
      },
      $defs: { 'a/b': { type: 'integer' } },
    }),
  )

  assert.deepEqual(
    fieldsOf(types).map(({ name: _name, number: _number, ...field }) => field),
    [
      { type: { kind: 'string' }, nullable: true },
      { type: { kind: 'int', bits: 64, signed: true, js: 'number' } },
      { type: { kind: 'literal', values: ['x'] }, nullable: true },
      { type: { kind: 'literal', values: [1, 2] } },
      {
        type: {
          kind: 'map',
          key: { kind: 'literal', values: ['l', 'r'] },
          of: { type: { kind: 'bool' } },
          js: 'record',
          keys: ['l', 'r'],
        },
      },
      { type: { kind: 'ref', to: 'Root' }, nullable: true, optional: true },
    ],
  )
})

test('any library: schemas that cannot be carried', () => {
  refused(() => described({}), /says nothing/)
  refused(() => described({ type: 'null' }), /null alone/)
  refused(() => described({ type: ['string', 'number'] }), /a choice of the types string, number/)
  refused(() => described({ allOf: [{}, {}] }), /intersection/)
  refused(() => described({ $ref: '#/$defs/none' }), /nothing is found at the reference/)
  refused(() => described({ $ref: '#' }), /without an end/)
  refused(() => described({ type: 'array' }), /nothing says what the list holds/)
  refused(() => described({ type: 'array', items: { $ref: '#' } }), /never ends/, '[]'.repeat(30) + '…')
  refused(
    () => described({ type: 'object', properties: { a: { type: 'string', default: 1 } } }),
    /not a string/,
    'a',
  )
  refused(
    () => described({ type: 'string' }, { type: 'number' }),
    /input and output of this own schema differ/,
  )
  refused(() => described('string' as never), /describes this schema as string/)
})

test('a pattern with Unicode classes keeps its meaning, and one that does not compile is left to the library', () => {
  assert.deepEqual(read(described({ type: 'string', pattern: '^\\p{Lu}' })).slot.type, {
    kind: 'string',
    checks: [{ check: 'pattern', source: '^\\p{Lu}', flags: 'u' }],
  })
  assert.deepEqual(read(described({ type: 'string', pattern: '(' })).slot.type, { kind: 'string' })
})
