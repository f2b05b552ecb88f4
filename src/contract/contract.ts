import { ContractError } from './contract-error.ts'
import type { ContractOptions, Declaration } from './declaration.ts'
import type { ContractInfo } from './operation.ts'
import { resolve } from './resolve.ts'

/**
 * Deliberately no `Record<string, Declaration>`: that would be the contextual return type of `call({…})` inside
 * `contract(…)`, and TypeScript would then infer a left-out `output` as `Shape` and left-out `faults` as
 * `Record<string, Fault>` (so that `ctx.fault.anything()` compiles and an `any` gets out) instead of the defaults.
 */
export type Operations = Readonly<Record<string, { readonly kind: Declaration['kind'] }>>

/** The symbol behind which a contract keeps everything but its operations, so that no name is taken from them. */
export const about: unique symbol = Symbol.for('trunkline.contract')

/** What is behind `about`. */
export interface About<O = Operations, N extends string = string> {
  readonly name: N
  readonly operations: O
  readonly info: ContractInfo
}

/** A declared contract: its operations under their own names. */
export type Contract<O extends Operations = Operations, N extends string = string> = {
  readonly [about]: About<O, N>
} & O

/** The bare operations of a contract, for homomorphic maps without a key filter. */
export type OperationsOf<C> = C extends { readonly [about]: { readonly operations: infer O } } ? O : never

/** `then` would make every client a thenable. Other names that cannot be are refused when the contract is declared. */
type Refused<O> = 'then' extends keyof O
  ? {
      readonly then: { readonly error: "an operation cannot be called 'then': a client would be a thenable" }
    }
  : unknown

/**
 * Declares a contract: a named set of operations that two servers agree on.
 *
 * @param name lower-case, dotted, with the version last: `acme.orders.v1`
 * @param operations what `call`, `event`, `task` and `collection` declared, under their names
 * @param options the lock with the field numbers, and names for foreign peers; see `ContractOptions`
 * @throws ContractError when a name, a schema, a route or the lock is wrong; the message says what, where and what to do
 *
 * @example
 * ```ts
 * import { call, contract } from 'trunkline'
 * import * as z from 'zod'
 *
 * export const Greeter = contract('acme.greeter.v1', {
 *   greet: call({
 *     input: z.object({ name: z.string() }),
 *     output: z.object({ text: z.string() }),
 *     rest: 'GET /greetings/{name}',
 *     idempotency: 'safe',
 *   }),
 * })
 * ```
 */
export function contract<const N extends string, O extends Operations>(
  name: N,
  operations: O & Refused<O>,
  options: ContractOptions = {},
): Contract<O, N> {
  const info = resolve(name, operations as unknown as Readonly<Record<string, Declaration>>, options)
  const behind: About<O, N> = Object.freeze({ name, operations, info })

  return Object.freeze({ ...operations, [about]: behind }) as unknown as Contract<O, N>
}

/**
 * What a contract resolves to: names, types, numbers and routes, as wires and documents read them.
 *
 * @throws ContractError when the value is no contract
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({}) })
 * assert.equal(contractInfo(Ping).grpcService, 'acme.ping.v1.Ping')
 * ```
 */
export function contractInfo(declared: { readonly [about]: About<unknown> }): ContractInfo {
  const info = (declared as Partial<typeof declared> | undefined)?.[about]?.info
  if (info === undefined)
    throw new ContractError(
      'contract_option',
      'expected a contract, as contract(name, operations) returns it',
    )
  return info
}

/**
 * Whether a value is a declared contract, of this copy of the library or of another.
 *
 * @example
 * ```ts
 * import { call, contract, isContract } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(isContract(contract('acme.ping.v1', { ping: call({}) })), true)
 * assert.equal(isContract({ ping: call({}) }), false)
 * ```
 */
export function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null) return false
  return (value as Partial<Contract>)[about]?.info !== undefined
}
