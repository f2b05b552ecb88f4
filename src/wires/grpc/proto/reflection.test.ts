import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFile } from './encode-descriptor.ts'
import { createLoader } from './load.ts'
import { contractFromDescriptors, contractsFromProto } from './reflection.ts'

const texts: Readonly<Record<string, string>> = {
  'shop.proto': `
    syntax = "proto3"; package demo.shop; import "money.proto"; import "google/protobuf/struct.proto";
    service Shop { rpc Get(Product) returns (Product); }
    service Till { rpc Count(Product) returns (demo.money.Money); }
    message Product { demo.money.Money price = 1; google.protobuf.Struct attributes = 2; }`,
  'money.proto': 'syntax = "proto3"; package demo.money; message Money { int64 units = 3; }',
}
const read = (path: string) => texts[path]

test('files see each other without imports, as grpc-node’s reflection gives them', () => {
  const { files } = createLoader(read).load(['shop.proto'])
  const bytes = [...files.values()].map((file) => encodeFile({ ...file, imports: [] }))
  const info = contractFromDescriptors(bytes, 'demo.shop.Shop')
  assert.deepEqual([...info.operations.keys()], ['get'])
  assert.deepEqual(Object.keys(info.types).toSorted(), ['Product', 'demo.money.Money'])
})

test('all services of a file are contracts, and a file without one is refused', () => {
  const infos = contractsFromProto('shop.proto', read)
  assert.deepEqual(
    infos.map(({ grpcService }) => grpcService),
    ['demo.shop.Shop', 'demo.shop.Till'],
  )
  assert.throws(
    () => contractsFromProto('money.proto', read),
    /money\.proto:1:1: there is no service in this file/,
  )
})
