// node:http2 as a foreign peer on both sides, and our two sides against each other: real sockets, everything at once.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { Duplex, duplexPair, Transform } from 'node:stream'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import * as fc from 'fast-check'
import { certificate } from '../../test/support/certificate.ts'
import { runs } from '../../test/support/fuzz.ts'
import { collect } from '../http/body.ts'
import type {
  HttpAbort,
  HttpExchange,
  HttpHandler,
  HttpResponseHead,
  ResponseSink,
} from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { type Http2Transport, type Http2TransportOptions, openHttp2 } from './client.ts'
import { type Http2ServerOptions, serveHttp2 } from './server.ts'

const text = new HttpHeaders(['content-type', 'text/plain'])
const ok = Object.freeze({ status: 200, headers: text })
const trailers = Object.freeze(new HttpHeaders(['x-end', 'yes']))

/** Answers with the body, in one piece or streamed with trailers, or with as many bytes as are asked for. */
const echo: HttpHandler = (exchange) => {
  const { target } = exchange.request
  if (target.startsWith('/bytes/')) {
    exchange.respond(ok, Buffer.alloc(Number(target.slice(7)), 'x'))
  } else if (target === '/stream') echoStream(exchange)
  else {
    collect(exchange, 1 << 26, [], (body) => {
      if (body !== undefined) exchange.respond(ok, body)
    })
  }
}

/** Gives back what comes as it comes, no faster than it is taken. */
function echoStream(exchange: HttpExchange): void {
  let started = false
  exchange.onDrain(() => exchange.resume())
  exchange.receive({
    data(bytes, start, end) {
      if (!started) exchange.start(ok)
      started = true
      if (!exchange.write(Buffer.from(bytes.subarray(start, end)), false)) exchange.pause()
    },
    end() {
      if (!started) exchange.start(ok)
      exchange.end(trailers)
    },
    abort() {},
  })
}

async function serving(
  t: TestContext,
  handler: HttpHandler = echo,
  options?: Http2ServerOptions,
): Promise<number> {
  const errors: unknown[] = []
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    serveHttp2(socket, { remoteAddress: 'x', secure: false }, handler, {
      ...options,
      onError: (error) => errors.push(error),
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    assert.deepEqual(errors, [])
  })
  return (server.address() as AddressInfo).port
}

async function connected(
  t: TestContext,
  port: number,
  options?: Http2TransportOptions,
): Promise<Http2Transport> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  t.after(() => socket.destroy())
  return openHttp2(socket, options)
}

interface Answer {
  status: number
  body: Buffer
  trailers: readonly string[] | undefined
}

/** Keeps an answer. */
class Keeper implements ResponseSink {
  readonly #pieces: Buffer[] = []
  readonly #done: PromiseWithResolvers<Answer> = Promise.withResolvers()
  #head: HttpResponseHead | undefined
  get answer(): Promise<Answer> {
    return this.#done.promise
  }
  head(head: HttpResponseHead): void {
    this.#head = head
  }
  data(bytes: Buffer, start: number, end: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)))
  }
  end(received: HttpHeaders | undefined): void {
    const status = (this.#head as HttpResponseHead).status
    this.#done.resolve({ status, body: Buffer.concat(this.#pieces), trailers: received?.list })
  }
  abort(why: HttpAbort): void {
    this.#done.reject(new Error(`${why.reason}: ${why.message}`))
  }
}

const post = (target: string) => ({ method: 'POST', target, authority: 'a', headers: text })

function call(client: Http2Transport, target: string, body: Buffer | string | undefined): Promise<Answer> {
  const keeper = new Keeper()
  client.request(post(target), body, keeper)
  return keeper.answer
}

test('node:http2 as client: calls at once, small and large, with trailers and padding', async (t) => {
  const port = await serving(t)
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    paddingStrategy: http2.constants.PADDING_STRATEGY_MAX,
  })
  t.after(() => session.destroy())

  const foreign = async (path: string, body: Buffer) => {
    const stream = session.request({ ':method': 'POST', ':path': path })
    let ended: unknown
    stream.on('trailers', (headers) => (ended = headers['x-end']))
    stream.end(body)
    const pieces: Buffer[] = []
    for await (const piece of stream) pieces.push(piece as Buffer)
    return { body: Buffer.concat(pieces), ended }
  }
  const bodies = Array.from({ length: 60 }, (_, i) =>
    Buffer.alloc(i % 20 === 0 ? 300_000 + i : i * 7, `${i}`),
  )
  const answers = await Promise.all(bodies.map((body, i) => foreign(i % 2 === 0 ? '/echo' : '/stream', body)))
  answers.forEach(({ body, ended }, i) => {
    assert.ok(body.equals(bodies[i] as Buffer), `answer ${i}`)
    assert.equal(ended, i % 2 === 0 ? undefined : 'yes')
  })
})

test('node:http2 as server: calls at once, small and large, and its stream limit', async (t) => {
  const server = http2.createServer({ settings: { maxConcurrentStreams: 10 } })
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('end', () => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }))
      stream.end(Buffer.concat(pieces))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const client = await connected(t, (server.address() as AddressInfo).port)
  const bodies = Array.from({ length: 60 }, (_, i) =>
    Buffer.alloc(i % 20 === 0 ? 300_000 + i : i * 7, `${i}`),
  )
  const answers = await Promise.all(bodies.map((body) => call(client, '/echo', body)))
  answers.forEach(({ body, trailers: end }, i) => {
    assert.ok(body.equals(bodies[i] as Buffer), `answer ${i}`)
    assert.equal(end?.join(), 'x-end,yes')
  })
  await client.close(1000)
})

test('node:http2 ends its session: what is open finishes, and the client knows', async (t) => {
  const server = http2.createServer()
  const streams: http2.ServerHttp2Stream[] = []
  server.on('stream', (stream: http2.ServerHttp2Stream) => streams.push(stream))
  const sessions: http2.ServerHttp2Session[] = []
  server.on('session', (session) => sessions.push(session))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const client = await connected(t, (server.address() as AddressInfo).port)
  const answer = call(client, '/', 'x')
  while (streams.length === 0) await once(server, 'stream')
  const drained = new Promise<void>((resolve) => client.onState(() => resolve()))
  sessions[0]?.close()
  await drained
  assert.equal(client.state, 'draining')
  streams[0]?.respond({ ':status': 200 })
  streams[0]?.end('done')
  assert.equal((await answer).body.toString(), 'done')
})

test('ours and ours: everything at once, beyond every window', async (t) => {
  const port = await serving(t)
  const client = await connected(t, port)
  const sizes = [0, 1, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 70_000, 262_144, 1_000_000, 5_000_000]
  const answers = await Promise.all([
    ...sizes.map((size) => call(client, '/echo', Buffer.alloc(size, 'e'))),
    ...sizes.map((size) => call(client, '/stream', Buffer.alloc(size, 's'))),
    ...sizes.map((size) => call(client, `/bytes/${size}`, undefined)),
  ])
  answers.forEach(({ body }, i) => {
    const size = sizes[i % sizes.length] as number
    const letter = 'esx'[Math.floor(i / sizes.length)] as string
    assert.equal(body.length, size)
    assert.ok(body.every((byte) => byte === letter.charCodeAt(0)))
  })
})

test('ours and ours over TLS', async (t) => {
  const { cert, key } = await certificate()
  const server = tls.createServer({ cert, key, ALPNProtocols: ['h2'] }, (socket) => {
    serveHttp2(socket, { remoteAddress: 'x', secure: true }, echo)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    ca: cert,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
  })
  await once(socket, 'secureConnect')
  const client = openHttp2(socket, { secure: true })
  const sizes = [0, 100, 20_000, 300_000, 2_000_000]
  const answers = await Promise.all(sizes.map((size) => call(client, '/stream', Buffer.alloc(size, 't'))))
  assert.deepEqual(
    answers.map(({ body }) => body.length),
    sizes,
  )
  await client.close(1000)
})

test('a stream of many small messages each way, written in place as fast as it is taken', async (t) => {
  const port = await serving(t)
  const client = await connected(t, port)
  const keeper = new Keeper()
  const exchange = client.request(post('/stream'), 'stream', keeper)
  const count = 20_000
  let written = 0
  const write = () => {
    while (written < count) {
      const room = exchange.reserve(50)
      room.bytes.fill(written % 256, room.start, room.start + 50)
      written++
      if (!exchange.commit(50, written === count)) return
    }
  }
  exchange.onDrain(write)
  write()
  const { body, trailers: end } = await keeper.answer
  assert.equal(body.length, count * 50)
  for (let i = 0; i < count; i += 997) assert.equal(body[i * 50], i % 256)
  assert.deepEqual(end, ['x-end', 'yes'])
})

test('a reader that pauses holds up the writer at the other end, within the windows', async (t) => {
  let writer: HttpExchange | undefined
  let given = 0
  const port = await serving(t, (exchange) => {
    writer = exchange
    exchange.start(ok)
    const piece = Buffer.alloc(10_000)
    const write = () => {
      do given += piece.length
      while (exchange.write(piece, false))
    }
    exchange.onDrain(write)
    write()
  })
  const client = await connected(t, port, { initialStreamWindow: 100_000, streamWindow: 100_000 })
  let taken = 0
  const exchange = client.request(post('/'), undefined, {
    head() {},
    data: (_bytes, start, end) => (taken += end - start),
    end() {},
    abort() {},
  })
  exchange.pause()
  while (given < 100_000) await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(taken, 0)
  assert.ok(given <= 120_000, `${given} bytes were written for a window of 100,000`)
  exchange.resume()
  while (taken < 500_000) await new Promise((resolve) => setImmediate(resolve))
  exchange.cancel()
  assert.ok(writer)
})

/** A stream that gives what is written to it in pieces of the sizes that are asked for. */
function cutting(inner: Duplex, sizes: () => number): Transform {
  const outer = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      for (let at = 0; at < bytes.length;) {
        const size = sizes()
        this.push(bytes.subarray(at, at + size))
        at += size
      }
      done()
    },
  })
  inner.pipe(outer)
  return outer
}

/** One stream that reads from here and writes to there. */
function joined(readable: Transform, writable: Duplex): Duplex {
  return Duplex.from({ readable, writable } as unknown as Iterable<unknown>)
}

test('both sides read their frames whatever pieces they come in', async () => {
  for (const size of [1, 2, 7, 10, 1000]) {
    const [near, far] = duplexPair()
    const sizes = () => size
    const server = joined(cutting(near, sizes), near)
    const there = joined(cutting(far, sizes), far)
    serveHttp2(server, { remoteAddress: 'x', secure: false }, echo)
    const client = openHttp2(there)
    const bodies = ['', 'a', 'b'.repeat(3000), 'c'.repeat(20_000)]
    const answers = await Promise.all(
      bodies.flatMap((body) => [call(client, '/echo', body), call(client, '/stream', body)]),
    )
    assert.deepEqual(
      answers.map(({ body }) => body.toString()),
      bodies.flatMap((body) => [body, body]),
    )
    await client.close(100)
  }
})

test('whatever is asked in whatever order, each answer is the one to its request', async (t) => {
  const port = await serving(t, echo, { streams: 20, initialStreamWindow: 5_000, streamWindow: 20_000 })
  const anyCall = fc.record({
    size: fc.oneof(fc.nat(200), fc.nat(40_000)),
    kind: fc.constantFrom('/echo', '/stream', '/cancel'),
    after: fc.nat(3),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 60 }), async (calls) => {
      const client = await connected(t, port, { initialStreamWindow: 3_000, streamWindow: 9_000 })
      const answers = await Promise.all(
        calls.map(async ({ size, kind, after }, i) => {
          for (let turn = 0; turn < after; turn++) await new Promise((resolve) => setImmediate(resolve))
          const body = Buffer.alloc(size, i + 1)
          if (kind !== '/cancel') return (await call(client, kind, body)).body.equals(body)
          const exchange = client.request(post('/echo'), 'stream', new Keeper())
          exchange.write(body, false)
          await new Promise((resolve) => setImmediate(resolve))
          exchange.cancel()
          return true
        }),
      )
      assert.ok(answers.every(Boolean))
      assert.equal(client.active, 0)
      assert.equal(client.state, 'ready')
      await client.close(1000)
    }),
    { numRuns: runs(15) },
  )
})

test('a server that drains under load loses no request that it accepted', async (t) => {
  const connections: ReturnType<typeof serveHttp2>[] = []
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.push(serveHttp2(socket, { remoteAddress: 'x', secure: false }, echo))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const client = await connected(t, (server.address() as AddressInfo).port)
  let answered = 0
  const refused: HttpAbort[] = []
  const { promise: over, resolve } = Promise.withResolvers<void>()
  let open = 0
  const ask = () => {
    open++
    client.request(post('/echo'), 'body', {
      head() {},
      data() {},
      end() {
        answered++
        open--
        if (answered === 500) connections[0]?.drain()
        ask()
      },
      abort(why) {
        refused.push(why)
        if (--open === 0) resolve()
      },
    })
  }
  for (let i = 0; i < 32; i++) ask()
  await over
  assert.ok(answered >= 500)
  assert.deepEqual([...new Set(refused.map(({ processed }) => processed))], ['no'])
})
