/** The wires there are by default. A new one is a folder beside this file and a line here. */
import { connectRpc } from './connect/index.ts'
import { grpc } from './grpc/index.ts'
import { grpcWeb } from './grpc-web/index.ts'
import { rest } from './rest/index.ts'
import { trunk } from './trunk/index.ts'
import type { Wire } from './wire.ts'

/**
 * What `serve` and `connect` use when nobody says otherwise.
 *
 * @example
 * ```ts
 * import { defaultWires } from 'trunkline/wires'
 *
 * console.log(defaultWires().map(({ name }) => name)) // [ 'trunk', 'grpc', 'grpc-web', 'connect', 'rest' ]
 * ```
 */
export function defaultWires(): readonly Wire[] {
  return [trunk(), grpc(), grpcWeb(), connectRpc(), rest()]
}
