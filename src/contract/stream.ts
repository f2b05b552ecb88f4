import type { AnySchema } from './standard.ts'

/** Many values of one schema, one after the other: a call's input, its output, or both. */
export interface Stream<S extends AnySchema = AnySchema> {
  readonly kind: 'stream'
  readonly of: S
}

/**
 * Declares that a call's input or output is a stream of values.
 *
 * @param of the schema of one element
 *
 * @example
 * ```ts
 * import { call, contract, stream } from 'trunkline'
 * import * as z from 'zod'
 *
 * export const Clock = contract('acme.clock.v1', {
 *   watch: call({ input: z.object({ every: z.int32() }), output: stream(z.object({ at: z.date() })) }),
 * })
 * ```
 */
export function stream<S extends AnySchema>(of: S): Stream<S> {
  return { kind: 'stream', of }
}
