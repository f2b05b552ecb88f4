import type { AnySchema } from './standard.ts'
import type { StatusCode } from './status.ts'

/** An error that a contract declares. */
export interface Fault<
  C extends StatusCode = StatusCode,
  D extends AnySchema | undefined = AnySchema | undefined,
> {
  readonly kind: 'fault'
  readonly code: C
  readonly detail: D
  readonly options: FaultOptions
}

export type Faults = Readonly<Record<string, Fault>>

/** What a fault can say besides its code and detail. */
export interface FaultOptions {
  /** The HTTP status when it shall not be the code's own: 400 to 599. */
  readonly http?: number
  readonly doc?: string
}

/**
 * Declares a fault: an error that callers are meant to handle, with a status code and, if there is one, typed detail.
 * A handler throws it with `throw ctx.fault.outOfStock({ … })`; a caller recognises it with `isFault`.
 *
 * @param code gRPC's status code in snake_case; it decides the HTTP status, the SOAP fault code and whether a message in
 *   a queue is retried
 * @param detail the schema of what the fault carries
 * @param options `http`: another HTTP status than the code's; `doc`: when it happens
 *
 * @example
 * ```ts
 * import { call, contract, fault } from 'trunkline'
 * import * as z from 'zod'
 *
 * export const Stock = contract('acme.stock.v1', {
 *   take: call({
 *     input: z.object({ sku: z.string() }),
 *     faults: {
 *       outOfStock: fault('failed_precondition', z.object({ left: z.int32() }), { http: 409 }),
 *       closed: fault('unavailable'),
 *     },
 *   }),
 * })
 * ```
 */
// Overloads, not an optional parameter: the contextual type inside `faults: { … }` would make a left-out detail `AnySchema`.
export function fault<const C extends StatusCode>(
  code: C,
  detail?: undefined,
  options?: FaultOptions,
): Fault<C, undefined>
export function fault<const C extends StatusCode, D extends AnySchema>(
  code: C,
  detail: D,
  options?: FaultOptions,
): Fault<C, D>
export function fault(code: StatusCode, detail?: AnySchema, options: FaultOptions = {}): Fault {
  return { kind: 'fault', code, detail, options }
}
