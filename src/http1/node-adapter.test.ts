import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { HttpExchange, HttpHandler } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { nodeExchange, nodeHandler, nodeUpgradeExchange } from './node-adapter.ts'

const text = new HttpHeaders(['content-type', 'text/plain'])

async function listening(server: net.Server | http2.Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function serving(
  handler: HttpHandler,
  use: (origin: string, port: number) => Promise<void>,
): Promise<void> {
  const server = http.createServer(nodeHandler(handler))
  const port = await listening(server)
  try {
    await use(`http://127.0.0.1:${port}`, port)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Collects a body as text, then calls back. */
function whole(
  exchange: HttpExchange,
  done: (text: string, trailers: HttpHeaders | undefined) => void,
): void {
  let all = ''
  exchange.receive({
    data: (bytes, start, end) => (all += bytes.toString('utf8', start, end)),
    end: (trailers) => done(all, trailers),
    abort: (why) => done(`aborted: ${why.reason}`, undefined),
  })
}

const echo: HttpHandler = (exchange) => {
  whole(exchange, (body) => exchange.respond({ status: 200, headers: text }, body))
}

/** The same, encoded in place. */
const compose: HttpHandler = (exchange) => {
  whole(exchange, (body) => {
    const answer = exchange.compose()
    answer.reserve(body.length * 3)
    answer.position += answer.bytes.write(body, answer.position)
    exchange.respondWith({ status: 200, headers: text }, answer)
  })
}

/** What a raw connection answers until it closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let all = ''
  socket.setEncoding('latin1')
  socket.on('data', (piece: string) => (all += piece))
  socket.write(request)
  await once(socket, 'close')
  return all
}

test('a request arrives with method, target, authority, headers in lower case and address', async () => {
  let seen: HttpExchange['request'] | undefined
  const handler: HttpHandler = (exchange) => {
    seen = exchange.request
    exchange.respond({ status: 200, headers: text }, 'ok')
  }

  await serving(handler, async (origin, port) => {
    await fetch(`${origin}/orders/7?full=true`, { headers: { 'X-Trace': 'abc' } })
    assert.equal(seen?.method, 'GET')
    assert.equal(seen?.target, '/orders/7?full=true')
    assert.equal(seen?.authority, `127.0.0.1:${port}`)
    assert.equal(seen?.version, '1.1')
    assert.equal(seen?.secure, false)
    assert.equal(seen?.headers.get('x-trace'), 'abc')
    assert.match(seen?.remoteAddress ?? '', /^127\.0\.0\.1:\d+$/)
  })
})

test('a body goes in and an answer with Content-Length comes out', async () => {
  for (const handler of [echo, compose])
    await serving(handler, async (origin) => {
      const answer = await fetch(origin, { method: 'POST', body: 'ünïcode' })
      assert.equal(await answer.text(), 'ünïcode')
      assert.equal(answer.headers.get('content-length'), '9')
      assert.equal(answer.headers.get('content-type'), 'text/plain')
    })
})

test('HEAD, 204 and 304 send no body', async () => {
  const handler: HttpHandler = (exchange) => {
    const status = exchange.request.target === '/' ? 200 : Number(exchange.request.target.slice(1))
    exchange.respond({ status, headers: text }, 'body')
  }

  await serving(handler, async (origin) => {
    const head = await fetch(origin, { method: 'HEAD' })
    assert.equal(head.headers.get('content-length'), '4')
    assert.equal(await head.text(), '')
    for (const status of [204, 304]) {
      const answer = await fetch(`${origin}/${status}`)
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('content-length'), null)
    }
  })
})

test('a streamed answer is encoded in place, waits for the peer, and ends with trailers', async () => {
  const handler: HttpHandler = (exchange) => {
    exchange.start({ status: 200, headers: new HttpHeaders(['trailer', 'x-sum']) })
    let left = 100
    const go = () => {
      while (left > 0) {
        left--
        const { bytes, start } = exchange.reserve(10_000)
        bytes.fill(97, start, start + 10_000)
        if (!exchange.commit(10_000, false)) return
      }
      exchange.end(new HttpHeaders(['x-sum', '1000000']))
    }
    exchange.onDrain(go)
    go()
  }

  await serving(handler, async (_origin, port) => {
    const [response] = (await once(http.get({ port }), 'response')) as [http.IncomingMessage]
    let length = 0
    for await (const piece of response) length += (piece as Buffer).length
    assert.equal(length, 1_000_000)
    assert.deepEqual(response.trailers, { 'x-sum': '1000000' })
  })
})

test('trailers of a request reach the sink', async () => {
  const handler: HttpHandler = (exchange) => {
    whole(exchange, (_body, trailers) =>
      exchange.respond({ status: 200, headers: text }, trailers?.get('x-sum') ?? 'none'),
    )
  }

  await serving(handler, async (_origin, port) => {
    const answer = await raw(
      port,
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 5\r\n\r\n',
    )
    assert.match(answer, /\r\n\r\n5$/)
  })
})

test('the peer that leaves in the middle of its body is an abort for the sink and the exchange', async () => {
  const heard: string[] = []
  const over = Promise.withResolvers<void>()
  const handler: HttpHandler = (exchange) => {
    exchange.onAbort((why) => heard.push(`exchange ${why.reason}`))
    exchange.onEnd(() => over.resolve())
    exchange.receive({
      data: () => {},
      end: () => heard.push('end'),
      abort: (why) => heard.push(`sink ${why.reason}`),
    })
  }

  await serving(handler, async (_origin, port) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy())
    await over.promise
    assert.deepEqual(heard.sort(), ['exchange closed', 'sink closed'])
  })
})

test('abort() closes the connection without an answer', async () => {
  const handler: HttpHandler = (exchange) =>
    exchange.abort({ reason: 'timeout', message: '', processed: 'maybe' })
  await serving(handler, async (_origin, port) => {
    assert.equal(await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), '')
  })
})

test('a missing, repeated or invalid Host is refused with 400', async () => {
  await serving(echo, async (_origin, port) => {
    for (const host of [
      'Host: a\r\nHost: b',
      'Host: a\r\nHost: a',
      'Host: a b',
      'Host: user@a',
      'Host: a,b',
      'Host:',
    ]) {
      const answer = await raw(port, `GET / HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 400 /, host)
    }
  })
})

test('a large body that nobody asked for costs the connection', async () => {
  const handler: HttpHandler = (exchange) => exchange.respond({ status: 413, headers: text }, 'no')
  await serving(handler, async (_origin, port) => {
    const answer = await raw(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n')
    assert.match(answer, /^HTTP\/1\.1 413 /)
    assert.match(answer, /connection: close/i)
  })
})

test('100-continue is sent only when the body is asked for, where the application leaves it to us', async () => {
  const handler: HttpHandler = (exchange) => {
    if (exchange.request.target === '/refused') exchange.respond({ status: 401, headers: text }, '')
    else echo(exchange)
  }
  const server = http.createServer()
  server.on('checkContinue', nodeHandler(handler))
  const port = await listening(server)

  const refused = await raw(
    port,
    'POST /refused HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n',
  )
  assert.match(refused, /^HTTP\/1\.1 401 /)
  const taken = await raw(
    port,
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi',
  )
  assert.match(taken, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  assert.match(taken, /\r\n\r\nhi$/)
  server.close()
})

test('103 goes out before the answer', async () => {
  const handler: HttpHandler = (exchange) => {
    exchange.inform({ status: 103, headers: new HttpHeaders(['link', '</a.css>; rel=preload']) })
    exchange.respond({ status: 200, headers: text }, 'ok')
  }
  await serving(handler, async (_origin, port) => {
    const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(
      answer,
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i,
    )
  })
})

for (const [name, leave, options, expected] of [
  ['rawBody, a Buffer', { rawBody: Buffer.from('{"a": 1}'), body: { a: 1 } }, undefined, '{"a": 1}'],
  ['body, an object', { body: { a: [1, 'ü'] } }, undefined, '{"a":[1,"ü"]}'],
  ['body, a Buffer', { body: Buffer.from('raw') }, undefined, 'raw'],
  ['body, a parsed JSON string', { body: 'text' }, undefined, '"text"'],
  ['options.body', {}, { body: { b: 2 } }, '{"b":2}'],
  ['nothing', {}, undefined, 'aborted: protocol'],
] as const) {
  test(`a body that the application consumed is taken from ${name}`, async () => {
    const seen: string[] = []
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => {
        const exchange = nodeExchange(Object.assign(request, leave), response, options)
        whole(exchange, (body) => {
          seen.push(exchange.request.headers.get('content-encoding') ?? 'none')
          exchange.respond({ status: 200, headers: text }, body)
        })
      })
    })
    const port = await listening(server)
    const answer = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      body: 'consumed',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', connection: 'close' },
    })
    assert.equal(await answer.text(), expected)
    assert.deepEqual(seen, ['none'])
    server.close()
  })
}

test('a form that the application parsed is a form again', async () => {
  const server = http.createServer((request, response) => {
    request
      .resume()
      .on('end', () =>
        echo(nodeExchange(Object.assign(request, { body: { a: '1', b: ['2', '3'] } }), response)),
      )
  })
  const port = await listening(server)
  const answer = await fetch(`http://127.0.0.1:${port}`, {
    method: 'POST',
    body: new URLSearchParams('x=y'),
    headers: { connection: 'close' },
  })
  assert.equal(await answer.text(), 'a=1&b=2&b=3')
  server.close()
})

test('header fields the application has set stay, unless the answer sets them too', async () => {
  const server = http.createServer((request, response) => {
    response.setHeader('x-powered-by', 'app')
    response.setHeader('vary', 'origin')
    response.setHeader('content-type', 'text/html')
    nodeExchange(request, response).respond(
      {
        status: 201,
        headers: new HttpHeaders([
          'content-type',
          'a/b',
          'vary',
          'accept',
          'set-cookie',
          'a=1',
          'set-cookie',
          'b=2',
        ]),
      },
      undefined,
    )
  })
  const port = await listening(server)
  const { headers } = await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
  assert.equal(headers.get('x-powered-by'), 'app')
  assert.equal(headers.get('vary'), 'origin, accept')
  assert.equal(headers.get('content-type'), 'a/b')
  assert.deepEqual(headers.getSetCookie(), ['a=1', 'b=2'])
  server.close()
})

test('an upgrade hands over the connection with the bytes that came early', async () => {
  const server = http.createServer()
  server.on('upgrade', (request, socket, first) => {
    const exchange = nodeUpgradeExchange(request, socket, first)
    if (request.url !== '/ws') return exchange.respond({ status: 404, headers: text }, 'no')
    const stream = exchange.upgrade({ status: 101, headers: new HttpHeaders(['upgrade', 'echo']) })
    stream.on('data', (bytes: Buffer) => stream.end(bytes))
  })
  const port = await listening(server)
  const head = 'Host: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'

  const taken = await raw(port, `GET /ws HTTP/1.1\r\n${head}hello`)
  assert.match(taken, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  assert.match(taken, /\r\n\r\nhello$/)
  const refused = await raw(port, `GET /no HTTP/1.1\r\n${head}`)
  assert.match(refused, /^HTTP\/1\.1 404 [^]*\r\n\r\nno$/)
  server.close()
})

test("node:http2's compatibility API is served as well", async () => {
  const server = http2.createServer(nodeHandler(echo))
  const port = await listening(server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/x' })
  stream.end('over h2')
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  assert.equal(headers[':status'], 200)
  stream.setEncoding('utf8')
  let all = ''
  for await (const piece of stream) all += piece as string
  assert.equal(all, 'over h2')
  session.close()
  server.close()
})
