import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema, Type } from '../../schema/type.ts'
import { layout } from './layout.ts'
import { type FieldLayout, protoTypeOf } from './message-layout.ts'

const text: Type = { kind: 'string' }
const tags: Type = { kind: 'list', js: 'array', of: { type: text } }

/** A field as it stands in a .proto file. */
function line(field: FieldLayout): string {
  const type = protoTypeOf(field.value)
  const explicit =
    field.presence === 'explicit' && (field.value.kind === 'scalar' || field.value.kind === 'enum')
  const label = field.shape === 'repeated' ? 'repeated ' : explicit ? 'optional ' : ''
  const shown = field.shape === 'map' ? `map<${field.key?.proto}, ${type}>` : `${label}${type}`
  return `${shown} ${field.name} = ${field.number}`
}

function lines(schema: Schema, name?: string): Readonly<Record<string, readonly string[]>> {
  const { messages } = layout(schema, name)
  return Object.fromEntries([...messages].map(([message, { fields }]) => [message, fields.map(line)]))
}

test('every field has its place, and boxes are named after the field they stand for', () => {
  const schema: Schema = {
    root: { type: { kind: 'ref', to: 'Order' } },
    types: {
      Order: {
        kind: 'object',
        unknown: 'strip',
        fields: [
          { name: 'orderId', number: 1, type: text },
          { name: 'note', number: 2, type: text, optional: true },
          { name: 'tags', number: 3, type: tags },
          { name: 'maybeTags', number: 4, type: tags, nullable: true },
          { name: 'nullish', number: 5, type: tags, nullable: true, optional: true },
          { name: 'matrix', number: 6, type: { kind: 'list', js: 'array', of: { type: tags } } },
          {
            name: 'prices',
            number: 7,
            type: {
              kind: 'map',
              js: 'record',
              key: text,
              of: { type: { kind: 'float', bits: 64 }, nullable: true },
            },
          },
          {
            name: 'point',
            number: 8,
            type: {
              kind: 'tuple',
              items: [{ type: text }, { type: text, nullable: true }],
              rest: { type: text },
            },
          },
          { name: 'parent', number: 9, type: { kind: 'ref', to: 'Order' }, nullable: true },
          { name: 'state', number: 10, type: { kind: 'ref', to: 'State' } },
          { name: 'at', number: 11, type: { kind: 'instant' }, proto: 'created_at' },
          { name: 'empty', number: 12, type: tags, default: [] },
          { name: 'nothing', number: 13, type: text, nullable: true, default: null },
        ],
      },
      State: { kind: 'enum', values: [{ name: 'OPEN', value: 'open', number: 3 }] },
    },
  }

  assert.deepEqual(lines(schema), {
    Order: [
      'string order_id = 1',
      'optional string note = 2',
      'repeated string tags = 3',
      'Order.MaybeTagsBox maybe_tags = 4',
      'Order.NullishBox nullish = 5',
      'repeated Order.MatrixItemBox matrix = 6',
      'map<string, Order.PricesValueBox> prices = 7',
      'Order.PointTuple point = 8',
      'Order parent = 9',
      'State state = 10',
      'google.protobuf.Timestamp created_at = 11',
      'repeated string empty = 12',
      'optional string nothing = 13',
    ],
    'Order.MaybeTagsBox': ['repeated string value = 1'],
    'Order.NullishBox': ['Order.NullishBox.ValueBox value = 1'],
    'Order.NullishBox.ValueBox': ['repeated string value = 1'],
    'Order.MatrixItemBox': ['repeated string value = 1'],
    'Order.PricesValueBox': ['optional double value = 1'],
    'Order.PointTuple': ['string item_1 = 1', 'optional string item_2 = 2', 'repeated string rest = 3'],
  })
  assert.deepEqual(
    layout(schema)
      .enums.get('State')
      ?.values.map(({ name, number }) => `${name} = ${number}`),
    ['STATE_UNSPECIFIED = 0', 'OPEN = 3'],
  )
})

test('a root without a name is boxed in a message of the name that is given', () => {
  assert.deepEqual(lines({ root: { type: tags }, types: {} }, 'ListResponse'), {
    ListResponse: ['repeated string value = 1'],
  })
})

test('a type that is not there, and an override that does not fit, are refused with their place', () => {
  const broken = (type: Type, protobuf?: string): Schema => ({
    root: { type: { kind: 'ref', to: 'Order' } },
    types: {
      Order: { kind: 'object', unknown: 'strip', fields: [{ name: 'at', number: 1, type, protobuf }] },
    },
  })
  assert.throws(
    () => layout(broken({ kind: 'ref', to: 'Nowhere' })),
    /Order: there is no type named "Nowhere"/,
  )
  assert.throws(() => layout(broken(text, 'sint64')), /Order, At: sint64 cannot carry string/)
  assert.throws(() => layout(broken(tags, 'google.protobuf.ListValue')), /cannot carry list/)
})
