// Attacks by a server: what ends its connection, with which code, and that each request of the client ends, once.

import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { RawPeer, frame, uint32 } from '../../test/support/http2-raw.ts'
import type { HttpAbort } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { Ticker } from '../http/ticker.ts'
import { type Http2TransportOptions, openHttp2 } from './client.ts'
import { clientPreface, errorCode, flag, frameType } from './frames.ts'
import { defaultHttp2ClientLimits as limits } from './limits.ts'
import { setting } from './settings.ts'

const none = new HttpHeaders()
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A client with one request open to a server that is about to attack. */
async function attacked(options?: Http2TransportOptions) {
  const [near, far] = duplexPair({ allowHalfOpen: true })
  const peer = new RawPeer(near, true, clientPreface.length)
  const client = openHttp2(far, options)
  const { promise: why, resolve } = Promise.withResolvers<HttpAbort>()
  let ends = 0
  const exchange = client.request({ method: 'POST', target: '/', authority: 'a', headers: none }, 'stream', {
    head() {},
    data() {},
    end() {
      ends++
    },
    abort(reason) {
      ends++
      resolve(reason)
    },
  })
  peer.settings()
  await peer.until(({ type }) => type === frameType.headers)
  return { peer, client, why, exchange, ends: () => ends }
}

const calm = errorCode.enhanceYourCalm
const priority = frame(frameType.priority, 0, 1, Buffer.concat([uint32(0), Buffer.of(1)]))

for (const [kind, send, code] of [
  ['CVE-2019-9512, PING flood', (peer: RawPeer) => peer.ping(), calm],
  ['CVE-2019-9515, SETTINGS flood', (peer: RawPeer) => peer.settings(), calm],
  ['CVE-2019-9513, PRIORITY flood', (peer: RawPeer) => peer.send(priority), calm],
  [
    'CVE-2019-9518, empty DATA flood',
    (peer: RawPeer, i: number) =>
      i === 0 ? peer.headers(1, [':status', '200'], false) : peer.data(1, '', false),
    calm,
  ],
  ['WINDOW_UPDATE flood', (peer: RawPeer) => peer.windowUpdate(1, 1), calm],
  ['GOAWAY flood', (peer: RawPeer) => peer.goaway(1), calm],
  [
    'flapping stream limits',
    (peer: RawPeer, i: number) => peer.settings(setting.maxConcurrentStreams, i % 2),
    calm,
  ],
  [
    'CVE-2024-27316, CONTINUATION flood',
    (peer: RawPeer, i: number) => {
      if (i === 0) peer.send(frame(frameType.headers, 0, 1, peer.block([':status', '200'])))
      else peer.send(frame(frameType.continuation, 0, 1, Buffer.alloc(100, 0x88)))
    },
    calm,
  ],
  [
    'a window beyond 2^31-1',
    (peer: RawPeer) => peer.windowUpdate(0, 0x7fff_ffff),
    errorCode.flowControlError,
  ],
  [
    'a bad block',
    (peer: RawPeer) => peer.send(frame(1, 4, 1, Buffer.of(0xff, 0xff))),
    errorCode.compressionError,
  ],
  ['DATA on a stream never opened', (peer: RawPeer) => peer.data(9, 'x'), errorCode.protocolError],
  [
    'SETTINGS that enable push',
    (peer: RawPeer) => peer.settings(setting.enablePush, 1),
    errorCode.protocolError,
  ],
] as const) {
  test(`${kind}: the connection ends`, async () => {
    const { peer, client, why, ends } = await attacked()
    for (let i = 0; i < 10_000 && !peer.ended; i++) {
      send(peer, i)
      if (i % 64 === 0) await turn()
    }
    const goaway = await peer.goawayReceived()
    assert.equal(goaway.code, code, goaway.debug)
    await peer.untilEnded()
    assert.equal((await why).processed, 'maybe')
    assert.equal(ends(), 1)
    assert.equal(client.state, 'closed')
  })
}

test('informational responses without end: the request is given up after 32, the connection stays', async () => {
  const { peer, client, why } = await attacked()
  for (let i = 0; i < 40; i++) peer.headers(1, [':status', '103'], false)
  assert.equal(await peer.resetReceived(1), errorCode.protocolError)
  assert.match((await why).message, /more than 32 informational/)
  assert.equal(client.state, 'ready')
})

test(`a head beyond ${limits.headerSize} bytes: the request fails as too large, the connection stays`, async () => {
  const { peer, client, why } = await attacked()
  const block = peer.block([
    ':status',
    '200',
    ...Array.from({ length: 12 }, () => ['x', 'y'.repeat(3_000)]).flat(),
  ])
  peer.send(
    frame(frameType.headers, 0, 1, block.subarray(0, 16_000)),
    frame(frameType.continuation, 0, 1, block.subarray(16_000, 32_000)),
    frame(frameType.continuation, flag.endHeaders, 1, block.subarray(32_000)),
  )
  assert.equal((await why).reason, 'too_large')
  assert.equal(client.state, 'ready')
})

test('a body that is never taken stays within its window', async () => {
  const { peer, exchange, why } = await attacked({ initialStreamWindow: 65_535 })
  exchange.pause()
  peer.headers(1, [':status', '200'], false)
  for (let i = 0; i < 5; i++) peer.data(1, Buffer.alloc(16_000), false)
  assert.equal(await peer.resetReceived(1), errorCode.flowControlError)
  assert.equal((await why).reason, 'protocol')
})

/** Lets time pass. */
async function pass(ticker: Ticker, milliseconds: number): Promise<void> {
  for (let passed = 0, from = ticker.now; passed < milliseconds;) {
    passed += 500
    ticker.tick(from + passed)
    await turn()
    await turn()
  }
}

test(`a server that never says SETTINGS is given up after ${limits.firstByteTimeout} ms; nothing was sent to it`, async () => {
  const ticker = new Ticker(1 << 30)
  const [near, far] = duplexPair()
  near.resume().on('error', () => {})
  const client = openHttp2(far, { ticker })
  const aborted: HttpAbort[] = []
  client.request({ method: 'GET', target: '/', authority: 'a', headers: none }, undefined, {
    head() {},
    data() {},
    end() {},
    abort: (why) => aborted.push(why),
  })
  await pass(ticker, limits.firstByteTimeout + 6_000)
  assert.equal(aborted[0]?.processed, 'no')
  assert.equal(client.state, 'closed')
})

test('a server that dies silently is found out by a PING while a request is open', async () => {
  const ticker = new Ticker(1 << 30)
  const { peer, why } = await attacked({ ticker, keepaliveTime: 20_000, keepaliveTimeout: 10_000 })
  await peer.settled()
  peer.answers = false
  await pass(ticker, 50_000)
  assert.equal((await why).reason, 'timeout')
  await peer.untilEnded()
})
