import { checkDeclared } from './check-declared.ts'
import type { AnySchema } from './standard.ts'

/** A declared collection. */
export interface CollectionDeclaration<K extends AnySchema = AnySchema, V extends AnySchema = AnySchema> {
  readonly kind: 'collection'
  readonly key: K
  readonly value: V
  readonly options: CollectionSettings
}

export interface CollectionSettings {
  /** The topic's name when it shall not be `<contract>.<operation>`. */
  readonly topic?: string
  readonly scopes?: readonly string[]
  readonly doc?: string
  readonly deprecated?: boolean
}

/**
 * Declares a collection: values by key that are kept in step on every side.
 *
 * @param declaration `key`: a scalar's schema; `value`: what is kept
 *
 * @example
 * ```ts
 * import { collection, contract } from 'trunkline'
 * import * as z from 'zod'
 *
 * export const Orders = contract('acme.orders.v1', {
 *   stock: collection({ key: z.string(), value: z.object({ left: z.int32() }) }),
 * })
 * ```
 */
export function collection<K extends AnySchema, V extends AnySchema>(
  declaration: CollectionSettings & { readonly key: K; readonly value: V },
): CollectionDeclaration<K, V> {
  checkDeclared(declaration, 'collection({ key: z.string(), value: z.object({ left: z.int32() }) })')
  const { key, value, ...options } = declaration

  return { kind: 'collection', key, value, options }
}
