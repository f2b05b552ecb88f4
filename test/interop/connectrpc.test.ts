/** connectrpc's TypeScript packages on either side: what their users and ours see of each other. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Client, Code, ConnectError, type HandlerContext, createClient } from '@connectrpc/connect'
import type { DescService } from '@bufbuild/protobuf'
import {
  CallError,
  Metadata,
  type ReplyHead,
  call,
  connect,
  contract,
  fault,
  implement,
  serve,
  stream,
} from 'trunkline'
import { connectRpc, grpcWeb } from 'trunkline/wires'
import * as z from 'zod'
import { foreignServer, kinds, serviceOf } from '../support/connectrpc.ts'
import { quiet } from '../support/quiet-log.ts'
import { testIf } from '../support/test-if.ts'

const Item = z.object({ n: z.int32(), text: z.string() }).meta({ id: 'Item' })

const Service = contract('test.peer.v1', {
  echo: call({ input: Item, output: Item }),
  look: call({ input: Item, output: Item, idempotency: 'safe' }),
  nothing: call({}),
  count: call({ input: z.object({ to: z.int32() }), output: stream(Item) }),
  sum: call({ input: stream(Item), output: z.object({ sum: z.int32() }) }),
  double: call({ input: stream(Item), output: stream(Item) }),
  fail: call({
    input: z.object({ how: z.string() }),
    output: Item,
    faults: { outOfStock: fault('failed_precondition', z.object({ left: z.int32() })) },
  }),
  failLate: call({ input: z.object({}), output: stream(Item) }),
  wait: call({ input: z.object({}) }),
})

/** What one of their clients is at run time: the service's descriptor is not known to TypeScript. */
type Untyped = Record<
  string,
  (
    input: unknown,
    options?: object,
  ) => Promise<Record<string, unknown>> & AsyncIterable<Record<string, unknown>>
>

const untyped = (client: Client<DescService>) => client as unknown as Untyped

interface Observed {
  metadata?: Metadata
  canceled?: () => void
}

const service = (observed: Observed = {}) =>
  implement(Service, {
    echo(item, ctx) {
      observed.metadata = ctx.metadata
      ctx.reply.metadata.set('x-head', 'before').set('x-bytes-bin', Uint8Array.of(0, 255, 1))
      ctx.reply.trailers.append('x-tail', 'one').append('x-tail', 'two')
      return item
    },
    look: (item) => item,
    nothing() {},
    async *count({ to }, ctx) {
      ctx.reply.metadata.set('x-head', 'before')
      for (let n = 0; n < to; n++) yield { n, text: 'x'.repeat(n % 100) }
      ctx.reply.trailers.append('x-tail', 'one')
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
    async *failLate() {
      yield { n: 1, text: 'one' }
      throw new CallError('aborted', 'in the middle')
    },
    wait: (_input, ctx) =>
      new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => {
          observed.canceled?.()
          reject(ctx.signal.reason as Error)
        })
      }),
  })

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n, text: 'x' }))

async function* lazily<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

for (const kind of kinds) {
  const start = async (observed?: Observed) => {
    const server = await serve(service(observed), { port: 0, log: quiet })
    const transport = kind.transport(`http://127.0.0.1:${server.port}`)
    return Object.assign(server, { client: untyped(createClient(serviceOf(Service), transport)) })
  }

  test(`a connectrpc client makes unary calls and reads streams, ${kind.name}`, async () => {
    await using server = await start()
    const { client } = server
    const plain = ({ n, text }: Record<string, unknown>) => ({ n, text })

    assert.deepEqual(plain(await client.echo!({ n: 1, text: 'grüß' })), { n: 1, text: 'grüß' })
    assert.deepEqual(plain(await client.look!({ n: -1, text: 'a+b/c=? ☺' })), { n: -1, text: 'a+b/c=? ☺' })
    await client.nothing!({})
    const large = { n: 2, text: 'x'.repeat(1_000_000) }
    assert.deepEqual(plain(await client.echo!(large)), large)

    let next = 0
    for await (const item of client.count!({ to: 1_000 })) assert.equal(item['n'], next++)
    assert.equal(next, 1_000)
    for await (const _item of client.count!({ to: 0 })) assert.fail('there is none')
  })

  testIf(kind.streamsIn, `a connectrpc client streams its input, ${kind.name}`, async () => {
    await using server = await start()
    const { client } = server
    const total = await client.sum!(lazily(numbers(1_000)))
    assert.equal(total['sum'], (1_000 * 999) / 2)
    assert.equal((await client.sum!(lazily([])))['sum'], 0)

    if (!kind.duplex) return
    let asked = 0
    const answers = client.double!(
      (async function* () {
        for (; asked < 5; asked++) yield { n: asked, text: 'turn' }
      })(),
    )
    const doubled: unknown[] = []
    for await (const { n } of answers) doubled.push(n)
    assert.deepEqual(doubled, [0, 2, 4, 6, 8])
  })

  test(`metadata goes both ways, repeated and binary too, with a connectrpc client, ${kind.name}`, async () => {
    const observed: Observed = {}
    await using server = await start(observed)
    const headers = new Headers({ 'x-tenant': 'acme', 'x-sign-bin': 'AQL6' })
    const heard: { head?: Headers; tail?: Headers } = {}
    const onHeader = (head: Headers) => (heard.head = head)
    const onTrailer = (tail: Headers) => (heard.tail = tail)
    await server.client.echo!({ n: 1, text: '' }, { headers, onHeader, onTrailer })

    assert.deepEqual(observed.metadata?.getAll('x-tenant'), ['acme'])
    assert.deepEqual(observed.metadata?.get('x-sign-bin'), Uint8Array.of(1, 2, 250))
    assert.equal(heard.head?.get('x-head'), 'before')
    assert.equal(heard.head?.get('x-bytes-bin'), 'AP8B')
    assert.equal(heard.tail?.get('x-tail'), 'one, two')

    for await (const _item of server.client.count!({ to: 2 }, { onHeader, onTrailer }));
    assert.equal(heard.head?.get('x-head'), 'before')
    assert.equal(heard.tail?.get('x-tail'), 'one')
  })

  test(`errors reach a connectrpc client with code, message, metadata and details, ${kind.name}`, async () => {
    await using server = await start()
    await assert.rejects(
      () => server.client.fail!({ how: 'so' }),
      (error: unknown) => {
        assert.ok(error instanceof ConnectError)
        assert.equal(error.code, Code.ResourceExhausted)
        assert.equal(error.rawMessage, 'zu viel, 100 % voll\n')
        assert.equal(error.metadata.get('x-why'), 'limit')
        const types = error.details.map((detail) => ('type' in detail ? detail.type : detail.desc.typeName))
        assert.deepEqual(types, ['google.rpc.BadRequest', 'google.rpc.RetryInfo'])
        return true
      },
    )

    const seen: unknown[] = []
    await assert.rejects(
      async () => {
        for await (const { n } of server.client.failLate!({})) seen.push(n)
      },
      { code: Code.Aborted, rawMessage: 'in the middle' },
    )
    assert.deepEqual(seen, [1])
  })

  test(`deadlines and giving up reach the handler, with a connectrpc client, ${kind.name}`, async () => {
    const canceled = Promise.withResolvers<void>()
    await using server = await start({ canceled: canceled.resolve })
    await assert.rejects(() => server.client.wait!({}, { timeoutMs: 50 }), { code: Code.DeadlineExceeded })
    await canceled.promise
    const controller = new AbortController()
    const waiting = server.client.wait!({}, { signal: controller.signal })
    controller.abort()
    await assert.rejects(waiting, { code: Code.Canceled })
  })
}

/** The same service by connectrpc. */
const foreignService = {
  echo(item: object, ctx: HandlerContext) {
    ctx.responseHeader.set('x-tenant', ctx.requestHeader.get('x-tenant') ?? '')
    ctx.responseHeader.set('x-bytes-bin', ctx.requestHeader.get('x-bytes-bin') ?? '')
    ctx.responseTrailer.append('x-tail', 'one')
    return item
  },
  look: (item: object, ctx: HandlerContext) => ({ ...item, text: ctx.requestMethod }),
  nothing: () => ({}),
  async *count({ to }: { to: number }) {
    for (let n = 0; n < to; n++) yield { n, text: 'x' }
  },
  async sum(items: AsyncIterable<{ n: number }>) {
    let sum = 0
    for await (const { n } of items) sum += n
    return { sum }
  },
  async *double(items: AsyncIterable<{ n: number; text: string }>) {
    for await (const { n, text } of items) yield { n: n * 2, text }
  },
  fail() {
    throw new ConnectError('zu viel ☺ 100 %', Code.ResourceExhausted, { 'x-why': 'limit' })
  },
  async *failLate() {
    yield { n: 1, text: 'one' }
    throw new ConnectError('in the middle', Code.Aborted)
  },
  wait: (_input: object, ctx: HandlerContext) =>
    new Promise<object>((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error))
    }),
}

for (const http of ['1.1', '2'] as const) {
  for (const [name, wire, scheme, streamsIn] of [
    ['Connect', connectRpc({ http }), 'connect', true],
    ['Connect in JSON by GET', connectRpc({ http, format: 'json', get: true }), 'connect', true],
    ['Connect, compressed', connectRpc({ http, compression: 'gzip' }), 'connect', true],
    ['gRPC-Web', grpcWeb({ http }), 'grpc-web', false],
    [
      'gRPC-Web in JSON, compressed',
      grpcWeb({ http, format: 'json', compression: 'gzip' }),
      'grpc-web',
      false,
    ],
  ] as const) {
    test(`our client calls a connectrpc server, ${name} over HTTP/${http}`, async () => {
      await using server = await foreignServer(serviceOf(Service), foreignService as never, http)
      await using client = connect(Service, `${scheme}+http://127.0.0.1:${server.port}`, {
        log: quiet,
        wires: [wire],
      })

      const heard: ReplyHead[] = []
      const metadata = { 'x-tenant': 'acme', 'x-bytes-bin': Uint8Array.of(1, 2, 250) }
      const onReply = (head: ReplyHead) => heard.push(head)
      assert.deepEqual(await client.echo({ n: 1, text: 'grüß' }, { metadata, onReply }), {
        n: 1,
        text: 'grüß',
      })
      assert.equal(heard[0]?.metadata.get('x-tenant'), 'acme')
      assert.deepEqual(heard[0]?.metadata.get('x-bytes-bin'), Uint8Array.of(1, 2, 250))
      assert.equal((await heard[0]?.trailers)?.get('x-tail'), 'one')

      const { text: method } = await client.look({ n: 1, text: 'ä/?&=' })
      assert.equal(method, name.includes('GET') ? 'GET' : 'POST')
      assert.equal(await client.nothing(), undefined)
      const large = { n: 2, text: 'x'.repeat(1_000_000) }
      assert.deepEqual(await client.echo(large), large)

      let next = 0
      for await (const { n } of client.count({ to: 1_000 })) assert.equal(n, next++)
      assert.equal(next, 1_000)
      await assert.rejects(client.fail({ how: '' }), (error: unknown) => {
        assert.ok(CallError.is(error))
        assert.equal(error.code, 'resource_exhausted')
        assert.equal(error.message, 'zu viel ☺ 100 %')
        assert.equal(error.metadata.get('x-why'), 'limit')
        return true
      })
      await assert.rejects(
        async () => {
          for await (const { n } of client.failLate({})) assert.equal(n, 1)
        },
        { code: 'aborted', message: 'in the middle' },
      )
      await assert.rejects(client.wait({}, { timeout: 50 }), { code: 'deadline_exceeded' })

      if (!streamsIn) return
      assert.deepEqual(await client.sum(numbers(1_000)), { sum: (1_000 * 999) / 2 })
      if (http === '1.1') return
      const doubled: number[] = []
      for await (const { n } of client.double(numbers(5))) doubled.push(n)
      assert.deepEqual(doubled, [0, 2, 4, 6, 8])
    })
  }
}
