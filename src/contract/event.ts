import { checkDeclared } from './check-declared.ts'
import type { AnySchema, In } from './standard.ts'

/** A declared event. */
export interface EventDeclaration<P extends AnySchema = AnySchema> {
  readonly kind: 'event'
  readonly payload: P
  readonly options: EventSettings
}

export interface EventSettings {
  readonly orderBy?: string
  /** The topic's name when it shall not be `<contract>.<operation>`. */
  readonly topic?: string
  readonly scopes?: readonly string[]
  readonly doc?: string
  readonly deprecated?: boolean
}

/**
 * Declares an event: something that happened, published to whoever subscribes.
 *
 * @param declaration `payload`: its schema; `orderBy`: the field whose value keeps events in order, events with the same
 *   value arrive one after the other
 *
 * @example
 * ```ts
 * import { contract, event } from 'trunkline'
 * import * as z from 'zod'
 *
 * export const Orders = contract('acme.orders.v1', {
 *   placed: event({ payload: z.object({ id: z.string(), at: z.date() }), orderBy: 'id' }),
 * })
 * ```
 */
export function event<P extends AnySchema>(
  declaration: Omit<EventSettings, 'orderBy'> & {
    readonly payload: P
    readonly orderBy?: keyof In<P> & string
  },
): EventDeclaration<P> {
  checkDeclared(declaration, 'event({ payload: z.object({ id: z.string() }) })')
  const { payload, ...options } = declaration

  return { kind: 'event', payload, options }
}
