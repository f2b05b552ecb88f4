// The reference work as a contract.

import * as z from 'zod'
import { type Handlers, call, contract, stream } from '../../src/index.ts'
import lock from './trunkline.lock.json' with { type: 'json' }

/** The reference Order's schema. */
export const Order = z.object({
  id: z.string(),
  sku: z.string(),
  quantity: z.int32(),
  price: z.number(),
  note: z.string(),
  tags: z.array(z.string()),
})

const Blob = z.object({ data: z.instanceof(Uint8Array) })

/** The Order comes back, and what else the gRPC scenarios do: peers/go-echo/echo.proto has the same. */
export const Echo = contract(
  'bench.echo.v1',
  {
    echo: call({ input: Order, output: Order, rest: 'POST /echo' }),
    blob: call({ input: Blob, output: Blob }),
    repeat: call({ input: z.object({ count: z.int32(), order: Order }), output: stream(Order) }),
    collect: call({ input: stream(Order), output: z.object({ count: z.int32() }) }),
  },
  { lock },
)

export const handlers: Handlers<typeof Echo> = {
  echo: (order) => order,
  blob: (blob) => blob,
  *repeat({ count, order }) {
    for (let i = 0; i < count; i++) yield order
  },
  async collect(orders) {
    let count = 0
    for await (const order of orders) if (order.quantity > 0) count++
    return { count }
  },
}
