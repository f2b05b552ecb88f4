import type { CallDeclaration } from '../contract/call.ts'
import type { CallOperation } from '../contract/operation.ts'
import type { Thrown } from '../contract/types.ts'
import { CallError } from './error.ts'

/**
 * Whether an error is a certain declared fault of an operation; if so, TypeScript knows its code and detail.
 *
 * @param error Anything that was caught.
 * @param operation The operation as the contract has it: `Orders.place`.
 * @param name The fault's name in that operation.
 *
 * @example
 * ```ts
 * import { call, CallError, contract, fault, isFault } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Stock = contract('acme.stock.v1', {
 *   take: call({ faults: { outOfStock: fault('failed_precondition', z.object({ left: z.int32() })) } }),
 * })
 *
 * const error: unknown = new CallError('failed_precondition', '', { fault: { name: 'outOfStock', detail: { left: 2 } } })
 * if (isFault(error, Stock.take, 'outOfStock')) console.log(error.fault.detail.left) // 2
 * ```
 */
export function isFault<T extends CallDeclaration, K extends keyof T['faults'] & string>(
  error: unknown,
  operation: T,
  name: K,
): error is CallError & Thrown<T, K> {
  return CallError.is(error) && error.fault?.name === name && Object.hasOwn(operation.faults, name)
}

type FaultConstructor = (detail?: unknown, message?: string) => CallError

const constructors = new WeakMap<CallOperation, Readonly<Record<string, FaultConstructor>>>()

/** `ctx.fault` of an operation: one function a declared fault, made once. */
export function faultConstructors(operation: CallOperation): Readonly<Record<string, FaultConstructor>> {
  let made = constructors.get(operation)
  if (made !== undefined) return made

  made = Object.fromEntries(
    Object.values(operation.faults).map(({ name, code, detail, http, doc }) => {
      const construct: FaultConstructor = (first, second) => {
        const [value, message] =
          detail === undefined ? [undefined, first as string | undefined] : [first, second]
        return new CallError(code, message ?? doc ?? name, { fault: { name, detail: value }, http })
      }
      return [name, construct]
    }),
  )

  constructors.set(operation, made)
  return made
}
