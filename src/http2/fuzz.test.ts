// Bytes that no peer should send: good sessions with bytes changed, doubled, left out and put in, and frames of any kind in any
// order. Whatever comes, the connection answers or ends with GOAWAY, throws nothing, and leaves nothing open.

import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../test/support/fuzz.ts'
import { RawPeer, frame, request, settingsPayload, uint32 } from '../../test/support/http2-raw.ts'
import type { HttpHandler } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { openHttp2 } from './client.ts'
import { clientPreface, errorCode, flag, frameType } from './frames.ts'
import { serveHttp2 } from './server.ts'
import { setting } from './settings.ts'

const text = new HttpHeaders(['content-type', 'text/plain'])
const ok = Object.freeze({ status: 200, headers: text })

/** Streams back what comes, so that both directions and their windows are at work. */
const echo: HttpHandler = (exchange) => {
  exchange.onAbort(() => {})
  exchange.onDrain(() => exchange.resume())
  exchange.start(ok)
  exchange.receive({
    data(bytes, start, end) {
      if (!exchange.write(Buffer.from(bytes.subarray(start, end)), false)) exchange.pause()
    },
    end: () => exchange.end(text),
    abort() {},
  })
}

/** One mistake somewhere in good bytes. */
const anyChange = fc.record({
  kind: fc.constantFrom('set', 'insert', 'remove', 'repeat', 'cut'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.nat(255),
  length: fc.integer({ min: 1, max: 20 }),
})

type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never

function changed(bytes: Buffer, { kind, at, byte, length }: Change): Buffer {
  const from = Math.floor(at * (bytes.length - 1))
  const to = Math.min(bytes.length, from + length)
  switch (kind) {
    case 'set': {
      const copy = Buffer.from(bytes)
      copy[from] = byte
      return copy
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, from), Buffer.alloc(length, byte), bytes.subarray(from)])
    case 'remove':
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
    default:
      return bytes.subarray(0, from)
  }
}

/** Frames of any kind, most of them nearly right. */
const anyFrame = fc
  .record({
    type: fc.integer({ min: 0, max: 10 }),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 9, 0x20, 0x25, 0x2d, 0xff),
    id: fc.constantFrom(0, 1, 1, 2, 3, 3, 5, 7, 0x7fff_ffff),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom(
        Buffer.from([0x82, 0x86, 0x84, 0x41, 1, 0x61]),
        Buffer.from([0x88]),
        uint32(0),
        uint32(1),
        uint32(0x7fff_ffff),
        Buffer.concat([uint32(0), Buffer.of(1)]),
        uint32(0, 2),
        uint32(3, 0),
        settingsPayload(setting.initialWindowSize, 0),
        settingsPayload(setting.initialWindowSize, 0x7fff_ffff),
        settingsPayload(setting.headerTableSize, 0, setting.maxFrameSize, 20_000),
        Buffer.alloc(3000, 1),
      ),
    ),
  })
  .map(({ type, flags, id, payload }) => frame(type, flags, id, Buffer.from(payload)))

const anySizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })

function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number
    cut.push(bytes.subarray(at, at + size))
    at += size
  }
  return cut
}

/** What a good client sends. */
function clientSession(): Buffer {
  const [near] = duplexPair()
  const peer = new RawPeer(near)
  const block = (fields: string[]) => peer.block(fields)
  const large = block(request('/', 'x-long', 'y'.repeat(200)))
  return Buffer.concat([
    clientPreface,
    frame(frameType.settings, 0, 0, settingsPayload(setting.initialWindowSize, 100)),
    frame(frameType.settings, flag.ack, 0),
    frame(frameType.headers, flag.endHeaders, 1, block(request('/one', 'content-length', '8'))),
    frame(frameType.data, 0, 1, Buffer.from('some')),
    frame(frameType.data, flag.padded | flag.endStream, 1, Buffer.from('\x02data\0\0', 'latin1')),
    frame(frameType.windowUpdate, 0, 1, uint32(1000)),
    frame(frameType.headers, flag.endStream, 3, large.subarray(0, 100)),
    frame(frameType.continuation, 0, 3, large.subarray(100, 150)),
    frame(frameType.continuation, flag.endHeaders, 3, large.subarray(150)),
    frame(frameType.ping, 0, 0, Buffer.alloc(8, 7)),
    frame(frameType.headers, flag.endHeaders, 5, block(request('/three'))),
    frame(frameType.priority, 0, 7, Buffer.concat([uint32(5), Buffer.of(1)])),
    frame(frameType.data, 0, 5, Buffer.alloc(300, 'x')),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 5, block(['x-trailer', '1'])),
    frame(frameType.rstStream, 0, 5, uint32(errorCode.cancel)),
    frame(
      frameType.settings,
      0,
      0,
      settingsPayload(setting.headerTableSize, 0, setting.initialWindowSize, 65_535),
    ),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 7, block(request('/four'))),
  ])
}

/** What a good server sends for three requests. */
function serverSession(): Buffer {
  const [near] = duplexPair()
  const peer = new RawPeer(near)
  return Buffer.concat([
    frame(frameType.settings, 0, 0, settingsPayload(setting.maxConcurrentStreams, 10)),
    frame(frameType.settings, flag.ack, 0),
    frame(frameType.windowUpdate, 0, 0, uint32(1000)),
    frame(frameType.headers, flag.endHeaders, 1, peer.block([':status', '103', 'link', 'x'])),
    frame(frameType.headers, flag.endHeaders, 1, peer.block([':status', '200', 'content-length', '8'])),
    frame(frameType.data, 0, 1, Buffer.from('some')),
    frame(frameType.headers, flag.endHeaders, 3, peer.block([':status', '200', 'x', 'y'])),
    frame(frameType.data, flag.endStream, 1, Buffer.from('data')),
    frame(frameType.data, flag.padded, 3, Buffer.from('\x02data\0\0', 'latin1')),
    frame(frameType.ping, 0, 0, Buffer.alloc(8, 7)),
    frame(frameType.headers, flag.endHeaders | flag.endStream, 3, peer.block(['grpc-status', '0'])),
    frame(frameType.rstStream, 0, 5, uint32(errorCode.refusedStream)),
    frame(frameType.goaway, 0, 0, uint32(5, 0)),
  ])
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function feedServer(bytes: Buffer, sizes: readonly number[]): Promise<void> {
  const [near, far] = duplexPair({ allowHalfOpen: true })
  const errors: unknown[] = []
  const connection = serveHttp2(far, { remoteAddress: 'x', secure: false }, echo, {
    onError: (error) => errors.push(error),
  })
  const peer = new RawPeer(near, false)
  for (const piece of pieces(bytes, sizes)) peer.send(piece)
  await turn()
  await turn()
  assert.deepEqual(errors, [])
  near.destroy()
  far.destroy()
  await turn()
  await turn()
  assert.equal(connection.active, 0)
}

async function feedClient(bytes: Buffer, sizes: readonly number[]): Promise<void> {
  const [near, far] = duplexPair({ allowHalfOpen: true })
  const errors: unknown[] = []
  const client = openHttp2(far, { assumedStreams: 5, onError: (error) => errors.push(error) })
  const ends = [0, 0, 0]
  for (const i of [0, 1, 2]) {
    const exchange = client.request(
      { method: 'POST', target: '/', authority: 'a', headers: text },
      'stream',
      {
        head: () => assert.equal(ends[i], 0),
        data: () => assert.equal(ends[i], 0),
        end: () => (ends[i] as number)++,
        abort: () => (ends[i] as number)++,
      },
    )
    exchange.write(Buffer.alloc(500), i > 0)
  }
  near.on('error', () => {}).resume()
  for (const piece of pieces(bytes, sizes)) near.write(piece)
  await turn()
  await turn()
  assert.deepEqual(errors, [])
  near.destroy()
  far.destroy()
  await turn()
  await turn()
  // Whatever happened, each request ended, and once.
  assert.deepEqual([ends, client.active, client.state], [[1, 1, 1], 0, 'closed'])
}

const changes = fc.array(anyChange, { minLength: 1, maxLength: 4 })

test('a server fed with broken sessions answers or ends, and throws nothing', async () => {
  const good = clientSession()
  await fc.assert(
    fc.asyncProperty(changes, anySizes, async (all, sizes) => {
      const bytes = all.reduce(
        (before, change) => (before.length > 1 ? changed(before, change) : before),
        good,
      )
      await feedServer(bytes, sizes)
    }),
    { numRuns: runs(400) },
  )
})

test('a client fed with broken sessions ends each request once, and throws nothing', async () => {
  const good = serverSession()
  await fc.assert(
    fc.asyncProperty(changes, anySizes, async (all, sizes) => {
      const bytes = all.reduce(
        (before, change) => (before.length > 1 ? changed(before, change) : before),
        good,
      )
      await feedClient(bytes, sizes)
    }),
    { numRuns: runs(400) },
  )
})

test('frames of any kind in any order do no more', async () => {
  const settings = frame(frameType.settings, 0, 0)
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 15 }), anySizes, async (frames, sizes) => {
      await feedServer(Buffer.concat([clientPreface, settings, ...frames]), sizes)
      await feedClient(Buffer.concat([settings, ...frames]), sizes)
    }),
    { numRuns: runs(400) },
  )
})

test('a session that is cut at any byte leaves nothing open', async () => {
  const client = clientSession()
  for (let at = 0; at < client.length; at += 3) await feedServer(client.subarray(0, at), [1000])
  const server = serverSession()
  for (let at = 0; at < server.length; at += 2) await feedClient(server.subarray(0, at), [1000])
})
