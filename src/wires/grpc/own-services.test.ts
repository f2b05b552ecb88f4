/** Health and reflection, as a foreign client asks for them, and contracts that are made of what reflection says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CallError,
  call,
  connectTo,
  contract,
  contractInfo,
  describeServer,
  implement,
  serve,
  stream,
} from 'trunkline'
import { grpc } from 'trunkline/wires'
import * as z from 'zod'
import { foreignServer } from '../../../test/support/grpc-js.ts'
import { quiet } from '../../../test/support/quiet-log.ts'
import { healthContract } from './health.ts'
import { ReflectedFiles } from './reflected-files.ts'
import {
  reflectionV1,
  reflectionV1Alpha,
  type ReflectionRequest,
  type ReflectionResponse,
} from './reflection-contract.ts'

const Order = z
  .object({ id: z.string(), at: z.date(), tags: z.record(z.string(), z.int64()) })
  .meta({ id: 'Order' })
const Orders = contract('acme.orders.v1', {
  place: call({ input: z.object({ sku: z.string() }), output: Order }),
  watch: call({ input: z.object({ count: z.int32() }), output: stream(Order) }),
})

const order = (id: string) => ({ id, at: new Date(86_400_000), tags: { a: 2n ** 60n } })
const orders = () =>
  implement(Orders, {
    place: ({ sku }) => order(sku),
    async *watch({ count }) {
      for (let n = 0; n < count; n++) yield order(`${n}`)
    },
  })

const start = (options = {}) => serve(orders(), { port: 0, log: quiet, ...options })

test('the server and its services are SERVING, others are not found', async () => {
  await using server = await start()
  await using health = connectTo(healthContract, `grpc://127.0.0.1:${server.port}`, { log: quiet })
  for (const service of ['', 'acme.orders.v1.Orders', 'grpc.health.v1.Health']) {
    assert.deepEqual(await health.call('check', { service }), { status: 'SERVING' })
  }
  await assert.rejects(
    health.call('check', { service: 'acme.Other' }),
    (error: unknown) => CallError.is(error) && error.code === 'not_found',
  )
})

test('whoever watches hears that the server is being closed, which does not wait for them', async () => {
  const server = await start()
  await using health = connectTo(healthContract, `grpc://127.0.0.1:${server.port}`, { log: quiet })
  const known = health.stream('watch', { service: 'acme.orders.v1.Orders' })[Symbol.asyncIterator]()
  const unknown = health.stream('watch', { service: 'acme.Other' })[Symbol.asyncIterator]()
  assert.deepEqual((await known.next()).value, { status: 'SERVING' })
  assert.deepEqual((await unknown.next()).value, { status: 'SERVICE_UNKNOWN' })

  const closed = server.close({ grace: 60_000 })
  assert.deepEqual((await known.next()).value, { status: 'NOT_SERVING' })
  for (const watching of [known, unknown]) {
    await assert.rejects(
      watching.next(),
      (error: unknown) => CallError.is(error) && error.code === 'unavailable',
    )
  }
  await closed
})

test('a contract that is called like one of these services takes its place', async () => {
  const Own = contract('grpc.health.v1', { check: call({ output: z.object({ text: z.string() }) }) })
  const implementation = implement(Own, { check: () => ({ text: 'mine' }) })
  await using server = await serve(implementation, {
    port: 0,
    log: quiet,
    wires: [grpc({ reflection: false })],
  })
  await using client = connectTo(contractInfo(Own), `grpc://127.0.0.1:${server.port}`, { log: quiet })
  assert.deepEqual(await client.call('check'), { text: 'mine' })
})

for (const version of [reflectionV1, reflectionV1Alpha]) {
  test(`${version.grpcService} answers every kind of question`, async () => {
    await using server = await start()
    await using client = connectTo(version, `grpc://127.0.0.1:${server.port}`, { log: quiet })
    const ask = async (...questions: Omit<ReflectionRequest, 'host'>[]): Promise<ReflectionResponse[]> => {
      const input = questions.map((question) => ({ host: 'h', ...question }))
      return Array.fromAsync(client.stream('serverReflectionInfo', input)) as Promise<ReflectionResponse[]>
    }

    const [
      list,
      ofService,
      ofMessage,
      again,
      byName,
      ofMethod,
      noSymbol,
      noFile,
      extension,
      numbers,
      noType,
      nothing,
    ] = await ask(
      { listServices: '' },
      { fileContainingSymbol: 'acme.orders.v1.Orders' },
      { fileContainingSymbol: 'acme.orders.v1.Order' },
      { fileByFilename: 'google/protobuf/timestamp.proto' },
      { fileByFilename: 'google/protobuf/timestamp.proto' },
      { fileContainingSymbol: 'acme.orders.v1.Orders.Place' },
      { fileContainingSymbol: 'acme.Other' },
      { fileByFilename: 'other.proto' },
      { fileContainingExtension: { containingType: 'acme.orders.v1.Order', extensionNumber: 7 } },
      { allExtensionNumbersOfType: 'acme.orders.v1.Order' },
      { allExtensionNumbersOfType: 'acme.Other' },
      {},
    )
    assert.equal(list?.validHost, 'h')
    assert.deepEqual(
      list?.listServicesResponse?.service.map(({ name }) => name),
      [
        'acme.orders.v1.Orders',
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
      ],
    )
    const [details] = await ask({ fileContainingSymbol: 'google.rpc.BadRequest.FieldViolation' })
    assert.equal(details?.fileDescriptorResponse?.fileDescriptorProto.length, 2)
    const count = (response: ReflectionResponse | undefined) =>
      response?.fileDescriptorResponse?.fileDescriptorProto.length
    // The first brings what it imports; what was sent on this call is not sent again, but for what is asked for.
    assert.equal(count(ofService), 2)
    assert.deepEqual([ofMessage, again, byName, ofMethod].map(count), [1, 1, 1, 1])
    const codes = [noSymbol, noFile, extension, noType, nothing].map((each) => each?.errorResponse?.errorCode)
    assert.deepEqual(codes, [5, 5, 5, 5, 3])
    assert.deepEqual(numbers?.allExtensionNumbersResponse, {
      baseTypeName: 'acme.orders.v1.Order',
      extensionNumber: [],
    })
  })
}

test('a server is called by what its reflection says, without its contract', async () => {
  await using server = await start()
  const url = `grpc://127.0.0.1:${server.port}`
  const [info] = await describeServer(url)
  assert.equal(info?.name, 'acme.orders.v1')
  await using client = connectTo(info, url, { log: quiet })
  const placed = (await client.call('place', { sku: 'A1' })) as { id: string; at: Date; tags: object }
  assert.equal(placed.id, 'A1')
  assert.deepEqual(placed.at, new Date(86_400_000))
  assert.deepEqual({ ...placed.tags }, { a: 2n ** 60n })
  assert.equal((await Array.fromAsync(client.stream('watch', { count: 3 }))).length, 3)
})

/** One with grpc-js, whose other services nobody needs here. */
async function foreignReflection(
  version: typeof reflectionV1,
  services: readonly string[],
): ReturnType<typeof foreignServer> {
  const files = new ReflectedFiles([contractInfo(Orders)])
  const answer = ({ fileContainingSymbol }: ReflectionRequest): ReflectionResponse => {
    if (fileContainingSymbol === undefined) {
      return { validHost: '', listServicesResponse: { service: services.map((name) => ({ name })) } }
    }
    if (fileContainingSymbol.endsWith('Broken')) {
      return { validHost: '', fileDescriptorResponse: { fileDescriptorProto: [Uint8Array.of(0xff)] } }
    }
    const file = files.bySymbol(fileContainingSymbol)
    return file === undefined
      ? { validHost: '', errorResponse: { errorCode: 5, errorMessage: 'there is no such symbol' } }
      : { validHost: '', fileDescriptorResponse: { fileDescriptorProto: [file.bytes] } }
  }

  return foreignServer(version, {
    serverReflectionInfo(conversation: {
      on(event: string, listener: (request: ReflectionRequest) => void): void
      write(response: ReflectionResponse): void
      end(): void
    }) {
      conversation.on('data', (request) => conversation.write(answer(request)))
      conversation.on('end', () => conversation.end())
    },
  })
}

test('a server that knows only v1alpha is asked so', async () => {
  await using server = await foreignReflection(reflectionV1Alpha, ['acme.orders.v1.Orders'])
  const contracts = await describeServer(`grpc://127.0.0.1:${server.port}`)
  assert.deepEqual(
    contracts.map(({ name, operations }) => [name, [...operations.keys()]]),
    [['acme.orders.v1', ['place', 'watch']]],
  )
})

test('a service that a server cannot describe is left out, and told when there is no other', async () => {
  const names = ['acme.Missing', 'acme.Broken', 'acme.orders.v1.Orders']
  await using server = await foreignReflection(reflectionV1, names)
  const left: unknown[] = []
  const log = { ...quiet, warn: ({ service }: { service?: unknown }) => left.push(service) }
  const contracts = await describeServer(`grpc://127.0.0.1:${server.port}`, { log })
  assert.deepEqual(
    contracts.map(({ name }) => name),
    ['acme.orders.v1'],
  )
  assert.deepEqual(left, ['acme.Missing', 'acme.Broken'])

  await using other = await foreignReflection(reflectionV1, ['acme.Broken'])
  await assert.rejects(describeServer(`grpc://127.0.0.1:${other.port}`, { log }), /acme\.Broken/)
})

test('a server without reflection says so', async () => {
  await using server = await start({ wires: [grpc({ reflection: false })] })
  await assert.rejects(
    describeServer(`grpc://127.0.0.1:${server.port}`),
    (error: unknown) => CallError.is(error) && error.code === 'unimplemented',
  )
})
