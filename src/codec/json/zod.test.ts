/** zod is the oracle: what it accepts, the codec accepts; what it makes of a value, the codec makes of its JSON. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type * as z from 'zod'
import { carriable, carriableWithValue } from '../../../test/arbitrary/zod.ts'
import { tableBuilder } from '../../schema/from-standard.ts'
import { Invalid } from '../../schema/invalid.ts'
import { declarationOrder } from '../../schema/numbers.ts'
import type { Json, Schema, Slot, Types } from '../../schema/type.ts'
import { Writer } from '../writer.ts'
import { compileJson, type JsonCodec, type JsonDialect } from './compile.ts'

const numRuns = 400 * Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

interface Compiled {
  readonly schema: Schema
  readonly refine: (value: unknown) => unknown
}

function compiled(schema: z.ZodType): Compiled {
  const builder = tableBuilder(declarationOrder())
  const { slot, refine } = builder.read(schema, 'Root', 'test')
  return { schema: { root: slot, types: builder.types }, refine: refine ?? ((value) => value) }
}

const backEnds = [
  { generate: true, name: 'generated' },
  { generate: false, name: 'closures' },
]

function bothWays(codec: JsonCodec, value: unknown): unknown {
  const text = codec.encode(value)
  const bytes = Buffer.from(`##${text}##`)
  const decoded = codec.decode(bytes, 2, bytes.length - 2)

  assert.deepEqual(codec.decodeText(JSON.stringify(JSON.parse(text), null, ' \n')), decoded)
  assert.deepEqual(codec.fromJson(JSON.parse(text)), decoded)
  assert.deepEqual(codec.toJson(value), JSON.parse(text))

  const writer = new Writer(64)
  writer.position = 3
  codec.encodeInto(value, writer)
  assert.equal(writer.bytes.toString('utf8', 3, writer.position), text)
  return decoded
}

for (const dialect of ['trunkline', 'protojson'] satisfies JsonDialect[]) {
  for (const { generate, name } of backEnds) {
    test(`${dialect}, ${name}: a value comes back as zod would have it`, () => {
      fc.assert(
        fc.property(carriableWithValue(), ({ schema, value }) => {
          const { schema: types, refine } = compiled(schema)
          const codec = compileJson(types, dialect, { generate })
          assert.deepEqual(refine(bothWays(codec, value)), schema.parse(value))
        }),
        { numRuns },
      )
    })
  }
}

/** Whether JSON values are the values themselves, so that zod can judge them. */
function isPlain(slot: Slot, types: Types, seen: Set<string> = new Set()): boolean {
  const { type } = slot
  switch (type.kind) {
    case 'bytes':
    case 'instant':
      return false
    case 'int':
      return type.js === 'number'
    case 'list':
      return type.js === 'array' && isPlain(type.of, types, seen)
    case 'map':
      return type.js === 'record' && isPlain(type.of, types, seen)
    case 'tuple':
      return [...type.items, ...(type.rest ? [type.rest] : [])].every((item) => isPlain(item, types, seen))
    case 'ref': {
      if (seen.has(type.to)) return true
      seen.add(type.to)
      const named = types[type.to]!
      if (named.kind === 'enum') return true
      if (named.kind === 'object') return named.fields.every((field) => isPlain(field, types, seen))
      return named.variants.every(({ to }) => isPlain({ type: { kind: 'ref', to } }, types, seen))
    }
    default:
      return true
  }
}

const replacements: readonly (readonly Json[])[] = [
  [null, true, false, 0, 1, -1, 7, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1e300, '', 'a', 'card', 'x'],
  ['2020-01-01', '2020-02-30T00:00:00Z', 'a@b.example', 'left', '1', [], {}, [1], [null], { id: 1 }],
  [{ left: 1, right: 2 }, { type: 'card' }, { op: 'number', value: 1 }, [[]], ['a', 'b', 'c', 'd', 'e']],
]
const replacement = fc.constantFrom(...replacements.flat())

const mutation = fc.record({
  picks: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  action: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  json: replacement,
  key: fc.constantFrom('id', 'constructor', 'toString', 'extra', 'left', 'unitPrice'),
})

type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never

/** Changes something somewhere: the picks lead there, modulo what there is. */
function mutate(json: Json, { picks, action, json: other, key }: Mutation, depth = 0): Json {
  if (typeof json !== 'object' || json === null || depth >= picks.length) {
    return action === 'add' && typeof json === 'object' && json !== null && !Array.isArray(json)
      ? { ...json, [key]: other }
      : other
  }

  const keys = Object.keys(json)
  const chosen = keys[picks[depth]! % keys.length]
  if (chosen === undefined) return other
  const removed = action === 'remove' && depth === picks.length - 1
  const step = { picks, action, json: other, key } as Mutation

  if (Array.isArray(json)) {
    const index = Number(chosen)
    if (removed) return json.toSpliced(index, 1)
    return json.with(index, mutate(json[index] as Json, step, depth + 1))
  }
  const object = json as Record<string, Json>
  const { [chosen]: part, ...rest } = object
  return removed ? rest : { ...object, [chosen]: mutate(part as Json, step, depth + 1) }
}

function verdict(run: () => unknown): { value?: unknown; refused: boolean } {
  try {
    return { value: run(), refused: false }
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    return { refused: true }
  }
}

/** An integer has no minus zero here. */
function positiveZeros(value: unknown): unknown {
  if (typeof value === 'number') return value + 0
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(positiveZeros)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, positiveZeros(part)]))
}

const plain = carriableWithValue(
  carriable().filter(({ schema }) => {
    const { root, types } = compiled(schema).schema
    return isPlain(root, types)
  }),
)

for (const { generate, name } of backEnds) {
  test(`${name}: mutated JSON is accepted when zod accepts it, and refused when zod refuses it`, () => {
    fc.assert(
      fc.property(
        plain,
        fc.array(mutation, { minLength: 1, maxLength: 2 }),
        ({ schema, value }, mutations) => {
          const { schema: types, refine } = compiled(schema)
          const codec = compileJson(types, 'trunkline', { generate })
          const json = mutations.reduce((tree: Json, step) => mutate(tree, step), codec.toJson(value))

          const expected = schema.safeParse(json)
          const bytes = Buffer.from(JSON.stringify(json))
          for (const read of [() => codec.decode(bytes, 0, bytes.length), () => codec.fromJson(json)]) {
            const { value: decoded, refused } = verdict(() => refine(read()))
            assert.equal(refused, !expected.success, expected.error?.message ?? `accepts ${bytes.toString()}`)
            if (expected.success) assert.deepEqual(positiveZeros(decoded), positiveZeros(expected.data))
          }
        },
      ),
      { numRuns: numRuns * 2 },
    )
  })
}
