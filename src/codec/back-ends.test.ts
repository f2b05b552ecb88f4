/** Each codec has two back-ends: that the fast one does the work, and that the other can do all of it alone. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { tableBuilder } from '../schema/from-standard.ts'
import { Invalid } from '../schema/invalid.ts'
import { declarationOrder } from '../schema/numbers.ts'
import type { Schema } from '../schema/type.ts'
import { compileJson } from './json/compile.ts'
import { compileProtobuf } from './protobuf/compile.ts'
import { Writer } from './writer.ts'

interface Node {
  name: string
  next?: Node
}
const Node: z.ZodType<Node> = z.object({
  name: z.string(),
  get next() {
    return Node.optional()
  },
})

const Event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('paid'), at: z.date(), amount: z.number().min(0) }),
  z.object({ type: z.literal('sent'), parcels: z.record(z.string(), z.uint32()) }),
])

/** Shapes that services have, and a value of each that is wrong. */
const shapes: readonly (readonly [schema: z.ZodType, value: unknown, wrong: unknown])[] = [
  [
    z.object({
      id: z.string(),
      quantity: z.int32(),
      price: z.number(),
      gift: z.boolean(),
      tags: z.array(z.string()),
    }),
    { id: 'ord_1', quantity: 3, price: 12.5, gift: false, tags: ['é', '"', 'long '.repeat(100)] },
    { id: 'ord_1', quantity: 3.5, price: 12.5, gift: false, tags: [] },
  ],
  [
    z.object({
      note: z.string().optional(),
      unit: z.string().nullable(),
      status: z.enum(['new', 'paid']).default('new'),
    }),
    { unit: null, status: 'paid' },
    { unit: 'kg', status: 'gone' },
  ],
  [
    z.array(Event),
    [
      { type: 'paid', at: new Date(1), amount: 1 },
      { type: 'sent', parcels: { a: 1, b: 2 } },
    ],
    [{ type: 'lost' }],
  ],
  [
    z.object({ big: z.int64(), bytes: z.instanceof(Uint8Array) }),
    { big: 2n ** 60n, bytes: new Uint8Array(9) },
    {},
  ],
  [Node, { name: 'a', next: { name: 'b' } }, { name: 'a', next: {} }],
  [z.array(z.number()), Array.from({ length: 99 }, (_, index) => index / 7), ['1']],
]

function schemaOf(schema: z.ZodType): Schema {
  const builder = tableBuilder(declarationOrder())
  return { root: builder.read(schema, 'Root', 'test').slot, types: builder.types }
}

test('generated code reads and writes what is valid, and leaves to the closures what is not', () => {
  for (const [type, value, wrong] of shapes) {
    const schema = schemaOf(type)
    let handedOver = 0
    const options = { generate: true, onHandOver: () => (handedOver += 1) }
    const json = compileJson(schema, 'trunkline', options)
    const protobuf = compileProtobuf(schema, options)

    const writer = new Writer()
    json.encodeInto(value, writer)
    assert.deepEqual(json.decode(writer.bytes, 0, writer.position), value)
    assert.deepEqual(json.decodeText(json.encode(value)), value)
    writer.reset()
    protobuf.encode(value, writer)
    assert.deepEqual(protobuf.decode(writer.bytes, 0, writer.position), value)
    assert.equal(handedOver, 0, JSON.stringify(schema.root))

    assert.throws(() => json.encode(wrong), Invalid)
    assert.equal(handedOver, 1)
    assert.throws(() => protobuf.encode(wrong, writer), Invalid)
    assert.equal(handedOver, 2)
  }
})

test('a place is called the same by both codecs, on either way', () => {
  const schema = schemaOf(
    z.object({
      tags: z.array(z.string()),
      labels: z.record(z.string(), z.string()),
      byNumber: z.map(z.int32(), z.string()),
    }),
  )
  for (const generate of [true, false]) {
    const writer = new Writer()
    const encoders = [
      (value: unknown) => compileJson(schema, 'trunkline', { generate }).encode(value),
      (value: unknown) => compileJson(schema, 'protojson', { generate }).encode(value),
      (value: unknown) => compileProtobuf(schema, { generate }).encode(value, writer),
    ]
    const places: readonly (readonly [object, string])[] = [
      [{ tags: ['a', 'b', 3] }, 'tags[2]'],
      [{ labels: { eu: 3 } }, 'labels.eu'],
      [{ labels: { 'a b': 3 } }, 'labels["a b"]'],
      [{ labels: { 7: 3 } }, 'labels["7"]'],
      [{ byNumber: new Map([[7, 3]]) }, 'byNumber["7"]'],
    ]
    for (const encode of encoders) {
      for (const [wrong, path] of places) {
        const value = { tags: [], labels: {}, byNumber: new Map(), ...wrong }
        assert.throws(
          () => encode(value),
          (error) => error instanceof Invalid && error.issues[0]?.path === path,
          path,
        )
      }
    }

    const bounded = schemaOf(
      z.object({ list: z.array(z.int32().max(2)), map: z.map(z.int32(), z.int32().max(2)) }),
    )
    const loose = schemaOf(z.object({ list: z.array(z.int32()), map: z.map(z.int32(), z.int32()) }))
    writer.reset()
    compileProtobuf(loose).encode({ list: [1, 3], map: new Map([[7, 3]]) }, writer)
    const decoders = [
      () => compileProtobuf(bounded, { generate }).decode(writer.bytes, 0, writer.position),
      () => compileJson(bounded, 'trunkline', { generate }).decodeText('{"list":[1,3],"map":{"7":3}}'),
      () => compileJson(bounded, 'protojson', { generate }).decodeText('{"list":[1,3],"map":{"7":3}}'),
    ]
    for (const decode of decoders) {
      assert.throws(decode, (error) => {
        assert.ok(error instanceof Invalid)
        assert.deepEqual(
          error.issues.map(({ path }) => path),
          ['list[1]', 'map["7"]'],
        )
        return true
      })
    }
  }
})

test('where code must not be generated, the same tests hold', () => {
  const environment = { ...process.env }
  delete environment['NODE_TEST_CONTEXT']

  const suites = ['json/compile', 'json/zod', 'protobuf/wire']
  const programs = suites.map((suite) => `await import('./${suite}.test.ts')`)
  const flags = [
    '--disallow-code-generation-from-strings',
    '--input-type=module',
    '--test-name-pattern=closures',
  ]
  const output = execFileSync(process.execPath, [...flags, '--eval', programs.join('\n')], {
    cwd: join(import.meta.dirname),
    encoding: 'utf8',
    env: environment,
  })
  assert.match(output, /^. fail 0$/m)
  assert.ok(Number(/^. pass (\d+)$/m.exec(output)?.[1]) >= 50, output)
})

test('where code must not be generated, codecs do without being told', () => {
  const program = `
    import { compileJson } from './json/compile.ts'
    import { compileProtobuf } from './protobuf/compile.ts'
    import { Writer } from './writer.ts'
    import { canGenerate } from './generate.ts'
    const schema = { root: { type: { kind: 'string' } }, types: {} }
    const protobuf = compileProtobuf(schema)
    const json = compileJson(schema, 'trunkline')
    const writer = new Writer()
    protobuf.encode('hello', writer)
    console.log(canGenerate(), protobuf.decode(writer.bytes, 0, writer.position), json.decodeText(json.encode('you')))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program]
  const options = { cwd: import.meta.dirname, encoding: 'utf8' } as const
  assert.equal(execFileSync(process.execPath, flags, options), 'false hello you\n')
})
