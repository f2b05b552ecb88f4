import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { type Json, call, contract, contractInfo, jsonOf } from '../index.ts'
import { Everything } from '../../examples/orders/contract.ts'
import { unknownFields } from './unknown-fields.ts'

const Line = z
  .object({ sku: z.string(), price: z.number().meta({ json: 'unit-price' }) })
  .meta({ id: 'Line' })
const Shape = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('circle').meta({ json: '@kind' }), r: z.number() }).meta({ id: 'Circle' }),
    z.object({ kind: z.literal('dot') }).meta({ id: 'Dot' }),
  ])
  .meta({ id: 'Shape' })
const Tree = z
  .object({
    name: z.string(),
    get children() {
      return z.array(Tree)
    },
  })
  .meta({ id: 'Tree' })

const Probe = z
  .object({
    lines: z.array(Line),
    byName: z.record(z.string(), Line),
    pair: z.tuple([z.string(), Line], Line),
    shape: Shape,
    tree: Tree,
    free: z.json(),
  })
  .meta({ id: 'Probe' })

const info = contractInfo(contract('test.probe.v1', { it: call({ input: Probe, output: Everything }) }))
const operation = info.operations.get('it')
assert.ok(operation?.kind === 'call' && operation.input !== undefined && operation.output !== undefined)
const { input, output } = operation

const found = (json: Json) => unknownFields(input, json).map(({ path, hint }) => `${path}: ${hint}`)

test('unknown fields are found wherever there are objects, by the name that JSON has', () => {
  const line = { sku: 'a', 'unit-price': 1 }
  assert.deepEqual(
    found({
      lines: [line, { ...line, price: 1 }],
      byName: { 'a b': { ...line, sk: 1 } },
      pair: ['x', { ...line, extra: null }, line, { ...line, more: 1 }],
      shape: { '@kind': 'circle', r: 1, kind: 'circle' },
      tree: { name: 'a', children: [{ name: 'b', children: [], nmae: 1 }] },
      free: { any: { thing: 1 } },
      Lines: 1,
    }),
    [
      'lines[1].price: Line has sku, unit-price',
      'byName["a b"].sk: Did you mean \'sku\'?',
      'pair[1].extra: Line has sku, unit-price',
      'pair[3].more: Line has sku, unit-price',
      "shape.kind: Did you mean '@kind'?",
      "tree.children[0].nmae: Did you mean 'name'?",
      "Lines: Did you mean 'lines'?",
    ],
  )
})

test('what does not fit the type is left to the codec, which says more of it', () => {
  for (const json of [
    null,
    1,
    'x',
    [],
    { lines: 1, byName: [], pair: {}, shape: { kind: 'square' }, tree: [1] },
  ]) {
    assert.deepEqual(found(json as Json), [])
  }
})

test('names that every object has are unknown like all others', () => {
  const json = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}')
  assert.deepEqual(
    unknownFields(input, json).map(({ path }) => path),
    ['__proto__', 'constructor', 'toString'],
  )
})

test('what a codec writes has none', () => {
  const everything = { constant: 'fixed', payment: { method: 'cash' }, tree: { name: '', children: [] } }
  assert.deepEqual(unknownFields(output, everything), [])
  assert.ok(jsonOf(output))
})
