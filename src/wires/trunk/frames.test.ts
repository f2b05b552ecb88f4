import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CallError } from '../../call/error.ts'
import { Metadata } from '../../call/metadata.ts'
import { Writer } from '../../codec/writer.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { runs } from '../../../test/support/fuzz.ts'
import { frame, generous } from '../../../test/support/trunk-raw.ts'
import { Codecs } from './codecs.ts'
import { readError, writeError } from './error-frame.ts'
import { Cursor, largestVarint, writeBytes, writeMetadata, writeText, writeVarint } from './fields.ts'
import { FrameReader, frameType } from './frames.ts'
import { readClientHello, readServerHello, writeClientHello, writeServerHello } from './hello.ts'
import { ProtocolError } from './protocol-error.ts'

interface Seen {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly body: string
}

/** Reads chunks, and returns the frames in them. */
function read(chunks: readonly Buffer[], limit = 65_536): Seen[] {
  const frames: Seen[] = []
  const reader = new FrameReader(limit)
  const sink = {
    closed: false,
    frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number) {
      frames.push({ type, flags, id, body: bytes.toString('hex', start, end) })
    },
  }
  for (const chunk of chunks) reader.read(chunk, sink)
  return frames
}

const some = Buffer.concat([
  frame(frameType.open, 5, 0x1_0000, Buffer.from('first')),
  frame(frameType.data, 4, 0x1_0001, Buffer.alloc(300, 7)),
  frame(frameType.ping, 0, 0, Buffer.alloc(8)),
  frame(frameType.data, 5, 0xffff_ffff, Buffer.alloc(0)),
])
const expected: Seen[] = [
  { type: 2, flags: 5, id: 0x1_0000, body: Buffer.from('first').toString('hex') },
  { type: 3, flags: 4, id: 0x1_0001, body: '07'.repeat(300) },
  { type: 7, flags: 0, id: 0, body: '00'.repeat(8) },
  { type: 3, flags: 5, id: 0xffff_ffff, body: '' },
]

test('frames are the same wherever the bytes are cut', () => {
  assert.deepEqual(read([some]), expected)
  for (let cut = 0; cut <= some.length; cut++) {
    assert.deepEqual(read([some.subarray(0, cut), some.subarray(cut)]), expected)
  }
  assert.deepEqual(read(Array.from(some, (byte) => Buffer.of(byte))), expected)
})

test('a frame that is not complete is waited for, and known as such', () => {
  const reader = new FrameReader(100)
  const sink = { closed: false, frame: () => assert.fail('it is not complete') }
  reader.read(some.subarray(0, 13), sink)
  assert.equal(reader.partial, true)
  assert.equal(reader.begun, 1)
})

test('nothing is read once the sink is closed', () => {
  const frames: number[] = []
  const sink = {
    closed: false,
    frame(type: number) {
      frames.push(type)
      this.closed = true
    },
  }
  new FrameReader(1000).read(some, sink)
  assert.deepEqual(frames, [2])
})

test('bytes that were changed are frames or a ProtocolError, and hold no more than a frame', () => {
  const property = fc.property(
    fc.array(fc.tuple(fc.nat(some.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
    fc.array(fc.nat(some.length), { maxLength: 4 }),
    (changes, cuts) => {
      const bytes = Buffer.from(some)
      for (const [at, value] of changes) bytes[at] = value
      const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
      try {
        read(chunks, 400)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error))
      }
    },
  )
  fc.assert(property, { numRuns: runs(1000) })
})

// ── fields ──

function cursorOf(write: (writer: Writer) => void): Cursor {
  const writer = new Writer(16)
  write(writer)
  const bytes = writer.copy()
  return new Cursor().set(bytes, 0, bytes.length)
}

test('varints from 0 to 2^32 - 1 come back; larger and longer ones are refused', () => {
  for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, largestVarint]) {
    const cursor = cursorOf((writer) => writeVarint(writer, value))
    assert.equal(cursor.varint(), value)
    cursor.finish()
  }
  for (const bytes of [[0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0], [0x80], []]) {
    const cursor = new Cursor().set(Buffer.from(bytes), 0, bytes.length)
    assert.throws(() => cursor.varint(), ProtocolError)
  }
})

test('text and bytes come back, and what is not UTF-8 or too long is refused', () => {
  const property = fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (text, bytes) => {
    const cursor = cursorOf((writer) => {
      writeText(writer, text)
      writeBytes(writer, bytes)
    })
    assert.equal(cursor.text(), text)
    assert.deepEqual(new Uint8Array(cursor.copy()), bytes)
    cursor.finish()
  })
  fc.assert(property, { numRuns: runs(200) })

  for (const hex of ['02c328', '03edA080', '05aa', '01ff']) {
    const bytes = Buffer.from(hex, 'hex')
    assert.throws(() => new Cursor().set(bytes, 0, bytes.length).text(), ProtocolError)
  }
})

test('metadata comes back, foreign names are dropped, and more than the limit is refused', () => {
  const metadata = new Metadata([
    ['x-a', 'one'],
    ['x-a', 'two'],
    ['x-bin', Uint8Array.of(0, 255)],
  ])
  const written = (writer: Writer): void => writeMetadata(writer, metadata)
  assert.deepEqual([...cursorOf(written).metadata(1000)], [...metadata])
  assert.throws(() => cursorOf(written).metadata(10), /metadata of more than the 10 bytes/)

  const foreign = cursorOf((writer) => {
    writeVarint(writer, 2)
    for (const text of ['grpc-timeout', '1S', 'X-B', 'b']) writeText(writer, text)
  })
  assert.deepEqual([...foreign.metadata(1000)], [['x-b', 'b']])
})

// ── bodies ──

const codecs = new Codecs(() => assert.fail('no fault has a detail here'))
const operation = {
  id: 'test/op',
  faults: { gone: { name: 'gone', code: 'not_found' } },
} as unknown as CallOperation

const clientHello = {
  lowest: 1,
  highest: 3,
  settings: generous,
  contracts: [{ name: 'a.b.v1', digest: '0123456789abcdef' }],
}
const serverHello = {
  version: 1,
  settings: generous,
  contracts: [
    {
      name: 'a.b.v1',
      digest: '0123456789abcdef',
      methods: [{ id: 300, name: 'watch', streamedInput: false, streamedOutput: true }],
    },
  ],
}
const failed = new CallError('not_found', 'no such order', {
  fault: { name: 'gone', detail: undefined },
  retryAfter: 0,
  processed: 'no',
  http: 410,
  issues: [{ path: 'a.b', message: 'wrong' }],
  details: [{ type: 'x', value: Uint8Array.of(1) }],
  metadata: new Metadata({ 'x-a': 'one' }),
})

const bodies: Readonly<
  Record<string, { write: (writer: Writer) => void; read: (cursor: Cursor) => unknown }>
> = {
  'a client’s HELLO': {
    write: (writer) => writeClientHello(writer, clientHello),
    read: readClientHello,
  },
  'a server’s HELLO': {
    write: (writer) => writeServerHello(writer, serverHello),
    read: readServerHello,
  },
  'an ERROR': {
    write: (writer) => writeError(writer, operation, failed, codecs, 1000),
    read: (cursor) => readError(cursor, operation, codecs, 1000),
  },
}

test('both HELLOs come back', () => {
  assert.deepEqual(readClientHello(cursorOf((writer) => writeClientHello(writer, clientHello))), clientHello)
  assert.deepEqual(readServerHello(cursorOf((writer) => writeServerHello(writer, serverHello))), serverHello)
})

test('a setting that is not known is ignored, one that is not sent has its default', () => {
  const bytes = Buffer.from([1, 1, 1, 99, 5, 0])
  const { settings } = readClientHello(new Cursor().set(bytes, 0, bytes.length))
  assert.equal(settings.streamWindow, 65_536)
  assert.equal(settings.messageSize, 16_777_216)
})

test('an ERROR comes back with all that belongs to it', () => {
  const error = readError(
    cursorOf((writer) => writeError(writer, operation, failed, codecs, 1000)),
    operation,
    codecs,
    1000,
  )
  assert.deepEqual(
    [error.code, error.message, error.retryAfter, error.processed, error.http, error.origin, error.issues],
    ['not_found', 'no such order', 0, 'no', 410, 'downstream', [{ path: 'a.b', message: 'wrong' }]],
  )
  assert.deepEqual(error.fault, { name: 'gone', detail: undefined })
  assert.deepEqual([...error.metadata], [['x-a', 'one']])
  assert.deepEqual(error.details, [{ type: 'x', value: Buffer.of(1) }])
})

for (const [what, { write, read: readBody }] of Object.entries(bodies)) {
  const writer = new Writer(64)
  write(writer)
  const bytes = writer.copy()

  const readOrRefuse = (body: Buffer): void => {
    try {
      readBody(new Cursor().set(body, 0, body.length))
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error))
    }
  }

  test(`${what} that ends too early is refused, wherever`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(() => readBody(new Cursor().set(bytes.subarray(0, cut), 0, cut)), ProtocolError)
    }
  })

  test(`${what} whose bytes were changed is read or refused`, () => {
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    const property = fc.property(changes, (list) => {
      const changed = Buffer.from(bytes)
      for (const [at, value] of list) changed[at] = value
      readOrRefuse(changed)
    })
    fc.assert(property, { numRuns: runs(500) })
  })
}
