/**
 * A contract that has no form in one set of .proto files.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import { ProtoConflict, exportProto } from 'trunkline/wires'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const of = (name: string, grpc: string, schema: z.ZodType) =>
 *   contractInfo(contract(name, { ask: call({ input: schema }) }, { grpc }))
 * const Text = z.object({ a: z.string() }).meta({ id: 'Thing' })
 * const Whole = z.object({ a: z.int32() }).meta({ id: 'Thing' })
 * assert.throws(
 *   () => exportProto([of('acme.one', 'acme.v1.One', Text), of('acme.two', 'acme.v1.Two', Whole)]),
 *   ProtoConflict,
 * )
 * ```
 */
export class ProtoConflict extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtoConflict'
  }
}
