/** A contract with one operation for every behaviour that the suite looks at. */
import { call, contract, fault, stream } from 'trunkline'
import * as z from 'zod'
import { FailureCode } from '../../examples/orders/contract.ts'

export const Item = z.object({ n: z.int32(), text: z.string() }).meta({ id: 'Item' })

/** All status codes. */
export const codes = FailureCode.options

export const Probe = contract('test.probe.v1', {
  echo: call({ input: Item, output: Item }),
  nothing: call({}),
  bytes: call({
    input: z.object({ data: z.instanceof(Uint8Array) }),
    output: z.object({ data: z.instanceof(Uint8Array) }),
  }),
  bounded: call({
    input: z.object({
      quantity: z.int32().min(1),
      even: z.int32().refine((n) => n % 2 === 0, 'must be even'),
    }),
    output: z.object({ quantity: z.int32() }),
  }),
  defaults: call({
    input: z.object({ name: z.string().default('nobody'), times: z.int32().optional() }),
    output: z.object({ name: z.string(), times: z.int32().nullable() }),
  }),
  fail: call({ input: z.object({ code: z.enum(codes), message: z.string() }), output: Item }),
  faults: call({
    input: z.object({ which: z.string() }),
    output: Item,
    faults: {
      plain: fault('aborted'),
      detailed: fault('failed_precondition', z.object({ at: z.date(), left: z.int64() }), { http: 409 }),
      renamed: fault('not_found', z.object({ path: z.array(z.string()) }), { http: 410 }),
    },
  }),
  explode: call({ input: z.object({ how: z.enum(['throw', 'shape', 'string', 'never']) }), output: Item }),
  wait: call({ input: z.object({ id: z.string() }) }),
  metadata: call({ output: z.object({ seen: z.record(z.string(), z.array(z.string())) }) }),
  deadline: call({ output: z.object({ milliseconds: z.number().nullable() }) }),

  count: call({ input: z.object({ to: z.int32(), failAt: z.int32().optional() }), output: stream(Item) }),
  endless: call({ input: z.object({ size: z.int32() }), output: stream(Item) }),
  sum: call({ input: stream(Item), output: z.object({ count: z.int32(), sum: z.int32() }) }),
  unread: call({ input: stream(Item), output: z.object({ read: z.int32() }) }),
  transform: call({ input: stream(Item), output: stream(Item) }),
})
