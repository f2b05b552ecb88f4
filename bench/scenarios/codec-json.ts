// The JSON codec against what Node has: JSON.stringify of the equal plain object, and JSON.parse with zod behind it.

import assert from 'node:assert/strict'
import * as z from 'zod'
import { compileJson } from '../../src/codec/json/compile.ts'
import { Writer } from '../../src/codec/writer.ts'
import { tableBuilder } from '../../src/schema/from-standard.ts'
import { declarationOrder } from '../../src/schema/numbers.ts'
import { inProcess, type Group } from '../harness/in-process.ts'
import { CORES, pinSelf } from '../harness/pin.ts'
import { order } from '../order.ts'

interface Shape {
  name: string
  schema: z.ZodType
  value: unknown
  /** Where JSON values are not the values themselves: a schema that makes them, and what `JSON.stringify` writes as ours. */
  fromJson?: z.ZodType
  plain?: unknown
  /** The promise for reading. */
  decodes?: number
}

const Order = z.object({
  id: z.string(),
  sku: z.string(),
  quantity: z.int32(),
  price: z.number(),
  note: z.string(),
  tags: z.array(z.string()),
})

const Address = z.object({ street: z.string(), city: z.string(), zip: z.string(), country: z.string() })
const Line = z.object({ sku: z.string(), quantity: z.int32().min(1), price: z.number(), gift: z.boolean() })
const Customer = z.object({ name: z.string(), age: z.int32(), billing: Address, shipping: Address })

const address = { street: '12 Canal Street', city: 'Amsterdam', zip: '1011 AB', country: 'NL' }
const line = (n: number): unknown => ({
  sku: `SKU-${4711 + n}`,
  quantity: 1 + n,
  price: 12.5 + n,
  gift: n % 2 === 0,
})

const Payment = z.discriminatedUnion('type', [
  z.object({ type: z.literal('card'), number: z.string(), expires: z.string() }),
  z.object({ type: z.literal('transfer'), iban: z.string(), amount: z.number() }),
  z.object({ type: z.literal('voucher'), code: z.string(), left: z.int32() }),
])

const Optional = z.object(
  Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field${index}`, z.string().optional()])),
)

const Event = z.object({ at: z.date(), until: z.date(), sequence: z.int64(), total: z.uint64() })
const EventFromJson = z.object({
  at: z.coerce.date(),
  until: z.coerce.date(),
  sequence: z.coerce.bigint(),
  total: z.coerce.bigint(),
})

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
const deep = (levels: number): Node => ({
  name: `level ${levels}`,
  ...(levels > 1 && { next: deep(levels - 1) }),
})

const at = new Date('2026-11-21T10:24:15.123Z')
const until = new Date('2027-01-01T00:00:00.000Z')

const shapes: Shape[] = [
  { name: 'the reference Order', schema: Order, value: order, decodes: 1.5 },
  {
    name: 'nested',
    schema: z.object({
      id: z.string(),
      customer: Customer,
      lines: z.array(Line),
      status: z.enum(['new', 'paid']),
    }),
    value: {
      id: 'ord_01HZX3Q5',
      customer: { name: 'Ada Lovelace', age: 36, billing: address, shipping: address },
      lines: [line(0), line(1), line(2)],
      status: 'paid',
    },
  },
  {
    name: 'a list of 100 objects',
    schema: z.array(Line),
    value: Array.from({ length: 100 }, (_, index) => line(index)),
  },
  {
    name: 'long strings, escapes, not ASCII',
    schema: z.object({ title: z.string(), body: z.string(), plain: z.string(), short: z.string() }),
    value: {
      title: 'Grüße aus München, 東京 und São Paulo',
      body: 'She said "no"\nand left.\tÉté comme hiver. '.repeat(50),
      plain: 'the quick brown fox jumps over the lazy dog, '.repeat(50),
      short: 'naïve café',
    },
  },
  {
    name: 'numbers',
    schema: z.object({ values: z.array(z.number()), counts: z.array(z.int32()) }),
    value: {
      values: Array.from({ length: 100 }, (_, index) => (index % 3 === 0 ? index : Math.sin(index) * 1000)),
      counts: Array.from({ length: 100 }, (_, index) => index * index * 37),
    },
  },
  {
    name: 'maps',
    schema: z.object({ labels: z.record(z.string(), z.string()), counts: z.record(z.string(), z.int32()) }),
    value: {
      labels: Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [`label-${index}`, `value ${index}`]),
      ),
      counts: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`count-${index}`, index * 7])),
    },
  },
  {
    name: 'unions',
    schema: z.array(Payment),
    value: Array.from({ length: 9 }, (_, index) =>
      [
        { type: 'card', number: '4111 1111 1111 1111', expires: '12/29' },
        { type: 'transfer', iban: 'NL91 ABNA 0417 1643 00', amount: 99.95 },
        { type: 'voucher', code: 'SPRING', left: 3 },
      ].at(index % 3),
    ),
  },
  {
    name: 'optional fields, 3 of 20 there',
    schema: Optional,
    value: { field2: 'a', field11: 'b', field19: 'c' },
  },
  {
    name: 'dates and bigints',
    schema: Event,
    fromJson: EventFromJson,
    value: { at, until, sequence: 9007199254740993n, total: 18446744073709551615n },
    plain: { at, until, sequence: '9007199254740993', total: '18446744073709551615' },
  },
  { name: 'deep, 30 levels', schema: Node, value: deep(30) },
]

function groupsOf({ name, schema, value, fromJson = schema, plain = value, decodes = 1 }: Shape): Group[] {
  const builder = tableBuilder(declarationOrder())
  const { slot } = builder.read(schema, 'Root', 'bench')
  const codec = compileJson({ root: slot, types: builder.types }, 'trunkline')

  const text = JSON.stringify(plain)
  const writer = new Writer()
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)
  const bytes = Buffer.from(text)
  return [
    {
      name: `${name}: encode`,
      contenders: [
        {
          name: 'trunkline',
          run: () => {
            writer.position = 0
            codec.encodeInto(value, writer)
            return writer.position
          },
          check: () => assert.equal(writer.written().toString(), text),
        },
        {
          name: 'JSON.stringify + write',
          run: () => buffer.write(JSON.stringify(plain)),
          check: (written) => assert.equal(buffer.toString('utf8', 0, written), text),
          atLeast: 1,
        },
      ],
    },
    {
      name: `${name}: decode and validate`,
      contenders: [
        {
          name: 'trunkline',
          run: () => codec.decode(bytes, 0, bytes.length),
          check: (ours) => assert.deepEqual(ours, value),
        },
        {
          name: 'JSON.parse + zod',
          run: () => fromJson.safeParse(JSON.parse(bytes.toString())).data,
          check: (theirs) => assert.deepEqual(theirs, value),
          atLeast: decodes,
        },
      ],
    },
  ]
}

export default inProcess({
  title: 'JSON codec',
  about:
    'Our own dialect on ten shapes: from values to UTF-8 in the buffer that is sent, as all wires do, and from UTF-8 to ' +
    'validated values. JSON.stringify neither checks what it writes nor leaves out what is not declared; its text is ' +
    'written into a buffer, too. To text alone nothing that checks is as fast as it, so no wire makes text.',
  groups: () => {
    pinSelf(CORES.client)
    return shapes.flatMap(groupsOf)
  },
})
