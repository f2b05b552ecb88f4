/** `trunkline/testing`: for users' own tests. */
import { type Client, type ConnectOptions, connect } from '../client/connect.ts'
import type { Contract } from '../contract/contract.ts'
import type { Implementation } from '../server/implement.ts'
import type { ServeOptions } from '../server/options.ts'
import { type Server, serve } from '../server/serve.ts'

/** A server and a client of it; ends both with `await using`. */
export interface TestPair<C> extends AsyncDisposable {
  readonly server: Server
  readonly client: Client<C>
}

/** What `testPair` can be told. */
export interface TestPairOptions {
  /** How the client reaches the server: within the process, or over a wire's scheme and a real socket. Default: within. */
  readonly over?: 'in-process' | (string & {})
  readonly serve?: ServeOptions
  readonly connect?: ConnectOptions
}

/**
 * Serves an implementation on a free port of loopback and connects to it, for the length of a test.
 *
 * @param contract The contract of the implementation.
 * @param implementation What `implement` returned.
 * @param options `over`: `'in-process'` (default), or a scheme such as `'trunk'` or `'http'`, or `'trunk+unix'` with a
 *   `path` for the server; and options of both sides.
 * @returns Server and client, which end with `await using`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { call, contract, implement } from 'trunkline'
 * import { testPair } from 'trunkline/testing'
 * import * as z from 'zod'
 *
 * const Doubler = contract('acme.doubler.v1', {
 *   double: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
 * })
 *
 * await using pair = await testPair(Doubler, implement(Doubler, { double: ({ n }) => ({ n: 2 * n }) }), { over: 'trunk' })
 * assert.deepEqual(await pair.client.double({ n: 21 }), { n: 42 })
 * ```
 */
export async function testPair<C extends Contract>(
  contract: C,
  implementation: Implementation<C>,
  options: TestPairOptions = {},
): Promise<TestPair<C>> {
  const { over = 'in-process' } = options
  const onSocket = options.serve?.path !== undefined
  const server = await serve(implementation, onSocket ? options.serve : { port: 0, ...options.serve })
  let client: Client<C>

  try {
    const url = `${over}://${server.address.path ?? server.authority}`
    client = connect(contract, over === 'in-process' ? server : url, options.connect)
  } catch (error) {
    await server.close({ grace: 0 })
    throw error
  }

  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

/**
 * Collects a stream.
 *
 * @param stream What a call with a streamed output returned.
 * @param limit At most so many messages; then the stream is ended. Default 10,000.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { collect } from 'trunkline/testing'
 *
 * async function* numbers() {
 *   for (let n = 0; ; n++) yield n
 * }
 * assert.deepEqual(await collect(numbers(), 3), [0, 1, 2])
 * ```
 */
export async function collect<T>(stream: AsyncIterable<T>, limit = 10_000): Promise<T[]> {
  const messages: T[] = []
  if (limit <= 0) return messages
  for await (const message of stream) {
    messages.push(message)
    if (messages.length === limit) break
  }
  return messages
}
