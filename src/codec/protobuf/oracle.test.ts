/**
 * protobuf-es as the judge of our bytes, over generated schemas and values: it reads what we write, writes the same
 * bytes again, and we read what it writes. Both back-ends write the same bytes and read the same values.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import * as fc from 'fast-check'
import { example } from '../../../test/arbitrary/type.ts'
import { descriptorOf } from '../../../test/support/descriptor.ts'
import { Invalid } from '../../schema/invalid.ts'
import { Writer } from '../writer.ts'
import { compileProtobuf, type ProtobufCodec } from './compile.ts'
import { layout } from './layout.ts'

const runs = (count: number): number => count * Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

function encoded(codec: ProtobufCodec, value: unknown): Buffer {
  const writer = new Writer(16)
  codec.encode(value, writer)
  return writer.copy()
}

/** Objects come back with a plain prototype, whatever they had. */
function assertSame(actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected)
}

/** protobuf-es keeps what it did not understand, in every message on its own. */
function hasUnknown(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  const unknown = (value as Message).$unknown
  if (unknown !== undefined && unknown.length > 0) return true
  return Object.values(value).some((one) => hasUnknown(one))
}

test('protobuf-es reads all that we write, writes as much, and we read what it writes', () => {
  fc.assert(
    fc.property(example(), ({ schema, value }) => {
      const generated = compileProtobuf(schema, { generate: true })
      const closures = compileProtobuf(schema, { generate: false })

      const bytes = encoded(generated, value)
      assert.deepEqual(encoded(closures, value), bytes, 'both back-ends write the same')

      const judge = descriptorOf(layout(schema))
      const message = fromBinary(judge, bytes)
      assert.equal(hasUnknown(message), false, 'protobuf-es knows every field')

      const theirs = Buffer.from(toBinary(judge, message))
      assert.equal(theirs.length, bytes.length, 'protobuf-es writes the same, maps in an order of its own')

      for (const codec of [generated, closures]) {
        assertSame(codec.decode(bytes, 0, bytes.length), value)
        assertSame(codec.decode(theirs, 0, theirs.length), value)
      }
    }),
    { numRuns: runs(400) },
  )
})

test('what stands before and behind a message is never read', () => {
  fc.assert(
    fc.property(
      example(2),
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 20 }),
      (one, before, behind) => {
        for (const generate of [true, false]) {
          const codec = compileProtobuf(one.schema, { generate })
          const bytes = encoded(codec, one.value)
          const frame = Buffer.concat([before, bytes, behind])
          assertSame(codec.decode(frame, before.length, before.length + bytes.length), one.value)
        }
      },
    ),
    { numRuns: runs(100) },
  )
})

/** What a decoder does with bytes: its value, or its issues. Anything but `Invalid` is thrown on. */
function outcome(codec: ProtobufCodec, bytes: Buffer): unknown {
  try {
    return { value: codec.decode(bytes, 0, bytes.length) }
  } catch (error) {
    if (error instanceof Invalid) return { issues: error.issues }
    throw error
  }
}

test('cut anywhere, a message is decoded or refused, the same by both back-ends', () => {
  fc.assert(
    fc.property(example(2), ({ schema, value }) => {
      const generated = compileProtobuf(schema, { generate: true })
      const closures = compileProtobuf(schema, { generate: false })
      const bytes = encoded(closures, value)

      for (let end = 0; end < Math.min(bytes.length, 200); end += 1) {
        const cut = bytes.subarray(0, end)
        assertSame(outcome(generated, cut), outcome(closures, cut))
      }
    }),
    { numRuns: runs(60) },
  )
})

test('mutated anyhow, a message is decoded or refused, the same by both back-ends', () => {
  const mutation = fc.record({
    at: fc.nat(),
    to: fc.oneof(fc.nat(255), fc.constantFrom(0x80, 0xff, 0x0b, 0x0c)),
    what: fc.nat(2),
  })

  fc.assert(
    fc.property(
      example(2),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      ({ schema, value }, mutations) => {
        const generated = compileProtobuf(schema, { generate: true })
        const closures = compileProtobuf(schema, { generate: false })
        let bytes = encoded(closures, value)

        for (const { at, to, what } of mutations) {
          const place = bytes.length === 0 ? 0 : at % bytes.length
          if (what === 0) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)])
          else if (what === 1)
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(to), bytes.subarray(place)])
          else if (bytes.length > 0) bytes[place] = to
          assertSame(outcome(generated, bytes), outcome(closures, bytes))
        }
      },
    ),
    { numRuns: runs(400) },
  )
})

test('bytes at random are decoded or refused, the same by both back-ends', () => {
  fc.assert(
    fc.property(
      example(2),
      fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }),
      ({ schema }, inputs) => {
        const generated = compileProtobuf(schema, { generate: true })
        const closures = compileProtobuf(schema, { generate: false })
        for (const input of inputs) {
          const bytes = Buffer.from(input)
          assertSame(outcome(generated, bytes), outcome(closures, bytes))
        }
      },
    ),
    { numRuns: runs(150) },
  )
})
