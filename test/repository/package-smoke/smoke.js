// A user's program in plain JavaScript: a contract, a server on a free port, a client over every wire, one call each.

import assert from 'node:assert/strict'
import { call, CallError, connect, contract, fault, implement, isFault, serve, stream } from 'trunkline'
import * as z from 'zod'

const Orders = contract('acme.orders.v1', {
  place: call({
    input: z.object({ sku: z.string(), quantity: z.int32().min(1), at: z.date(), big: z.bigint() }),
    output: z.object({ sku: z.string(), quantity: z.int32(), at: z.date(), big: z.bigint() }),
    faults: { outOfStock: fault('failed_precondition', z.object({ left: z.int32() })) },
    rest: 'POST /orders',
  }),
  count: call({ input: z.object({ to: z.int32() }), output: stream(z.object({ n: z.int32() })) }),
})

const orders = implement(Orders, {
  place(order, ctx) {
    if (order.quantity > 5) throw ctx.fault.outOfStock({ left: 5 })
    return order
  },
  async *count({ to }) {
    for (let n = 1; n <= to; n++) yield { n }
  },
})

const server = await serve(orders, { port: 0 })

for (const scheme of ['trunk', 'http']) {
  const client = connect(Orders, `${scheme}://127.0.0.1:${server.port}`)
  const order = { sku: 'A1', quantity: 2, at: new Date(1_700_000_000_000), big: 9_007_199_254_740_993n }
  assert.deepEqual({ ...(await client.place(order)) }, order)

  const seen = []
  for await (const { n } of client.count({ to: 3 })) seen.push(n)
  assert.deepEqual(seen, [1, 2, 3])

  await assert.rejects(client.place({ ...order, quantity: 9 }), (error) => {
    return isFault(error, Orders.place, 'outOfStock') && error.fault.detail.left === 5
  })
  await assert.rejects(client.place({ ...order, quantity: 0 }), (error) => {
    return error instanceof CallError && error.code === 'invalid_argument'
  })

  await client[Symbol.asyncDispose]()
}

await server.close()
console.log(`works ${server.port}`)
