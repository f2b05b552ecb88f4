import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../test/support/fuzz.ts'
import { PartialBodies } from '../../http/partial-bodies.ts'
import { type BrokenFraming, MessageSplitter, isWhole, prefixSize, writePrefix } from './framing.ts'

interface Heard {
  readonly messages: { readonly bytes: Buffer; readonly compressed: boolean }[]
  broken: BrokenFraming | undefined
}

function listen(limit = 1 << 20, account?: ReturnType<PartialBodies['open']>) {
  const heard: Heard = { messages: [], broken: undefined }
  const splitter = new MessageSplitter(
    limit,
    {
      message: (bytes, start, end, compressed) =>
        heard.messages.push({ bytes: Buffer.from(bytes.subarray(start, end)), compressed }),
      broken: (why) => (heard.broken = why),
    },
    account,
  )
  return { heard, splitter }
}

function framed(message: Uint8Array, flag = 0): Buffer {
  const bytes = Buffer.alloc(prefixSize + message.length)
  writePrefix(bytes, 0, flag === 1, message.length)
  bytes[0] = flag
  bytes.set(message, prefixSize)
  return bytes
}

const some = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300, 7)]
const body = Buffer.concat(some.map((message, index) => framed(message, index === 2 ? 1 : 0)))

test('messages are found wherever the body is cut', () => {
  for (let first = 0; first <= body.length; first++) {
    for (const second of [first, Math.min(body.length, first + 3), body.length]) {
      const { heard, splitter } = listen()
      splitter.push(body, 0, first)
      splitter.push(body, first, second)
      splitter.push(body, second, body.length)
      splitter.finish()
      assert.deepEqual(
        heard.messages.map(({ bytes }) => bytes),
        some,
      )
      assert.deepEqual(
        heard.messages.map(({ compressed }) => compressed),
        [false, false, true],
      )
      assert.equal(heard.broken, undefined)
    }
  }
})

test('messages are found byte by byte, and in bytes that lie within others', () => {
  const within = Buffer.concat([Buffer.alloc(9, 0xee), body, Buffer.alloc(9, 0xee)])
  const { heard, splitter } = listen()
  for (let at = 9; at < within.length - 9; at++) splitter.push(within, at, at + 1)
  splitter.finish()
  assert.deepEqual(
    heard.messages.map(({ bytes }) => bytes),
    some,
  )
})

test('a body that ends within a message says so, wherever that is', () => {
  const whole = framed(Buffer.from('one'))
  for (let end = 1; end < whole.length; end++) {
    const { heard, splitter } = listen()
    splitter.push(whole, 0, end)
    splitter.finish()
    assert.deepEqual(heard.broken, { kind: 'truncated' }, `after ${end} bytes`)
    assert.equal(heard.messages.length, 0)
  }
  const { heard, splitter } = listen()
  splitter.finish()
  assert.equal(heard.broken, undefined)
})

test('a first byte that is neither 0 nor 1 ends it, and nothing is told after that', () => {
  for (const step of [1, 100]) {
    const { heard, splitter } = listen()
    const bad = Buffer.concat([
      framed(Buffer.from('one')),
      framed(Buffer.from('two'), 2),
      framed(Buffer.from('three')),
    ])
    for (let at = 0; at < bad.length; at += step) splitter.push(bad, at, Math.min(bad.length, at + step))
    splitter.finish()
    assert.deepEqual(heard.broken, { kind: 'flag', flag: 2 })
    assert.equal(heard.messages.length, 1)
  }
})

test('a message beyond the limit is refused by its prefix', () => {
  const { heard, splitter } = listen(10)
  splitter.push(framed(Buffer.alloc(10)), 0, 15)
  splitter.push(framed(Buffer.alloc(11)), 0, prefixSize)
  assert.equal(heard.messages.length, 1)
  assert.deepEqual(heard.broken, { kind: 'too large', size: 11 })
})

test('a prefix that promises much costs what comes, not what it promises', () => {
  const bodies = new PartialBodies(1 << 30)
  const limit = 16 << 20
  const splitters = Array.from(
    { length: 100 },
    () =>
      listen(
        limit,
        bodies.open(() => {}),
      ).splitter,
  )
  const promise = Buffer.alloc(prefixSize + 1)
  writePrefix(promise, 0, false, limit)
  for (const splitter of splitters) splitter.push(promise, 0, promise.length)
  assert.ok(bodies.held <= 100 * 64 * 1024, `${bodies.held} bytes are kept for 600`)

  const [first] = splitters
  const piece = Buffer.alloc(16 * 1024)
  for (let sent = 0; sent < 1 << 20; sent += piece.length) first?.push(piece, 0, piece.length)
  assert.ok(bodies.held <= 99 * 64 * 1024 + 5 * (1 << 20), `${bodies.held} bytes are kept for a mebibyte`)
  for (const splitter of splitters) splitter.close()
  assert.equal(bodies.held, 0)
})

test('a message for which there is no room is given up', () => {
  const bodies = new PartialBodies(100 * 1024)
  const one = listen(
    1 << 20,
    bodies.open(() => {}),
  )
  const other = listen(
    1 << 20,
    bodies.open(() => {}),
  )
  const large = framed(Buffer.alloc(90_000))
  one.splitter.push(large, 0, 60_000)
  other.splitter.push(large, 0, 60_000)
  assert.deepEqual(other.heard.broken, { kind: 'refused' })
  one.splitter.push(large, 60_000, large.length)
  assert.equal(one.heard.messages[0]?.bytes.length, 90_000)
  assert.equal(bodies.held, 0)
})

test('whatever comes, cut anywhere, means the same and throws nothing', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => framed(bytes)),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(60), { maxLength: 8 }), (pieces, cuts) => {
      const bytes = Buffer.concat(pieces)
      const whole = listen(64)
      whole.splitter.push(bytes, 0, bytes.length)
      whole.splitter.finish()

      const cut = listen(64)
      let at = 0
      for (const size of cuts) {
        const end = Math.min(bytes.length, at + size)
        cut.splitter.push(bytes, at, end)
        at = end
      }
      cut.splitter.push(bytes, at, bytes.length)
      cut.splitter.finish()
      assert.deepEqual(cut.heard, whole.heard)
    }),
    { numRuns: runs(500) },
  )
})

test('a piece that is one message and nothing else is known as such', () => {
  const one = framed(Buffer.from('one'))
  assert.equal(isWhole(one, 0, one.length), true)
  assert.equal(isWhole(one, 0, one.length - 1), false)
  assert.equal(isWhole(Buffer.concat([one, one]), 0, 2 * one.length), false)
  assert.equal(isWhole(framed(Buffer.from('one'), 1), 0, one.length), false)
  assert.equal(isWhole(one, 0, 4), false)
})
