import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { RawPeer, frame, request, settingsPayload, uint32 } from '../../test/support/http2-raw.ts'
import { collect } from '../http/body.ts'
import type { BodySink, HttpAbort, HttpExchange, HttpHandler } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { Ticker } from '../http/ticker.ts'
import { errorCode, flag, frameType } from './frames.ts'
import { type Http2Connection, type Http2ServerOptions, serveHttp2 } from './server.ts'
import { setting } from './settings.ts'

const text = new HttpHeaders(['content-type', 'text/plain'])
const ok = Object.freeze({ status: 200, headers: text })

const echo: HttpHandler = (exchange) => {
  collect(exchange, 1 << 24, [], (body) => {
    if (body !== undefined) exchange.respond(ok, body)
  })
}

class Peer extends RawPeer {
  readonly connection: Http2Connection

  constructor(handler: HttpHandler, options?: Http2ServerOptions, ...settings: number[]) {
    const [near, far] = duplexPair({ allowHalfOpen: true })
    super(near)
    this.connection = serveHttp2(far, { remoteAddress: '192.0.2.7:1234', secure: false }, handler, options)
    this.preface(...settings)
  }
}

/** Waits until a condition holds, which changes while the event loop turns. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

class Sink implements BodySink {
  received = ''
  trailers: readonly string[] | undefined
  ended = false
  why: HttpAbort | undefined
  data(bytes: Buffer, start: number, end: number): void {
    this.received += bytes.toString('latin1', start, end)
  }
  end(trailers: HttpHeaders | undefined): void {
    this.trailers = trailers?.list
    this.ended = true
  }
  abort(why: HttpAbort): void {
    this.why = why
  }
}

// ── requests and answers ──

test('a request is answered with head, Date, Content-Length and body', async () => {
  const peer = new Peer(echo)
  peer.headers(1, request('/a?b=c'), false).data(1, 'hello')
  const { fields, body } = await peer.answer(1)
  assert.equal(body, 'hello')
  assert.deepEqual(fields.slice(0, 5), [':status', '200', 'content-type', 'text/plain', 'date'])
  assert.match(fields[5] as string, /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/)
  assert.deepEqual(fields.slice(6), ['content-length', '5'])
  assert.equal(peer.connection.active, 0)
})

test('the request that a handler sees is complete', async () => {
  const seen: HttpExchange['request'][] = []
  const peer = new Peer((exchange) => {
    seen.push(exchange.request)
    exchange.respond(ok, undefined)
  })
  peer.headers(1, request('/x?y', 'x-one', '1')).headers(3, request('/x?y', 'x-one', '1'))
  await peer.answer(3)
  const [first] = seen
  assert.equal(first?.method, 'POST')
  assert.equal(first?.target, '/x?y')
  assert.equal(first?.authority, 'a')
  assert.equal(first?.version, '2')
  assert.equal(first?.secure, false)
  assert.equal(first?.remoteAddress, '192.0.2.7:1234')
  assert.deepEqual(first?.headers.list, ['x-one', '1'])
})

test('a head that comes again as the same bytes is the same object', async () => {
  const seen = new Set<HttpExchange['request']>()
  const peer = new Peer((exchange) => {
    seen.add(exchange.request)
    exchange.respond(ok, undefined)
  })
  for (let id = 1; id < 40; id += 2) peer.headers(id, request('/same'))
  await peer.answer(39)
  assert.ok(seen.size < 5, `${seen.size} objects for 20 requests`)
})

test('head, message and trailers of a call are one write', async () => {
  const [near, far] = duplexPair()
  const pieces: Buffer[] = []
  const trailers = Object.freeze(new HttpHeaders(['grpc-status', '0']))
  serveHttp2(far, { remoteAddress: 'x', secure: false }, (exchange) => {
    exchange.start(ok)
    const room = exchange.reserve(3)
    room.bytes.write('abc', room.start)
    exchange.commit(3, false)
    exchange.end(trailers)
  })
  const peer = new RawPeer(near)
  near.on('data', (piece: Buffer) => pieces.push(piece))
  peer.preface().headers(1, request())
  const answer = await peer.answer(1)
  assert.equal(answer.body, 'abc')
  assert.deepEqual(answer.trailers, ['grpc-status', '0'])
  const carrying = pieces.filter((piece) => piece.includes('abc'))
  assert.equal(carrying.length, 1)
  const types: number[] = []
  for (let at = 0; at < carrying[0]!.length; at += 9 + carrying[0]!.readUIntBE(at, 3))
    types.push(carrying[0]![at + 3]!)
  assert.deepEqual(types.slice(-3), [frameType.headers, frameType.data, frameType.headers])
})

test('an answer that ends without a body says so in its head', async () => {
  const peer = new Peer((exchange) => {
    exchange.start(ok)
    exchange.end()
  })
  peer.headers(1, request())
  await peer.answer(1)
  const frames = peer.frames.filter(({ id }) => id === 1)
  assert.deepEqual(
    frames.map(({ type, flags }) => [type, flags]),
    [[frameType.headers, flag.endHeaders | flag.endStream]],
  )
})

test('HEAD, 204 and 304 have no body, whatever is written', async () => {
  const statuses = [200, 204, 304]
  const peer = new Peer((exchange) => {
    const status = statuses.shift() as number
    exchange.start({ status, headers: text })
    exchange.write(Buffer.from('body'), false)
    exchange.commit(exchange.reserve(4) ? 4 : 0, true)
  })
  const head = request('/')
  head[1] = 'HEAD'
  peer.headers(1, head)
  await peer.answer(1)
  peer.headers(3, request())
  await peer.answer(3)
  peer.headers(5, request())
  await peer.answer(5)
  assert.equal(
    peer.frames.filter(({ type, payload }) => type === frameType.data && payload.length > 0).length,
    0,
  )
})

test('HEAD is told the length of what GET would be given', async () => {
  const peer = new Peer((exchange) => exchange.respond(ok, 'twelve bytes'))
  const head = request('/')
  head[1] = 'HEAD'
  const { fields, body } = await peer.headers(1, head).answer(1)
  assert.deepEqual(fields.slice(-2), ['content-length', '12'])
  assert.equal(body, '')
})

test('text beyond Latin-1 counts in bytes', async () => {
  const peer = new Peer((exchange) => exchange.respond(ok, 'grüße, €'))
  const { fields } = await peer.headers(1, request()).answer(1)
  assert.equal(fields.at(-1), '12')
  assert.equal(peer.body(1).toString('utf8'), 'grüße, €')
})

test('a body encoded in place is answered with its length, small or large', async () => {
  const sizes = [10, 100_000]
  const peer = new Peer((exchange) => {
    const body = exchange.compose()
    const size = sizes.shift() as number
    body.reserve(size)
    body.bytes.fill(0x61, body.position, body.position + size)
    body.position += size
    exchange.respondWith(ok, body)
  })
  peer.windowUpdate(0, 1 << 20)
  assert.equal((await peer.headers(1, request()).answer(1)).body, 'a'.repeat(10))
  peer.headers(3, request()).windowUpdate(3, 1 << 20)
  const { fields } = await peer.answer(3)
  assert.equal(fields.at(-1), '100000')
  assert.equal(peer.body(3).toString(), 'a'.repeat(100_000))
})

test('informational responses come before the answer', async () => {
  const peer = new Peer((exchange) => {
    exchange.inform({ status: 103, headers: new HttpHeaders(['link', '</x>']) })
    assert.throws(() => exchange.inform({ status: 101, headers: text }), RangeError)
    exchange.respond(ok, 'x')
    exchange.inform({ status: 103, headers: text })
  })
  await peer.headers(1, request()).answer(1)
  const heads = peer.frames.filter(({ type }) => type === frameType.headers)
  assert.deepEqual(
    heads.map(({ fields }) => fields?.slice(0, 2)),
    [
      [':status', '103'],
      [':status', '200'],
    ],
  )
})

test('a body that waits for 100-continue is asked for when it is wanted', async () => {
  const peer = new Peer(echo)
  peer.headers(1, request('/', 'expect', '100-continue'), false)
  const { fields } = await peer.until(({ id }) => id === 1)
  assert.deepEqual(fields, [':status', '100'])
  peer.data(1, 'now')
  assert.equal((await peer.answer(1)).body, 'now')
})

test('trailers of a request come with its end', async () => {
  const sink = new Sink()
  const peer = new Peer((exchange) => {
    exchange.receive(sink)
    exchange.start(ok)
  })
  peer.headers(1, request(), false).data(1, 'body', false).headers(1, ['x-checksum', '7'])
  await until(() => sink.ended)
  assert.equal(sink.received, 'body')
  assert.deepEqual(sink.trailers, ['x-checksum', '7'])
})

test('what handlers do wrong is told them', async () => {
  const wrongs: unknown[] = []
  const attempt = (run: () => void) => {
    try {
      run()
    } catch (error) {
      wrongs.push((error as Error).message)
    }
  }
  const peer = new Peer((exchange) => {
    attempt(() => exchange.write(Buffer.from('x'), false))
    attempt(() => exchange.respond({ status: 100, headers: text }, 'x'))
    attempt(() => exchange.respond({ status: 200, headers: new HttpHeaders(['X-Upper', 'x']) }, 'x'))
    attempt(() => exchange.respond({ status: 200, headers: new HttpHeaders(['content-length', '1']) }, 'x'))
    attempt(() => exchange.respond({ status: 200, headers: new HttpHeaders(['x', 'a\nb']) }, 'x'))
    attempt(() => exchange.upgrade({ status: 101, headers: text }))
    exchange.receive(new Sink())
    attempt(() => exchange.receive(new Sink()))
    exchange.respond(ok, 'x')
    attempt(() => exchange.respond(ok, 'x'))
  })
  await peer.headers(1, request()).answer(1)
  assert.deepEqual(wrongs, [
    'start() comes before the body',
    '100 is not a final status; HTTP/2 has inform() for these',
    '"X-Upper" is no field name in lower case',
    'the field content-length is written by the engine; leave it away',
    'the field x has a character that no field can carry: "a\\nb"',
    'HTTP/2 has no upgrades (RFC 9113 section 8.6)',
    'receive() was called already; a body is read once',
    'the answer was begun already',
  ])
})

test('a handler that throws is answered for with 500, and reported', async () => {
  const errors: unknown[] = []
  const peer = new Peer(
    () => {
      throw new Error('mistake')
    },
    { onError: (error) => errors.push(error) },
  )
  const { fields } = await peer.headers(1, request()).answer(1)
  assert.equal(fields[1], '500')
  assert.equal((errors[0] as Error).message, 'mistake')
})

// ── malformed and refused ──

for (const [what, send] of [
  ['a name in upper case', (peer: Peer) => peer.headers(1, [...request(), 'X', 'y'])],
  [
    'a body longer than content-length',
    (peer: Peer) => peer.headers(1, request('/', 'content-length', '1'), false).data(1, 'ab'),
  ],
  [
    'one that is shorter',
    (peer: Peer) => peer.headers(1, request('/', 'content-length', '3'), false).data(1, 'ab'),
  ],
  ['none, and a content-length', (peer: Peer) => peer.headers(1, request('/', 'content-length', '3'))],
  [
    'one that is shorter, with trailers',
    (peer: Peer) =>
      peer
        .headers(1, request('/', 'content-length', '3'), false)
        .data(1, 'ab', false)
        .headers(1, ['x', 'y']),
  ],
  [
    'trailers that do not end it',
    (peer: Peer) => peer.headers(1, request(), false).headers(1, ['x', 'y'], false),
  ],
  [
    'a pseudo-header field in its trailers',
    (peer: Peer) => peer.headers(1, request(), false).headers(1, [':path', 'y']),
  ],
  [
    'a stream that depends on itself',
    (peer: Peer) =>
      peer
        .headers(1, request(), false)
        .send(frame(frameType.priority, 0, 1, Buffer.concat([uint32(1), Buffer.of(5)]))),
  ],
] as const) {
  test(`a malformed request resets its stream, and only that: ${what}`, async () => {
    const peer = new Peer(echo)
    send(peer)
    assert.equal(await peer.resetReceived(1), errorCode.protocolError)
    assert.equal((await peer.headers(3, request(), false).data(3, 'fine').answer(3)).body, 'fine')
  })
}

test('a head that is too large is answered with 431, and the connection goes on', async () => {
  const peer = new Peer(echo, { headerSize: 200 })
  const { fields } = await peer.headers(1, request('/', 'x', 'y'.repeat(300))).answer(1)
  assert.equal(fields[1], '431')
  assert.equal((await peer.headers(3, request(), false).data(3, 'fine').answer(3)).body, 'fine')
})

test('CONNECT is answered with 501: this is no proxy', async () => {
  const peer = new Peer(echo)
  const { fields } = await peer.headers(1, [':method', 'CONNECT', ':authority', 'a:443']).answer(1)
  assert.equal(fields[1], '501')
})

test('streams beyond the limit are refused as never seen', async () => {
  const exchanges: HttpExchange[] = []
  const peer = new Peer((exchange) => exchanges.push(exchange), { streams: 2 })
  peer.headers(1, request()).headers(3, request()).headers(5, request())
  assert.equal(await peer.resetReceived(5), errorCode.refusedStream)
  assert.equal(exchanges.length, 2)
  exchanges[0]?.respond(ok, 'x')
  await peer.answer(1)
  peer.headers(7, request())
  await until(() => exchanges.length === 3)
})

test('the settings say what the limits are', async () => {
  const peer = new Peer(echo, { streams: 7, headerSize: 5000, initialStreamWindow: 70_000 })
  const { payload } = await peer.until(({ type }) => type === frameType.settings)
  const expected = settingsPayload(
    setting.maxConcurrentStreams,
    7,
    setting.headerTableSize,
    4096,
    setting.initialWindowSize,
    70_000,
    setting.maxFrameSize,
    16_384,
    setting.maxHeaderListSize,
    5000,
  )
  assert.deepEqual(payload, expected)
})

// ── frames ──

test('padding and priority are taken off', async () => {
  const peer = new Peer(echo)
  const block = peer.block(request())
  const payload = Buffer.concat([Buffer.of(3), uint32(0x8000_0000), Buffer.of(9), block, Buffer.alloc(3)])
  peer.send(
    frame(frameType.headers, flag.endHeaders | flag.padded | flag.priority, 1, payload),
    frame(frameType.data, flag.padded | flag.endStream, 1, Buffer.from('\x02body\0\0', 'latin1')),
    frame(frameType.priority, 0, 99, Buffer.concat([uint32(3), Buffer.of(1)])),
  )
  assert.equal((await peer.answer(1)).body, 'body')
})

test('a head may come in pieces', async () => {
  const peer = new Peer(echo)
  const block = peer.block(request('/', 'x', 'y'))
  const pieces = Array.from(block, (byte) => Buffer.of(byte))
  peer.send(
    frame(frameType.headers, flag.endStream, 1, pieces[0]),
    ...pieces.slice(1, -1).map((piece) => frame(frameType.continuation, 0, 1, piece)),
    frame(frameType.continuation, flag.endHeaders, 1, pieces.at(-1)),
  )
  assert.equal((await peer.answer(1)).fields[1], '200')
})

test('a head that is too large for a frame of the peer is sent in pieces', async () => {
  const peer = new Peer((exchange) => {
    exchange.respond({ status: 200, headers: new HttpHeaders(['x', 'y'.repeat(40_000)]) }, 'body')
  })
  peer.headers(1, request())
  await peer.answer(1)
  const frames = peer.frames.filter(({ id }) => id === 1)
  assert.deepEqual(
    frames.map(({ type, flags }) => [type, flags]),
    [
      [frameType.headers, 0],
      [frameType.continuation, 0],
      [frameType.continuation, flag.endHeaders],
      [frameType.data, flag.endStream],
    ],
  )
  const block = Buffer.concat(frames.slice(0, 3).map(({ payload }) => payload))
  const { fields } = peer.decoder.decode(block, 0, block.length)
  assert.equal(fields[3]?.length, 40_000)
})

test('what does not begin with the preface is told so', async () => {
  const [near, far] = duplexPair()
  const peer = new RawPeer(near)
  serveHttp2(far, { remoteAddress: 'x', secure: false }, echo)
  peer.send(Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'))
  const { code } = await peer.goawayReceived()
  assert.equal(code, errorCode.protocolError)
  await peer.untilEnded()
})

// ── flow control ──

test('a body waits for the windows of stream and connection', async () => {
  const peer = new Peer(
    (exchange) => exchange.respond(ok, 'x'.repeat(70_000)),
    {},
    setting.initialWindowSize,
    10,
  )
  peer.headers(1, request())
  await peer.until(({ type }) => type === frameType.data)
  await peer.settled()
  assert.equal(peer.body(1).length, 10)
  peer.windowUpdate(1, 100)
  await until(() => peer.body(1).length === 110)
  peer.settings(setting.initialWindowSize, 100_000)
  await until(() => peer.body(1).length === 65_535)
  await peer.settled('nomorenw')
  assert.equal(peer.body(1).length, 65_535)
  peer.windowUpdate(0, 100_000)
  assert.equal((await peer.answer(1)).body.length, 70_000)
})

test('a window that the peer makes smaller may be below nothing', async () => {
  const peer = new Peer(
    (exchange) => exchange.respond(ok, 'x'.repeat(100)),
    {},
    setting.initialWindowSize,
    50,
  )
  peer.headers(1, request())
  await until(() => peer.body(1).length === 50)
  peer.settings(setting.initialWindowSize, 10)
  await peer.settled()
  peer.windowUpdate(1, 40)
  await peer.settled('stillnot')
  assert.equal(peer.body(1).length, 50)
  peer.windowUpdate(1, 50)
  assert.equal((await peer.answer(1)).body.length, 100)
})

test('trailers follow a body that had to wait', async () => {
  const peer = new Peer(
    (exchange) => {
      exchange.start(ok)
      exchange.write(Buffer.from('body'), false)
      exchange.end(new HttpHeaders(['x', 'y']))
    },
    {},
    setting.initialWindowSize,
    0,
  )
  peer.headers(1, request())
  await peer.until(({ type, id }) => type === frameType.headers && id === 1)
  peer.windowUpdate(1, 3).windowUpdate(1, 1)
  const { body, trailers } = await peer.answer(1)
  assert.deepEqual([body, trailers], ['body', ['x', 'y']])
})

test('a writer is told to wait, and when it may go on', async () => {
  let drained = 0
  let more = true
  const peer = new Peer(
    (exchange) => {
      exchange.onDrain(() => drained++)
      exchange.start(ok)
      more = exchange.write(Buffer.alloc(100), false)
    },
    {},
    setting.initialWindowSize,
    50,
  )
  peer.headers(1, request())
  await until(() => peer.body(1).length === 50)
  assert.equal(more, false)
  assert.equal(drained, 0)
  peer.windowUpdate(1, 50)
  await peer.settled()
  assert.equal(drained, 0)
  peer.windowUpdate(1, 1)
  await until(() => drained === 1)
})

test('bodies share the connection: a large one does not hold up a small one', async () => {
  const peer = new Peer(
    (exchange) =>
      exchange.respond(ok, exchange.request.target === '/large' ? Buffer.alloc(200_000) : 'small'),
    {},
    setting.initialWindowSize,
    1 << 20,
  )
  peer
    .windowUpdate(0, 1 << 20)
    .headers(1, request('/large'))
    .headers(3, request('/small'))
  await peer.answer(1)
  const ids = peer.frames.filter(({ type }) => type === frameType.data).map(({ id }) => id)
  assert.ok(ids.indexOf(3) < ids.lastIndexOf(1), ids.join(' '))
})

test('a body that nobody takes is held within its window, and granted again when it is taken', async () => {
  const sink = new Sink()
  let exchange: HttpExchange | undefined
  const options = { initialStreamWindow: 1000, streamWindow: 1000 }
  const peer = new Peer((opened) => {
    exchange = opened
  }, options)
  await peer.settled()
  peer.headers(1, request(), false).data(1, 'x'.repeat(1000), false)
  await peer.settled('received')
  const updates = () => peer.frames.filter(({ type, id }) => type === frameType.windowUpdate && id === 1)
  assert.equal(updates().length, 0)

  exchange?.receive(sink)
  assert.equal(sink.received.length, 1000)
  await until(() => updates().length > 0)
  const granted = updates().reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)
  assert.equal(granted, 1000)

  exchange?.pause()
  peer.data(1, 'y'.repeat(900), false)
  await peer.settled('again...')
  assert.equal(sink.received.length, 1000)
  exchange?.resume()
  assert.equal(sink.received.length, 1900)
})

test('more than the window of a stream resets the stream; more than that of the connection ends it', async () => {
  const options = { initialStreamWindow: 1000, streamWindow: 1000 }
  const peer = new Peer(() => {}, options)
  await peer.settled()
  peer.headers(1, request(), false).data(1, 'x'.repeat(1001), false)
  assert.equal(await peer.resetReceived(1), errorCode.flowControlError)

  const other = new Peer(() => {}, { initialStreamWindow: 200_000, initialConnectionWindow: 65_535 })
  other.headers(1, request(), false)
  for (let i = 0; i < 4; i++) other.data(1, Buffer.alloc(16_384), false)
  assert.equal((await other.goawayReceived()).code, errorCode.flowControlError)
})

test('a small window counts from when the peer knows of it', async () => {
  const sink = new Sink()
  const options = { initialStreamWindow: 1000, streamWindow: 1000 }
  const peer = new Peer((exchange) => exchange.receive(sink), options)
  peer.answers = false
  peer.headers(1, request(), false).data(1, 'x'.repeat(3000), false)
  await peer.settled()
  peer.send(frame(frameType.settings, flag.ack, 0))
  // What was taken before is granted again: the window is whole.
  const { payload } = await peer.until(({ type, id }) => type === frameType.windowUpdate && id === 1)
  assert.equal(payload.readUInt32BE(0), 3000)
  peer.data(1, 'x'.repeat(1000), false)
  await peer.settled('learned!')
  assert.equal(sink.received.length, 4000)
  peer.headers(3, request(), false).data(3, 'x'.repeat(1001), false)
  assert.equal(await peer.resetReceived(3), errorCode.flowControlError)
})

test('windows grow where a round trip brings a full one', async () => {
  const sink: BodySink = { data() {}, end() {}, abort() {} }
  const size = 65_536
  const options = { initialStreamWindow: size, initialConnectionWindow: size }
  const peer = new Peer((exchange) => exchange.receive(sink), options)
  peer.headers(1, request(), false)
  await peer.settled()
  peer.answers = false
  const piece = Buffer.alloc(16_384)
  peer.data(1, piece, false)
  const probe = await peer.until(({ type, flags }) => type === frameType.ping && flags === 0)
  // As much as is allowed arrives before the PING's answer does.
  for (let i = 0; i < 3; i++) peer.data(1, piece.subarray(0, 16_000), false)
  await until(() => peer.frames.some(({ type, id }) => type === frameType.windowUpdate && id === 1))
  peer.data(1, piece, false).data(1, piece, false)
  peer.send(frame(frameType.ping, flag.ack, 0, probe.payload))

  const grown = await peer.until(({ type, payload }) => type === frameType.settings && payload.length === 6)
  assert.equal(grown.payload.readUInt16BE(0), setting.initialWindowSize)
  assert.equal(grown.payload.readUInt32BE(2), 2 * (3 * 16_000 + 2 * 16_384))
})

// ── ends ──

test('a client that resets its stream is heard', async () => {
  const aborted: HttpAbort[] = []
  const sink = new Sink()
  const peer = new Peer((exchange) => {
    exchange.onAbort((why) => aborted.push(why))
    exchange.receive(sink)
  })
  peer.headers(1, request(), false).reset(1, errorCode.cancel)
  await until(() => aborted.length === 1)
  assert.deepEqual(aborted[0], {
    reason: 'reset',
    message: 'the peer reset the stream with CANCEL',
    processed: 'maybe',
    code: errorCode.cancel,
  })
  assert.equal(sink.why?.reason, 'reset')
  assert.equal(peer.connection.active, 0)
})

test('an exchange that is given up resets its stream', async () => {
  const reasons: HttpAbort[] = [
    { reason: 'reset', message: '', processed: 'maybe' },
    { reason: 'refused', message: '', processed: 'no' },
    { reason: 'closed', message: '', processed: 'maybe', code: errorCode.http11Required },
  ]
  const peer = new Peer((exchange) => exchange.abort(reasons.shift() as HttpAbort))
  peer.headers(1, request()).headers(3, request()).headers(5, request())
  assert.equal(await peer.resetReceived(1), errorCode.internalError)
  assert.equal(await peer.resetReceived(3), errorCode.refusedStream)
  assert.equal(await peer.resetReceived(5), errorCode.http11Required)
})

test('a request that is answered early is told that the rest is not wanted', async () => {
  const sink = new Sink()
  const peer = new Peer((exchange) => {
    exchange.receive(sink)
    exchange.respond(ok, 'enough')
  })
  peer.headers(1, request(), false)
  assert.equal((await peer.answer(1)).body, 'enough')
  assert.equal(await peer.resetReceived(1), errorCode.noError)
  assert.equal(sink.why?.message, 'the answer was complete before the body was')
  // What was on its way is not held against it.
  peer.data(1, 'more', false).data(1, 'and more')
  assert.equal((await peer.headers(3, request()).answer(3)).body, 'enough')
})

test('but not when the rest comes in the same piece', async () => {
  const peer = new Peer((exchange) => exchange.respond(ok, 'enough'))
  await peer.settled()
  const block = peer.block(request())
  peer.send(
    frame(frameType.headers, flag.endHeaders, 1, block),
    frame(frameType.data, flag.endStream, 1, Buffer.from('x')),
  )
  await peer.answer(1)
  await peer.settled('no reset')
  assert.equal(peer.frames.filter(({ type }) => type === frameType.rstStream).length, 0)
})

test('the end of an answer is heard when it was flushed, or was lost', async () => {
  const heard: string[] = []
  const peer = new Peer((exchange) => {
    const { target } = exchange.request
    exchange.onAbort(() => heard.push(`${target} aborted`))
    exchange.onEnd(() => heard.push(`${target} over`))
    if (target === '/a') exchange.respond(ok, 'x')
  })
  peer.headers(1, request('/a')).headers(3, request('/b'))
  await peer.answer(1)
  await until(() => heard.length === 1)
  assert.deepEqual(heard, ['/a over'])
  await peer.close()
  await until(() => heard.length === 3)
  assert.deepEqual(heard, ['/a over', '/b aborted', '/b over'])
})

test('a server that drains serves what is on its way, says what was the last, and closes', async () => {
  const exchanges: HttpExchange[] = []
  const peer = new Peer((exchange) => exchanges.push(exchange))
  peer.answers = false
  peer.send(frame(frameType.settings, flag.ack, 0)).headers(1, request())
  await until(() => exchanges.length === 1)
  peer.connection.drain()
  const first = await peer.goawayReceived()
  assert.deepEqual([first.lastId, first.code], [0x7fff_ffff, errorCode.noError])
  const ping = await peer.until(({ type }) => type === frameType.ping)

  peer.headers(3, request())
  await until(() => exchanges.length === 2)
  peer.send(frame(frameType.ping, flag.ack, 0, ping.payload)).headers(5, request())
  const second = await peer.until(
    ({ type, payload }) => type === frameType.goaway && payload.readUInt32BE(0) === 3,
  )
  assert.equal(second.payload.readUInt32BE(4), errorCode.noError)
  assert.equal(exchanges.length, 2)

  for (const exchange of exchanges) exchange.respond(ok, 'late')
  assert.equal((await peer.answer(1)).body, 'late')
  assert.equal((await peer.answer(3)).body, 'late')
  await peer.untilEnded()
})

test('a connection that is closed aborts what is open, and says when it is gone', async () => {
  const aborted: HttpAbort[] = []
  let gone = 0
  const peer = new Peer((exchange) => exchange.onAbort((why) => aborted.push(why)))
  peer.connection.onClose(() => gone++)
  peer.headers(1, request())
  await until(() => peer.connection.active === 1)
  peer.connection.close()
  assert.equal(aborted[0]?.message, 'the server closed the connection')
  await until(() => gone === 1)
  assert.equal(peer.connection.active, 0)
})

// ── time ──

/** A ticker whose clock the test moves. */
function clockwork() {
  const ticker = new Ticker(1 << 30)
  let now = 0
  return {
    ticker,
    async pass(milliseconds: number): Promise<void> {
      now = Math.max(now, ticker.now)
      const end = now + milliseconds
      while (now < end) {
        now = Math.min(end, now + 500)
        ticker.tick(now)
        await new Promise((resolve) => setImmediate(resolve))
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

test('a connection that is not used is closed after the idle time-out, with a farewell', async () => {
  const { ticker, pass } = clockwork()
  const peer = new Peer(echo, { ticker, idleTimeout: 60_000 })
  await peer.headers(1, request()).answer(1)
  await pass(59_000)
  assert.equal(peer.frames.filter(({ type }) => type === frameType.goaway).length, 0)
  await pass(6_000)
  assert.equal((await peer.goawayReceived()).code, errorCode.noError)
  await peer.untilEnded()
})

test('a silent peer with an open stream is asked, and given up when it does not answer', async () => {
  const { ticker, pass } = clockwork()
  const aborted: HttpAbort[] = []
  const options = { ticker, keepaliveTime: 20_000, keepaliveTimeout: 5_000 }
  const peer = new Peer((exchange) => exchange.onAbort((why) => aborted.push(why)), options)
  await peer.headers(1, request()).settled()
  await pass(25_000)
  await peer.until(({ type, flags }) => type === frameType.ping && flags === 0)
  await peer.settled('answered')
  await pass(15_000)
  assert.equal(aborted.length, 0)
  peer.answers = false
  await pass(40_000)
  assert.equal(aborted[0]?.reason, 'timeout')
  await peer.untilEnded()
})

test('a connection that is old enough is drained', async () => {
  const peer = new Peer(echo, { age: 20, drainDelay: 20 })
  const { code } = await peer.goawayReceived()
  assert.equal(code, errorCode.noError)
  await peer.untilEnded()
})

test('what is still open when the grace of an old connection is over is aborted', async () => {
  const aborted: HttpAbort[] = []
  const peer = new Peer((exchange) => exchange.onAbort((why) => aborted.push(why)), { age: 20, ageGrace: 20 })
  peer.headers(1, request())
  await peer.goawayReceived()
  await peer.untilEnded()
  assert.equal(aborted[0]?.message, 'the server closed the connection')
})

test('a client that does not answer the PING of a GOAWAY is told the last number after a while', async () => {
  const peer = new Peer(() => {}, { drainDelay: 20 })
  peer.headers(1, request())
  await peer.settled()
  peer.answers = false
  peer.connection.drain()
  await peer.until(({ type, payload }) => type === frameType.goaway && payload.readUInt32BE(0) === 1)
  // What comes now is neither served nor held against it.
  peer.headers(3, request(), false).data(3, 'late')
  await peer.settled('not seen')
  assert.equal(peer.connection.active, 1)
  assert.equal(peer.frames.filter(({ id }) => id === 3).length, 0)
})

test('settings that nobody acknowledges end the connection with SETTINGS_TIMEOUT', async () => {
  const { ticker, pass } = clockwork()
  const peer = new Peer(echo, { ticker, settingsTimeout: 5_000 })
  peer.answers = false
  await peer.until(({ type }) => type === frameType.settings)
  await pass(12_000)
  assert.equal((await peer.goawayReceived()).code, errorCode.settingsTimeout)
})
