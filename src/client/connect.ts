import { type About, type Contract, type OperationsOf, about, contractInfo } from '../contract/contract.ts'
import type { Members } from '../contract/types.ts'
import { type ConnectOptions, type ConnectTarget, openClient } from './open-client.ts'
import { endWith } from './disconnect.ts'

export type { ConnectOptions, ConnectTarget } from './open-client.ts'

/** A client: one method a call, typed by the contract. Ends with `await using` or `disconnect`. */
export type Client<C> = Members<OperationsOf<C>> &
  AsyncDisposable & { readonly [about]: About<OperationsOf<C>> }

/**
 * Makes a client of a contract. Connects when the first call is made, and again whenever the connection was lost.
 *
 * @param contract What `contract()` returned.
 * @param target A URL whose scheme is the wire (`trunk://`, `grpc://`, `http://`; with TLS `trunks://`, `grpcs://`,
 *   `https://`; `trunk+unix://` and the like); several of them, over which calls are balanced; or a server of this process.
 * @param options See `ConnectOptions`.
 * @returns A method a call. Every method throws `CallError` and nothing else.
 * @throws TypeError for a mistake in target or options. An operation that no wire of the target can carry is refused when it
 *   is called, `unimplemented` with the reason.
 *
 * @example
 * ```ts
 * import { call, connect, contract, implement, serve } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Doubler = contract('acme.doubler.v1', {
 *   double: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
 * })
 *
 * await using server = await serve(implement(Doubler, { double: ({ n }) => ({ n: n * 2 }) }), { port: 0 })
 * await using client = connect(Doubler, [`trunk://127.0.0.1:${server.port}`, `http://127.0.0.1:${server.port}`])
 * console.log((await client.double({ n: 21 }, { timeout: '500ms' })).n) // 42
 * ```
 */
export function connect<C extends Contract>(
  contract: C,
  target: ConnectTarget,
  options: ConnectOptions = {},
): Client<C> {
  const { members, end } = openClient(contractInfo(contract), target, options)

  const client: Record<PropertyKey, unknown> = {}
  for (const [name, value] of members) Object.defineProperty(client, name, { value, enumerable: true })

  client[Symbol.asyncDispose] = () => end(10_000)
  client[about] = contract[about]
  endWith(client, end)
  return Object.freeze(client) as Client<C>
}
