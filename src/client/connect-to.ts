/** Clients of contracts that are known at run time only. */
import { nearest } from '../contract/nearest.ts'
import type { ContractInfo } from '../contract/operation.ts'
import type { CallOptions } from '../contract/types.ts'
import { endWith } from './disconnect.ts'
import { type ConnectOptions, type ConnectTarget, openClient } from './open-client.ts'

/** A client without TypeScript's knowledge of the contract: operations by their names. */
export interface UntypedClient extends AsyncDisposable {
  /** Calls an operation whose output is one value, or none. */
  call(operation: string, input?: unknown, options?: CallOptions): Promise<unknown>
  /** Calls an operation whose output is a stream. */
  stream(operation: string, input?: unknown, options?: CallOptions): AsyncIterable<unknown>
}

/**
 * Makes a client of a contract that is known at run time only: of `describeServer`, or of a stored description.
 *
 * @param info What `contractInfo`, `fromDescription` or `describeServer` returned.
 * @param target As for `connect`.
 * @param options As for `connect`.
 * @returns A client whose `call` and `stream` take an operation's name. Both throw TypeError for a name that the contract
 *   does not have, or whose output is of the other kind, and `CallError` for what goes wrong with a call.
 * @throws TypeError when a URL has no wire.
 *
 * @example
 * ```ts
 * import { call, connectTo, contract, contractInfo, describe, fromDescription, implement, serve } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Doubler = contract('acme.doubler.v1', {
 *   double: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
 * })
 * const stored = JSON.stringify(describe(contractInfo(Doubler)))
 *
 * await using server = await serve(implement(Doubler, { double: ({ n }) => ({ n: n * 2 }) }), { port: 0 })
 * await using client = connectTo(fromDescription(JSON.parse(stored)), `trunk://127.0.0.1:${server.port}`)
 * console.log(await client.call('double', { n: 21 })) // { n: 42 }
 * ```
 */
export function connectTo(
  info: ContractInfo,
  target: ConnectTarget,
  options: ConnectOptions = {},
): UntypedClient {
  const { members, end } = openClient(info, target, options)

  function method(name: string, streamed: boolean): UntypedMethod {
    const operation = info.operations.get(name)
    if (operation?.kind !== 'call') {
      const calls = [...info.operations.values()].filter(({ kind }) => kind === 'call')
      const names = calls.map((each) => each.name)
      const near = nearest(name, names)
      throw new TypeError(
        `${info.name} has no call '${name}'; ${near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`}`,
      )
    }
    if ((operation.output?.stream === true) !== streamed) {
      const [kind, fitting] = streamed ? ['one value', 'call'] : ['a stream', 'stream']
      throw new TypeError(`${operation.id} answers ${kind}: use ${fitting}('${name}', …)`)
    }
    return members.get(name) as UntypedMethod
  }

  const client: UntypedClient = {
    async call(operation, input, callOptions) {
      return method(operation, false)(input, callOptions)
    },
    stream: (operation, input, callOptions) =>
      method(operation, true)(input, callOptions) as AsyncIterable<unknown>,
    [Symbol.asyncDispose]: () => end(10_000),
  }

  endWith(client, end)
  return Object.freeze(client)
}

type UntypedMethod = (input: unknown, options: CallOptions | undefined) => unknown
