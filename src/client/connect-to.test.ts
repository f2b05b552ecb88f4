import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import {
  CallError,
  call,
  connectTo,
  contract,
  contractInfo,
  describe,
  describeServer,
  disconnect,
  event,
  fromDescription,
  implement,
  serve,
  stream,
} from 'trunkline'
import { rest, trunk } from 'trunkline/wires'
import * as z from 'zod'
import { collect } from 'trunkline/testing'

const Counter = contract('acme.counter.v1', {
  double: call({
    input: z.object({ n: z.int32() }),
    output: z.object({ n: z.int32() }),
    rest: 'GET /doubles/{n}',
  }),
  count: call({
    input: z.object({ to: z.int32().default(3) }),
    output: stream(z.object({ n: z.int32() })),
    rest: 'GET /numbers',
  }),
  counted: event({ payload: z.object({ n: z.int32() }) }),
})

const counter = implement(Counter, {
  double: ({ n }) => ({ n: 2 * n }),
  *count({ to }) {
    for (let n = 1; n <= to; n++) yield { n }
  },
})

const info = fromDescription(JSON.parse(JSON.stringify(describe(contractInfo(Counter)))))

for (const scheme of ['trunk', 'http']) {
  test(`over ${scheme}, a server says what it serves, and can be called by that alone`, async () => {
    await using server = await serve(counter, { port: 0 })
    const url = `${scheme}://${server.authority}`

    const contracts = await describeServer(url)
    assert.deepEqual(
      contracts.map(({ name, digest }) => [name, digest]),
      [['acme.counter.v1', info.digest]],
    )

    await using client = connectTo(contracts[0]!, url)
    assert.deepEqual(await client.call('double', { n: 21 }), { n: 42 })
    assert.deepEqual(await collect(client.stream('count')), [{ n: 1 }, { n: 2 }, { n: 3 }])
  })
}

test('a name that the contract does not have is answered by those there are', async () => {
  await using server = await serve(counter, { port: 0 })
  await using client = connectTo(info, server)
  await assert.rejects(client.call('dubble', { n: 1 }), /has no call 'dubble'; did you mean 'double'\?$/)
  await assert.rejects(client.call('counted', { n: 1 }), /has no call 'counted'; did you mean 'count'\?$/)
})

test('one value and a stream are told apart', async () => {
  await using server = await serve(counter, { port: 0 })
  await using client = connectTo(info, server)
  await assert.rejects(client.call('count'), /answers a stream: use stream\('count', …\)/)
  assert.throws(() => client.stream('double', { n: 1 }), /answers one value: use call\('double', …\)/)
})

test('an untyped client ends with disconnect', async () => {
  await using server = await serve(counter, { port: 0 })
  const client = connectTo(info, `trunk://${server.authority}`)
  await client.call('double', { n: 1 })
  await disconnect(client)
  await assert.rejects(client.call('double', { n: 1 }), { code: 'unavailable' })
})

test('over HTTP, a server that does not describe itself is no failure of the network', async () => {
  await using server = await serve(counter, { port: 0, wires: [trunk(), rest({ description: false })] })
  await assert.rejects(describeServer(`http://${server.authority}`), (error) => {
    assert.ok(CallError.is(error))
    assert.equal(error.code, 'unimplemented')
    assert.match(error.message, /there is no \/trunkline\.json/)
    return true
  })
})

for (const scheme of ['trunk', 'http']) {
  test(`over ${scheme}, nobody there is unavailable`, async () => {
    const port = await freePort()
    await assert.rejects(describeServer(`${scheme}://127.0.0.1:${port}`), { code: 'unavailable' })
  })

  test(`over ${scheme}, a server that says nothing is given up`, async () => {
    await using silent = await listen((socket) => void socket.resume())
    await assert.rejects(describeServer(`${scheme}://127.0.0.1:${silent.port}`, { timeout: 50 }), {
      code: 'deadline_exceeded',
    })
  })
}

for (const [what, body] of [
  ['no JSON', 'hello'],
  ['no list', '{}'],
] as const) {
  test(`over HTTP, a description that is ${what} is refused`, async () => {
    await using foreign = await listen((socket) => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
    })
    await assert.rejects(describeServer(`http://127.0.0.1:${foreign.port}`), { code: 'unimplemented' })
  })
}

test('a description that contradicts itself is refused, with the path', async () => {
  const body = JSON.stringify([
    { ...describe(contractInfo(Counter)), types: { CountRequest: { kind: 'x' } } },
  ])
  await using foreign = await listen((socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
  })
  await assert.rejects(describeServer(`http://127.0.0.1:${foreign.port}`), /types\.CountRequest\.kind/)
})

async function listen(accept: (socket: net.Socket) => void): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    accept(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function freePort(): Promise<number> {
  await using server = await listen(() => {})
  return server.port
}
