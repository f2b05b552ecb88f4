import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { test } from 'node:test'
import { collect } from '../http/body.ts'
import type { BodySink, HttpAbort, HttpExchange, HttpHandler } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { type Http1Connection, type Http1ServerOptions, serveHttp1 } from './server.ts'
import { Ticker } from '../http/ticker.ts'

const text = new HttpHeaders(['content-type', 'text/plain'])
const ok = Object.freeze({ status: 200, headers: text })

const echo: HttpHandler = (exchange) => {
  collect(exchange, 1 << 24, [], (body, why) => {
    if (body !== undefined) exchange.respond(ok, body)
    else exchange.respond({ status: 400, headers: text }, why?.reason)
  })
}

/** One connection over an in-memory pair: the peer writes and reads text. */
class Peer {
  readonly stream: Duplex
  readonly connection: Http1Connection
  received = ''
  ended = false
  #wake: (() => void) | undefined

  constructor(handler: HttpHandler, options?: Http1ServerOptions) {
    const [near, far] = duplexPair({ allowHalfOpen: true })
    this.stream = near
    near.setEncoding('latin1')
    near.on('data', (piece: string) => this.#note(piece))
    near.on('end', () => {
      this.ended = true
      this.#note('')
    })
    near.on('error', () => {})
    near.on('close', () => {
      this.ended = true
      this.#note('')
    })
    this.connection = serveHttp1(far, { remoteAddress: '192.0.2.7:1234', secure: false }, handler, options)
  }

  #note(piece: string): void {
    this.received += piece
    this.#wake?.()
  }

  send(bytes: string): void {
    this.stream.write(bytes, 'latin1')
  }

  /** Waits until what was received satisfies. */
  async until(satisfied: (received: string) => boolean): Promise<string> {
    while (!satisfied(this.received)) {
      if (this.ended) assert.fail(`the connection ended with ${JSON.stringify(this.received)}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.received
  }

  async untilEnd(): Promise<string> {
    while (!this.ended) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.received
  }
}

const get = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const answers = (received: string) => received.split('HTTP/1.1 ').slice(1)
/** Dates differ from run to run. */
const plain = (received: string) => received.replaceAll(/date: [^\r]+\r\n/g, '')

/** A server on a port. */
async function listening(handler: HttpHandler, options?: Http1ServerOptions) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    serveHttp1(
      socket,
      { remoteAddress: `${socket.remoteAddress}:${socket.remotePort}`, secure: false },
      handler,
      options,
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('a request is answered with one head, Date and Content-Length, and the connection stays', async () => {
  const peer = new Peer(echo)
  peer.send('POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')
  const first = await peer.until((all) => all.endsWith('hello'))
  assert.match(first, /\r\ndate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/)
  assert.equal(plain(first), 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello')
  peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbye\r\n0\r\n\r\n')
  await peer.until((all) => all.endsWith('bye'))
  assert.equal(peer.connection.active, 0)
})

/** Answers with what a codec would have encoded. */
function compose(exchange: HttpExchange, answered?: () => void): void {
  collect(exchange, 1 << 24, [], (body) => {
    const answer = exchange.compose()
    answer.reserve(body?.length ?? 0)
    answer.position += body?.copy(answer.bytes, answer.position) ?? 0
    const fields = exchange.request.headers.get('x-fields') ?? ''
    exchange.respondWith({ status: 200, headers: new HttpHeaders(['x-fields', fields]) }, answer)
    answered?.()
  })
}

test('an answer that was encoded in place has the head of any other, and is sent as it was', async () => {
  const peer = new Peer(compose)
  const bodies = ['', 'é', '{"a":1}', 'x'.repeat(5000), 'y'.repeat(200_000), '{"b":2}']
  for (const [index, body] of bodies.entries()) {
    const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`
    // The last head is longer than the room that is left for one.
    const fields = index === bodies.length - 1 ? 'f'.repeat(2000) : 'f'
    const before = peer.received.length
    peer.send(`POST / HTTP/1.1\r\nHost: a\r\nX-Fields: ${fields}\r\n${length}\r\n`)
    peer.stream.write(body)
    const sent = Buffer.from(body).toString('latin1')
    const wanted = `HTTP/1.1 200 OK\r\nx-fields: ${fields}\r\n${length.toLowerCase()}\r\n${sent}`
    await peer.until((all) => plain(all.slice(before)).length >= wanted.length)
    assert.equal(plain(peer.received.slice(before)), wanted)
  }
  peer.send('HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc')
  const all = await peer.until((received) => received.endsWith('\r\n\r\n'))
  assert.match(all, /content-length: 3\r\n\r\n$/)
})

test('answers that were encoded in place keep their bytes while a peer does not read', async () => {
  const { promise: backlog, resolve: isBacklogged } = Promise.withResolvers<void>()
  const server = net.createServer({ allowHalfOpen: true }, (accepted) => {
    serveHttp1(accepted, { remoteAddress: '', secure: false }, (exchange) => {
      compose(exchange, () => {
        if (accepted.writableLength > 0) isBacklogged()
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = net.connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  socket.pause()
  const size = 20_000
  const bodies = Array.from({ length: 500 }, (_, index) =>
    String(index)
      .padStart(4, '0')
      .repeat(size / 4),
  )
  for (const body of bodies) {
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nX-Fields: a\r\nContent-Length: ${size}\r\n\r\n${body}`)
  }
  await backlog
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (piece: string) => (received += piece))
  socket.resume()
  const least = bodies.length * size
  while (received.length < least || !received.endsWith(bodies.at(-1) as string)) await once(socket, 'data')
  for (const [index, answer] of answers(received).entries())
    assert.ok(answer.endsWith(`\r\n\r\n${bodies[index]}`))
  socket.destroy()
  server.close()
})

test('the request that a handler sees is complete: target, authority, version, fields in lower case, address', async () => {
  const { promise, resolve } = Promise.withResolvers<HttpExchange['request']>()
  const peer = new Peer((exchange) => {
    resolve(exchange.request)
    exchange.respond(ok, undefined)
  })
  peer.send(
    'GET http://Example.org:80/x?y HTTP/1.1\r\nHOST: example.org:80\r\nX-One: 1 \r\nx-one:\t2\r\n\r\n',
  )
  const request = await promise
  assert.equal(request.method, 'GET')
  assert.equal(request.target, '/x?y')
  assert.equal(request.authority, 'Example.org:80')
  assert.equal(request.version, '1.1')
  assert.equal(request.remoteAddress, '192.0.2.7:1234')
  assert.deepEqual(request.headers.list, ['host', 'example.org:80', 'x-one', '1', 'x-one', '2'])
  assert.equal(request.headers.combined('x-one'), '1, 2')
})

test('pipelined requests are answered in order, one after the other, however slow the first', async () => {
  const open: HttpExchange[] = []
  const peer = new Peer((exchange) => open.push(exchange))
  peer.send(get('/1') + get('/2') + get('/3'))
  for (let number = 1; number <= 3; number++) {
    while (open.length < number) await new Promise(setImmediate)
    assert.equal(open.length, number)
    open[number - 1]?.respond(ok, open[number - 1]?.request.target)
    await peer.until((all) => all.endsWith(`/${number}`))
  }
  assert.equal(answers(peer.received).length, 3)
})

test('100-continue is sent when the body is asked for, and only then', async () => {
  const peer = new Peer((exchange) => {
    if (exchange.request.target === '/no') exchange.respond({ status: 401, headers: text }, undefined)
    else echo(exchange)
  })
  peer.send('POST /yes HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n')
  await peer.until((all) => all === 'HTTP/1.1 100 Continue\r\n\r\n')
  peer.send('hi')
  await peer.until((all) => all.endsWith('\r\n\r\nhi'))

  peer.received = ''
  peer.send('POST /no HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  const refused = await peer.untilEnd()
  assert.match(refused, /^HTTP\/1\.1 401 Unauthorized\r\n/)
  assert.match(refused, /\r\nconnection: close\r\n/)
})

test('HEAD, 204 and 304 carry no body; HEAD says the length it would have', async () => {
  const peer = new Peer((exchange) => {
    const { target } = exchange.request
    exchange.respond(
      { status: target === '/' ? 200 : Number(target.slice(1)), headers: new HttpHeaders() },
      'body',
    )
  })
  peer.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
  await peer.until((all) => plain(all) === 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n')
  for (const status of ['204 No Content', '304 Not Modified']) {
    peer.received = ''
    peer.send(get(`/${status.slice(0, 3)}`))
    await peer.until((all) => plain(all) === `HTTP/1.1 ${status}\r\n\r\n`)
  }
})

test('a body that is complete with its first piece goes out with Content-Length, encoded in place', async () => {
  const peer = new Peer((exchange) => {
    exchange.start(ok)
    const { bytes, start } = exchange.reserve(100)
    exchange.commit(bytes.write('in place', start), true)
  })
  peer.send(get('/'))
  await peer.until((all) =>
    plain(all).endsWith('content-type: text/plain\r\ncontent-length: 8\r\n\r\nin place'),
  )
  peer.send(get('/'))
  await peer.until((all) => answers(all).length === 2)
})

test('a streamed body is chunked, its small pieces gathered, and ends with trailers', async () => {
  const peer = new Peer((exchange) => {
    exchange.start(ok)
    exchange.write(Buffer.from('one '), false)
    exchange.write(Buffer.from('two '), false)
    setImmediate(() => {
      exchange.write(Buffer.alloc(5000, 'x'), false)
      exchange.end(new HttpHeaders(['x-sum', '7']))
    })
  })
  peer.send(get('/'))
  const all = await peer.until((all) => all.endsWith('\r\n\r\n') && all.includes('x-sum'))
  const [head, body] = [
    plain(all).slice(0, plain(all).indexOf('\r\n\r\n')),
    all.slice(all.indexOf('\r\n\r\n') + 4),
  ]
  assert.equal(head, 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked')
  assert.equal(body, `8\r\none two \r\n1388\r\n${'x'.repeat(5000)}\r\n0\r\nx-sum: 7\r\n\r\n`)
})

test('the head of a streamed answer does not wait for its body', async () => {
  const { promise, resolve } = Promise.withResolvers<HttpExchange>()
  const peer = new Peer((exchange) => {
    exchange.start(ok)
    resolve(exchange)
  })
  peer.send(get('/'))
  await peer.until((all) => all.endsWith('transfer-encoding: chunked\r\n\r\n'))
  const exchange = await promise
  exchange.end()
  await peer.until((all) => all.endsWith('\r\n\r\n0\r\n\r\n'))
})

test('HTTP/1.0: closes after the answer, keeps alive when asked, never chunks', async () => {
  const handler: HttpHandler = (exchange) => {
    if (exchange.request.target === '/') return exchange.respond(ok, 'x')
    exchange.start(ok)
    exchange.write(Buffer.from('streamed'), false)
    setImmediate(() => exchange.end())
  }
  const closing = new Peer(handler)
  closing.send('GET / HTTP/1.0\r\n\r\n')
  assert.match(await closing.untilEnd(), /\r\nconnection: close\r\n/)

  const keeping = new Peer(handler)
  keeping.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  assert.match(await keeping.until((all) => all.endsWith('x')), /\r\nconnection: keep-alive\r\n/)
  keeping.send('GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  const all = await keeping.untilEnd()
  assert.doesNotMatch(all, /chunked/)
  assert.ok(all.endsWith('\r\n\r\nstreamed'))
})

test('Connection: close is honoured', async () => {
  const peer = new Peer(echo)
  peer.send(get('/', 'Connection: close\r\n') + get('/never'))
  assert.equal(answers(await peer.untilEnd()).length, 1)
})

test('a peer that closes its half is answered, pipelined requests too', async () => {
  const peer = new Peer((exchange) => setImmediate(() => exchange.respond(ok, exchange.request.target)))
  peer.send(get('/1') + get('/2'))
  peer.stream.end()
  // It may just as well be gone: an informational answer, which a client must bear, finds that out.
  const all = (await peer.untilEnd()).replaceAll('HTTP/1.1 102 Processing\r\n\r\n', '')
  assert.deepEqual(
    answers(all).map((answer) => answer.slice(-2)),
    ['/1', '/2'],
  )
})

test('an upload that is cut is an abort for the sink and the exchange', async () => {
  const heard: string[] = []
  const over = Promise.withResolvers<void>()
  const peer = new Peer((exchange) => {
    exchange.onAbort((why) => heard.push(`exchange ${why.reason}`))
    exchange.onEnd(() => over.resolve())
    exchange.receive({
      data: (_bytes, start, end) => heard.push(`${end - start} bytes`),
      end: () => heard.push('end'),
      abort: (why) => heard.push(`sink ${why.reason}`),
    })
  })
  peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
  await new Promise(setImmediate)
  peer.stream.destroy()
  await over.promise
  assert.deepEqual(heard, ['4 bytes', 'sink closed', 'exchange closed'])
  assert.equal(peer.connection.active, 0)
})

test('a peer that goes away while the handler works is an abort', async () => {
  const { server, port } = await listening((exchange) => {
    exchange.onAbort((why) => server.emit('aborted', why))
    server.emit('open')
  })
  const socket = net.connect(port, '127.0.0.1')
  socket.write(get('/'))
  await once(server, 'open')
  const aborted = once(server, 'aborted')
  socket.resetAndDestroy()
  const [why] = (await aborted) as [HttpAbort]
  assert.equal(why.reason, 'closed')
  assert.equal(why.processed, 'maybe')
  server.close()
})

test('a body is read only when asked for, and held up while paused', async () => {
  const opened = Promise.withResolvers<HttpExchange>()
  const peer = new Peer((exchange) => opened.resolve(exchange), { readAhead: 1024 })
  const size = 1_000_000
  let taken = 0
  peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
  const exchange = await opened.promise
  const accepted = peer.stream.write(Buffer.alloc(size))
  assert.equal(accepted, false, 'nobody reads, so the pair is full')

  const done = Promise.withResolvers<void>()
  const sink: BodySink = {
    data(_bytes, start, end) {
      taken += end - start
      exchange.pause()
      setImmediate(() => exchange.resume())
    },
    end: () => done.resolve(),
    abort: (why) => done.reject(new Error(why.message)),
  }
  exchange.receive(sink)
  await done.promise
  assert.equal(taken, size)
  exchange.respond(ok, 'done')
  await peer.until((all) => all.endsWith('done'))
})

test('a small body that nobody asked for is read away, a large one costs the connection', async () => {
  const handler: HttpHandler = (exchange) => exchange.respond({ status: 413, headers: text }, 'no')
  const small = new Peer(handler, { drainSize: 100 })
  small.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n')
  await small.until((all) => all.endsWith('no'))
  small.send('x'.repeat(100) + get('/'))
  assert.equal(answers(await small.until((all) => answers(all).length === 2 && all.endsWith('no'))).length, 2)

  const large = new Peer(handler, { drainSize: 100 })
  large.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n')
  assert.match(await large.untilEnd(), /\r\nconnection: close\r\n/)

  const endless = new Peer(handler)
  endless.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  assert.match(await endless.untilEnd(), /\r\nconnection: close\r\n/)
})

test('a body that was read in part and is longer than what is read away costs the connection, and the answer says so', async () => {
  const handler: HttpHandler = (exchange) => {
    exchange.receive({
      data() {
        if (!exchange.started) exchange.respond({ status: 413, headers: text }, 'no')
      },
      end() {},
      abort() {},
    })
  }
  const peer = new Peer(handler, { drainSize: 100 })
  peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(500)}`)
  assert.match(await peer.untilEnd(), /\r\nconnection: close\r\n/)

  // Who was promised more sends more: what comes in chunks is read away further.
  const chunked = new Peer(handler, { drainSize: 100 })
  const body = '3e8\r\n' + 'x'.repeat(1000) + '\r\n0\r\n\r\n'
  chunked.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' + body + get('/'))
  await chunked.until((all) => answers(all).length === 1)
  assert.equal(chunked.ended, false)
})

test('an answer before the end of the body: its reader hears so, and the next request is found', async () => {
  const heard: string[] = []
  const peer = new Peer((exchange) => {
    if (exchange.request.target === '/next') return exchange.respond(ok, 'next')
    exchange.receive({
      data: () => heard.push('data'),
      end: () => heard.push('end'),
      abort: (why) => heard.push(why.message),
    })
    exchange.pause()
    exchange.respond(ok, 'early')
    exchange.pause()
  })
  peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n')
  await peer.until((all) => all.endsWith('early'))
  peer.send(`0123456789${get('/next')}`)
  await peer.until((all) => all.endsWith('next'))
  assert.deepEqual(heard, ['the answer was complete before the body was'])
})

test('an answer that finds no taker is waited for: write says false, onDrain calls back', async () => {
  const { server, port } = await listening((exchange) => {
    exchange.start(ok)
    let left = 200
    let waits = 0
    const go = () => {
      while (left > 0) {
        left--
        if (!exchange.write(Buffer.alloc(65_536, 'y'), false)) {
          waits++
          return
        }
      }
      exchange.end(new HttpHeaders(['x-waits', String(waits)]))
    }
    exchange.onDrain(go)
    go()
  })
  const [response] = (await once(http.get({ port, agent: false }), 'response')) as [http.IncomingMessage]
  let size = 0
  for await (const piece of response) size += (piece as Buffer).length
  assert.equal(size, 200 * 65_536)
  assert.ok(Number(response.trailers['x-waits']) > 0)
  server.close()
})

test('onEnd comes once, after the answer was sent', async () => {
  let ends = 0
  const peer = new Peer((exchange) => {
    exchange.onEnd(() => ends++)
    exchange.respond(ok, 'x')
  })
  peer.send(get('/'))
  await peer.until((all) => all.endsWith('x'))
  peer.stream.destroy()
  await once(peer.stream, 'close')
  await new Promise(setImmediate)
  assert.equal(ends, 1)
})

test('103 precedes the answer', async () => {
  const peer = new Peer((exchange) => {
    exchange.inform({ status: 103, headers: new HttpHeaders(['link', '</a>']) })
    exchange.respond(ok, 'x')
  })
  peer.send(get('/'))
  const all = await peer.until((all) => all.endsWith('x'))
  assert.ok(all.startsWith('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n'))
})

for (const later of [false, true]) {
  test(`an upgrade hands over the stream with the bytes behind the head${later ? ', decided later' : ''}`, async () => {
    const peer = new Peer((exchange) => {
      const take = () => {
        const stream = exchange.upgrade({ status: 101, headers: new HttpHeaders(['upgrade', 'echo']) })
        stream.on('data', (bytes: Buffer) => stream.write(bytes))
      }
      if (later) setImmediate(take)
      else take()
    })
    const closed = new Promise<void>((resolve) => peer.connection.onClose(resolve))
    peer.send(`${get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n')}early `)
    await peer.until((all) => all.endsWith('early '))
    peer.send('late')
    const all = await peer.until((all) => all.endsWith('late'))
    assert.equal(
      all,
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\nearly late',
    )
    await closed
  })
}

test('upgrade() without a request for it says so', async () => {
  const peer = new Peer((exchange) => {
    assert.throws(() => exchange.upgrade({ status: 101, headers: text }), /does not ask for an upgrade/)
    exchange.respond(ok, 'x')
  })
  peer.send(get('/'))
  await peer.until((all) => all.endsWith('x'))
})

test('drain ends an idle connection when no request is on its way', async () => {
  const peer = new Peer(echo)
  peer.send(get('/'))
  await peer.until((all) => all.includes('content-length: 0'))
  peer.connection.drain()
  await peer.untilEnd()
})

test('a request that was on its way when the server began to drain is answered, and is the last', async () => {
  const peer = new Peer(echo)
  peer.send(get('/'))
  await peer.until((all) => all.includes('content-length: 0'))
  peer.connection.drain()
  peer.send(get('/'))
  const all = await peer.untilEnd()
  assert.equal(all.split('HTTP/1.1 200').length, 3)
  assert.equal(all.split('connection: close').length, 2)
})

test('drain lets the open request finish, with Connection: close', async () => {
  const opened = Promise.withResolvers<HttpExchange>()
  const peer = new Peer((exchange) => opened.resolve(exchange))
  peer.send(get('/'))
  const exchange = await opened.promise
  peer.connection.drain()
  assert.equal(peer.connection.active, 1)
  exchange.respond(ok, 'last')
  const all = await peer.untilEnd()
  assert.match(all, /\r\nconnection: close\r\n/)
  assert.ok(all.endsWith('last'))
})

test('a handler that throws is answered with 500 and reported', async () => {
  const errors: unknown[] = []
  const peer = new Peer(
    () => {
      throw new Error('mistake')
    },
    { onError: (error) => errors.push(error) },
  )
  peer.send(get('/'))
  await peer.until((all) => all.startsWith('HTTP/1.1 500 ') && all.endsWith('\r\n\r\n'))
  assert.equal((errors[0] as Error).message, 'mistake')
})

test('fields that would break the head are refused where they are given', async () => {
  const peer = new Peer((exchange) => {
    for (const [name, value] of [
      ['x-a', 'a\r\nx-b: c'],
      ['x-a', '\u010a'],
      ['x a', 'b'],
      ['X-A', 'b'],
      ['content-length', '5'],
    ] as const) {
      const headers = new HttpHeaders([name, value])
      assert.throws(() => exchange.respond({ status: 200, headers }, undefined), TypeError)
    }
    exchange.respond(ok, 'x')
  })
  peer.send(get('/'))
  await peer.until((all) => all.endsWith('x'))
})

test('a body that breaks its framing is an abort for its reader, who may still answer; then the connection closes', async () => {
  const peer = new Peer(echo)
  peer.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n')
  const all = await peer.untilEnd()
  assert.match(all, /^HTTP\/1\.1 400 /)
  assert.match(all, /\r\nconnection: close\r\n/)
  assert.ok(all.endsWith('protocol'))
})

// ── time ──

/** A clock of the test's own: `tick` moves it. */
function clocked() {
  const ticker = new Ticker(1 << 30)
  return { ticker, after: (milliseconds: number) => ticker.tick(ticker.now + (1 << 30) + milliseconds + 1) }
}

test('a connection that sends nothing is closed after firstByteTimeout', async () => {
  const { ticker, after } = clocked()
  const peer = new Peer(echo, { ticker, firstByteTimeout: 5000 })
  after(5000)
  assert.equal(await peer.untilEnd(), '')
})

test('a head that does not end is answered with 408 after headerTimeout, however it drips', async () => {
  const { ticker, after } = clocked()
  const peer = new Peer(echo, { ticker, headerTimeout: 5000 })
  peer.send('GET / HT')
  await new Promise(setImmediate)
  peer.send('TP/1.1')
  await new Promise(setImmediate)
  after(5000)
  assert.match(await peer.untilEnd(), /^HTTP\/1\.1 408 Request Timeout\r\n/)
})

test('an idle connection ends after idleTimeout', async () => {
  const { ticker, after } = clocked()
  const peer = new Peer(echo, { ticker, idleTimeout: 5000 })
  peer.send(get('/'))
  await peer.until((all) => all.includes('content-length: 0'))
  after(5000)
  assert.equal(answers(await peer.untilEnd()).length, 1)
})

test('a body that stands still is cut after stallTimeout', async () => {
  const { ticker, after } = clocked()
  const peer = new Peer(echo, { ticker, stallTimeout: 5000 })
  peer.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf')
  await new Promise(setImmediate)
  after(5000)
  assert.match(await peer.untilEnd(), /^HTTP\/1\.1 400 [^]*timeout$/)
})

test('a handler may take its time', async () => {
  const { ticker, after } = clocked()
  const opened = Promise.withResolvers<HttpExchange>()
  const peer = new Peer((exchange) => opened.resolve(exchange), { ticker })
  peer.send(get('/'))
  const exchange = await opened.promise
  after(86_400_000)
  exchange.respond(ok, 'late')
  await peer.until((all) => all.endsWith('late'))
})

test('a peer that takes no bytes is closed after stallTimeout', async () => {
  const { ticker, after } = clocked()
  const [near, far] = duplexPair()
  near.on('error', () => {})
  const connection = serveHttp1(
    far,
    { remoteAddress: '', secure: false },
    (exchange) => {
      exchange.respond(ok, Buffer.alloc(1 << 20))
    },
    { ticker, stallTimeout: 5000 },
  )
  near.write(get('/'))
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  // The head was taken in the meantime; from then on nothing.
  after(5000)
  after(5000)
  await once(far, 'close')
  assert.equal(connection.active, 0)
})
