// What services really meet, as a contract: all four kinds, large messages, faults, calls that wait until they are given up.

import * as z from 'zod'
import { type Handlers, call, contract, fault, stream } from '../../src/index.ts'
import { Order } from './echo-contract.ts'
import lock from './trunkline.lock.json' with { type: 'json' }

const Blob = z.object({ data: z.instanceof(Uint8Array) })
const Count = z.object({ count: z.int32() })

export const Mixed = contract(
  'bench.mixed.v1',
  {
    echo: call({ input: Order, output: Order }),
    blob: call({ input: Blob, output: Blob }),
    refuse: call({
      input: Order,
      faults: { soldOut: fault('failed_precondition', z.object({ left: z.int32() })) },
    }),
    /** Answers never. */
    wait: call({ input: Order }),
    repeat: call({ input: z.object({ count: z.int32(), order: Order }), output: stream(Order) }),
    collect: call({ input: stream(Order), output: Count }),
    converse: call({ input: stream(Order), output: stream(Order) }),
    /** One Order, and then nothing more. */
    watch: call({ input: Order, output: stream(Order) }),
  },
  { lock },
)

/** What all who watch wait for. */
const news = Promise.withResolvers<void>()

export const handlers: Handlers<typeof Mixed> = {
  echo(order, ctx) {
    const page = ctx.metadata.get('x-page')
    if (page !== undefined) ctx.reply.trailers.set('x-page', page)
    return order
  },
  blob: (blob) => blob,
  refuse(_, ctx) {
    throw ctx.fault.soldOut({ left: 3 })
  },
  wait: (_, ctx) =>
    new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(), { once: true })),
  *repeat({ count, order }) {
    for (let i = 0; i < count; i++) yield order
  },
  async collect(orders) {
    let count = 0
    for await (const order of orders) if (order.quantity > 0) count++
    return { count }
  },
  converse: (orders) => orders,
  async *watch(order) {
    yield order
    await news.promise
  },
}
