import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type ContractInfo, contractInfo, isContract } from 'trunkline'
import { readSample } from '../../../../test/proto/samples.ts'
import { wireDifferences } from '../../../../test/proto/compare.ts'
import { root } from '../../../../test/support/command.ts'
import { contractsToFiles } from './from-contract.ts'
import { type ProtoImport, importProto } from './import.ts'
import { createLoader, declarationsOf } from './load.ts'
import { knownNames, printProto } from './print.ts'
import { contractFromProto } from './reflection.ts'
import { servicesToContracts } from './to-contract.ts'

const shop = importProto('acme/shop/v1/shop.proto', { read: readSample })
const old = importProto('acme/old/old.proto', { read: readSample })

/** The contracts of a module that was written. It lies in the tree, where the package finds itself. */
async function contractsOf(t: TestContext, { module, lock }: ProtoImport): Promise<ContractInfo[]> {
  const generated = join(root, 'test/repository/.generated')
  mkdirSync(generated, { recursive: true })
  const folder = mkdtempSync(join(generated, 'import-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'a.contract.ts'), module)
  writeFileSync(join(folder, 'trunkline.lock.json'), JSON.stringify(lock))

  const exported = (await import(pathToFileURL(join(folder, 'a.contract.ts')).href)) as Record<
    string,
    unknown
  >
  return Object.values(exported)
    .filter(isContract)
    .map((one) => contractInfo(one))
}

function expectIn(text: string, ...lines: string[]): void {
  for (const line of lines) assert.ok(text.includes(line), `${line}\nis not in\n${text}`)
}

test('fields keep their names and numbers, and have the default that absent means', () => {
  expectIn(
    shop.module,
    "orderId: z.string().default('').describe('What identifies it.'),",
    'quantity: z.int32().optional().meta({ deprecated: true }),',
    "deltas: z.array(z.int64().meta({ protobuf: 'sint64' })).default([]),",
    'real: z.number().default(0),',
    'single: z.float32().default(0),',
    'small: z.uint32().default(0),',
    'large: z.uint64().default(0n),',
    "fixed: z.int64().default(0n).meta({ protobuf: 'sfixed64' }),",
    'data: z.instanceof(Uint8Array).default(() => new Uint8Array()),',
    'flag: z.boolean().default(false),',
    "renamed: z.string().default('').meta({ json: 'otherName' }),",
    "unpacked: z.array(z.uint32().meta({ protobuf: 'fixed32' })).default([]).meta({ packed: false }),",
  )
  assert.deepEqual(shop.lock.contracts['acme.shop.v1']?.messages['Order.Line'], {
    fields: { sku: 1, count: 2, order: 3 },
  })
  const { fields, reserved } = shop.lock.contracts['acme.shop.v1']?.messages['Order'] ?? {}
  assert.equal(fields?.['byKuro'], undefined)
  assert.equal(fields?.['bySku'], 6)
  assert.deepEqual(reserved, { numbers: [5, 7, 8, 9], names: ['old_name', 'older_name'] })
  assert.deepEqual(shop.lock.contracts['acme.shop.v1']?.enums['Order.State']?.reserved?.numbers, [4, 5, 6])
})

test('well-known types are values; Any and FieldMask are the messages that they are', () => {
  expectIn(
    shop.module,
    'placedAt: z.date().optional(),',
    "lasts: z.string().optional().meta({ protobuf: 'google.protobuf.Duration' }),",
    "attributes: z.record(z.string(), z.json()).optional().meta({ protobuf: 'google.protobuf.Struct' }),",
    'anything: z.json().optional(),',
    "list: z.array(z.json()).optional().meta({ protobuf: 'google.protobuf.ListValue' }),",
    "note: z.string().optional().meta({ protobuf: 'google.protobuf.StringValue' }),",
    "nothing: Empty.optional().meta({ protobuf: 'google.protobuf.Empty' }),",
    'extra: Any.optional(),',
    'mask: FieldMask.optional(),',
    "typeUrl: z.string().default(''),",
    'paths: z.array(z.string()).default([]),',
  )
})

test('a oneof is optional fields that know it; enums and their documentation; recursion by getters', () => {
  expectIn(
    shop.module,
    "card: z.string().optional().meta({ oneof: 'payment' }),",
    "cash: Money.optional().meta({ oneof: 'payment' }),",
    "other: OrderState.optional().meta({ oneof: 'payment' }),",
    "    // Not yet.\n    'OPEN',\n    'DONE',\n    'minus',",
    "enumNames: { minus: 'minus' }",
    'get parent(): z.ZodOptional<typeof Order> {\n      return Order.optional()\n    },',
    'get children(): z.ZodDefault<z.ZodArray<typeof Order>> {',
    'get bySku(): z.ZodDefault<z.ZodRecord<z.ZodString, typeof OrderLine>> {',
    'states: z.map(z.int64(), OrderState).default(() => new Map()),',
  )
})

test('methods: streams, routes, idempotency, Empty as nothing', () => {
  expectIn(
    shop.module,
    "place: call({ doc: 'Places an order.', input: PlaceRequest, output: Order, rest: 'POST /v1/orders' }),",
    "rest: 'GET /v1/orders/{orderId}'",
    "idempotency: 'safe'",
    'cancel: call({ input: GetOrderRequest, deprecated: true }),',
    'watch: call({ output: stream(Order) }),',
    'input: stream(PlaceRequest),',
    "output: z.record(z.string(), z.json()).meta({ protobuf: 'google.protobuf.Struct' }),",
    'chat: call({ input: stream(Order), output: stream(Order) }),',
  )
  // What a path needs must be there.
  expectIn(shop.module, 'orderId: z.string(),')
})

test('what a contract does not say is noted, in the order of the file', () => {
  assert.deepEqual(
    shop.notes.map(({ at, construct, about }) => [at.line, construct, about]),
    [
      [24, 'http', 'acme.shop.v1.Shop.Place'],
      [31, 'http', 'acme.shop.v1.Shop.Cancel'],
      [54, 'reserved range', 'acme.shop.v1.Order'],
      [101, 'enum alias', 'acme.shop.v1.Order.State'],
    ],
  )
  assert.deepEqual(shop.missing, [{ file: 'acme/shop/v1/shop.proto', path: 'google/api/annotations.proto' }])
  assert.deepEqual(
    old.notes.filter(({ loses }) => loses).map(({ construct, about }) => [construct, about]),
    [['group', 'acme.old.Request.result']],
  )
})

test('proto2: required, defaults, groups and extensions', () => {
  expectIn(
    old.module,
    "name: z.string().meta({ presence: 'required' }),",
    "inner: RequestInner.meta({ presence: 'required' }),",
    'count: z.int32().default(-5),',
    String.raw`text: z.string().default('a"bAA\n'),`,
    'on: z.boolean().default(true),',
    "colour: Colour.default('BLUE'),",
    'real: z.number().default(0.0015),',
    'limit: z.number().optional(),',
    'large: z.int64().default(9223372036854775807n),',
    "none: z.int32().default(0).meta({ presence: 'explicit' }),",
    'list: z.array(z.int32()).default([]).meta({ packed: false }),',
    'packed: z.array(z.int32()).default([]),',
  )
  assert.deepEqual(old.lock.contracts['acme.old']?.messages['Request']?.reserved, {
    numbers: [14],
    names: ['result'],
  })
})

test('the module that is written loads, and means what the file means', async (t) => {
  for (const path of ['acme/shop/v1/shop.proto', 'acme/old/old.proto', 'acme/new/new.proto']) {
    const { files } = createLoader(readSample).load([path])
    const made = servicesToContracts(declarationsOf(files.values()), files.get(path)?.services ?? [])
    const loaded = await contractsOf(t, importProto(path, { read: readSample }))
    assert.deepEqual(
      loaded.map(({ name, digest }) => [name, digest]),
      made.map(({ info }) => [info.name, info.digest]),
      path,
    )
    assert.ok(loaded.every(({ locked }) => locked))
  }
})

test('a contract is written as the .proto file that it came from, as wires see it', () => {
  const again = (path: string, service: string): string[] => {
    const { files } = createLoader(readSample).load([path])
    const declarations = declarationsOf(files.values())
    const before = declarations.services.get(service)
    assert.ok(before)

    const [{ info } = { info: undefined }] = servicesToContracts(declarations, [before])
    const exported = contractsToFiles([info as ContractInfo])
    const texts = new Map(exported.map((file) => [file.path, printProto(file, knownNames(exported))]))
    const reread = createLoader((wanted) => texts.get(wanted)).load([...texts.keys()])
    const after = declarationsOf(reread.files.values())
    return wireDifferences(
      { service: before, declarations },
      { service: after.services.get(service) ?? before, declarations: after },
    ).map(({ what, about }) => `${what} ${about}`)
  }

  assert.deepEqual(again('acme/shop/v1/shop.proto', 'acme.shop.v1.Shop'), [])
  assert.deepEqual(again('acme/old/old.proto', 'acme.old.Old'), [
    'closed enum acme.old.Colour',
    'missing field acme.old.Request.result',
  ])
  assert.deepEqual(again('acme/new/new.proto', 'acme.new.New'), ['missing field acme.new.Request.delimited'])
})

test('one service of several, a service that is not there, and a file without any', () => {
  const text =
    'syntax = "proto3"; package a.v1; message M {} service One { rpc X(M) returns (M); } service Two {}'
  const read = (path: string) => (path === 'a.proto' ? text : undefined)
  assert.deepEqual(importProto('a.proto', { read }).services, ['a.v1.One', 'a.v1.Two'])
  assert.deepEqual(importProto('a.proto', { read, services: ['Two'] }).services, ['a.v1.Two'])
  assert.throws(
    () => importProto('a.proto', { read, services: ['Three'] }),
    /no service Three in this file; there are One, Two/,
  )
  assert.throws(() => importProto('b.proto', { read: () => 'message M {}' }), /no service in this file/)
  assert.throws(() => importProto('c.proto', { read }), /c\.proto:1:1: there is no such file/)
})

test('several services of a package share their messages in one module', () => {
  const text = `syntax = "proto3"; package acme.v1;
    message Thing { string id = 1; }
    service Things { rpc Get(Thing) returns (Thing) { option (google.api.http) = { get: "/things/{id}" }; } }
    service Others { rpc Then(Thing) returns (Thing); rpc Get_Thing(Thing) returns (Thing); }`
  const { module, lock } = importProto('a.proto', { read: () => text })
  assert.equal(module.split('export const Thing =').length, 2)
  expectIn(
    module,
    "'acme.things.v1',",
    "'acme.others.v1',",
    "{ grpc: 'acme.v1.Things', lock }",
    "thenCall: call({ input: Thing, output: Thing, grpc: 'acme.v1.Others/Then' }),",
    "getThing: call({ input: Thing, output: Thing, grpc: 'acme.v1.Others/Get_Thing' }),",
  )
  assert.deepEqual(Object.keys(lock.contracts), ['acme.things.v1', 'acme.others.v1'])
})

test('names that TypeScript or zod have already are given another', () => {
  const text = `syntax = "proto3"; package a.v1;
    message Date { string class = 1; Map map = 2; string constructor = 3; string _2fa = 4; string foo_1 = 5; }
    message Map { message Keys {} Keys keys = 1; }
    service MapKeys { rpc ToString(Map) returns (Date); rpc Constructor(Map) returns (Date); }`
  const { module } = importProto('a.proto', { read: () => text })
  expectIn(
    module,
    'export const DateType = z',
    'export const MapType = z',
    'export const MapKeysService = contract(',
  )
  expectIn(module, 'toStringCall: call(', 'constructorCall: call(', "class: z.string().default('')")
  expectIn(module, "foo1: z.string().default('').meta({ proto: 'foo_1' }),")
})

test('at run time numbers may be NaN and infinite, as protobuf allows', () => {
  const info = contractFromProto('acme/shop/v1/shop.proto', 'acme.shop.v1.Shop', readSample)
  const order = info.types['Order']
  assert.ok(order?.kind === 'object')
  assert.deepEqual(order.fields.find(({ name }) => name === 'real')?.type, {
    kind: 'float',
    bits: 64,
    nonFinite: true,
  })
})
