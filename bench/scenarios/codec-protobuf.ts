// The protobuf codec against protobufjs and protobuf-es, which neither check bounds nor refuse what has the wrong shape.

import assert from 'node:assert/strict'
import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  type Message,
  toBinary,
} from '@bufbuild/protobuf'
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Kind,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import protobufjs from 'protobufjs'
import { compileProtobuf } from '../../src/codec/protobuf/compile.ts'
import { Writer } from '../../src/codec/writer.ts'
import type { Schema, Type } from '../../src/schema/type.ts'
import { inProcess, type Group } from '../harness/in-process.ts'
import { CORES, pinSelf } from '../harness/pin.ts'
import { order } from '../order.ts'

const text: Type = { kind: 'string' }

const schema: Schema = {
  root: { type: { kind: 'ref', to: 'Order' } },
  types: {
    Order: {
      kind: 'object',
      unknown: 'strip',
      fields: [
        { name: 'id', number: 1, type: text },
        { name: 'sku', number: 2, type: text },
        {
          name: 'quantity',
          number: 3,
          type: { kind: 'int', bits: 32, signed: true, js: 'number', checks: [{ check: 'min', value: '1' }] },
        },
        { name: 'price', number: 4, type: { kind: 'float', bits: 64 } },
        { name: 'note', number: 5, type: text },
        { name: 'tags', number: 6, type: { kind: 'list', js: 'array', of: { type: text } } },
      ],
    },
  },
}

const list: Schema = {
  root: { type: { kind: 'ref', to: 'Orders' } },
  types: {
    ...schema.types,
    Orders: {
      kind: 'object',
      unknown: 'strip',
      fields: [{ name: 'orders', number: 1, type: { kind: 'list', js: 'array', of: schema.root } }],
    },
  },
}

const proto = `
  syntax = "proto3";
  message Order {
    string id = 1; string sku = 2; int32 quantity = 3; double price = 4; string note = 5; repeated string tags = 6;
  }
  message Orders { repeated Order orders = 1; }`

/** The same messages for protobuf-es, as its code generator describes them. */
function describe(): { Order: DescMessage; Orders: DescMessage } {
  const field = (name: string, number: number, type: Kind, label = Label.OPTIONAL, typeName = '') =>
    create(FieldDescriptorProtoSchema, { name, number, type, label, typeName })

  const file = create(FileDescriptorProtoSchema, {
    name: 'orders.proto',
    syntax: 'proto3',
    messageType: [
      create(DescriptorProtoSchema, {
        name: 'Order',
        field: [
          field('id', 1, Kind.STRING),
          field('sku', 2, Kind.STRING),
          field('quantity', 3, Kind.INT32),
          field('price', 4, Kind.DOUBLE),
          field('note', 5, Kind.STRING),
          field('tags', 6, Kind.STRING, Label.REPEATED),
        ],
      }),
      create(DescriptorProtoSchema, {
        name: 'Orders',
        field: [field('orders', 1, Kind.MESSAGE, Label.REPEATED, '.Order')],
      }),
    ],
  })

  const registry = createFileRegistry(file, () => undefined)
  return { Order: registry.getMessage('Order')!, Orders: registry.getMessage('Orders')! }
}

interface Promises {
  encode?: { protobufjs: number; es: number }
  decode?: { protobufjs: number; es: number }
}

function groupsOf(
  name: string,
  of: Schema,
  value: object,
  theirName: 'Order' | 'Orders',
  promises: Promises,
): Group[] {
  const codec = compileProtobuf(of)
  const closures = compileProtobuf(of, { generate: false })
  const theirs = protobufjs.parse(proto).root.lookupType(theirName)
  const es = describe()[theirName]

  const writer = new Writer()
  codec.encode(value, writer)
  const bytes = writer.copy()

  const theirMessage = theirs.create(value)
  const esMessage: Message = fromBinary(es, bytes)
  const isSame = (other: unknown): void => assert.equal(Buffer.compare(other as Buffer, bytes), 0)

  const encodeWith = (one: typeof codec) => (): Buffer => {
    writer.reset()
    one.encode(value, writer)
    return writer.bytes
  }
  const isWritten = (): void => isSame(writer.written())

  return [
    {
      name: `${name}: encode`,
      contenders: [
        { name: 'trunkline', run: encodeWith(codec), check: isWritten },
        {
          name: 'protobufjs',
          run: () => theirs.encode(theirMessage).finish(),
          check: isSame,
          atLeast: promises.encode?.protobufjs,
        },
        {
          name: 'protobuf-es',
          run: () => toBinary(es, esMessage),
          check: isSame,
          atLeast: promises.encode?.es,
        },
        { name: 'trunkline without code generation', run: encodeWith(closures), check: isWritten },
      ],
    },
    {
      name: `${name}: decode (ours validates)`,
      contenders: [
        {
          name: 'trunkline',
          run: () => codec.decode(bytes, 0, bytes.length),
          check: (ours) => assert.deepEqual(ours, value),
        },
        {
          name: 'protobufjs',
          run: () => theirs.decode(bytes),
          check: (message) => assert.deepEqual(theirs.toObject(message), value),
          atLeast: promises.decode?.protobufjs,
        },
        {
          name: 'protobuf-es',
          run: () => fromBinary(es, bytes),
          check: (message) => isSame(toBinary(es, message)),
          atLeast: promises.decode?.es,
        },
        {
          name: 'trunkline without code generation',
          run: () => closures.decode(bytes, 0, bytes.length),
          check: (ours) => assert.deepEqual(ours, value),
        },
      ],
    },
  ]
}

const accents = {
  ...order,
  note: 'Größe prüfen, déjà vu à Noël, 東京',
  tags: ['zerbrechlich', 'österreich', 'eilig'],
}

export default inProcess({
  title: 'protobuf codec',
  about:
    'From values to bytes, in place, and from bytes to validated values. protobufjs and protobuf-es decode without ' +
    'validating, and protobufjs accepts wrong UTF-8. Both generate or interpret from a schema, as ours does.',
  groups: () => {
    pinSelf(CORES.client)
    return [
      ...groupsOf('the reference Order', schema, order, 'Order', {
        encode: { protobufjs: 2.5, es: 4 },
        decode: { protobufjs: 1.5, es: 4 },
      }),
      ...groupsOf('the Order, not ASCII', schema, accents, 'Order', {}),
      ...groupsOf(
        'a hundred Orders',
        list,
        { orders: Array.from({ length: 100 }, () => order) },
        'Orders',
        {},
      ),
    ]
  },
})
