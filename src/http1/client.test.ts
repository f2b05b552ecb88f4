import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { BodyQueue, collector } from '../http/body.ts'
import type { HttpAbort, HttpResponseHead, HttpTransport, ResponseSink } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { http1Transport, type Http1TransportOptions } from './client.ts'
import { Ticker } from '../http/ticker.ts'

const none = new HttpHeaders()

interface Answer {
  head: HttpResponseHead
  body: string
  trailers: HttpHeaders | undefined
}

class Aborted extends Error {
  readonly why: HttpAbort
  constructor(why: HttpAbort) {
    super(why.message)
    this.why = why
  }
}

/** Sends a request and waits for the whole answer. */
function call(
  transport: HttpTransport,
  method: string,
  target = '/',
  body?: string | Buffer,
  headers = none,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    transport.request({ method, target, authority: 'test', headers }, body, answerSink(resolve, reject))
  })
}

function answerSink(resolve: (answer: Answer) => void, reject: (error: Error) => void): ResponseSink {
  let head: HttpResponseHead
  const rest = collector(1 << 26, [], (bytes, why, trailers) => {
    if (bytes !== undefined) resolve({ head, body: bytes.toString(), trailers })
    else reject(new Aborted(why as HttpAbort))
  })
  return {
    head: (given) => (head = given),
    data: (bytes, start, end) => rest.data(bytes, start, end),
    end: (trailers) => rest.end(trailers),
    abort: (why) => rest.abort(why),
  }
}

async function open(server: net.Server, options?: Http1TransportOptions) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dialled: net.Socket[] = []
  const transport = http1Transport(async () => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    dialled.push(socket)
    await once(socket, 'connect')
    return socket
  }, options)
  return {
    transport,
    dialled,
    async [Symbol.asyncDispose]() {
      await transport.close(0)
      server.close()
    },
  }
}

/** A server that is written out: calls back with each connection and what came on it. */
function scripted(script: (socket: net.Socket, request: string, number: number) => void): net.Server {
  return net.createServer((socket) => {
    let number = 0
    socket.on('data', (bytes) => script(socket, bytes.toString('latin1'), number++))
    socket.on('error', () => {})
  })
}

const echo = () =>
  http.createServer((request, response) => {
    response.setHeader('x-method', request.method ?? '')
    response.setHeader('x-length', request.headers['content-length'] ?? 'none')
    request.pipe(response)
  })

test('requests that were encoded in place are sent at once, or wait without their buffer', async () => {
  await using peer = await open(echo(), { connections: 2 })
  const { transport } = peer
  for (let round = 0; round < 2; round++) {
    const waiting = Array.from({ length: 20 }, (_, index) => {
      const text = `${round}.${index} é`.repeat(1 + index * 300)
      const body = transport.compose()
      body.reserve(text.length * 2)
      body.position += body.bytes.write(text, body.position)
      return new Promise<void>((resolve, reject) => {
        const compare = (answer: Answer) => {
          assert.equal(answer.body, text)
          assert.equal(answer.head.headers.get('x-length'), String(Buffer.byteLength(text)))
          resolve()
        }
        const head = { method: 'POST', target: '/', authority: 'test', headers: none }
        transport.requestWith(head, body, answerSink(compare, reject))
      })
    })
    await Promise.all(waiting)
  }
  assert.equal(peer.dialled.length, 2)
})

test('requests with text, bytes and without a body are echoed by node:http over one connection', async () => {
  await using peer = await open(echo())
  const big = Buffer.alloc(1 << 20, 'abc')
  for (const [body, length] of [
    ['ascii', '5'],
    ['ünïcode', '9'],
    [Buffer.from('bytes'), '5'],
    [big, String(big.length)],
    [undefined, '0'],
  ] as const) {
    const answer = await call(peer.transport, 'POST', '/x?y=z', body)
    assert.equal(answer.head.status, 200)
    assert.equal(answer.body, body?.toString() ?? '')
    assert.equal(answer.head.headers.get('x-length'), length)
  }
  assert.equal((await call(peer.transport, 'GET')).head.headers.get('x-length'), 'none')
  assert.equal(peer.dialled.length, 1)
  assert.equal(peer.transport.active, 0)
})

test('fields of one request follow those that are frozen', async () => {
  const requests: string[] = []
  await using peer = await open(
    scripted((socket, request) => {
      requests.push(request)
      socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    }),
  )
  const headers = Object.freeze(new HttpHeaders(['te', 'trailers']))
  for (const value of ['1', '2']) {
    const head = {
      method: 'GET',
      target: '/',
      authority: 'test',
      headers,
      more: new HttpHeaders(['x', value]),
    }
    await new Promise((resolve, reject) =>
      peer.transport.request(head, undefined, answerSink(resolve, reject)),
    )
  }
  assert.deepEqual(requests, [
    'GET / HTTP/1.1\r\nhost: test\r\nte: trailers\r\nx: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: test\r\nte: trailers\r\nx: 2\r\n\r\n',
  ])
})

test('a streamed request is chunked, and its trailers arrive', async () => {
  const server = http.createServer((request, response) => {
    let size = 0
    request.on('data', (bytes: Buffer) => (size += bytes.length))
    request.on('end', () =>
      response.end(`${size} ${request.trailers['x-sum']} ${request.headers['transfer-encoding']}`),
    )
  })
  await using peer = await open(server)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const exchange = peer.transport.request(
    { method: 'POST', target: '/', authority: 'test', headers: none },
    'stream',
    answerSink(resolve, reject),
  )
  // Before there is a connection: kept, and back-pressure asked for.
  assert.equal(exchange.write(Buffer.from('early'), false), false)
  await new Promise<void>((resume) => exchange.onDrain(resume))
  const { bytes, start } = exchange.reserve(10)
  exchange.commit(bytes.write('in place', start), false)
  exchange.write(Buffer.alloc(100_000), false)
  exchange.end(new HttpHeaders(['x-sum', '7']))
  assert.equal((await promise).body, '100013 7 chunked')
})

test('answers: by length, chunked with trailers, until close, empty, HEAD, 204, 304, after 1xx', async () => {
  const answers: Record<string, string> = {
    '/length': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX-T: 1\r\n\r\n',
    '/close': 'HTTP/1.1 200\r\n\r\nhi',
    '/old': 'HTTP/1.0 200 OK\r\n\r\nhi',
    '/twice': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi',
    '/empty': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    '/head': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
    '/204': 'HTTP/1.1 204 No Content\r\n\r\n',
    '/304': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    '/hints':
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  }
  const server = scripted((socket, request) => {
    const target = request.split(' ')[1] as string
    socket.write(answers[target] as string)
    if (target === '/close' || target === '/old') socket.end()
  })
  await using peer = await open(server)
  for (const target of Object.keys(answers)) {
    const answer = await call(peer.transport, target === '/head' ? 'HEAD' : 'GET', target)
    assert.equal(answer.body, ['/empty', '/head', '/204', '/304'].includes(target) ? '' : 'hi', target)
    assert.equal(answer.trailers?.get('x-t'), target === '/chunked' ? '1' : undefined)
  }
  assert.equal(peer.dialled.length, 3, 'only the answers that end with the connection cost one')
})

test('informational responses reach the sink', async () => {
  const server = scripted((socket) =>
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'),
  )
  await using peer = await open(server)
  const heard: string[] = []
  await new Promise<void>((resolve, reject) => {
    peer.transport.request({ method: 'GET', target: '/', authority: 'a', headers: none }, undefined, {
      inform: (head) => heard.push(`${head.status} ${head.headers.get('link')}`),
      head: (head) => heard.push(String(head.status)),
      data: () => {},
      end: () => resolve(),
      abort: (why) => reject(new Aborted(why)),
    })
  })
  assert.deepEqual(heard, ['103 a', '204'])
})

for (const [name, answer] of [
  ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['differing lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!'],
  ['bare LFs', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  ['bytes of TLS', '\x15\x03\x01\x00\x02\x02\x16'],
  ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n'],
  ['an unasked switch', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['1xx without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(40)],
  ['a head that is too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
] as const) {
  test(`an answer with ${name} is refused as protocol`, async () => {
    await using peer = await open(scripted((socket) => socket.write(answer, 'latin1')))
    await assert.rejects(call(peer.transport, 'GET'), (error: Aborted) => {
      assert.equal(error.why.reason, 'protocol')
      assert.match(error.message, /is not valid HTTP\/1\.1/)
      return true
    })
  })
}

test('an answer that is cut short is an abort; what was sent may have been processed', async () => {
  await using peer = await open(
    scripted((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  )
  await assert.rejects(call(peer.transport, 'POST', '/', 'x'), (error: Aborted) => {
    assert.deepEqual([error.why.reason, error.why.processed], ['closed', 'maybe'])
    return true
  })
})

test('when no connection can be made, the request was not processed, and says why', async () => {
  const transport = http1Transport(async () => {
    throw new Error('ECONNREFUSED')
  })
  const both = await Promise.allSettled([call(transport, 'GET'), call(transport, 'GET')])
  for (const each of both) {
    const { why } = (each as PromiseRejectedResult).reason as Aborted
    assert.deepEqual([why.reason, why.processed], ['refused', 'no'])
    assert.match(why.message, /ECONNREFUSED/)
  }
  assert.equal(transport.active, 0)
})

test('an idle connection that the server closed is not used again, and its place is free', async () => {
  const server = http.createServer((_request, response) => response.end('ok'))
  await using peer = await open(server, { connections: 1 })
  await call(peer.transport, 'GET')
  const [first] = peer.dialled
  server.closeIdleConnections()
  await once(first as net.Socket, 'close')
  assert.equal((await call(peer.transport, 'GET')).body, 'ok')
  assert.equal(peer.dialled.length, 2)
})

test("an idle connection is given up before the server's Keep-Alive: timeout", async () => {
  const server = http.createServer((_request, response) => {
    response
      .writeHead(200, { connection: 'keep-alive', 'keep-alive': 'timeout=1', 'content-length': 0 })
      .end()
  })
  await using peer = await open(server)
  await call(peer.transport, 'GET')
  await call(peer.transport, 'GET')
  assert.equal(peer.dialled.length, 2, 'one second less the margin is no time at all')
})

test('no more connections than allowed, however much waits; idle ones are used again', async () => {
  let most = 0
  let now = 0
  const server = http.createServer((_request, response) => {
    most = Math.max(most, ++now)
    setImmediate(() => {
      now--
      response.end('ok')
    })
  })
  await using peer = await open(server, { connections: 4 })
  const targets = Array.from({ length: 50 }, (_, index) => `/${index}`)
  await Promise.all(targets.map((target) => call(peer.transport, 'GET', target)))
  assert.ok(most <= 4)
  assert.equal(peer.dialled.length, 4)
  await call(peer.transport, 'GET')
  await call(peer.transport, 'GET')
  assert.equal(peer.dialled.length, 4)
})

test('what waits for a connection is sent in the order it came', async () => {
  const order: string[] = []
  const server = http.createServer((request, response) => {
    order.push(request.url ?? '')
    response.end()
  })
  await using peer = await open(server, { connections: 1 })
  const targets = Array.from({ length: 10 }, (_, index) => `/${index}`)
  await Promise.all(targets.map((target) => call(peer.transport, 'GET', target)))
  assert.deepEqual(order, targets)
})

test('a full queue refuses at once, unprocessed', async () => {
  await using peer = await open(
    scripted(() => {}),
    { connections: 1, queue: 2 },
  )
  const first = [call(peer.transport, 'GET'), call(peer.transport, 'GET')]
  await assert.rejects(call(peer.transport, 'GET'), (error: Aborted) => {
    assert.deepEqual([error.why.reason, error.why.processed], ['no_room', 'no'])
    assert.match(error.message, /2 requests wait for a connection already; there are \d of at most 1/)
    return true
  })
  await peer.transport.close(0)
  const rest = await Promise.allSettled(first)
  assert.ok(rest.every((each) => each.status === 'rejected'))
})

test('cancel closes the connection, and the sink hears nothing more', async () => {
  const arrived = Promise.withResolvers<net.Socket>()
  await using peer = await open(scripted((socket) => arrived.resolve(socket)))
  const heard: string[] = []
  const exchange = peer.transport.request(
    { method: 'GET', target: '/', authority: 'a', headers: none },
    undefined,
    {
      head: () => heard.push('head'),
      data: () => heard.push('data'),
      end: () => heard.push('end'),
      abort: () => heard.push('abort'),
    },
  )
  const socket = await arrived.promise
  exchange.cancel()
  // By a reset, which a server cannot take for a client that waits for its answer.
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
  assert.deepEqual(heard, [])
  assert.equal(peer.transport.active, 0)
})

test('a connection that is lost before the answer has begun fails the request', async () => {
  await using peer = await open(scripted((socket) => socket.resetAndDestroy()))
  const failed = Promise.withResolvers<HttpAbort>()
  const unwanted = () => assert.fail('there is no answer')
  peer.transport.request({ method: 'GET', target: '/', authority: 'a', headers: none }, undefined, {
    head: unwanted,
    data: unwanted,
    end: unwanted,
    abort: (why) => failed.resolve(why),
  })
  const { reason, processed } = await failed.promise
  assert.deepEqual([reason, processed], ['closed', 'maybe'])
})

test('a request that is cancelled while it waits is never sent', async () => {
  const requests: string[] = []
  const server = http.createServer((request, response) => {
    requests.push(request.url ?? '')
    response.end()
  })
  await using peer = await open(server, { connections: 1 })
  const first = call(peer.transport, 'GET', '/1')
  const sink = answerSink(
    () => assert.fail('cancelled'),
    () => assert.fail('cancelled'),
  )
  peer.transport
    .request({ method: 'GET', target: '/2', authority: 'a', headers: none }, undefined, sink)
    .cancel()
  await first
  await call(peer.transport, 'GET', '/3')
  assert.deepEqual(requests, ['/1', '/3'])
})

test("an answer flows at the reader's speed", async () => {
  const size = 8 << 20
  const server = http.createServer((_request, response) => response.end(Buffer.alloc(size)))
  await using peer = await open(server)
  const queue = new BodyQueue()
  const sink: ResponseSink = Object.assign(queue, { head: () => {} })
  queue.attach(
    peer.transport.request({ method: 'GET', target: '/', authority: 'a', headers: none }, undefined, sink),
  )
  let seen = 0
  for await (const piece of queue) {
    seen += piece.length
    await new Promise(setImmediate)
    assert.ok((peer.dialled[0]?.bytesRead ?? 0) - seen < 1 << 20, 'what is not read stays with the server')
  }
  assert.equal(seen, size)
})

test('an answer that was complete before the connection closed is read to its end', async () => {
  await using peer = await open(
    scripted((socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef`)),
  )
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sink = answerSink(resolve, reject)
  const exchange = peer.transport.request(
    { method: 'GET', target: '/', authority: 'a', headers: none },
    undefined,
    {
      ...sink,
      head(head) {
        exchange.pause()
        sink.head(head)
      },
    },
  )
  while (peer.dialled.length === 0) await new Promise(setImmediate)
  await once(peer.dialled[0] as net.Socket, 'close')
  exchange.resume()
  assert.equal((await promise).body, 'abcdef')
})

test('an early answer ends the request; its connection is not used again', async () => {
  await using peer = await open(
    scripted((socket) => socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n')),
  )
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const exchange = peer.transport.request(
    { method: 'POST', target: '/', authority: 'a', headers: none },
    'stream',
    answerSink(resolve, reject),
  )
  exchange.write(Buffer.from('first'), false)
  assert.equal((await promise).head.status, 413)
  assert.equal(exchange.write(Buffer.from('second'), true), true)
  await call(peer.transport, 'GET')
  assert.equal(peer.dialled.length, 2)
})

test('an answer that stands still is cut after stallTimeout; one that has not begun is not', async () => {
  const ticker = new Ticker(1 << 30)
  const sockets: net.Socket[] = []
  const server = scripted((socket) => {
    sockets.push(socket)
    server.emit('asked')
  })
  await using peer = await open(server, { ticker, stallTimeout: 5000 })
  const asked = once(server, 'asked')
  const headSeen = Promise.withResolvers<void>()
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sink = answerSink(resolve, reject)
  peer.transport.request({ method: 'GET', target: '/', authority: 'a', headers: none }, undefined, {
    ...sink,
    head(head) {
      sink.head(head)
      headSeen.resolve()
    },
  })
  await asked
  ticker.tick(ticker.now + 86_400_000 + (1 << 30))
  assert.equal(peer.transport.active, 1)
  sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
  await headSeen.promise
  await new Promise(setImmediate)
  ticker.tick(ticker.now + 5001 + (1 << 30))
  await assert.rejects(promise, (error: Aborted) => error.why.reason === 'timeout')
})

test('an answer that its reader held up has stallTimeout again from when it goes on', async () => {
  const ticker = new Ticker(1 << 30)
  const server = scripted((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
  await using peer = await open(server, { ticker, stallTimeout: 5000 })
  const headSeen = Promise.withResolvers<void>()
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sink = answerSink(resolve, reject)
  const head = { method: 'GET', target: '/', authority: 'a', headers: none }
  const exchange = peer.transport.request(head, undefined, {
    ...sink,
    head(head) {
      sink.head(head)
      exchange.pause()
      headSeen.resolve()
    },
  })
  await headSeen.promise
  ticker.tick(ticker.now + 86_400_000 + (1 << 30))
  assert.equal(peer.transport.active, 1, 'whoever pauses may take his time')
  exchange.resume()
  ticker.tick(ticker.now + 5001 + (1 << 30))
  await assert.rejects(promise, (error: Aborted) => error.why.reason === 'timeout')
})

test('close waits for what is under way', async () => {
  const arrived = Promise.withResolvers<http.ServerResponse>()
  const server = http.createServer((_request, response) => arrived.resolve(response))
  await using peer = await open(server)
  const answer = call(peer.transport, 'GET')
  const response = await arrived.promise
  const closing = peer.transport.close(60_000)
  await assert.rejects(call(peer.transport, 'GET'), (error: Aborted) => error.why.processed === 'no')
  response.end('done')
  assert.equal((await answer).body, 'done')
  await closing
})

test('heads that cannot be sent are refused where they are given', () => {
  const transport = http1Transport(() => Promise.reject<Duplex>(new Error('unused')))
  const sink = answerSink(
    () => {},
    () => {},
  )
  const head = { method: 'GET', target: '/', authority: 'a', headers: none }
  for (const wrong of [
    { method: 'G T' },
    { target: '/a b' },
    { target: '/\r\n' },
    { authority: 'a b' },
    { headers: new HttpHeaders(['a', 'b\r\nc: d']) },
    { headers: new HttpHeaders(['transfer-encoding', 'chunked']) },
  ]) {
    assert.throws(() => transport.request({ ...head, ...wrong }, undefined, sink), TypeError)
  }
})
