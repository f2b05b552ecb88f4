// Attacks on a server, each by its CVE or kind. While one runs, another client's calls keep flowing; what it costs is
// bounded; and where the attacker breaks a limit, its connection ends with the error code that RFC 9113 has for it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RawPeer, frame, request, settingsPayload, uint32 } from '../../test/support/http2-raw.ts'
import { collect } from '../http/body.ts'
import type { HttpHandler } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { Ticker } from '../http/ticker.ts'
import { openHttp2 } from './client.ts'
import { errorCode, flag, frameType } from './frames.ts'
import { defaultHttp2ServerLimits as limits } from './limits.ts'
import { type Http2ServerOptions, serveHttp2 } from './server.ts'
import { setting } from './settings.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that the process holds, on and off the heap, once what is garbage has gone. */
async function held(rounds: number): Promise<number> {
  // What is swept beside the collection is counted out a moment later.
  for (let i = 0; i < rounds; i++) {
    collectGarbage()
    await turn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const text = new HttpHeaders(['content-type', 'text/plain'])
const ok = Object.freeze({ status: 200, headers: text })

interface Attacked {
  /** The attacker's connection. */
  readonly peer: RawPeer
  readonly ticker: Ticker
  /** Requests that the attacker's handlers have seen. */
  readonly seen: () => number
  /** Lets time pass on the server. */
  pass(milliseconds: number): Promise<void>
  /** What is held now is the attack's height; afterwards the attacker reads, and holds what it has read. */
  height(): Promise<void>
  /** Sends the same over and over until the connection ends, or so often. Returns how often. */
  repeat(most: number, send: (i: number) => void): Promise<number>
}

interface Outcome {
  readonly attack: (attacked: Attacked) => Promise<void>
  readonly options?: Http2ServerOptions
  /** Answers the attacker; the other client is always echoed. */
  readonly handler?: HttpHandler
  /** The most that may be held at the attack's height, in bytes. */
  readonly most?: number
}

const echo: HttpHandler = (exchange) => {
  collect(exchange, 1 << 20, [], (body) => {
    if (body !== undefined) exchange.respond(ok, body)
  })
}
const never: HttpHandler = () => {}

const mebibyte = 1024 * 1024

/** Runs an attack while another client makes one call after the other. */
async function during(
  t: TestContext,
  { attack, options, handler = echo, most = 12 * mebibyte }: Outcome,
): Promise<void> {
  const ticker = new Ticker(1 << 30)
  const sockets: net.Socket[] = []
  let seen = 0
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket)
    const info = { remoteAddress: 'x', secure: false }
    const serve: HttpHandler = (exchange) => {
      if (exchange.request.authority === 'friend') return echo(exchange)
      seen++
      handler(exchange)
    }
    serveHttp2(socket, info, serve, { ...options, ticker })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const friendly = net.connect({ port, host: '127.0.0.1', noDelay: true })
  const client = openHttp2(friendly)
  let answered = 0
  let over = false
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>()
  const ask = () => {
    client.request({ method: 'POST', target: '/', authority: 'friend', headers: text }, 'hello', {
      head: ({ status }) => assert.equal(status, 200),
      data: (bytes, start, end) => assert.equal(bytes.toString('latin1', start, end), 'hello'),
      end() {
        answered++
        if (over) resolve()
        else setImmediate(ask)
      },
      abort: (why) => reject(new Error(`the other client: ${why.message}`)),
    })
  }
  ask()
  while (answered < 5) await turn()

  const before = await held(1)
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const peer = new RawPeer(socket)
  const answeredBefore = answered
  let grown: number | undefined
  let now = ticker.now
  await Promise.race([
    finished,
    attack({
      peer,
      ticker,
      seen: () => seen,
      async height() {
        grown = (await held(2)) - before
      },
      async pass(milliseconds) {
        const end = Math.max(now, ticker.now) + milliseconds
        now = Math.max(now, ticker.now)
        while (now < end) {
          now = Math.min(end, now + 500)
          ticker.tick(now)
          await turn()
          await turn()
        }
      },
      async repeat(times, send) {
        let i = 0
        for (; i < times && !peer.ended; i++) {
          send(i)
          if (i % 64 === 63) await turn()
          while (peer.stream.writableLength > mebibyte && !peer.ended) await turn()
        }
        return i
      },
    }),
  ])
  grown ??= (await held(2)) - before
  over = true
  await finished
  assert.ok(answered > answeredBefore, 'the other client was not answered')
  assert.ok(grown < most, `${Math.round(grown / 1024)} KiB more are held`)
  friendly.destroy()
  await peer.close()
}

/** The attacker's connection ends with this code. */
async function endsWith(peer: RawPeer, code: number, message?: RegExp): Promise<void> {
  const goaway = await peer.goawayReceived()
  assert.equal(goaway.code, code, goaway.debug)
  if (message !== undefined) assert.match(goaway.debug, message)
  await peer.untilEnded()
}

const calm = errorCode.enhanceYourCalm
const tooManyResets = /too many streams were reset/
const tooManyEmpty = /too many frames that carry nothing/

test(`CVE-2023-44487, rapid reset: after ${limits.resetBurst} resets the connection ends`, (t) =>
  during(t, {
    handler: never,
    async attack({ peer, repeat, seen }) {
      peer.preface()
      await repeat(20_000, (i) => peer.headers(2 * i + 1, request()).reset(2 * i + 1))
      await endsWith(peer, calm, tooManyResets)
      assert.ok(seen() <= limits.resetBurst + 1, `${seen()} requests were served`)
    },
  }))

test('a client that cancels half of what it asks is not taken for one', (t) =>
  during(t, {
    handler: (exchange) => {
      if (exchange.request.target === '/answered') exchange.respond(ok, 'x')
    },
    async attack({ peer, repeat }) {
      peer.preface()
      await repeat(4_000, (i) => {
        if (i % 2 === 0) peer.headers(2 * i + 1, request('/answered'))
        else peer.headers(2 * i + 1, request()).reset(2 * i + 1)
      })
      await peer.settled()
      assert.equal(peer.ended, false)
    },
  }))

for (const [how, provoke] of [
  ['WINDOW_UPDATE by 0', (peer: RawPeer, id: number) => peer.headers(id, request()).windowUpdate(id, 0)],
  [
    'WINDOW_UPDATE beyond 2^31-1',
    (peer: RawPeer, id: number) => peer.headers(id, request()).windowUpdate(id, 0x7fff_ffff),
  ],
  ['DATA behind END_STREAM', (peer: RawPeer, id: number) => peer.headers(id, request()).data(id, 'x')],
  [
    'HEADERS behind END_STREAM',
    (peer: RawPeer, id: number) => peer.headers(id, request()).headers(id, ['x', 'y']),
  ],
  [
    'PRIORITY on itself',
    (peer: RawPeer, id: number) =>
      peer
        .headers(id, request())
        .send(frame(frameType.priority, 0, id, Buffer.concat([uint32(id), Buffer.of(1)]))),
  ],
  [
    'PRIORITY of the wrong size',
    (peer: RawPeer, id: number) =>
      peer.headers(id, request()).send(frame(frameType.priority, 0, id, Buffer.alloc(4))),
  ],
  [
    'a body beyond content-length',
    (peer: RawPeer, id: number) =>
      peer.headers(id, request('/', 'content-length', '1'), false).data(id, 'xx', false),
  ],
  ['a malformed request', (peer: RawPeer, id: number) => peer.headers(id, request('/', 'connection', 'x'))],
] as const) {
  test(`CVE-2025-8671, MadeYouReset by ${how}: after ${limits.resetBurst} the connection ends`, (t) =>
    during(t, {
      handler: never,
      async attack({ peer, repeat, seen }) {
        peer.preface()
        await repeat(10_000, (i) => provoke(peer, 2 * i + 1))
        await endsWith(peer, calm)
        assert.ok(seen() <= limits.resetBurst + 1, `${seen()} requests were served`)
      },
    }))
}

test(`CVE-2024-27316, CONTINUATION flood: a block ends at ${4 * limits.headerSize} bytes`, (t) =>
  during(t, {
    async attack({ peer, repeat }) {
      peer.preface().send(frame(frameType.headers, flag.endStream, 1, peer.block(request())))
      const more = frame(frameType.continuation, 0, 1, peer.block(['x', 'y'.repeat(8_000)]))
      const sent = await repeat(10_000, () => peer.send(more))
      await endsWith(peer, calm, /a header block of/)
      assert.ok(sent < 10_000)
    },
  }))

test('CVE-2024-27316, CONTINUATION flood: a block ends at 64 frames, empty ones too', (t) =>
  during(t, {
    async attack({ peer, repeat }) {
      peer.preface().send(frame(frameType.headers, flag.endStream, 1, peer.block(request())))
      await repeat(10_000, () => peer.send(frame(frameType.continuation, 0, 1)))
      await endsWith(peer, calm, /in 65 frames/)
    },
  }))

for (const [kind, send] of [
  ['CVE-2019-9515, SETTINGS flood', (peer: RawPeer) => peer.settings()],
  [
    'CVE-2019-9513, PRIORITY flood',
    (peer: RawPeer, i: number) =>
      peer.send(frame(frameType.priority, 0, 2 * i + 1, Buffer.concat([uint32(0), Buffer.of(1)]))),
  ],
  [
    'CVE-2019-9518, empty DATA flood',
    (peer: RawPeer, i: number) => (i === 0 ? peer.headers(1, request(), false) : peer).data(1, '', false),
  ],
  [
    'the same with padding',
    (peer: RawPeer, i: number) =>
      (i === 0 ? peer.headers(1, request(), false) : peer).send(
        frame(frameType.data, flag.padded, 1, Buffer.of(3, 0, 0, 0)),
      ),
  ],
  ['WINDOW_UPDATE flood', (peer: RawPeer) => peer.windowUpdate(0, 1000)],
  [
    'RST_STREAM flood on a closed stream',
    (peer: RawPeer, i: number) => (i === 0 ? peer.headers(1, request()) : peer).reset(1),
  ],
  ['flood of unknown frames', (peer: RawPeer) => peer.send(frame(0x42, 0, 0))],
  [
    'flood of answers to SETTINGS never sent',
    (peer: RawPeer) => peer.send(frame(frameType.settings, flag.ack, 0)),
  ],
  [
    'flood of answers to PINGs never sent',
    (peer: RawPeer) => peer.send(frame(frameType.ping, flag.ack, 0, Buffer.alloc(8, 1))),
  ],
  [
    'table-size flapping',
    (peer: RawPeer, i: number) => peer.settings(setting.headerTableSize, (i % 2) * 4096),
  ],
  [
    'window flapping',
    (peer: RawPeer, i: number) => peer.settings(setting.initialWindowSize, (i % 2) * 65_535),
  ],
] as const) {
  test(`${kind}: after ${limits.controlBurst} frames the connection ends`, (t) =>
    during(t, {
      handler: never,
      async attack({ peer, repeat }) {
        peer.preface()
        await repeat(20_000, (i) => send(peer, i))
        await endsWith(peer, calm, tooManyEmpty)
      },
    }))
}

test('CVE-2019-9512, PING flood: after two too many the connection ends', (t) =>
  during(t, {
    async attack({ peer, repeat }) {
      peer.preface()
      const sent = await repeat(20_000, () => peer.ping())
      await endsWith(peer, calm, /too_many_pings/)
      assert.ok(sent < 20_000)
      const answers = peer.frames.filter(
        ({ type, flags }) => type === frameType.ping && (flags & flag.ack) !== 0,
      )
      assert.ok(answers.length <= 3)
    },
  }))

test('PINGs that come when something was sent in between, or slowly, are answered', (t) =>
  during(t, {
    async attack({ peer, pass }) {
      peer.preface()
      for (let i = 0; i < 20; i++) {
        await peer.headers(2 * i + 1, request()).answer(2 * i + 1)
        await peer.settled(`number${String(i).padStart(2, '0')}`)
      }
      for (let i = 0; i < 20; i++) {
        await pass(limits.pingInterval + 500)
        await peer.settled(`slowly${String(i).padStart(2, '0')}`)
      }
      assert.equal(peer.ended, false)
    },
  }))

test('CVE-2019-9511, data dribble: windows opened by a byte each are counted', (t) =>
  during(t, {
    handler: (exchange) => exchange.respond(ok, Buffer.alloc(100_000)),
    async attack({ peer, repeat }) {
      peer.preface(setting.initialWindowSize, 0).headers(1, request())
      await repeat(50_000, () => peer.windowUpdate(1, 1))
      await endsWith(peer, calm, tooManyEmpty)
      assert.ok(peer.body(1).length < 2 * limits.controlBurst)
    },
  }))

test('CVE-2019-9516, empty names: the request is malformed, and the list is bounded', (t) =>
  during(t, {
    async attack({ peer }) {
      peer.preface().headers(1, [...request(), '', '', '', ''])
      assert.equal(await peer.resetReceived(1), errorCode.protocolError)
      peer.headers(3, [...request(), ...Array.from({ length: 4_000 }, () => '')])
      assert.equal((await peer.answer(3)).fields[1], '431')
    },
  }))

test(`HPACK bomb: a list ends at ${limits.headerSize} bytes, however few octets say it`, (t) =>
  during(t, {
    async attack({ peer, repeat }) {
      peer.preface()
      // An entry of 3 KiB goes into the table, and is then named by one octet as often as a frame can hold.
      const entry = Buffer.concat([
        Buffer.from([
          0x40,
          1,
          0x78,
          0x7f,
          ...[3000 - 127].flatMap((rest) => [(rest & 127) | 128, rest >> 7]),
        ]),
        Buffer.alloc(3000, 'y'),
      ])
      const bomb = Buffer.concat([entry, Buffer.alloc(12_000, 0x80 | 62)])
      const rounds = await repeat(3_000, (i) => {
        peer.send(
          frame(
            frameType.headers,
            flag.endHeaders | flag.endStream,
            2 * i + 1,
            i === 0 ? bomb : bomb.subarray(entry.length),
          ),
        )
      })
      await endsWith(peer, calm, tooManyResets)
      assert.ok(rounds < 3_000)
      assert.equal((await peer.answer(1)).fields[1], '431')
    },
  }))

test('a table size that changes with every request is what HPACK allows, and costs nothing', (t) =>
  during(t, {
    async attack({ peer, repeat }) {
      peer.preface()
      const first = peer.block(request())
      const sizes = (i: number) => (i % 2 === 0 ? Buffer.of(0x20, 0x3f, 0xe1, 0x1f) : Buffer.of(0x20))
      const literal = Buffer.concat(
        request().flatMap((part, i) =>
          (i % 2 === 0 ? [Buffer.of(0x00, part.length)] : [Buffer.of(part.length)]).concat(Buffer.from(part)),
        ),
      )
      assert.ok(first.length > 0)
      await repeat(2_000, (i) => {
        peer.send(
          frame(
            frameType.headers,
            flag.endHeaders | flag.endStream,
            2 * i + 1,
            Buffer.concat([sizes(i), literal]),
          ),
        )
      })
      await peer.answer(3_999)
      peer.send(
        frame(frameType.headers, flag.endHeaders, 4_001, Buffer.concat([sizes(0), sizes(0), literal])),
      )
      await endsWith(peer, errorCode.compressionError)
    },
  }))

test('a table larger than was allowed ends the connection', (t) =>
  during(t, {
    async attack({ peer }) {
      peer.preface().send(frame(frameType.headers, flag.endHeaders, 1, Buffer.of(0x3f, 0xe2, 0x1f)))
      await endsWith(peer, errorCode.compressionError)
    },
  }))

test(`zero windows: answers that nobody takes for ${limits.stallTimeout} ms are given up`, (t) =>
  during(t, {
    handler: (exchange) => exchange.respond(ok, Buffer.alloc(20_000)),
    most: 40 * mebibyte,
    async attack({ peer, repeat, pass, seen }) {
      peer.preface(setting.initialWindowSize, 0)
      await repeat(limits.streams, (i) => peer.headers(2 * i + 1, request()))
      peer.headers(9_999, request())
      assert.equal(await peer.resetReceived(9_999), errorCode.refusedStream)
      assert.equal(seen(), limits.streams)
      await pass(2 * limits.stallTimeout + 10_000)
      assert.equal(await peer.resetReceived(1), errorCode.cancel)
      assert.equal(await peer.resetReceived(2 * limits.streams - 1), errorCode.cancel)
    },
  }))

test('zero windows: further requests are refused once answers of queuedAnswers bytes wait', (t) =>
  during(t, {
    options: { queuedAnswers: mebibyte },
    handler: (exchange) => exchange.respond(ok, Buffer.alloc(400_000)),
    async attack({ peer, seen }) {
      peer.preface(setting.initialWindowSize, 0)
      for (let id = 1; id < 20; id += 2) peer.headers(id, request())
      assert.equal(await peer.resetReceived(7), errorCode.refusedStream)
      assert.equal(await peer.resetReceived(19), errorCode.refusedStream)
      assert.equal(seen(), 3)
    },
  }))

test('CVE-2019-9517, a reader that does not read: no more is asked of handlers than the socket takes', (t) => {
  let written = 0
  return during(t, {
    handler: (exchange) => {
      exchange.start(ok)
      const piece = Buffer.alloc(16_384)
      const write = () => {
        do written += piece.length
        while (exchange.write(piece, false))
      }
      exchange.onDrain(write)
      write()
    },
    async attack({ peer, pass, height }) {
      peer.stream.pause()
      peer.preface(setting.initialWindowSize, 0x7fff_ffff).windowUpdate(0, 0x7fff_0000)
      for (let id = 1; id < 100; id += 2) peer.headers(id, request())
      let before = -1
      while (before !== written) {
        before = written
        for (let i = 0; i < 20; i++) await turn()
      }
      // What the kernel's buffers take (some MiB on loopback), and a part of a MiB.
      assert.ok(written < 24 * mebibyte, `${written} bytes were written`)
      await height()
      await pass(limits.stallTimeout + 10_000)
      peer.stream.resume()
      await peer.untilEnded()
    },
  })
})

// One chunk may bring as many requests as there are streams: their answers are made before reading stops.
for (const [size, most] of [
  [2_000, 8 * mebibyte],
  [20_000, 32 * mebibyte],
] as const) {
  test(`20,000 requests with nothing read, answers of ${size} bytes: the server stops reading, and gives the connection up`, (t) =>
    during(t, {
      handler: (exchange) => exchange.respond(ok, Buffer.alloc(size)),
      most,
      async attack({ peer, pass, seen, height }) {
        peer.stream.pause()
        peer.preface(setting.initialWindowSize, 0x7fff_ffff).windowUpdate(0, 0x7fff_0000)
        let sent = 0
        let stuck = 0
        // Until nothing goes into the socket any more.
        while (sent < 20_000 && stuck < 50) {
          if (peer.stream.writableLength > 0) {
            stuck++
            await turn()
            continue
          }
          stuck = 0
          peer.headers(2 * sent++ + 1, request())
          if (sent % 50 === 0) await turn()
        }
        assert.ok(seen() < 20_000, `${seen()} requests were served`)
        await height()
        await pass(limits.stallTimeout + 10_000)
        peer.stream.resume()
        await peer.untilEnded()
      },
    }))
}

test(`header lists beyond ${limits.headerSize} bytes are answered with 431, and not kept`, (t) =>
  during(t, {
    async attack({ peer }) {
      peer.preface()
      const large = Array.from({ length: 12 }, (_, i) => [`x-${i}`, 'y'.repeat(4_000)]).flat()
      const block = peer.block([...request(), ...large])
      peer.send(
        frame(frameType.headers, flag.endStream, 1, block.subarray(0, 16_000)),
        frame(frameType.continuation, 0, 1, block.subarray(16_000, 32_000)),
        frame(frameType.continuation, flag.endHeaders, 1, block.subarray(32_000)),
      )
      assert.equal((await peer.answer(1)).fields[1], '431')
      assert.equal((await peer.headers(3, request()).answer(3)).fields[1], '200')
    },
  }))

test('a connection window beyond 2^31-1 is FLOW_CONTROL_ERROR', (t) =>
  during(t, {
    async attack({ peer }) {
      peer.preface().windowUpdate(0, 0x7fff_ffff)
      await endsWith(peer, errorCode.flowControlError)
    },
  }))

test('a stream window that SETTINGS lift beyond 2^31-1 is FLOW_CONTROL_ERROR', (t) =>
  during(t, {
    handler: never,
    async attack({ peer }) {
      peer.preface().headers(1, request()).windowUpdate(1, 1_000_000)
      peer.settings(setting.initialWindowSize, 0x7fff_ffff)
      await endsWith(peer, errorCode.flowControlError)
    },
  }))

for (const [what, send, code] of [
  ['DATA on an idle stream', (peer: RawPeer) => peer.data(1, 'x'), errorCode.protocolError],
  ['RST_STREAM on an idle stream', (peer: RawPeer) => peer.reset(1), errorCode.protocolError],
  ['WINDOW_UPDATE on an idle stream', (peer: RawPeer) => peer.windowUpdate(1, 1), errorCode.protocolError],
  ['a stream of the server’s own', (peer: RawPeer) => peer.headers(2, request()), errorCode.protocolError],
  ['DATA on a stream of the server’s own', (peer: RawPeer) => peer.data(2, 'x'), errorCode.protocolError],
  ['HEADERS on stream 0', (peer: RawPeer) => peer.headers(0, request()), errorCode.protocolError],
  [
    'a stream below the last',
    (peer: RawPeer) => peer.headers(5, request()).headers(3, request()),
    errorCode.protocolError,
  ],
  [
    'PUSH_PROMISE',
    (peer: RawPeer) => peer.send(frame(frameType.pushPromise, 4, 1, uint32(2))),
    errorCode.protocolError,
  ],
  [
    'CONTINUATION without HEADERS',
    (peer: RawPeer) => peer.send(frame(frameType.continuation, 4, 1)),
    errorCode.protocolError,
  ],
  [
    'a frame within a header block',
    (peer: RawPeer) => peer.send(frame(frameType.headers, 0, 1, peer.block(request()))).ping(),
    errorCode.protocolError,
  ],
  [
    'SETTINGS on a stream',
    (peer: RawPeer) => peer.send(frame(frameType.settings, 0, 1)),
    errorCode.protocolError,
  ],
  [
    'SETTINGS of 5 bytes',
    (peer: RawPeer) => peer.send(frame(frameType.settings, 0, 0, Buffer.alloc(5))),
    errorCode.frameSizeError,
  ],
  [
    'an answer to SETTINGS with a payload',
    (peer: RawPeer) => peer.send(frame(frameType.settings, flag.ack, 0, settingsPayload(1, 1))),
    errorCode.frameSizeError,
  ],
  [
    'PING of 7 bytes',
    (peer: RawPeer) => peer.send(frame(frameType.ping, 0, 0, Buffer.alloc(7))),
    errorCode.frameSizeError,
  ],
  [
    'a frame that is too large',
    (peer: RawPeer) => peer.send(frame(frameType.headers, 4, 1, Buffer.alloc(limits.frameSize + 1))),
    errorCode.frameSizeError,
  ],
  [
    'a bad block',
    (peer: RawPeer) => peer.send(frame(frameType.headers, 4, 1, Buffer.of(0xff, 0xff, 0xff))),
    errorCode.compressionError,
  ],
] as const) {
  test(`${what} ends the connection with its code`, (t) =>
    during(t, {
      async attack({ peer }) {
        peer.preface()
        await peer.settled()
        send(peer)
        await endsWith(peer, code)
      },
    }))
}

test('DATA and HEADERS on a stream that both have ended are STREAM_CLOSED for the connection', async (t) => {
  for (const send of [(peer: RawPeer) => peer.data(1, 'x'), (peer: RawPeer) => peer.headers(1, request())]) {
    await during(t, {
      async attack({ peer }) {
        await peer.preface().headers(1, request()).answer(1)
        send(peer)
        await endsWith(peer, errorCode.streamClosed)
      },
    })
  }
})

test('DATA on a stream that the client itself has reset is STREAM_CLOSED for the stream', (t) =>
  during(t, {
    handler: never,
    async attack({ peer }) {
      peer.preface().headers(1, request(), false).reset(1).data(1, 'x', false)
      assert.equal(await peer.resetReceived(1), errorCode.streamClosed)
      await peer.settled()
    },
  }))

test(`slow preface: a connection that says nothing for ${limits.firstByteTimeout} ms ends, and one that says half`, async (t) => {
  for (const begin of ['', 'PRI * HTTP/2.0\r\n']) {
    await during(t, {
      async attack({ peer, pass }) {
        peer.answers = false
        peer.send(Buffer.from(begin))
        await pass(limits.firstByteTimeout + 6_000)
        await endsWith(peer, errorCode.protocolError, /no preface/)
      },
    })
  }
})

test(`slow headers: a head that is not complete in ${limits.headerTimeout} ms ends the connection`, async (t) => {
  for (const begin of [
    (peer: RawPeer) =>
      peer.send(frame(frameType.headers, flag.endHeaders, 1, peer.block(request())).subarray(0, 12)),
    (peer: RawPeer) => peer.send(frame(frameType.headers, 0, 1, peer.block(request()))),
    (peer: RawPeer) => peer.send(Buffer.of(0, 0)),
  ]) {
    await during(t, {
      async attack({ peer, pass }) {
        peer.preface()
        await peer.settled()
        begin(peer)
        await turn()
        await pass(2 * limits.headerTimeout + 6_000)
        await endsWith(peer, calm, /a head was begun/)
      },
    })
  }
})

test('slow headers: an octet now and then does not help', (t) =>
  during(t, {
    async attack({ peer, pass }) {
      peer.preface()
      await peer.settled()
      const block = peer.block(request('/', 'x', 'y'.repeat(30)))
      peer.send(frame(frameType.headers, 0, 1, block.subarray(0, 1)))
      for (let at = 1; at < block.length && !peer.ended; at++) {
        peer.send(frame(frameType.continuation, 0, 1, block.subarray(at, at + 1)))
        await pass(2_000)
      }
      await endsWith(peer, calm, /a head was begun/)
    },
  }))

test(`idle connections end after ${limits.idleTimeout} ms`, (t) =>
  during(t, {
    async attack({ peer, pass }) {
      peer.preface()
      await peer.settled()
      await pass(limits.idleTimeout + 6_000)
      await endsWith(peer, errorCode.noError)
    },
  }))
