import { checkDeclared } from './check-declared.ts'
import type { Duration } from './duration.ts'
import type { Faults } from './fault.ts'
import type { Idempotency } from './operation.ts'
import type { CheckedRest, RestOptions } from './rest-types.ts'
import type { AnySchema } from './standard.ts'
import type { Stream } from './stream.ts'

/** What one direction of a call carries: a value, a stream of values, or nothing. */
export type Shape = AnySchema | Stream | undefined

/** A declared call. An interface, so that hovers and errors print `CallDeclaration<…>` and not its expansion. */
export interface CallDeclaration<
  I extends Shape = Shape,
  O extends Shape = Shape,
  F extends Faults = Faults,
> {
  readonly kind: 'call'
  readonly input: I
  readonly output: O
  readonly faults: F
  readonly options: CallWritten
}

/** What a call can say besides its schemas. */
export interface CallSettings {
  /** The scopes that a caller must have, all of them. */
  readonly scopes?: readonly string[]
  /** `safe` changes nothing; `idempotent` may be repeated; `keyed` may be repeated with its idempotency key. */
  readonly idempotency?: Idempotency
  /** How long a call may take when the caller says nothing: milliseconds or `'500ms'`. */
  readonly timeout?: Duration
  readonly doc?: string
  readonly deprecated?: boolean
  /** The full name on gRPC when a foreign peer has chosen it: `shop.Orders/PlaceOrder`. */
  readonly grpc?: `${string}/${string}`
  /** The SOAPAction and the name of the request's element. */
  readonly soap?: { readonly action?: string; readonly element?: string }
}

interface RestSetting {
  readonly rest?: string | RestOptions
}

/** All that was written in `call({ … })` besides its schemas, as the resolver reads it. */
export type CallWritten = CallSettings & RestSetting

/**
 * Declares a call: one request and one answer, either of which may be a stream.
 *
 * @param declaration `input` and `output`: a schema, `stream(schema)`, or left out when there is nothing; `faults`: errors
 *   that callers handle; `rest`: a route such as `'GET /orders/{id}'`, or an object with status, location, headers, query
 *   and body; the rest is described at `CallSettings`
 *
 * @example
 * ```ts
 * import { call, contract, fault } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Order = z.object({ id: z.string(), sku: z.string() })
 *
 * export const Orders = contract('acme.orders.v1', {
 *   get: call({
 *     input: z.object({ id: z.string() }),
 *     output: Order,
 *     faults: { gone: fault('not_found') },
 *     rest: 'GET /orders/{id}',
 *     idempotency: 'safe',
 *   }),
 * })
 * ```
 */
export function call<
  I extends Shape = undefined,
  O extends Shape = undefined,
  F extends Faults = {},
  const R extends string | RestOptions = never,
>(
  declaration: CallSettings & {
    readonly input?: I
    readonly output?: O
    readonly faults?: F
    readonly rest?: R & CheckedRest<R, I, O>
  } = {},
): CallDeclaration<I, O, F> {
  checkDeclared(declaration, 'call({ input: z.object({ id: z.string() }) })')
  const { input, output, faults, ...options } = declaration

  return {
    kind: 'call',
    input: input as I,
    output: output as O,
    faults: (faults === undefined ? {} : faults) as F,
    options,
  }
}
