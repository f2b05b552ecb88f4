/** The reference contract: what demo, documentation, tests, foreign judges and benchmarks all speak. */
import { call, collection, contract, event, fault, stream, task } from 'trunkline'
import * as z from 'zod'
import lock from './trunkline.lock.json' with { type: 'json' }

export const OrderId = z.object({
  id: z.string().min(1).max(64).describe('The order’s id, such as `ord_01HZX3Q5`.'),
})

export const NewOrder = z
  .object({
    sku: z
      .string()
      .min(1)
      .max(32)
      .regex(/^[A-Z0-9-]+$/)
      .describe('What is ordered: capital letters, digits and dashes.'),
    quantity: z.int32().min(1).max(1000),
    price: z.number().min(0).max(1_000_000).describe('The price of one, in euros.'),
    note: z.string().max(500).default('').describe('For the driver.'),
    tags: z.array(z.string().max(32)).max(20).default([]),
  })
  .meta({ id: 'NewOrder', description: 'What a customer asks for.' })

/** The reference message of all measurements. */
export const Order = z
  .object({
    id: z.string().max(64),
    sku: z.string().max(32),
    quantity: z.int32().min(1),
    price: z.number(),
    note: z.string().max(500),
    tags: z.array(z.string().max(32)).max(20),
  })
  .meta({ id: 'Order', description: 'An order that was placed.' })

export const Status = z.enum(['open', 'packed', 'shipped', 'delivered']).meta({ id: 'Status' })

export const Payment = z
  .discriminatedUnion('method', [
    z
      .object({ method: z.literal('card'), last4: z.string().length(4), expires: z.iso.date() })
      .meta({ id: 'Card' }),
    z.object({ method: z.literal('transfer'), iban: z.string().min(15).max(34) }).meta({ id: 'Transfer' }),
    z.object({ method: z.literal('cash') }).meta({ id: 'Cash' }),
  ])
  .meta({ id: 'Payment' })

/** A tree: recursion through a name. */
export const Category = z
  .object({
    name: z.string().max(100),
    get children() {
      return z.array(Category).max(100)
    },
  })
  .meta({ id: 'Category' })

/** Every kind of value there is, once. */
export const Everything = z
  .object({
    text: z.string().max(1000),
    flag: z.boolean(),
    small: z.int32(),
    unsigned: z.uint32(),
    whole: z.int(),
    big: z.int64(),
    bigUnsigned: z.uint64(),
    single: z.float32(),
    double: z.number(),
    bytes: z.instanceof(Uint8Array),
    at: z.date(),
    day: z.iso.date(),
    clock: z.iso.time(),
    moment: z.iso.datetime(),
    lasting: z.iso.duration(),
    uuid: z.uuid(),
    email: z.email().max(100),
    url: z.url().max(200),
    status: Status,
    constant: z.literal('fixed'),
    list: z.array(z.string().max(100)).max(100),
    matrix: z.array(z.array(z.int32()).max(20)).max(20),
    gaps: z.array(z.string().max(100).nullable()).max(20),
    unique: z.set(z.string().max(100)).max(20),
    record: z.record(z.string().max(100), z.int32()),
    counts: z.map(z.int32(), z.string().max(100)),
    pair: z.tuple([z.string().max(100), z.int32()]),
    payment: Payment,
    tree: Category,
    anything: z.json(),
    optional: z.string().max(100).optional(),
    nullable: z.string().max(100).nullable(),
    both: z.int32().nullish(),
    defaulted: z.int32().default(7),
  })
  .meta({ id: 'Everything' })

export const FailureCode = z
  .enum([
    'canceled',
    'unknown',
    'invalid_argument',
    'deadline_exceeded',
    'not_found',
    'already_exists',
    'permission_denied',
    'resource_exhausted',
    'failed_precondition',
    'aborted',
    'out_of_range',
    'unimplemented',
    'internal',
    'unavailable',
    'data_loss',
    'unauthenticated',
  ])
  .meta({ id: 'FailureCode' })

const outOfStock = fault(
  'failed_precondition',
  z.object({ sku: z.string(), left: z.int32() }).meta({ id: 'OutOfStock' }),
  { http: 409, doc: 'There is less in stock than was ordered.' },
)

const noSuchOrder = fault('not_found', OrderId.meta({ id: 'NoSuchOrder' }), { doc: 'No order has this id.' })

export const Orders = contract(
  'acme.orders.v1',
  {
    place: call({
      doc: 'Places an order.',
      input: NewOrder,
      output: Order,
      faults: { outOfStock },
      rest: { route: 'POST /orders', status: 201, location: '/orders/{id}' },
      idempotency: 'keyed',
    }),
    get: call({
      doc: 'Reads an order.',
      input: OrderId,
      output: Order,
      faults: { noSuchOrder },
      rest: 'GET /orders/{id}',
      idempotency: 'safe',
    }),
    replace: call({
      doc: 'Replaces an order, or makes it.',
      input: Order.extend({ id: z.string().min(1).max(64) }).meta({ id: 'Replacement' }),
      output: Order,
      rest: 'PUT /orders/{id}',
      idempotency: 'idempotent',
    }),
    cancel: call({
      doc: 'Cancels an order.',
      input: OrderId,
      faults: { noSuchOrder },
      rest: 'DELETE /orders/{id}',
      idempotency: 'idempotent',
    }),
    search: call({
      doc: 'Orders by their properties, at most `limit`.',
      input: z
        .object({
          sku: z.string().max(32).optional(),
          tags: z.array(z.string().max(32)).max(20).default([]),
          cheaperThan: z.number().optional(),
          limit: z.int32().min(1).max(1000).default(100),
        })
        .meta({ id: 'OrderQuery' }),
      output: z.object({ orders: z.array(Order).max(1000) }).meta({ id: 'OrderList' }),
      rest: 'GET /orders',
      idempotency: 'safe',
    }),
    watch: call({
      doc: 'Numbered orders, one after the other.',
      input: z
        .object({ sku: z.string().max(32).optional(), count: z.int32().min(0).max(1_000_000).default(10) })
        .meta({ id: 'WatchQuery' }),
      output: stream(Order),
      rest: 'GET /orders:watch',
    }),
    import: call({
      doc: 'Places many orders.',
      input: stream(NewOrder),
      output: z.object({ count: z.int32(), total: z.number() }).meta({ id: 'Summary' }),
      rest: 'POST /orders:import',
    }),
    haggle: call({
      doc: 'For every bid an offer, twice as high.',
      input: stream(z.object({ bid: z.number().min(0).max(1_000_000) }).meta({ id: 'Bid' })),
      output: stream(z.object({ offer: z.number() }).meta({ id: 'Offer' })),
      rest: 'POST /orders:haggle',
    }),
    echo: call({ doc: 'Answers what it was asked.', input: Order, output: Order, rest: 'POST /echo' }),
    everything: call({
      doc: 'Answers what it was asked, with every kind of value.',
      input: Everything,
      output: Everything,
      rest: 'POST /everything',
    }),
    pay: call({
      doc: 'Answers the payment it was given.',
      input: Payment,
      output: Payment,
      rest: 'POST /payments',
    }),
    ping: call({ doc: 'Answers nothing.', rest: 'GET /ping', idempotency: 'safe' }),
    sleep: call({
      doc: 'Takes its time; ends early when the call is canceled.',
      input: z.object({ milliseconds: z.int32().min(0).max(60_000) }).meta({ id: 'Nap' }),
      rest: 'POST /sleep',
    }),
    fail: call({
      doc: 'Fails with the code that it is asked for.',
      input: z
        .object({ code: FailureCode, message: z.string().max(200).default('as you asked') })
        .meta({ id: 'Failure' }),
      rest: 'POST /fail',
    }),

    placed: event({ payload: Order, orderBy: 'id' }),
    invoice: task({ input: Order }),
    stock: collection({ key: z.string(), value: z.object({ left: z.int32() }).meta({ id: 'Stock' }) }),
  },
  { lock },
)
