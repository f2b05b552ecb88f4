import { checkGrace } from '../call/options.ts'

const endings = new WeakMap<object, (grace: number) => Promise<void>>()

/** Remembers how a client ends. */
export function endWith(client: object, end: (grace: number) => Promise<void>): void {
  endings.set(client, end)
}

/**
 * Closes a client: refuses new calls, waits for the open ones, and closes its connections. A function and not a method,
 * since every name on a client belongs to its contract.
 *
 * @param client What `connect` returned.
 * @param options `grace`: how long open calls may still take, in milliseconds; default 10 000. Then they are cut.
 *
 * @example
 * ```ts
 * import { call, connect, contract, disconnect } from 'trunkline'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({}) })
 * const client = connect(Ping, 'trunk://127.0.0.1:7000')
 * await disconnect(client, { grace: 1_000 })
 * ```
 */
export async function disconnect(
  client: AsyncDisposable,
  options: { readonly grace?: number } = {},
): Promise<void> {
  const end = endings.get(client)
  if (end === undefined) throw new TypeError('disconnect: expected a client, as connect() returns it')
  await end(checkGrace('disconnect', options.grace ?? 10_000))
}
