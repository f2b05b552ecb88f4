// The same with the built package: a contract of one call, served on trunk and REST.
import * as z from 'zod'
import { call, contract, implement, serve } from '../../dist/index.js'

const Order = z.object({ id: z.string(), sku: z.string(), quantity: z.int32() })
const Orders = contract('acme.orders.v1', {
  place: call({ input: Order, output: Order, rest: 'POST /orders' }),
})

await serve(implement(Orders, { place: (order) => order }), { port: 0 })
console.log('ready')
