/**
 * protobuf-es as the judge of ProtoJSON, over generated schemas and values: the bytes of a value, read by it, are
 * written as the JSON that we write; and what it reads from our JSON are the bytes of the value again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBinary, fromJson, toBinary, toJson, type JsonValue } from '@bufbuild/protobuf'
import * as fc from 'fast-check'
import { example } from '../../../../test/arbitrary/type.ts'
import { descriptorOf } from '../../../../test/support/descriptor.ts'
import { runs } from '../../../../test/support/fuzz.ts'
import { Writer } from '../../writer.ts'
import { compileProtobuf } from '../../protobuf/compile.ts'
import { layout } from '../../protobuf/layout.ts'
import type { MessageLayout } from '../../protobuf/message-layout.ts'
import { compileJson } from '../compile.ts'
import { jsonName } from './names.ts'

/** `orderId` and `order-id` are one name in .proto and in ProtoJSON. */
function hasOwnNames({ fields }: MessageLayout): boolean {
  return new Set(fields.map(jsonName)).size === fields.length
}

test('protobuf-es writes the JSON that we write, and reads it', () => {
  fc.assert(
    fc.property(example(), ({ schema, value }) => {
      const laidOut = layout(schema)
      fc.pre([...laidOut.messages.values()].every(hasOwnNames))
      const protobuf = compileProtobuf(schema)
      const judge = descriptorOf(laidOut)
      const writer = new Writer()
      protobuf.encode(value, writer)
      const bytes = writer.copy()

      const codec = compileJson(schema, 'protojson')
      const ours = codec.toJson(value)
      const theirs = toJson(judge, fromBinary(judge, bytes))
      assert.deepEqual(ours, theirs)

      const back = Buffer.from(toBinary(judge, fromJson(judge, ours as JsonValue)))
      assert.deepEqual(protobuf.decode(back, 0, back.length), value)
      assert.deepEqual(codec.fromJson(theirs), value)
    }),
    { numRuns: runs(250) },
  )
})
