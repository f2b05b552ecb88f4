import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../test/support/fuzz.ts'
import { frame } from '../../test/support/http2-raw.ts'
import { ConnectionError } from './connection-error.ts'
import { FrameReader } from './frame-reader.ts'
import { errorCode, flag, frameType } from './frames.ts'

/** What a reader makes of pieces, as text; the data of one DATA frame joined. */
function read(pieces: readonly Buffer[], maxSize = 100): string[] {
  const seen: string[] = []
  let data = ''
  const reader = new FrameReader(
    {
      frame: (type, flags, id, bytes, start, end) =>
        seen.push(`${type} ${flags} ${id} ${bytes.toString('latin1', start, end)}`),
      dataBegins(flags, id, length, padding) {
        data = `DATA ${flags} ${id} ${length} ${padding} `
      },
      data(bytes, start, end) {
        assert.ok(end > start)
        data += bytes.toString('latin1', start, end)
      },
      dataEnds: () => seen.push(data),
    },
    maxSize,
  )
  for (const piece of pieces) reader.read(piece, 0)
  return seen
}

const stream = Buffer.concat([
  frame(frameType.settings, 0, 0),
  frame(frameType.headers, flag.endHeaders, 1, Buffer.from('block')),
  frame(frameType.data, 0, 1, Buffer.from('some data')),
  frame(frameType.data, flag.padded, 1, Buffer.from('\x03data\0\0\0', 'latin1')),
  frame(frameType.data, flag.padded | flag.endStream, 1, Buffer.from('\x02\0\0', 'latin1')),
  frame(frameType.data, flag.endStream, 3),
  frame(0xfa, 0xff, 0x7fff_ffff, Buffer.from('unknown')),
])

const expected = [
  '4 0 0 ',
  '1 4 1 block',
  'DATA 0 1 9 0 some data',
  'DATA 8 1 8 4 data',
  'DATA 9 1 3 3 ',
  'DATA 1 3 0 0 ',
  '250 255 2147483647 unknown',
]

test('frames are the same wherever the stream is cut', () => {
  assert.deepEqual(read([stream]), expected)
  for (let at = 1; at < stream.length; at++) {
    assert.deepEqual(read([stream.subarray(0, at), stream.subarray(at)]), expected, `cut at ${at}`)
  }
  assert.deepEqual(read(Array.from(stream, (byte) => Buffer.of(byte))), expected)
})

test('the reserved bit of an id means nothing', () => {
  const bytes = frame(frameType.priority, 0, 5, Buffer.from('abcde'))
  bytes[5] = (bytes[5] as number) | 0x80
  assert.deepEqual(read([bytes]), ['2 0 5 abcde'])
})

test('a frame that is larger than was said is an error of the connection, before it is read', () => {
  const bytes = frame(frameType.headers, 0, 1, Buffer.alloc(101))
  assert.throws(() => read([bytes.subarray(0, 9)]), {
    name: 'ConnectionError',
    code: errorCode.frameSizeError,
  })
})

test('padding that is as long as the frame, or has no room, is an error', () => {
  const full = frame(frameType.data, flag.padded, 1, Buffer.from('\x02ab', 'latin1'))
  assert.deepEqual(read([full]), ['DATA 8 1 3 3 '])
  const beyond = frame(frameType.data, flag.padded, 1, Buffer.from('\x03ab', 'latin1'))
  assert.throws(() => read([beyond]), { code: errorCode.protocolError })
  assert.throws(() => read([frame(frameType.data, flag.padded, 1)]), { code: errorCode.frameSizeError })
})

test('any bytes, cut anywhere, give the same frames or the same error', () => {
  const outcome = (pieces: readonly Buffer[]) => {
    const seen: string[] = []
    try {
      return read(pieces, 64)
    } catch (error) {
      assert.ok(error instanceof ConnectionError)
      return [...seen, error.message]
    }
  }
  const anyFrame = fc
    .record({
      type: fc.integer({ min: 0, max: 10 }),
      flags: fc.integer({ min: 0, max: 255 }),
      id: fc.integer({ min: 0, max: 9 }),
      payload: fc.uint8Array({ maxLength: 70 }),
    })
    .map(({ type, flags, id, payload }) => frame(type, flags, id, Buffer.from(payload)))
  const anyCuts = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 })
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 6 }), anyCuts, (frames, cuts) => {
      const bytes = Buffer.concat(frames)
      const places = [...new Set(cuts.filter((cut) => cut < bytes.length))].toSorted((a, b) => a - b)
      const pieces = [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
      assert.deepEqual(outcome(pieces), outcome([bytes]))
    }),
    { numRuns: runs(500) },
  )
})
