/** What contracts of foreign .proto files need of the codec: oneofs, required fields, zero defaults, unpacked numbers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { tableBuilder } from '../../schema/from-standard.ts'
import { Invalid } from '../../schema/invalid.ts'
import { declarationOrder } from '../../schema/numbers.ts'
import { Writer } from '../writer.ts'
import { compileProtobuf, type ProtobufCodec } from './compile.ts'

function codecsOf(schema: z.ZodType): ProtobufCodec[] {
  const table = tableBuilder(declarationOrder())
  const { slot } = table.read(schema, 'Root', 'test')
  return [true, false].map((generate) => compileProtobuf({ root: slot, types: table.types }, { generate }))
}

function bytesOf(codec: ProtobufCodec, value: unknown): string {
  const writer = new Writer(16)
  codec.encode(value, writer)
  return writer.copy().toString('hex')
}

function valueOf(codec: ProtobufCodec, hex: string): unknown {
  const bytes = Buffer.from(hex.replaceAll('_', ''), 'hex')
  return codec.decode(bytes, 0, bytes.length)
}

const isInvalid = (message: RegExp) => (error: unknown) =>
  error instanceof Invalid && message.test(error.message)

test('a default that is the zero value needs no presence: zero is not written, absent is the default', () => {
  const Colour = z.enum(['NONE', 'RED']).meta({ id: 'Colour', numbers: { NONE: 0, RED: 1 } })
  const schema = z.object({
    text: z.string().default(''),
    whole: z.int32().default(0),
    big: z.int64().default(0n),
    flag: z.boolean().default(false),
    bytes: z.instanceof(Uint8Array).default(() => new Uint8Array()),
    real: z.number().default(0),
    colour: Colour.default('NONE'),
  })
  const zeros = {
    text: '',
    whole: 0,
    big: 0n,
    flag: false,
    bytes: new Uint8Array(),
    real: 0,
    colour: 'NONE',
  }

  for (const codec of codecsOf(schema)) {
    assert.equal(bytesOf(codec, {}), '')
    assert.equal(bytesOf(codec, zeros), '')
    assert.equal(bytesOf(codec, { text: 'a', whole: 1, colour: 'RED' }), '0a016110013801')
    assert.deepEqual(valueOf(codec, ''), zeros)
    assert.deepEqual(valueOf(codec, '0a001000'), zeros, 'who writes them is understood')
  }
})

test("presence 'explicit' keeps a zero apart; 'required' is always written and must be there", () => {
  const explicit = z.object({ count: z.int32().default(0).meta({ presence: 'explicit' }) })
  for (const codec of codecsOf(explicit)) {
    assert.equal(bytesOf(codec, { count: 0 }), '0800')
    assert.equal(bytesOf(codec, {}), '')
  }

  const required = z.object({ count: z.int32().meta({ presence: 'required' }) })
  for (const codec of codecsOf(required)) {
    assert.equal(bytesOf(codec, { count: 0 }), '0800')
    assert.throws(() => valueOf(codec, ''), isInvalid(/count: missing/))
  }
})

test('packed: false writes every number behind its tag; both forms are read', () => {
  for (const codec of codecsOf(z.object({ list: z.array(z.int32()).meta({ packed: false }) }))) {
    assert.equal(bytesOf(codec, { list: [1, 2] }), '08010802')
    assert.deepEqual(valueOf(codec, '08010802'), { list: [1, 2] })
    assert.deepEqual(valueOf(codec, '0a020102'), { list: [1, 2] })
  }
})

test('of the fields of a oneof at most one is written, and the last one that comes counts', () => {
  const schema = z.object({
    name: z.string(),
    uri: z.string().optional().meta({ oneof: 'source' }),
    size: z.int32().optional().meta({ oneof: 'source' }),
    inner: z.object({ a: z.int32(), b: z.int32() }).optional().meta({ oneof: 'source' }),
  })

  for (const codec of codecsOf(schema)) {
    assert.equal(bytesOf(codec, { name: '', uri: '' }), '1200', 'presence is explicit')
    assert.throws(
      () => bytesOf(codec, { name: '', uri: '', size: 1 }),
      isInvalid(/at most one of uri, size, inner, got uri and size/),
    )
    assert.deepEqual(valueOf(codec, '12016118_05'), { name: '', size: 5 })
    assert.deepEqual(valueOf(codec, '180512_0161'), { name: '', uri: 'a' })
    // Stretches of one message are merged only when nothing else of the oneof came between.
    assert.deepEqual(valueOf(codec, '22020801_22021002'), { name: '', inner: { a: 1, b: 2 } })
    assert.deepEqual(valueOf(codec, '22020801_1805_22021002'), { name: '', inner: { a: 0, b: 2 } })
  }
})
