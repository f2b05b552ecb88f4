// The reference work as a contract.

import * as z from 'zod'
import { call, contract } from '../../src/index.ts'
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

/** One call: the Order comes back. */
export const Echo = contract(
  'bench.echo.v1',
  { echo: call({ input: Order, output: Order, rest: 'POST /echo' }) },
  { lock },
)
