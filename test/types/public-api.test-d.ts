/** What TypeScript makes of the public API as users import it; checked by `tsc`, never run. */
import {
  type CallError,
  type Client,
  type Context,
  type Handlers,
  type In,
  call,
  connect,
  contract,
  event,
  fault,
  implement,
  isFault,
  serve,
  stream,
} from 'trunkline'
import { testPair } from 'trunkline/testing'
import * as z from 'zod'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_proof: Same<A, B>): void {}
type IsAny<T> = 0 extends 1 & T ? true : false

const NewOrder = z.object({ sku: z.string(), quantity: z.int32(), note: z.string().default('') })
const Order = NewOrder.extend({ id: z.string(), at: z.date(), total: z.int64() })
type OrderOut = z.output<typeof Order>

const Orders = contract('test.types.v1', {
  place: call({
    input: NewOrder,
    output: Order,
    faults: {
      outOfStock: fault('failed_precondition', z.object({ left: z.int32() })),
      closed: fault('unavailable'),
    },
  }),
  cancel: call({ input: z.object({ id: z.string() }) }),
  ping: call({}),
  watch: call({ input: z.object({ sku: z.string().optional() }), output: stream(Order) }),
  import: call({ input: stream(NewOrder), output: z.object({ count: z.int32() }) }),
  haggle: call({
    input: stream(z.object({ bid: z.number() })),
    output: stream(z.object({ offer: z.number() })),
  }),
  placed: event({ payload: Order }),
})

const service = implement(Orders, {
  async place(order, ctx) {
    same<typeof order, { sku: string; quantity: number; note: string }>(true)
    same<IsAny<typeof ctx>, false>(true)
    same<typeof ctx.signal, AbortSignal>(true)
    if (order.quantity > 5) throw ctx.fault.outOfStock({ left: 5 })
    // @ts-expect-error a detail of another shape
    ctx.fault.outOfStock({ left: 'five' })
    // @ts-expect-error no such fault
    ctx.fault.outOfStok({ left: 5 })
    if (order.quantity === 4) throw ctx.fault.closed()
    return { ...order, id: 'o1', at: new Date(0), total: 3n }
  },
  cancel: ({ id }) => same<typeof id, string>(true),
  ping() {},
  async *watch({ sku }) {
    same<typeof sku, string | undefined>(true)
    yield { id: '1', sku: 'a', quantity: 1, at: new Date(0), total: 1n }
  },
  async import(orders) {
    same<typeof orders, AsyncIterable<{ sku: string; quantity: number; note: string }>>(true)
    return { count: 0 }
  },
  async *haggle(bids, ctx) {
    // @ts-expect-error an operation without faults has none
    ctx.fault.anything()
    for await (const { bid } of bids) yield { offer: bid * 2 }
  },
})

export async function usage(): Promise<void> {
  await using server = await serve(service, { port: 0 })
  await using orders = connect(Orders, server)
  same<typeof orders, Client<typeof Orders>>(true)
  same<IsAny<typeof orders.place>, false>(true)

  const placed = await orders.place({ sku: 'A1', quantity: 2 }, { timeout: '500ms' })
  same<typeof placed, OrderOut>(true)
  same<ReturnType<typeof orders.cancel>, Promise<void>>(true)
  await orders.ping()
  await orders.ping({ timeout: 5 })
  for await (const order of orders.watch()) same<typeof order, OrderOut>(true)
  for await (const { offer } of orders.haggle([{ bid: 1 }])) same<typeof offer, number>(true)
  same<Awaited<ReturnType<typeof orders.import>>, { count: number }>(true)
  await orders.placed.publish(placed)

  // @ts-expect-error a field is missing
  void orders.place({ sku: 'a' })
  // @ts-expect-error an input is needed
  void orders.cancel()
  // @ts-expect-error no such operation
  void orders.plaze({})
  // @ts-expect-error no such unit
  void orders.place({ sku: 'a', quantity: 1 }, { timeout: '5 parsecs' })
  // @ts-expect-error no such option
  void orders.place({ sku: 'a', quantity: 1 }, { timeot: 5 })
  // @ts-expect-error a stream is no promise
  void orders.watch({}).then

  // @ts-expect-error a handler is missing
  implement(Orders, { ping() {} })
  // @ts-expect-error no such option
  await serve(service, { prot: 7000 })
  // @ts-expect-error no such option
  connect(Orders, 'trunk://a', { timeot: 1 })
  // @ts-expect-error a contract, not its name
  connect('test.types.v1', 'trunk://a')

  const pair = await testPair(Orders, service, { over: 'trunk' })
  same<typeof pair.client, Client<typeof Orders>>(true)
}

export function errors(error: unknown): void {
  if (!isFault(error, Orders.place, 'outOfStock')) return
  same<typeof error.fault.detail, { left: number }>(true)
  same<typeof error.code, 'failed_precondition'>(true)
  error satisfies CallError
  // @ts-expect-error no such fault
  isFault(error, Orders.place, 'outOfStok')
}

/** A class serves as handlers. */
class Service {
  readonly #at = new Date()

  async ask(_input: void, ctx: Context): Promise<In<typeof Order>> {
    void ctx.deadline
    return { id: '', sku: '', quantity: 1, at: this.#at, total: 1n }
  }
}
const Small = contract('test.small.v1', { ask: call({ output: Order }) })
implement(Small, new Service())
same<keyof Handlers<typeof Small>, 'ask'>(true)
