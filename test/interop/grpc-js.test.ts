/** grpc-js on either side: what its users and ours see of each other. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import {
  CallError,
  Metadata,
  type ReplyHead,
  call,
  connect,
  contract,
  fault,
  implement,
  isFault,
  serve,
  stream,
} from 'trunkline'
import { grpc } from 'trunkline/wires'
import * as z from 'zod'
import { decodeDetails } from '../../src/wires/grpc-family/status-details.ts'
import { certificate } from '../support/certificate.ts'
import { ForeignClient, foreignServer, grpcJs } from '../support/grpc-js.ts'
import { quiet } from '../support/quiet-log.ts'

const Item = z.object({ n: z.int32(), text: z.string() }).meta({ id: 'Item' })

const Service = contract('test.peer.v1', {
  echo: call({ input: Item, output: Item }),
  nothing: call({}),
  count: call({ input: z.object({ to: z.int32() }), output: stream(Item) }),
  sum: call({ input: stream(Item), output: z.object({ sum: z.int32() }) }),
  double: call({ input: stream(Item), output: stream(Item) }),
  fail: call({
    input: z.object({ how: z.string() }),
    output: Item,
    faults: { outOfStock: fault('failed_precondition', z.object({ left: z.int32() })) },
  }),
  wait: call({ input: z.object({}) }),
})

const service = (observed: { canceled?: (why: unknown) => void; metadata?: Metadata } = {}) =>
  implement(Service, {
    echo(item, ctx) {
      observed.metadata = ctx.metadata
      ctx.reply.metadata.set('x-head', 'before').set('x-bytes-bin', Uint8Array.of(0, 255, 1))
      ctx.reply.trailers.append('x-tail', 'one').append('x-tail', 'two')
      return item
    },
    nothing() {},
    async *count({ to }) {
      for (let n = 0; n < to; n++) yield { n, text: 'x'.repeat(n % 100) }
    },
    async sum(items) {
      let sum = 0
      for await (const { n } of items) sum += n
      return { sum }
    },
    async *double(items) {
      for await (const { n, text } of items) yield { n: n * 2, text }
    },
    fail({ how }, ctx) {
      if (how === 'fault') throw ctx.fault.outOfStock({ left: 3 })
      throw new CallError('resource_exhausted', 'zu viel, 100 % voll\n', {
        retryAfter: 1_500,
        metadata: new Metadata({ 'x-why': 'limit' }),
        issues: [{ path: 'how', message: 'expected less' }],
      })
    },
    wait: (_input, ctx) =>
      new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => {
          observed.canceled?.(ctx.signal.reason)
          reject(ctx.signal.reason as Error)
        })
      }),
  })

for (const secure of [false, true]) {
  const over = secure ? 'TLS' : 'plaintext'
  const credentials = secure
    ? grpcJs.credentials.createSsl(Buffer.from(certificate().cert))
    : grpcJs.credentials.createInsecure()
  const named = secure ? { 'grpc.ssl_target_name_override': 'localhost' } : {}
  const start = (implementation = service()) =>
    serve(implementation, { port: 0, log: quiet, ...(secure ? { tls: certificate() } : {}) })

  test(`a grpc-js client calls all four kinds, over ${over}`, async () => {
    await using server = await start()
    using client = new ForeignClient(Service, `127.0.0.1:${server.port}`, credentials, named)

    assert.deepEqual(await client.call('echo', { n: 1, text: 'grüß' }), { n: 1, text: 'grüß' })
    await client.call('nothing', {})
    const large = { n: 2, text: 'x'.repeat(3_000_000) }
    assert.deepEqual(await client.call('echo', large), large)

    let next = 0
    for await (const item of client.stream('count', { to: 5_000 }))
      assert.equal((item as { n: number }).n, next++)
    assert.equal(next, 5_000)
    const items = Array.from({ length: 3_000 }, (_, n) => ({ n, text: 'x' }))
    assert.deepEqual(await client.collect('sum', items), { sum: (3_000 * 2_999) / 2 })

    const duplex = client.duplex('double')
    for (let n = 0; n < 5; n++) {
      duplex.write({ n, text: 'turn' })
      const [answer] = (await once(duplex, 'data')) as [{ n: number }]
      assert.equal(answer.n, n * 2)
    }
    duplex.end()
    const [status] = (await once(duplex.resume(), 'status')) as [grpcJs.StatusObject]
    assert.equal(status.code, grpcJs.status.OK)
  })

  test(`our client calls all four kinds of a grpc-js server, over ${over}`, async () => {
    const serverCredentials = secure
      ? grpcJs.ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(certificate().key), cert_chain: Buffer.from(certificate().cert) },
        ])
      : grpcJs.ServerCredentials.createInsecure()
    await using server = await foreignServer(Service, foreignHandlers, serverCredentials)
    const url = `${secure ? 'grpcs' : 'grpc'}://127.0.0.1:${server.port}`
    await using client = connect(Service, url, {
      log: quiet,
      ...(secure ? { tls: { ca: certificate().cert, servername: 'localhost' } } : {}),
    })

    assert.deepEqual(await client.echo({ n: 1, text: 'grüß' }), { n: 1, text: 'grüß' })
    assert.equal(await client.nothing(), undefined)
    const large = { n: 2, text: 'x'.repeat(3_000_000) }
    assert.deepEqual(await client.echo(large), large)

    let next = 0
    for await (const { n } of client.count({ to: 5_000 })) assert.equal(n, next++)
    assert.equal(next, 5_000)
    const items = Array.from({ length: 3_000 }, (_, n) => ({ n, text: 'x' }))
    assert.deepEqual(await client.sum(items), { sum: (3_000 * 2_999) / 2 })
    const doubled: number[] = []
    for await (const { n } of client.double(items.slice(0, 100))) doubled.push(n)
    assert.deepEqual(
      doubled,
      items.slice(0, 100).map(({ n }) => n * 2),
    )
  })
}

/** The same service by grpc-js. */
const foreignHandlers: grpcJs.UntypedServiceImplementation = {
  echo(request: grpcJs.ServerUnaryCall<unknown, unknown>, answer: grpcJs.sendUnaryData<unknown>) {
    const head = new grpcJs.Metadata()
    for (const value of request.metadata.get('x-tenant')) head.add('x-tenant', value)
    for (const value of request.metadata.get('x-bytes-bin')) head.add('x-bytes-bin', value)
    request.sendMetadata(head)
    const tail = new grpcJs.Metadata()
    tail.add('x-tail', 'one')
    tail.add('x-tail', 'two')
    answer(null, request.request, tail)
  },
  nothing(_request: unknown, answer: grpcJs.sendUnaryData<unknown>) {
    answer(null, {})
  },
  count(request: grpcJs.ServerWritableStream<{ to: number }, unknown>) {
    for (let n = 0; n < request.request.to; n++) request.write({ n, text: 'x' })
    request.end()
  },
  async sum(
    request: grpcJs.ServerReadableStream<{ n: number }, unknown>,
    answer: grpcJs.sendUnaryData<unknown>,
  ) {
    let sum = 0
    for await (const { n } of request as AsyncIterable<{ n: number }>) sum += n
    answer(null, { sum })
  },
  double(request: grpcJs.ServerDuplexStream<{ n: number; text: string }, unknown>) {
    request.on('data', ({ n, text }: { n: number; text: string }) => request.write({ n: n * 2, text }))
    request.on('end', () => request.end())
  },
  fail(_request: unknown, answer: grpcJs.sendUnaryData<unknown>) {
    const metadata = new grpcJs.Metadata()
    metadata.add('x-why', 'limit')
    answer({ code: grpcJs.status.RESOURCE_EXHAUSTED, details: 'zu viel ☺ 100 %', metadata })
  },
  wait() {},
}

test('metadata goes both ways between a grpc-js client and our server, repeated and binary too', async () => {
  const observed: { metadata?: Metadata } = {}
  await using server = await serve(service(observed), { port: 0, log: quiet })
  using client = new ForeignClient(Service, `127.0.0.1:${server.port}`)
  const metadata = new grpcJs.Metadata()
  metadata.add('x-tenant', 'acme')
  metadata.add('x-tenant', 'other')
  metadata.add('x-sign-bin', Buffer.from([1, 2, 250]))

  const heard = Promise.withResolvers<grpcJs.Metadata>()
  const ended = Promise.withResolvers<grpcJs.StatusObject>()
  await client.call('echo', { n: 1, text: '' }, metadata, {}, (request) => {
    request.on('metadata', heard.resolve)
    request.on('status', ended.resolve)
  })
  assert.deepEqual(observed.metadata?.getAll('x-tenant'), ['acme', 'other'])
  assert.deepEqual(observed.metadata?.get('x-sign-bin'), Uint8Array.of(1, 2, 250))
  const head = await heard.promise
  assert.deepEqual(head.get('x-head'), ['before'])
  assert.deepEqual(head.get('x-bytes-bin'), [Buffer.from([0, 255, 1])])
  const { metadata: tail } = await ended.promise
  // node:http2 joins what is repeated.
  assert.deepEqual(tail.get('x-tail').join(', '), 'one, two')
})

test('metadata goes both ways between our client and a grpc-js server', async () => {
  await using server = await foreignServer(Service, foreignHandlers)
  await using client = connect(Service, `grpc://127.0.0.1:${server.port}`, { log: quiet })
  const heard = Promise.withResolvers<ReplyHead>()
  await client.echo(
    { n: 1, text: '' },
    {
      metadata: { 'x-tenant': ['acme', 'other'], 'x-bytes-bin': Uint8Array.of(1, 2, 250) },
      onReply: (head) => heard.resolve(head),
    },
  )
  const { metadata, trailers } = await heard.promise
  assert.equal(metadata.getAll('x-tenant').join(', '), 'acme, other')
  assert.deepEqual(metadata.get('x-bytes-bin'), Uint8Array.of(1, 2, 250))
  assert.equal((await trailers).getAll('x-tail').join(', '), 'one, two')
})

test('what comes with an answer that is trailers alone is trailers', async () => {
  const count = (request: grpcJs.ServerWritableStream<unknown, unknown>) => {
    const tail = new grpcJs.Metadata()
    tail.add('x-count', 'none')
    request.end(tail)
  }
  await using server = await foreignServer(Service, { ...foreignHandlers, count })
  await using client = connect(Service, `grpc://127.0.0.1:${server.port}`, { log: quiet })

  const heard = Promise.withResolvers<ReplyHead>()
  for await (const _ of client.count({ to: 0 }, { onReply: heard.resolve }))
    assert.fail('there is no message')
  const { metadata, trailers } = await heard.promise
  assert.equal(metadata.has('x-count'), false)
  assert.equal((await trailers).get('x-count'), 'none')
})

test('a grpc-js client sees code, message, metadata and details of our errors', async () => {
  await using server = await serve(service(), { port: 0, log: quiet })
  using client = new ForeignClient(Service, `127.0.0.1:${server.port}`)
  const failing = async (how: string): Promise<grpcJs.ServiceError> => {
    try {
      await client.call('fail', { how })
    } catch (error) {
      return error as grpcJs.ServiceError
    }
    throw new Error('the call should have failed')
  }

  const error = await failing('error')
  assert.equal(error.code, grpcJs.status.RESOURCE_EXHAUSTED)
  assert.equal(error.details, 'zu viel, 100 % voll\n')
  assert.deepEqual(error.metadata.get('x-why'), ['limit'])
  const [details] = error.metadata.get('grpc-status-details-bin')
  const read = decodeDetails(details as Buffer, undefined)
  assert.equal(read.retryAfter, 1_500)
  assert.deepEqual(read.issues, [{ path: 'how', message: 'expected less' }])

  const [ofFault] = (await failing('fault')).metadata.get('grpc-status-details-bin')
  const types = decodeDetails(ofFault as Buffer, undefined).details?.map(({ type }) => type)
  assert.deepEqual(types, [
    'type.googleapis.com/google.rpc.ErrorInfo',
    'type.googleapis.com/test.peer.v1.FailOutOfStock',
  ])

  await assert.rejects(
    client.call('echo', { n: 1, text: 'x' }, undefined, { host: 'other' }).then(() => {
      throw new Error('reached')
    }),
    /reached/,
  )
})

test('our client sees the errors of a grpc-js server, and of a method that it does not have', async () => {
  const { wait: _, ...others } = foreignHandlers
  await using server = await foreignServer(Service, others)
  await using client = connect(Service, `grpc://127.0.0.1:${server.port}`, { log: quiet })
  await assert.rejects(client.fail({ how: 'error' }), (error: unknown) => {
    assert.ok(CallError.is(error))
    assert.equal(error.code, 'resource_exhausted')
    assert.equal(error.message, 'zu viel ☺ 100 %')
    assert.equal(error.metadata.get('x-why'), 'limit')
    assert.equal(isFault(error, Service.fail, 'outOfStock'), false)
    return true
  })
  await assert.rejects(
    client.wait({}),
    (error: unknown) => CallError.is(error) && error.code === 'unimplemented',
  )
})

test('a deadline of a grpc-js client ends the call, and our handler hears of it', async () => {
  const canceled = Promise.withResolvers<unknown>()
  await using server = await serve(service({ canceled: canceled.resolve }), { port: 0, log: quiet })
  using client = new ForeignClient(Service, `127.0.0.1:${server.port}`)
  await assert.rejects(
    client.call('wait', {}, undefined, { deadline: Date.now() + 100 }),
    (error: grpcJs.ServiceError) => error.code === grpcJs.status.DEADLINE_EXCEEDED,
  )
  assert.ok(CallError.is(await canceled.promise))
})

test('a grpc-js client that gives up cancels the call here', async () => {
  const canceled = Promise.withResolvers<unknown>()
  await using server = await serve(service({ canceled: canceled.resolve }), { port: 0, log: quiet })
  using client = new ForeignClient(Service, `127.0.0.1:${server.port}`)
  const waiting = client.call('wait', {}, undefined, {}, (request) => setTimeout(() => request.cancel(), 50))
  await assert.rejects(waiting, (error: grpcJs.ServiceError) => error.code === grpcJs.status.CANCELLED)
  const why = await canceled.promise
  assert.ok(CallError.is(why) && why.code === 'canceled')
})

test('our deadline and our cancelling end the call at a grpc-js server', async () => {
  const heard: string[] = []
  const both = Promise.withResolvers<void>()
  await using server = await foreignServer(Service, {
    ...foreignHandlers,
    wait(request: grpcJs.ServerUnaryCall<unknown, unknown>) {
      request.on('cancelled', () => {
        heard.push('cancelled')
        if (heard.length === 2) both.resolve()
      })
    },
  })
  await using client = connect(Service, `grpc://127.0.0.1:${server.port}`, { log: quiet })
  await assert.rejects(
    client.wait({}, { timeout: 100 }),
    (error: unknown) => CallError.is(error) && error.code === 'deadline_exceeded',
  )
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 50)
  await assert.rejects(
    client.wait({}, { signal: controller.signal }),
    (error: unknown) => CallError.is(error) && error.code === 'canceled',
  )
  await both.promise
})

test('compressed messages are understood from grpc-js and by it, in both directions', async () => {
  const wires = [grpc({ compression: 'gzip' })]
  await using server = await serve(service(), { port: 0, log: quiet, wires })
  const gzip = { 'grpc.default_compression_algorithm': grpcJs.compressionAlgorithms.gzip }
  using foreign = new ForeignClient(Service, `127.0.0.1:${server.port}`, undefined, gzip)
  const large = { n: 2, text: 'x'.repeat(1_000_000) }
  assert.deepEqual(await foreign.call('echo', large), large)
  const sizes: number[] = []
  for await (const item of foreign.stream('count', { to: 200 }))
    sizes.push((item as { text: string }).text.length)
  assert.equal(sizes.length, 200)

  for (const compression of ['gzip', 'deflate'] as const) {
    await using foreignly = await foreignServer(Service, foreignHandlers)
    await using client = connect(Service, `grpc://127.0.0.1:${foreignly.port}`, {
      log: quiet,
      wires: [grpc({ compression })],
    })
    assert.deepEqual(await client.echo(large), large)
    assert.deepEqual(await client.sum([large, { n: 3, text: 'small' }, large]), { sum: 7 })
  }
})
