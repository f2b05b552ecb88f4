/**
 * What TypeScript makes of a contract, checked by `tsc`: what is inferred, and what is refused. `connect` and `implement`
 * stand for those of client/ and server/, with the same types.
 */
import * as v from 'valibot'
import * as z from 'zod'
import { call } from './call.ts'
import { collection } from './collection.ts'
import { type Contract, type OperationsOf, type about, contract } from './contract.ts'
import { event } from './event.ts'
import { type Faults, fault } from './fault.ts'
import type { In, Out } from './standard.ts'
import { stream } from './stream.ts'
import { task } from './task.ts'
import type {
  CallOptions,
  ContextKind,
  FaultConstructors,
  HandlersIn,
  Members,
  MetadataReader,
  Thrown,
} from './types.ts'
import type { CallDeclaration } from './call.ts'

interface Context<F> {
  readonly fault: FaultConstructors<F>
  readonly signal: AbortSignal
}

interface ServerContext extends ContextKind {
  readonly context: Context<this['faults']>
}

declare function connect<C extends Contract>(contract: C, url: string): Members<OperationsOf<C>>
declare function implement<C extends Contract>(
  contract: C,
  handlers: HandlersIn<OperationsOf<C>, ServerContext>,
): void
declare function isFault<T extends CallDeclaration, K extends keyof T['faults'] & string>(
  error: unknown,
  operation: T,
  name: K,
): error is Error & Thrown<T, K>

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type IsAny<T> = 0 extends 1 & T ? true : false

declare function same<A, B>(_: Same<A, B>): void
declare function notAny<T>(_: IsAny<T> extends true ? never : true): void

const OrderId = z.object({ id: z.string() })
const NewOrder = z.object({
  sku: z.string().min(1),
  quantity: z.int32().min(1),
  note: z.string().default(''),
})
const Order = NewOrder.extend({
  id: z.string(),
  at: z.date(),
  total: z.int64(),
  get parent() {
    return Order.optional()
  },
}).meta({ id: 'Order' })
const Filter = z.object({ sku: z.string().optional() })

type OrderOut = z.output<typeof Order>
type NewOrderOut = { sku: string; quantity: number; note: string }

export const Orders = contract('acme.orders.v1', {
  place: call({
    input: NewOrder,
    output: Order,
    faults: {
      outOfStock: fault('failed_precondition', z.object({ sku: z.string(), left: z.int32() }), {
        http: 409,
      }),
      closed: fault('unavailable'),
      moved: fault('unavailable', undefined, { http: 421, doc: 'another region has it' }),
    },
    rest: { route: 'POST /orders', status: 201, location: '/orders/{id}' },
    scopes: ['orders:write'],
    idempotency: 'keyed',
    timeout: '2s',
  }),
  get: call({ input: OrderId, output: Order, rest: 'GET /orders/{id}', idempotency: 'safe' }),
  cancel: call({ input: OrderId, rest: 'DELETE /orders/{id}', idempotency: 'idempotent' }),
  ping: call({}),
  list: call({ input: Filter, output: z.array(Order) }),
  watch: call({ input: Filter, output: stream(Order), rest: 'GET /orders:watch' }),
  import: call({ input: stream(NewOrder), output: z.object({ count: z.int() }) }),
  haggle: call({
    input: stream(z.object({ bid: z.number() })),
    output: stream(z.object({ offer: z.number() })),
  }),
  placed: event({ payload: Order, orderBy: 'id' }),
  invoice: task({ input: Order, output: z.object({ pdf: z.instanceof(Uint8Array) }) }),
  stock: collection({ key: z.string(), value: z.object({ left: z.int32() }) }),
})

// ── What is inferred ──

export async function caller(): Promise<void> {
  const orders = connect(Orders, 'trunk://localhost')
  const placed = await orders.place({ sku: 'A1', quantity: 2 }, { timeout: '500ms', idempotencyKey: 'k' })
  same<typeof placed, OrderOut>(true)
  notAny<typeof placed>(true)

  same<ReturnType<typeof orders.cancel>, Promise<void>>(true)
  same<ReturnType<typeof orders.list>, Promise<OrderOut[]>>(true)
  same<ReturnType<typeof orders.watch>, AsyncIterable<OrderOut>>(true)

  // Input may be left out when there is none, or when every field may be.
  await orders.ping()
  await orders.ping({ timeout: 5 })
  await orders.list()
  for await (const order of orders.watch()) same<typeof order, OrderOut>(true)

  // Streams are taken from arrays, generators and whatever else can be iterated.
  for await (const { offer } of orders.haggle([{ bid: 1 }])) same<typeof offer, number>(true)
  const { count } = await orders.import(
    (async function* () {
      yield { sku: 'A1', quantity: 1 }
    })(),
  )
  same<typeof count, number>(true)

  await orders.get(
    { id: '1' },
    {
      metadata: { 'x-tenant': 'acme', 'x-key-bin': Uint8Array.of(1), 'x-list': ['a', 'b'] },
      signal: AbortSignal.timeout(5),
      onReply(head) {
        same<typeof head.metadata, MetadataReader>(true)
      },
    },
  )

  await orders.placed.publish({ ...placed })
  const sent = await orders.invoice.send(placed, { delay: '5m' })
  same<typeof sent.id, string>(true)
  const result = await orders.invoice.result(sent.id)
  same<typeof result, { pdf: Uint8Array<ArrayBuffer> }>(true)
  await using stock = await orders.stock.open()
  same<ReturnType<typeof stock.get>, { left: number } | undefined>(true)
  await stock.put('A1', { left: 1 })
}

export function narrowed(error: unknown): void {
  if (isFault(error, Orders.place, 'outOfStock')) {
    same<typeof error.fault.detail, { sku: string; left: number }>(true)
    same<typeof error.code, 'failed_precondition'>(true)
    same<typeof error.fault.name, 'outOfStock'>(true)
  }

  if (isFault(error, Orders.place, 'closed')) {
    same<typeof error.fault.detail, undefined>(true)
    notAny<typeof error.fault>(true)
  }
}

implement(Orders, {
  async place(order, ctx) {
    same<typeof order, NewOrderOut>(true)
    same<keyof typeof ctx.fault, 'outOfStock' | 'closed' | 'moved'>(true)
    same<Parameters<typeof ctx.fault.outOfStock>[0], { sku: string; left: number }>(true)
    notAny<typeof ctx.fault.closed>(true)
    if (order.quantity > 5) throw ctx.fault.outOfStock({ sku: order.sku, left: 5 }, 'five are left')
    if (order.quantity === 4) throw ctx.fault.closed('at night')
    return { ...order, id: 'o1', at: new Date(0), total: 3n }
  },
  // `note` has a default, so that a handler may leave it out too.
  get: ({ id }) => ({ id, sku: 's', quantity: 1, at: new Date(0), total: 1n }),
  async cancel({ id }) {
    same<typeof id, string>(true)
  },
  ping() {},
  list: () => [],
  async *watch(filter, ctx) {
    same<typeof filter, { sku?: string | undefined }>(true)
    same<typeof ctx.signal, AbortSignal>(true)
    yield { id: '1', sku: filter.sku ?? 'a', quantity: 1, at: new Date(0), total: 1n }
  },
  async import(orders) {
    let count = 0
    for await (const order of orders) {
      same<typeof order, NewOrderOut>(true)
      count++
    }
    return { count }
  },
  async *haggle(bids) {
    for await (const { bid } of bids) yield { offer: bid * 2 }
  },
  // Tasks may be left out, or be there.
  async invoice(order) {
    same<typeof order, OrderOut>(true)
    return { pdf: Uint8Array.of(1) }
  },
})

// A class works as handlers; a call that declares no faults has none.
class Service {
  readonly #sku = 'A1'
  async get({ id }: { id: string }): Promise<In<typeof Order>> {
    return { id, sku: this.#sku, quantity: 1, at: new Date(), total: 1n }
  }
}
const Small = contract('acme.small.v1', {
  get: call({ input: z.object({ id: z.string() }), output: Order }),
})
implement(Small, new Service())
same<keyof OperationsOf<typeof Small>, 'get'>(true)
same<(typeof Small)[typeof about]['name'], 'acme.small.v1'>(true)
same<typeof Small.get.faults, {}>(true)
same<Out<typeof Order>, OrderOut>(true)
same<typeof Small.get.output, typeof Order>(true)

// Any library with Standard Schema types infers alike.
const Foreign = contract('acme.foreign.v1', {
  get: call({
    input: v.object({ id: v.string(), page: v.optional(v.number(), 1) }),
    output: v.object({ n: v.number() }),
    rest: 'GET /things/{id}',
  }),
})
same<
  Members<OperationsOf<typeof Foreign>>['get'],
  (input: { id: string; page?: number | undefined }, options?: CallOptions) => Promise<{ n: number }>
>(true)

// A left-out output is undefined, not every shape there is.
const Nothing = call({})
same<typeof Nothing, CallDeclaration<undefined, undefined, {}>>(true)
same<Faults extends typeof Nothing.faults ? true : false, true>(true)

// ── What is refused ──

const orders = connect(Orders, 'trunk://localhost')

// @ts-expect-error a missing field
orders.place({ sku: 'a' })
// @ts-expect-error input is needed
orders.get()
// @ts-expect-error an unknown operation
orders.plaze({})
// @ts-expect-error a wrong unit
orders.place({ sku: 'a', quantity: 1 }, { timeout: '5 parsecs' })
// @ts-expect-error an unknown option
orders.ping({ timeuot: 5 })
// @ts-expect-error a wrong type in a stream
orders.import([{ sku: 'a', quantity: 'two' }])
// @ts-expect-error streams are not promises
void orders.watch({}).then
// @ts-expect-error no such fault
isFault(0, Orders.place, 'outOfStok')
// @ts-expect-error an operation without faults
isFault(0, Orders.get, 'outOfStock')
// @ts-expect-error an event is no function
orders.placed({})

// @ts-expect-error no such parameter: "{ident} is not a field of the input"
call({ input: OrderId, output: Order, rest: 'GET /orders/{ident}' })
// @ts-expect-error the second one is wrong
call({ input: OrderId, rest: 'GET /orders/{id}/lines/{line}' })
// @ts-expect-error no such method
call({ input: OrderId, output: Order, rest: 'FETCH /orders/{id}' })
// @ts-expect-error a path begins with a slash
call({ input: OrderId, rest: 'GET orders/{id}' })
// @ts-expect-error a parameter that may be left out: "must be a required string, …"
call({ input: Filter, rest: 'GET /orders/{sku}' })
// @ts-expect-error a parameter that is an object
call({ input: z.object({ order: Order }), rest: 'GET /orders/{order}' })
// @ts-expect-error a stream has no fields
call({ input: stream(OrderId), rest: 'POST /orders/{id}' })
// @ts-expect-error no such field in Location
call({ input: NewOrder, output: Order, rest: { route: 'POST /orders', location: '/orders/{ident}' } })
// @ts-expect-error no such field for a header
call({ input: NewOrder, rest: { route: 'POST /orders', headers: { skoo: 'X-Sku' } } })
// @ts-expect-error no such field for the query
call({ input: NewOrder, rest: { route: 'POST /orders', query: ['sku', 'qty'] } })
// @ts-expect-error no such field for the body
call({ input: NewOrder, rest: { route: 'POST /orders', body: 'order' } })
// @ts-expect-error a misspelt option
call({ input: NewOrder, rest: { route: 'POST /orders', stauts: 201 } })
// @ts-expect-error no such option
call({ inputs: NewOrder })
// @ts-expect-error no such idempotency
call({ idempotency: 'key' })
// @ts-expect-error no such unit
call({ timeout: '5min' })
// @ts-expect-error a plain object is no schema
call({ input: { id: 'string' } })
// @ts-expect-error no such code
fault('failed_precondtion')
// @ts-expect-error orderBy is not in the payload
event({ payload: Order, orderBy: 'ident' })
// @ts-expect-error a task takes no stream
task({ input: stream(Order) })
// @ts-expect-error a collection needs a value
collection({ key: z.string() })
// @ts-expect-error "a client would be a thenable"
export const Then = () => contract('x', { ['then' as const]: call({}) })
// @ts-expect-error a schema is no operation
export const Bare = () => contract('x', { get: Order })
// @ts-expect-error no such option of a contract
export const Options = () => contract('x', { get: call({}) }, { locks: {} })

const Two = contract('acme.two.v1', {
  get: call({
    input: OrderId,
    output: z.object({ n: z.int32() }),
    faults: { gone: fault('not_found', z.object({ at: z.date() })) },
  }),
  two: call({}),
})

// @ts-expect-error a handler is missing
implement(Two, { get: () => ({ n: 1 }) })
// @ts-expect-error a wrong output
implement(Two, { get: () => ({ n: 'x' }), two() {} })
// @ts-expect-error an unknown handler
implement(Two, { get: () => ({ n: 1 }), two() {}, three() {} })
implement(Two, {
  get(_input, ctx) {
    // @ts-expect-error a wrong detail
    throw ctx.fault.gone({ at: 5 })
  },
  two(_input, ctx) {
    // @ts-expect-error an operation without faults has none
    throw ctx.fault.anything()
  },
})
// @ts-expect-error an event has no handler
implement(Orders, { ...({} as HandlersIn<OperationsOf<typeof Orders>, ServerContext>), placed() {} })
