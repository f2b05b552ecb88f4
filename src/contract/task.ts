import { checkDeclared } from './check-declared.ts'
import type { AnySchema } from './standard.ts'

type Part = AnySchema | undefined

/** A declared task. */
export interface TaskDeclaration<I extends Part = Part, O extends Part = Part> {
  readonly kind: 'task'
  readonly input: I
  readonly output: O
  readonly options: TaskSettings
}

export interface TaskSettings {
  /** The topic's name when it shall not be `<contract>.<operation>`. */
  readonly topic?: string
  readonly scopes?: readonly string[]
  readonly doc?: string
  readonly deprecated?: boolean
}

/**
 * Declares a task: durable work that some worker does once, later, and whose result can be asked for.
 *
 * @param declaration `input`: what the worker needs; `output`: what it answers, if anything
 *
 * @example
 * ```ts
 * import { contract, task } from 'trunkline'
 * import * as z from 'zod'
 *
 * export const Orders = contract('acme.orders.v1', {
 *   invoice: task({ input: z.object({ order: z.string() }), output: z.object({ url: z.string() }) }),
 * })
 * ```
 */
export function task<I extends Part = undefined, O extends Part = undefined>(
  declaration: TaskSettings & { readonly input?: I; readonly output?: O } = {},
): TaskDeclaration<I, O> {
  checkDeclared(declaration, 'task({ input: z.object({ id: z.string() }) })')
  const { input, output, ...options } = declaration

  return { kind: 'task', input: input as I, output: output as O, options }
}
