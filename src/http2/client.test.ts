import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { RawPeer, frame, uint32 } from '../../test/support/http2-raw.ts'
import type { HttpAbort, HttpResponseHead, ResponseSink } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { type Http2Transport, type Http2TransportOptions, openHttp2 } from './client.ts'
import { clientPreface, errorCode, flag, frameType } from './frames.ts'
import { setting } from './settings.ts'

const none = new HttpHeaders()
const head = (target: string, method = 'POST') => ({ method, target, authority: 'a', headers: none })
const status = (code: number, ...more: string[]) => [':status', String(code), ...more]

/** A server that does as it is told, and the client before it. */
class Peer extends RawPeer {
  readonly client: Http2Transport
  readonly states: (readonly [string, HttpAbort | undefined])[] = []

  constructor(options?: Http2TransportOptions, ...settings: number[]) {
    const [near, far] = duplexPair({ allowHalfOpen: true })
    super(near, true, clientPreface.length)
    this.client = openHttp2(far, options)
    this.client.onState((why) => this.states.push([this.client.state, why]))
    this.settings(...settings)
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

class Sink implements ResponseSink {
  heads: HttpResponseHead[] = []
  informed: number[] = []
  received = ''
  trailers: readonly string[] | undefined
  ended = false
  why: HttpAbort | undefined
  inform({ status: code }: HttpResponseHead): void {
    this.informed.push(code)
  }
  head(received: HttpResponseHead): void {
    this.heads.push(received)
  }
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
  get over(): boolean {
    return this.ended || this.why !== undefined
  }
}

test('a request is a head and a body, and its answer comes to its sink', async () => {
  const peer = new Peer()
  const sink = new Sink()
  const headers = new HttpHeaders(['x-one', '1'])
  peer.client.request({ method: 'PUT', target: '/a?b', authority: 'host:1', headers }, 'body', sink)
  const { fields } = await peer.until(({ type }) => type === frameType.headers)
  assert.deepEqual(fields, [
    ':method',
    'PUT',
    ':scheme',
    'http',
    ':authority',
    'host:1',
    ':path',
    '/a?b',
    'x-one',
    '1',
    'content-length',
    '4',
  ])
  await until(() => peer.body(1).toString() === 'body')
  assert.equal(peer.client.active, 1)
  peer.headers(1, status(200, 'content-length', '5'), false).data(1, 'hello')
  await until(() => sink.ended)
  assert.deepEqual(
    [sink.heads[0]?.status, sink.heads[0]?.headers.list, sink.received],
    [200, ['content-length', '5'], 'hello'],
  )
  assert.equal(peer.client.active, 0)
})

test('a request without a body ends with its head; one that streams does when its writer says so', async () => {
  const peer = new Peer()
  peer.client.request(head('/none'), undefined, new Sink())
  const exchange = peer.client.request(head('/streams'), 'stream', new Sink())
  const first = await peer.until(({ type, id }) => type === frameType.headers && id === 1)
  assert.equal(first.flags, flag.endHeaders | flag.endStream)
  const room = exchange.reserve(4)
  room.bytes.write('some', room.start)
  exchange.commit(4, false)
  exchange.write(Buffer.from('thing'), false)
  exchange.end(new HttpHeaders(['x', 'y']))
  const last = await peer.until(
    ({ type, id, flags }) => type === frameType.headers && id === 3 && flags === 5,
  )
  assert.deepEqual(last.fields, ['x', 'y'])
  assert.equal(peer.body(3).toString(), 'something')
})

test('fields of one request follow those that are frozen, which are made once', async () => {
  const peer = new Peer()
  const headers = Object.freeze(new HttpHeaders(['te', 'trailers']))
  for (const more of ['1', '2']) {
    const one = { ...head('/m'), headers, more: new HttpHeaders(['grpc-timeout', more]) }
    peer.client.request(one, undefined, new Sink())
  }
  peer.client.request({ ...head('/other'), headers }, undefined, new Sink())
  await peer.until(({ id, type }) => type === frameType.headers && id === 5)
  const seen = peer.frames
    .filter(({ type }) => type === frameType.headers)
    .map(({ fields }) => fields?.slice(7))
  assert.deepEqual(seen, [
    ['/m', 'te', 'trailers', 'grpc-timeout', '1'],
    ['/m', 'te', 'trailers', 'grpc-timeout', '2'],
    ['/other', 'te', 'trailers'],
  ])
})

test('a body encoded in place is sent with its length, at once or when its turn comes', async () => {
  const peer = new Peer({ assumedStreams: 1 })
  for (const letter of 'abc') {
    const body = peer.client.compose()
    const size = letter === 'a' ? 30_000 : 5
    body.reserve(size)
    body.bytes.fill(letter, body.position, body.position + size)
    body.position += size
    peer.client.requestWith(head('/'), body, new Sink())
  }
  peer.settings(setting.maxConcurrentStreams, 100)
  await until(() => peer.body(5).length === 5)
  assert.equal(peer.body(1).toString(), 'a'.repeat(30_000))
  assert.equal(peer.body(3).toString() + peer.body(5).toString(), 'bbbbbccccc')
})

test('informational responses, trailers, and answers without a body', async () => {
  const peer = new Peer()
  const sinks = [new Sink(), new Sink(), new Sink()]
  peer.client.request(head('/'), undefined, sinks[0] as Sink)
  peer.client.request(head('/', 'HEAD'), undefined, sinks[1] as Sink)
  peer.client.request(head('/'), undefined, sinks[2] as Sink)
  await peer.until(({ id }) => id === 5)
  peer.headers(1, status(100), false).headers(1, status(103, 'link', 'x'), false)
  peer.headers(1, status(200), false).data(1, 'x', false).headers(1, ['grpc-status', '0'])
  peer.headers(3, status(200, 'content-length', '1000'))
  peer.headers(5, status(304, 'content-length', '1000'))
  await until(() => sinks.every(({ over }) => over))
  assert.deepEqual(sinks[0]?.informed, [100, 103])
  assert.deepEqual(sinks[0]?.trailers, ['grpc-status', '0'])
  assert.deepEqual(
    sinks.map(({ ended }) => ended),
    [true, true, true],
  )
})

test('a head that cannot be sent is refused at once, and costs nothing', () => {
  const { client } = new Peer()
  for (const bad of [
    { ...head('/'), method: 'GE T' },
    head('no/path'),
    head('/a b'),
    { ...head('/'), authority: 'u@h' },
    { ...head('/'), headers: new HttpHeaders(['X', 'y']) },
    { ...head('/'), headers: new HttpHeaders(['connection', 'close']) },
    { ...head('/'), headers: new HttpHeaders(['host', 'b']) },
    { ...head('/'), more: new HttpHeaders(['x', 'a\nb']) },
  ]) {
    assert.throws(() => client.request(bad, undefined, new Sink()), TypeError)
  }
  assert.equal(client.active, 0)
})

for (const [what, answer] of [
  ['no :status', (peer: Peer) => peer.headers(1, ['x', 'y'])],
  ['101', (peer: Peer) => peer.headers(1, status(101), false)],
  ['an informational response that ends it', (peer: Peer) => peer.headers(1, status(103))],
  ['DATA before the head', (peer: Peer) => peer.data(1, 'x')],
  [
    'less than content-length',
    (peer: Peer) => peer.headers(1, status(200, 'content-length', '3'), false).data(1, 'x'),
  ],
  [
    'more of it',
    (peer: Peer) => peer.headers(1, status(200, 'content-length', '3'), false).data(1, 'xxxx', false),
  ],
  ['none of it', (peer: Peer) => peer.headers(1, status(200, 'content-length', '3'))],
  [
    'trailers that do not end it',
    (peer: Peer) => peer.headers(1, status(200), false).headers(1, ['x', 'y'], false),
  ],
  ['a body for 204', (peer: Peer) => peer.headers(1, status(204), false).data(1, 'x')],
] as const) {
  test(`a malformed answer resets its stream, and only that: ${what}`, async () => {
    const peer = new Peer()
    const sinks = [new Sink(), new Sink()]
    for (const sink of sinks) peer.client.request(head('/'), undefined, sink)
    await peer.until(({ id }) => id === 3)
    answer(peer)
    assert.equal(await peer.resetReceived(1), errorCode.protocolError)
    assert.equal(sinks[0]?.why?.reason, 'protocol')
    peer.headers(3, status(200))
    await until(() => sinks[1]?.ended === true)
  })
}

test('a head that is too large fails its request only', async () => {
  const peer = new Peer({ headerSize: 100 })
  const sink = new Sink()
  peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 1)
  peer.headers(1, status(200, 'x', 'y'.repeat(200)))
  await until(() => sink.over)
  assert.equal(sink.why?.reason, 'too_large')
  assert.equal(peer.client.state, 'ready')
})

test('streams of the server’s own, and frames of requests never made, end the connection', async () => {
  for (const [id, fields] of [
    [2, status(200)],
    [7, status(200)],
  ] as const) {
    const peer = new Peer()
    await peer.settled()
    peer.headers(id, fields)
    assert.equal((await peer.goawayReceived()).code, errorCode.protocolError)
    assert.equal(peer.client.state, 'closed')
  }
  const peer = new Peer()
  await peer.settled()
  peer.send(frame(frameType.pushPromise, flag.endHeaders, 1, uint32(2)))
  assert.equal((await peer.goawayReceived()).code, errorCode.protocolError)
})

test('a server that does not speak HTTP/2 is found out by its first frame', async () => {
  const [near, far] = duplexPair()
  const lost = new Sink()
  openHttp2(far, { assumedStreams: 1 }).request(head('/'), undefined, lost)
  near.resume().write('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
  await until(() => lost.over)
  assert.equal(lost.why?.reason, 'protocol')
  near.destroy()
})

// ── limits of the server ──

test('requests beyond the server’s limit wait, in order, and within bounds', async () => {
  const peer = new Peer({ queue: 2 }, setting.maxConcurrentStreams, 1)
  await until(() => peer.client.settled)
  const sinks = [1, 2, 3, 4].map(() => new Sink())
  sinks.forEach((sink, i) => peer.client.request(head(`/${i}`), `body ${i}`, sink))
  assert.equal(peer.client.active, 3)
  await until(() => (sinks[3] as Sink).over)
  assert.deepEqual([sinks[3]?.why?.reason, sinks[3]?.why?.processed], ['no_room', 'no'])
  assert.equal(peer.frames.filter(({ type }) => type === frameType.headers).length, 1)
  peer.headers(1, status(200))
  await until(() => peer.body(3).toString() === 'body 1')
  peer.headers(3, status(200))
  await until(() => peer.body(5).toString() === 'body 2')
})

test('what is written to a request that waits goes out with it; one that is given up is never sent', async () => {
  const peer = new Peer({}, setting.maxConcurrentStreams, 0)
  await until(() => peer.client.settled)
  const exchange = peer.client.request(head('/'), 'stream', new Sink())
  const room = exchange.reserve(2)
  room.bytes.write('ab', room.start)
  assert.equal(exchange.commit(2, false), false)
  exchange.write(Buffer.from('cd'), false)
  const empty = peer.client.request(head('/'), 'stream', new Sink())
  empty.end()
  const withdrawn = peer.client.request(head('/'), 'stream', new Sink())
  withdrawn.cancel()
  assert.equal(peer.client.active, 2)
  peer.settings(setting.maxConcurrentStreams, 10)
  await until(() => peer.body(1).toString() === 'abcd')
  exchange.end()
  await peer.until(({ id, flags }) => id === 3 && (flags & flag.endStream) !== 0)
  peer.client.request(head('/next'), undefined, new Sink())
  const next = await peer.until(({ id }) => id === 5)
  assert.equal(next.fields?.[7], '/next')
})

test('a refused stream was not processed; a reset one may have been', async () => {
  const peer = new Peer()
  const sinks = [new Sink(), new Sink()]
  for (const sink of sinks) peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 3)
  peer.reset(1, errorCode.refusedStream).reset(3, errorCode.enhanceYourCalm)
  await until(() => sinks.every(({ over }) => over))
  assert.deepEqual(
    sinks.map(({ why }) => [why?.reason, why?.processed, why?.code]),
    [
      ['refused', 'no', errorCode.refusedStream],
      ['reset', 'maybe', errorCode.enhanceYourCalm],
    ],
  )
})

test('a request whose answer is complete is not bothered by the reset of its body', async () => {
  const peer = new Peer()
  const sink = new Sink()
  const exchange = peer.client.request(head('/'), 'stream', sink)
  exchange.write(Buffer.from('some'), false)
  await peer.until(({ id }) => id === 1)
  peer.headers(1, status(413), true).reset(1, errorCode.noError)
  await peer.settled()
  assert.equal(sink.ended, true)
  assert.equal(sink.why, undefined)
  assert.equal(peer.client.active, 0)
  exchange.write(Buffer.from('more'), true)
})

test('GOAWAY: what the server will not serve was not processed, the rest finishes, nothing new is taken', async () => {
  const peer = new Peer()
  const sinks = [new Sink(), new Sink()]
  for (const sink of sinks) peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 3)
  peer.goaway(0x7fff_ffff)
  await until(() => peer.client.state === 'draining')
  const late = new Sink()
  peer.client.request(head('/'), undefined, late)
  peer.goaway(1, errorCode.noError, 'leaving')
  await until(() => late.over && (sinks[1] as Sink).over)
  assert.deepEqual([late.why?.reason, late.why?.processed], ['refused', 'no'])
  assert.deepEqual([sinks[1]?.why?.reason, sinks[1]?.why?.processed], ['refused', 'no'])
  assert.match(String(sinks[1]?.why?.message), /NO_ERROR: leaving/)
  assert.equal(sinks[0]?.over, false)
  peer.headers(1, status(200))
  await until(() => (sinks[0] as Sink).ended)
  await peer.untilEnded()
  assert.deepEqual(
    peer.states.map(([state]) => state),
    ['ready', 'draining', 'closed'],
  )
})

test('when the numbers are used up, what is open finishes, and the pool above makes another connection', async () => {
  const peer = new Peer({ firstId: 0x7fff_fffd })
  await until(() => peer.client.settled)
  const sinks = [new Sink(), new Sink(), new Sink()]
  for (const sink of sinks) peer.client.request(head('/'), undefined, sink)
  assert.equal(peer.client.state, 'draining')
  await until(() => (sinks[2] as Sink).over)
  assert.equal(sinks[2]?.why?.processed, 'no')
  await peer.until(({ id }) => id === 0x7fff_ffff)
  peer.headers(0x7fff_fffd, status(200)).headers(0x7fff_ffff, status(200))
  await peer.untilEnded()
  assert.deepEqual(
    sinks.map(({ ended }) => ended),
    [true, true, false],
  )
})

test('when the connection is lost, what was sent may have been processed, and what waited was not', async () => {
  const peer = new Peer({}, setting.maxConcurrentStreams, 1)
  await until(() => peer.client.settled)
  const sinks = [new Sink(), new Sink()]
  for (const sink of sinks) peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 1)
  await peer.close()
  await until(() => sinks.every(({ over }) => over))
  assert.deepEqual(
    sinks.map(({ why }) => why?.processed),
    ['maybe', 'no'],
  )
  assert.equal(peer.client.state, 'closed')
})

test('a request that was never given to the socket was not processed', async () => {
  const [, far] = duplexPair()
  const client = openHttp2(far, { assumedStreams: 2 })
  const sinks = [new Sink(), new Sink()]
  // The first is alone and goes out at once; the second waits for what else the turn brings.
  for (const sink of sinks) client.request(head('/'), undefined, sink)
  far.destroy()
  await until(() => sinks.every(({ over }) => over))
  assert.deepEqual(
    sinks.map(({ why }) => why?.processed),
    ['maybe', 'no'],
  )
})

// ── flow control, cancel, close ──

test('an answer that is not taken is not granted again until it is', async () => {
  const peer = new Peer({ initialStreamWindow: 1000, streamWindow: 1000 })
  const sink = new Sink()
  const exchange = peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 1)
  exchange.pause()
  peer.headers(1, status(200), false).data(1, 'x'.repeat(1000), false)
  await peer.settled()
  assert.equal(sink.received, '')
  exchange.resume()
  assert.equal(sink.received.length, 1000)
  await peer.until(({ type, id }) => type === frameType.windowUpdate && id === 1)
})

test('a cancelled request resets its stream, and its sink hears nothing more', async () => {
  const peer = new Peer()
  const sink = new Sink()
  const exchange = peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 1)
  exchange.cancel()
  assert.equal(await peer.resetReceived(1), errorCode.cancel)
  peer.headers(1, status(200), false).data(1, 'late')
  await peer.settled()
  assert.deepEqual([sink.heads.length, sink.received, sink.over], [0, '', false])
  assert.equal(peer.client.active, 0)
})

test('a sink may cancel from within', async () => {
  const peer = new Peer()
  let heard = 0
  const exchange = peer.client.request(head('/'), undefined, {
    head: () => exchange.cancel(),
    data: () => heard++,
    end: () => heard++,
    abort: () => heard++,
  })
  await peer.until(({ id }) => id === 1)
  peer.headers(1, status(200), false).data(1, 'x')
  await peer.settled()
  assert.equal(heard, 0)
})

test('close waits for what is open, takes nothing new, and says farewell', async () => {
  const peer = new Peer({}, setting.maxConcurrentStreams, 1)
  await until(() => peer.client.settled)
  const sinks = [new Sink(), new Sink()]
  for (const sink of sinks) peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 1)
  const closed = peer.client.close(10_000)
  const late = new Sink()
  peer.client.request(head('/'), undefined, late)
  peer.headers(1, status(200))
  await peer.until(({ id }) => id === 3)
  peer.headers(3, status(200))
  await closed
  assert.deepEqual(
    [...sinks, late].map(({ ended }) => ended),
    [true, true, false],
  )
  assert.equal((await peer.goawayReceived()).code, errorCode.noError)
  await peer.untilEnded()
})

test('close cuts what is open when the grace is over', async () => {
  const peer = new Peer()
  const sink = new Sink()
  peer.client.request(head('/'), undefined, sink)
  await peer.until(({ id }) => id === 1)
  await peer.client.close(1)
  assert.equal(sink.why?.message, 'the client closed the connection')
  await peer.untilEnded()
})
