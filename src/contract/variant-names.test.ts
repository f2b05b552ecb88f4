/** Names of union variants on the wires, when a foreign document has chosen them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBinary, fromJson, toBinary, toJson, type JsonValue } from '@bufbuild/protobuf'
import * as z from 'zod'
import {
  type Json,
  call,
  contract,
  contractInfo,
  describe,
  describeText,
  diff,
  fromDescription,
  updateLock,
} from 'trunkline'
import { descriptorOf } from '../../test/support/descriptor.ts'
import { compileJson } from '../codec/json/compile.ts'
import { compileProtobuf } from '../codec/protobuf/compile.ts'
import { layout } from '../codec/protobuf/layout.ts'
import { Writer } from '../codec/writer.ts'

const Cash = z.object({ method: z.literal('cash') }).meta({ id: 'Cash' })

/** A payment of which one variant has the names that are given. */
function payments(names: Record<string, unknown>) {
  const Card = z.object({ method: z.literal('card'), last4: z.string() }).meta({ id: 'Card', ...names })
  const Payment = z.discriminatedUnion('method', [Card, Cash]).meta({ id: 'Payment' })
  return contractInfo(contract('test.payments.v1', { pay: call({ input: Payment }) }))
}

function inputOf(info: ReturnType<typeof payments>) {
  const operation = info.operations.get('pay')
  assert.ok(operation?.kind === 'call' && operation.input !== undefined)
  return operation.input
}

const usual = payments({})
const chosen = payments({ proto: 'credit_card', json: 'byCard', xml: { name: 'CreditCard' } })
const value = { method: 'card', last4: '4242' }

function variantOf(info: ReturnType<typeof payments>) {
  const union = info.types['Payment']
  assert.ok(union?.kind === 'union')
  return union.variants[0]
}

test('a variant is called on the wires as the metadata of its object says', () => {
  assert.deepEqual(variantOf(usual), { tag: 'card', to: 'Card', number: 1 })
  assert.deepEqual(variantOf(chosen), {
    tag: 'card',
    to: 'Card',
    number: 1,
    proto: 'credit_card',
    json: 'byCard',
    xml: { name: 'CreditCard' },
  })

  const names = (info: ReturnType<typeof payments>) =>
    layout(inputOf(info).schema)
      .messages.get('Payment')
      ?.fields.map(({ name }) => name)
  assert.deepEqual(names(usual), ['card', 'cash'])
  assert.deepEqual(names(chosen), ['credit_card', 'cash'])
})

test('ProtoJSON has the chosen name, else that of .proto, and reads both; our own JSON has neither', () => {
  const chosenNames: readonly (readonly [Record<string, unknown>, string])[] = [
    [{}, 'card'],
    [{ proto: 'credit_card' }, 'creditCard'],
    [{ json: 'byCard' }, 'byCard'],
    [{ proto: 'credit_card', json: 'byCard' }, 'byCard'],
  ]

  for (const [names, key] of chosenNames) {
    const { schema } = inputOf(payments(names))
    const { toJson: write, fromJson: read } = compileJson(schema, 'protojson')
    assert.deepEqual(write(value), { [key]: { method: 'card', last4: '4242' } })
    assert.deepEqual(read({ [key]: { last4: '4242' } }), value)
    if (names['proto'] !== undefined) assert.deepEqual(read({ credit_card: { last4: '4242' } }), value)
    assert.deepEqual(compileJson(schema, 'trunkline').toJson(value), value)
  }
})

test('protobuf-es agrees about a name that .proto gives', () => {
  const { schema } = inputOf(payments({ proto: 'credit_card' }))
  const judge = descriptorOf(layout(schema))
  const writer = new Writer()
  compileProtobuf(schema).encode(value, writer)
  const ours: Json = compileJson(schema, 'protojson').toJson(value)

  assert.deepEqual(toJson(judge, fromBinary(judge, writer.copy())), ours)
  assert.deepEqual(
    Buffer.from(toBinary(judge, fromJson(judge, ours as JsonValue))),
    Buffer.from(writer.copy()),
  )
})

test('describe, its text, digest and diff know the names; the lock goes by the tag and keeps its numbers', () => {
  assert.deepEqual(describe(fromDescription(describe(chosen))), describe(chosen))
  assert.notEqual(chosen.digest, usual.digest)
  assert.match(
    describeText(chosen),
    /1 method "card": Card \(credit_card in \.proto, byCard in JSON, CreditCard in XML\)/,
  )
  assert.match(describeText(usual), /1 method "card": Card\n/)
  assert.deepEqual(
    diff(describe(usual), describe(chosen)).map(({ path }) => path),
    ['Payment."card"', 'Payment."card"', 'Payment."card"'],
  )

  const { lock } = updateLock(usual, undefined)
  assert.deepEqual(updateLock(chosen, lock), { lock, changes: [] })
})

test('names that cannot be are refused where they are declared', () => {
  const refused = (names: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => payments(names), message)
  refused({ proto: 'credit card' }, /\.meta\(\{ proto \}\) expects a field name of letters, digits and _/)
  refused(
    { proto: 'cash' },
    /two variants are both called cash in protobuf; give one another name with \.meta\(\{ proto/,
  )
  refused({ proto: 'kind' }, /a variant cannot be called kind in protobuf/)
  refused({ json: 'cash' }, /two variants are both called cash in ProtoJSON/)
  refused({ xml: { as: 'attribute' } }, /a variant is always an element/)
})

test('a description from elsewhere is held to the same', () => {
  const description = JSON.parse(JSON.stringify(describe(chosen)))
  description.types.Payment.variants[0].proto = 5
  assert.throws(() => fromDescription(description), /Payment\.variants\[0\]\.proto: must be a name/)
})
