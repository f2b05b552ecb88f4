// trunkline call and describe against a gRPC server that is not ours: grpc-js, with reflection and without.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { certificate } from '../support/certificate.ts'
import { folder, root } from '../support/command.ts'
import { runHere } from '../support/run-here.ts'

const proto = join(root, 'test/interop/shop/shop.proto')
const definition = loadSync(proto, { longs: String, enums: String, defaults: true, oneofs: true })
const service = definition['demo.shop.v1.Shop'] as grpc.ServiceDefinition

/** google.rpc.Status, field by field: code 9, a message, and details. */
const status = Buffer.concat([
  Buffer.from([0x08, 9, 0x12, 4]),
  Buffer.from('sold'),
  any('google.rpc.ErrorInfo', Buffer.concat([field(1, 'SOLD_OUT'), field(2, 'demo.shop')])),
  any('google.rpc.BadRequest', field(1, field(1, 'sku'), field(2, 'is not for sale'))),
  any('google.rpc.RetryInfo', Buffer.from([0x0a, 2, 0x08, 5])),
  any('demo.shop.v1.Offer', Buffer.from([0x08, 84])),
  any('demo.shop.v1.Unknown', Buffer.from([1, 2, 3])),
])

function field(number: number, ...parts: readonly (string | Buffer)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content])
}

function any(type: string, value: Buffer): Buffer {
  return field(3, field(1, `type.googleapis.com/${type}`), field(2, value))
}

const handlers: grpc.UntypedServiceImplementation = {
  getProduct(call: grpc.ServerUnaryCall<{ sku: string }, unknown>, callback: grpc.sendUnaryData<unknown>) {
    const { sku } = call.request
    if (sku === 'GONE') {
      const metadata = new grpc.Metadata()
      metadata.add('grpc-status-details-bin', status)
      callback({ code: grpc.status.FAILED_PRECONDITION, details: 'sold', metadata })
      return
    }
    const tenant = call.metadata.get('x-tenant').join()
    callback(null, {
      sku,
      name: tenant,
      kind: 'KIND_TOOL',
      addedAt: { seconds: '1', nanos: 0 },
      serial: '18446744073709551615',
    })
  },
  listProducts(call: grpc.ServerWritableStream<{ count: number }, unknown>) {
    for (let index = 0; index < call.request.count; index++) call.write({ sku: `P-${index}` })
    call.end()
  },
  importProducts(
    call: grpc.ServerReadableStream<{ sku: string }, unknown>,
    callback: grpc.sendUnaryData<unknown>,
  ) {
    const skus: string[] = []
    call.on('data', ({ sku }: { sku: string }) => skus.push(sku))
    call.on('end', () => callback(null, { count: skus.length, skus }))
  },
  haggle(call: grpc.ServerDuplexStream<{ amount: string }, unknown>) {
    call.on('data', ({ amount }: { amount: string }) => call.write({ amount: String(Number(amount) * 2) }))
    call.on('end', () => call.end())
  },
}

const started: grpc.Server[] = []

async function start(credentials: grpc.ServerCredentials, reflection: boolean): Promise<number> {
  const server = new grpc.Server()
  server.addService(service, handlers)
  if (reflection) new ReflectionService(definition).addToServer(server)
  started.push(server)
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
}

let open: string
let silent: string
let secure: string
const { cert, key } = certificate()

before(async () => {
  open = `grpc://127.0.0.1:${await start(grpc.ServerCredentials.createInsecure(), true)}`
  silent = `grpc://127.0.0.1:${await start(grpc.ServerCredentials.createInsecure(), false)}`
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }
  secure = `grpcs://127.0.0.1:${await start(grpc.ServerCredentials.createSsl(null, [pair]), true)}`
})

after(() => {
  for (const server of started) server.forceShutdown()
})

/** Where the contract comes from: the server, or the file. */
const ways = [
  { how: 'by reflection', to: () => ['--to', open] },
  { how: 'by --proto', to: () => ['--to', silent, '--proto', proto] },
] as const

for (const { how, to } of ways) {
  test(`${how}, call prints the answer of a gRPC server as JSON`, async () => {
    const words = [
      'call',
      'demo.shop.v1.Shop/GetProduct',
      '{"sku": "SAW-1"}',
      '-H',
      'x-tenant: acme',
      ...to(),
    ]
    const { code, stdout, stderr } = await runHere(words)
    assert.deepEqual([code, stderr], [0, ''])
    const { sku, name, kind, addedAt, serial } = JSON.parse(stdout)
    assert.deepEqual(
      { sku, name, kind, addedAt, serial },
      {
        sku: 'SAW-1',
        name: 'acme',
        kind: 'KIND_TOOL',
        addedAt: '1970-01-01T00:00:01.000Z',
        serial: '18446744073709551615',
      },
    )
  })

  test(`${how}, call streams in all directions, one line a message`, async () => {
    const listed = await runHere(['call', 'Shop/ListProducts', '{"count": 3}', ...to()])
    assert.deepEqual(
      listed.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).sku),
      ['P-0', 'P-1', 'P-2'],
    )
    const imported = await runHere(['call', 'importProducts', '{"sku": "A"}\n{"sku": "B"}', ...to()])
    assert.deepEqual(JSON.parse(imported.stdout), { count: 2, countByKind: {}, skus: ['A', 'B'] })
    const haggled = await runHere([
      'call',
      'demo.shop.v1.Shop.Haggle',
      '{"amount": "-3"}\n{"amount": "4"}',
      ...to(),
    ])
    assert.equal(haggled.stdout, '{"amount":"-6","accepted":false}\n{"amount":"8","accepted":false}\n')
  })

  test(`${how}, call shows code, message and details of an error`, async () => {
    const { code, stdout, stderr } = await runHere(['call', 'GetProduct', '{"sku": "GONE"}', ...to()])
    assert.deepEqual([code, stdout], [1, ''])
    assert.equal(
      stderr,
      [
        'trunkline call: failed_precondition: sold',
        '  sku: is not for sale',
        '  detail google.rpc.ErrorInfo {"reason":"SOLD_OUT","domain":"demo.shop","metadata":{}}',
        '  detail demo.shop.v1.Offer {"amount":"42","accepted":false}',
        '  detail demo.shop.v1.Unknown AQID',
        '  try again in 5000 ms',
        '',
      ].join('\n'),
    )
  })

  test(`${how}, a field that a message does not have is refused, with the name that was meant`, async () => {
    const { code, stderr } = await runHere(['call', 'GetProduct', '{"sku_": "A"}', ...to()])
    assert.match(stderr, /Did you mean 'sku'\?/)
    assert.equal(code, 2)
  })
}

test('over TLS, call trusts the authority that is named', async () => {
  using files = folder({ 'ca.pem': cert })
  const words = ['call', 'GetProduct', '{"sku": "A"}', '--to', secure]
  const { code, stdout } = await runHere([...words, '--tls-ca', join(files.path, 'ca.pem')])
  assert.deepEqual([code, JSON.parse(stdout).sku], [0, 'A'])
  assert.match((await runHere(words)).stderr, /certificate/)
})

test('describe shows what a gRPC server says of itself, and what its file says, alike', async () => {
  const served = await runHere(['describe', open])
  assert.match(served.stdout, /^demo\.shop\.v1\n[^]*gRPC {4}demo\.shop\.v1\.Shop\/GetProduct/)
  assert.match(served.stdout, /KIND_SERVICE/)
  assert.equal((await runHere(['describe', '--to', open])).stdout, served.stdout)

  const declared = (await runHere(['describe', '--proto', proto, '--json'])).stdout
  const reflected = (await runHere(['describe', open, '--json'])).stdout
  assert.deepEqual(numbersOf(reflected), numbersOf(declared))
})

interface Described {
  readonly operations: Readonly<Record<string, unknown>>
  readonly types: Readonly<
    Record<string, { readonly fields?: readonly { readonly name: string; readonly number: number }[] }>
  >
}

/** Names and numbers; what else a file says, such as comments, grpc-node's reflection leaves out. */
function numbersOf(json: string): unknown {
  return (JSON.parse(json) as Described[]).map(({ operations, types }) => ({
    operations: Object.keys(operations),
    types: Object.entries(types).map(([name, { fields }]) => [
      name,
      fields?.map((field) => [field.name, field.number]),
    ]),
  }))
}

test('a gRPC server without reflection says how else its contract can be had', async () => {
  const { code, stderr } = await runHere(['call', 'GetProduct', '{}', '--to', silent])
  assert.match(stderr, /the server has no server reflection\n.*--proto <file>, or --contract <module>/)
  assert.equal(code, 1)
})

test('imports of a .proto file are found by -I', async () => {
  using files = folder({
    'ping.proto': `syntax = "proto3"; package demo; import "messages.proto"; service Ping { rpc Ping(Text) returns (Text); }`,
  })
  using other = folder({
    'messages.proto': 'syntax = "proto3"; package demo; message Text { string text = 1; }',
  })
  const words = ['describe', '--proto', join(files.path, 'ping.proto')]
  assert.match((await runHere(words)).stderr, /messages\.proto/)
  const { stdout, code } = await runHere([...words, '-I', other.path, '-I', files.path])
  assert.match(stdout, /demo\.Ping\/Ping/)
  assert.equal(code, 0)
})

const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a method that is nearly one', ['call', 'Shop/GetProdukt', '{}'], /Did you mean 'Shop\/GetProduct'\?/],
  [
    'a whole name that is nearly one',
    ['call', 'demo.shop.v1.Shop/Getproduct'],
    /Did you mean 'demo\.shop\.v1\.Shop\/GetProduct'\?/,
  ],
  ['a file that is not there', ['call', 'x', '--proto', 'no.proto'], /--proto: there is no file 'no\.proto'/],
  ['-I without --proto', ['call', 'x', '-I', '.'], /name that too, --proto <file>/],
  [
    'both --proto and --contract',
    ['call', 'x', '--proto', proto, '--contract', 'y'],
    /two places to read from/,
  ],
]

for (const [what, words, message] of mistakes) {
  test(`call: ${what}`, async () => {
    const { code, stderr } = await runHere([...words, '--to', open])
    assert.match(stderr, message)
    assert.equal(code, 2)
  })
}

test('a file that is wrong is said with its line', async () => {
  using files = folder({
    'bad.proto': 'syntax = "proto3";\nmessage X { string = 1; }',
    'none.proto': 'syntax = "proto3";',
  })
  const call = (file: string) => runHere(['call', 'x', '--to', silent, '--proto', join(files.path, file)])
  assert.match((await call('bad.proto')).stderr, /bad\.proto:2:\d+/)
  assert.match((await call('none.proto')).stderr, /there is no service in this file/)
})
