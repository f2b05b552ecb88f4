import type { Call } from '../call/call.ts'
import { type Context, HandlerContext } from '../call/context.ts'
import { currentCall, iterateSyncWithin, iterateWithin } from '../call/current.ts'
import { type Filter, type Handler, type Reply, compose } from '../call/handler.ts'
import { type Contract, type OperationsOf, contractInfo } from '../contract/contract.ts'
import type { CallOperation, ContractInfo } from '../contract/operation.ts'
import type { ContextKind, HandlersIn } from '../contract/types.ts'
import { checkImplementing } from './implement-checks.ts'

interface ServerContext extends ContextKind {
  readonly context: Context<this['faults']>
}

/** The handlers of a contract's operations: every call must be there, tasks may be left out. */
export type Handlers<C> = HandlersIn<OperationsOf<C>, ServerContext>

/** Filters of one contract: around all its calls, and around some by name. The outer ones run first. */
export interface ImplementOptions<C> {
  /** Around every call of the contract. */
  readonly filters?: readonly Filter[]
  /** Around single calls, inside of `filters`. */
  readonly operations?: { readonly [K in keyof OperationsOf<C>]?: { readonly filters?: readonly Filter[] } }
}

const handlersOf: unique symbol = Symbol('trunkline.handlers')

/** A contract together with what answers its calls; made by `implement`, taken by `serve`. */
export interface Implementation<C = unknown> {
  readonly contract: C
  readonly info: ContractInfo
  /** One composed handler a call. */
  readonly [handlersOf]: ReadonlyMap<CallOperation, Handler>
}

/** For `serve`: the composed handlers of an implementation. */
export function implementedHandlers(implementation: Implementation): ReadonlyMap<CallOperation, Handler> {
  return implementation[handlersOf]
}

/**
 * Whether a value was made by `implement`, and so can be given to `serve`.
 *
 * @example
 * ```ts
 * import { call, contract, implement, isImplementation } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({}) })
 * assert.equal(isImplementation(implement(Ping, { ping() {} })), true)
 * assert.equal(isImplementation(Ping), false)
 * ```
 */
export function isImplementation(value: unknown): value is Implementation {
  return typeof value === 'object' && value !== null && handlersOf in value
}

/**
 * Joins a contract and the functions that answer its calls.
 *
 * @param contract What `contract()` returned.
 * @param handlers One function a call, `(input, ctx) => output`; an object or the instance of a class. Streamed inputs
 *   are `AsyncIterable`s; a streamed output is whatever can be iterated, such as an async generator.
 * @param options Filters of the contract and of single operations.
 * @throws TypeError when a call has no handler, a handler is no function or has no operation, or an option is wrong.
 *
 * @example
 * ```ts
 * import { call, contract, implement, serve } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Greeter = contract('acme.greeter.v1', {
 *   greet: call({ input: z.object({ name: z.string() }), output: z.object({ text: z.string() }) }),
 * })
 *
 * const greeter = implement(Greeter, { greet: ({ name }) => ({ text: `Hello ${name}` }) })
 * await using server = await serve(greeter, { port: 0 })
 * console.log(server.port > 0) // true
 * ```
 */
export function implement<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  options: ImplementOptions<C> = {},
): Implementation<C> {
  const info = contractInfo(contract)
  checkImplementing(info, handlers, options)

  const functions = handlers as Record<string, unknown>
  const composed = new Map<CallOperation, Handler>()
  const perOperation = (options.operations ?? {}) as Record<string, { readonly filters?: readonly Filter[] }>

  for (const operation of info.operations.values()) {
    if (operation.kind !== 'call') continue
    const run = functions[operation.name] as Method
    const filters = [...(options.filters ?? []), ...(perOperation[operation.name]?.filters ?? [])]
    composed.set(operation, compose(filters, methodHandler(operation, run, handlers)))
  }

  return { contract, info, [handlersOf]: composed }
}

type Method = (this: unknown, input: unknown, context: HandlerContext) => unknown

/** HOT PATH. From a call to the user's function and back; asynchronous only where the input or the function is. */
function methodHandler(operation: CallOperation, method: Method, receiver: unknown): Handler {
  const streamed = operation.output?.stream === true

  const finish = (call: Call, context: HandlerContext, output: unknown): Reply => {
    if (!streamed) return context.answer(operation.output === undefined ? undefined : output, false)
    return context.answer(iterable(call, output), true)
  }

  const run = (call: Call, input: unknown): Reply | Promise<Reply> => {
    const context = new HandlerContext(call)
    const output = method.call(receiver, input, context)
    return isPromiseLike(output)
      ? Promise.resolve(output).then((value) => finish(call, context, value))
      : finish(call, context, output)
  }

  return (call) => {
    const input = operation.input === undefined ? undefined : call.input()
    return isPromiseLike(input)
      ? (input as Promise<unknown>).then((value) => run(call, value))
      : run(call, input)
  }
}

function isPromiseLike(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

function iterable(call: Call, output: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof output === 'object' && output !== null) {
    const tracked = currentCall() !== undefined
    if (Symbol.asyncIterator in output) {
      const stream = output as AsyncIterable<unknown>
      return tracked ? iterateWithin(call, stream) : stream
    }
    if (Symbol.iterator in output) {
      const list = output as Iterable<unknown>
      // An array runs no code of anybody.
      return tracked && !Array.isArray(list) ? iterateSyncWithin(call, list) : list
    }
  }
  throw new TypeError(
    `${call.operation.id}: the output is a stream, so the handler must return something that can be iterated, ` +
      `got ${output === null ? 'null' : typeof output}`,
  )
}
