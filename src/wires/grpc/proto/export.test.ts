/**
 * What is written for others: .proto files and descriptors. protobuf-es reads the descriptors and speaks by them what the
 * codec writes; `test/proto/protoc.judge.ts` asks protoc itself.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DescMethod, type Message, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { create } from '@bufbuild/protobuf'
import * as fc from 'fast-check'
import * as z from 'zod'
import { type ContractInfo, call, contract, contractInfo, fault, stream } from 'trunkline'
import { Orders } from '../../../../examples/orders/contract.ts'
import { carriableObject } from '../../../../test/arbitrary/zod.ts'
import { runs } from '../../../../test/support/fuzz.ts'
import { readSample } from '../../../../test/proto/samples.ts'
import { wireDifferences } from '../../../../test/proto/compare.ts'
import { compileProtobuf } from '../../../codec/protobuf/compile.ts'
import { Writer } from '../../../codec/writer.ts'
import { encodeFile } from './encode-descriptor.ts'
import { exportProto } from './export.ts'
import { contractsToFiles } from './from-contract.ts'
import { createLoader, declarationsOf } from './load.ts'
import { knownNames, printProto } from './print.ts'
import { contractFromDescriptorSet, contractFromDescriptors, reflectedFiles } from './reflection.ts'

/** The registry of protobuf-es that reflection would fill. */
function registryOf(infos: readonly ContractInfo[]) {
  const files = reflectedFiles(infos).map(({ bytes }) => fromBinary(FileDescriptorProtoSchema, bytes))
  return createFileRegistry(create(FileDescriptorSetSchema, { file: files }))
}

function methodOf(infos: readonly ContractInfo[], service: string, method: string): DescMethod {
  const found = registryOf(infos)
    .getService(service)
    ?.methods.find(({ name }) => name === method)
  assert.ok(found)
  return found
}

/** protobuf-es keeps what it did not understand, in every message on its own. */
function hasUnknown(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  const unknown = (value as Message).$unknown
  if (unknown !== undefined && unknown.length > 0) return true
  return Object.values(value).some((one) => hasUnknown(one))
}

const textOf = (info: ContractInfo): string => exportProto([info])[0]?.text ?? ''

test('a contract as a .proto file', () => {
  const Status = z.enum(['open', 'done']).meta({ id: 'Status', deprecated: true })
  const Order = z
    .object({
      orderId: z.string().describe('What identifies it.\nNever changes.'),
      status: Status,
      note: z.string().optional().meta({ deprecated: true }),
      count: z.int32().default(0),
      limit: z.int32().default(7),
      tags: z.array(z.string().nullable()),
      byDay: z.record(z.string(), z.date()),
      unpacked: z.array(z.int32()).meta({ packed: false }),
      renamed: z.string().meta({ json: 'other' }),
    })
    .meta({ id: 'Order', description: 'An order.' })
  const Payment = z
    .discriminatedUnion('by', [
      z.object({ by: z.literal('card'), last: z.string() }).meta({ id: 'Card' }),
      z.object({ by: z.literal('cash') }).meta({ id: 'Cash' }),
    ])
    .meta({ id: 'Payment' })
  const lock = {
    version: 1,
    contracts: {
      'acme.shop.v1': {
        messages: {
          Order: {
            fields: {
              orderId: 1,
              status: 2,
              note: 5,
              count: 6,
              limit: 7,
              tags: 8,
              byDay: 9,
              unpacked: 10,
              renamed: 11,
            },
            reserved: { numbers: [3, 4, 20], names: ['oldName'] },
          },
          Card: { fields: { by: 1, last: 2 } },
          Cash: { fields: { by: 1 } },
          FindRequest: { fields: { orderId: 1, deep: 2 } },
          PlaceOutOfStock: { fields: { left: 1 } },
        },
        enums: { Status: { values: { OPEN: 1, DONE: 3 }, reserved: { numbers: [2], names: ['PACKED'] } } },
        unions: {
          Payment: { variants: { card: 1, cash: 2 }, reserved: { numbers: [3], names: ['cheque'] } },
        },
      },
    },
  }

  const Shop = contract(
    'acme.shop.v1',
    {
      place: call({
        input: Order,
        output: Payment,
        faults: { outOfStock: fault('failed_precondition', z.object({ left: z.int32() })) },
        rest: 'POST /orders',
        idempotency: 'idempotent',
        doc: 'Places it.',
      }),
      find: call({
        input: z.object({ orderId: z.string(), deep: z.boolean().default(false) }),
        output: stream(Order),
        rest: 'GET /orders/{orderId}:find',
        idempotency: 'safe',
        deprecated: true,
      }),
      ping: call({ grpc: 'acme.shop.v1.Other/Ping' }),
    },
    { lock, doc: 'The shop.' },
  )

  assert.equal(
    textOf(contractInfo(Shop)),
    `// The contract acme.shop.v1, written by \`trunkline export proto\`.
syntax = "proto3";

package acme.shop.v1;

import "google/api/annotations.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/timestamp.proto";

// The shop.
service Shop {
  // Places it.
  rpc Place(Order) returns (Payment) {
    option idempotency_level = IDEMPOTENT;
    option (google.api.http) = {
      post: "/orders"
      body: "*"
    };
  }

  rpc Find(FindRequest) returns (stream Order) {
    option deprecated = true;
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {
      get: "/orders/{order_id}:find"
    };
  }
}

service Other {
  rpc Ping(google.protobuf.Empty) returns (google.protobuf.Empty);
}

// An order.
message Order {
  reserved 3 to 4, 20;
  reserved "old_name";

  // What identifies it.
  // Never changes.
  string order_id = 1;

  Status status = 2;
  optional string note = 5 [deprecated = true];
  int32 count = 6;

  // Absent means 7.
  optional int32 limit = 7;

  repeated TagsItemBox tags = 8;
  map<string, google.protobuf.Timestamp> by_day = 9;
  repeated int32 unpacked = 10 [packed = false];
  string renamed = 11 [json_name = "other"];

  message TagsItemBox {
    optional string value = 1;
  }
}

message Payment {
  reserved 3;
  reserved "cheque";

  oneof kind {
    Card card = 1;
    Cash cash = 2;
  }
}

message Card {
  string by = 1;
  string last = 2;
}

message Cash {
  string by = 1;
}

message PlaceOutOfStock {
  int32 left = 1;
}

message FindRequest {
  string order_id = 1;
  bool deep = 2;
}

enum Status {
  option deprecated = true;
  reserved 2;
  reserved "PACKED";

  STATUS_UNSPECIFIED = 0;
  OPEN = 1;
  DONE = 3;
}
`,
  )
})

test('required fields are written in edition 2023', () => {
  const Ask = contract('acme.ask.v1', {
    ask: call({
      input: z.object({
        must: z.int32().meta({ presence: 'required' }),
        may: z.int32().optional(),
        plain: z.int32(),
        list: z.array(z.int32()).meta({ packed: false }),
      }),
    }),
  })
  const text = textOf(contractInfo(Ask))
  for (const line of [
    'edition = "2023";',
    'option features.field_presence = IMPLICIT;',
    'int32 must = 1 [features.field_presence = LEGACY_REQUIRED];',
    'int32 may = 2 [features.field_presence = EXPLICIT];',
    'int32 plain = 3;',
    'repeated int32 list = 4 [features.repeated_field_encoding = EXPANDED];',
  ]) {
    assert.ok(text.includes(line), `${line}\n${text}`)
  }
})

test('names mean what they should, whatever stands around them', () => {
  const Thing = z.object({ a: z.string() }).meta({ id: 'Everything' })
  const Foreign = z.object({ b: z.string() }).meta({ id: 'acme.other.Thing' })
  const Colour = (id: string) => z.enum(['RED', 'BLUE']).meta({ id })
  const info = contractInfo(
    contract('acme.acme.v1', {
      everything: call({
        input: Thing,
        output: z.object({ one: Colour('One'), two: Colour('Two'), foreign: Foreign }),
      }),
    }),
  )

  const files = exportProto([info])
  const [other, own] = files
  assert.deepEqual(
    files.map(({ path }) => path),
    ['acme/other/other.proto', 'acme/acme/v1/acme.proto'],
  )
  assert.match(other?.text ?? '', /package acme\.other;\n\nmessage Thing \{/)
  // A method hides the message of its name; values stand beside their enum; acme is looked for in acme first.
  assert.match(own?.text ?? '', /rpc Everything\(\.acme\.acme\.v1\.Everything\)/)
  assert.match(own?.text ?? '', /TwoEnum\.Two two = 2;/)
  assert.match(own?.text ?? '', /\.acme\.other\.Thing foreign = 3;/)
  assert.ok(registryOf([info]).getMessage('acme.other.Thing'))
})

test('two contracts of one package share their types; different types of one name are refused', () => {
  const of = (name: string, service: string, schema: z.ZodType) =>
    contractInfo(contract(name, { ask: call({ input: schema }) }, { grpc: `acme.v1.${service}` }))
  const first = z.object({ a: z.string() }).meta({ id: 'Thing' })
  const other = z.object({ a: z.int32() }).meta({ id: 'Thing' })

  const [file] = exportProto([of('acme.one', 'One', first), of('acme.two', 'Two', first)])
  assert.equal(file?.path, 'acme/v1/acme.proto')
  assert.equal(file.text.split('message Thing').length, 2)
  assert.throws(
    () => exportProto([of('acme.one', 'One', first), of('acme.two', 'Two', other)]),
    /Thing is one thing in 'acme\.one' and another in 'acme\.two'/,
  )
})

test('packages that need each other are taken apart; types of two that are recursive together are refused', () => {
  const leaf = z.object({ a: z.string() }).meta({ id: 'Leaf' })
  const other = z.object({ leaf }).meta({ id: 'acme.other.Thing' })
  const info = contractInfo(
    contract('acme.shop.v1', { ask: call({ input: z.object({ other }).meta({ id: 'Ask' }) }) }),
  )
  const files = exportProto([info])
  assert.deepEqual(
    files.map(({ path }) => path),
    [
      'acme/shop/v1/leaf_types.proto',
      'acme/other/thing_types.proto',
      'acme/shop/v1/ask_types.proto',
      'acme/shop/v1/shop.proto',
    ],
  )
  assert.ok(registryOf([info]).getService('acme.shop.v1.Shop'))

  const first: z.ZodType = z.lazy(() => z.object({ second: second.optional() }).meta({ id: 'First' }))
  const second: z.ZodType = z.lazy(() =>
    z.object({ first: first.optional() }).meta({ id: 'acme.other.Second' }),
  )
  const both = contractInfo(contract('acme.shop.v1', { ask: call({ input: first }) }))
  assert.throws(() => exportProto([both]), /are recursive together, and in two packages/)
})

test('the reference contract: its file says what its descriptors say, and its descriptors give it again', () => {
  const info = contractInfo(Orders)
  const files = contractsToFiles([info])
  const known = knownNames(files)
  const texts = new Map(exportProto([info]).map(({ path, text }) => [path, text]))
  const reread = createLoader((path) => texts.get(path)).load(files.map(({ path }) => path))

  for (const file of files) {
    const again = reread.files.get(file.path)
    assert.ok(again)
    assert.deepEqual(encodeFile(again), encodeFile(file))
    assert.equal(
      printProto(again, known).split('\n').slice(1).join('\n'),
      texts.get(file.path)?.split('\n').slice(1).join('\n'),
    )
  }

  const bytes = reflectedFiles([info]).map((file) => file.bytes)
  const again = contractFromDescriptors(bytes, 'acme.orders.v1.Orders')
  const sides = [info, again].map((one) => {
    const declarations = declarationsOf(contractsToFiles([one]))
    const service = declarations.services.get('acme.orders.v1.Orders')
    assert.ok(service)
    return { service, declarations }
  })
  const [one, other] = sides
  assert.ok(one && other)
  assert.deepEqual(wireDifferences(one, other), [])
})

test('descriptors of parsed files, in bytes and back', () => {
  for (const [path, service] of [
    ['acme/shop/v1/shop.proto', 'acme.shop.v1.Shop'],
    ['acme/old/old.proto', 'acme.old.Old'],
    ['acme/new/new.proto', 'acme.new.New'],
  ] as const) {
    const { files } = createLoader(readSample).load([path])
    const encoded = [...files.values()].map(encodeFile)
    const decoded = encoded.map((bytes): FileDescriptorProto => fromBinary(FileDescriptorProtoSchema, bytes))
    const set = create(FileDescriptorSetSchema, { file: decoded })
    assert.ok(createFileRegistry(set).getService(service), 'protobuf-es understands it')

    const direct = contractFromDescriptors(encoded, service)
    assert.deepEqual(
      contractFromDescriptorSet(toBinary(FileDescriptorSetSchema, set), service).types,
      direct.types,
    )

    const declarations = declarationsOf(files.values())
    const before = declarations.services.get(service)
    const again = contractsToFiles([direct])
    const after = declarationsOf(again)
    assert.ok(before)
    const differences = wireDifferences(
      { service: before, declarations },
      { service: after.services.get(service) ?? before, declarations: after },
    )
    const expected = { 'acme.old.Old': ['closed enum', 'missing field'], 'acme.new.New': ['missing field'] }
    assert.deepEqual(
      differences.map(({ what }) => what),
      expected[service as keyof typeof expected] ?? [],
    )
  }
})

test('bytes that are no descriptor are refused, wherever they are cut', () => {
  const bytes = Buffer.concat(
    reflectedFiles([contractInfo(Orders)])
      .filter(({ path }) => path.startsWith('acme'))
      .map((file) => file.bytes),
  )
  const service = 'acme.orders.v1.Orders'
  assert.throws(
    () => contractFromDescriptors([Buffer.from('nonsense')], service),
    /no descriptor of protobuf/,
  )
  assert.throws(() => contractFromDescriptors([bytes], 'acme.Gone'), /there is no service acme\.Gone/)

  for (let end = 0; end < bytes.length; end += 7) {
    try {
      contractFromDescriptors([bytes.subarray(0, end)], service)
    } catch (error) {
      assert.equal((error as Error).name, 'ProtoError', String(error))
    }
  }
})

test('protobuf-es reads by our descriptors all that the codec writes, and the codec what protobuf-es writes', () => {
  fc.assert(
    fc.property(
      carriableObject().chain(({ schema, value }) => fc.tuple(fc.constant(schema), value)),
      ([schema, value]) => {
        const info = contractInfo(contract('acme.judged.v1', { judge: call({ input: schema }) }))
        const { input } = methodOf([info], 'acme.judged.v1.Judged', 'Judge')
        const operation = info.operations.get('judge')
        assert.ok(operation?.kind === 'call' && operation.input !== undefined)

        const codec = compileProtobuf(operation.input.schema)
        const writer = new Writer(64)
        codec.encode(value, writer)
        const bytes = writer.copy()

        const message = fromBinary(input, bytes)
        assert.equal(hasUnknown(message), false)
        const theirs = Buffer.from(toBinary(input, message))
        assert.equal(theirs.length, bytes.length)
        assert.deepEqual(codec.decode(theirs, 0, theirs.length), codec.decode(bytes, 0, bytes.length))
      },
    ),
    { numRuns: runs(100) },
  )
})
