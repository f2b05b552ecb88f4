/** The methods of a server by their paths: `/acme.orders.v1.Orders/Place`. */
import type { CallError } from '../../call/error.ts'
import type { Host } from '../wire.ts'
import { unknownMethod } from './refusals.ts'
import { ServerMethod } from './server-method.ts'

export type Methods = Map<string, ServerMethod>

/** Throws TypeError when two operations are at one path. */
export function methodsOf(host: Host): Methods {
  const methods: Methods = new Map()
  for (const operation of host.operations.values()) {
    const path = `/${operation.grpc}`
    const other = methods.get(path)
    if (other !== undefined) {
      throw new TypeError(
        `${operation.id} and ${other.operation.id} are both the gRPC method ${operation.grpc}: give one of the ` +
          `contracts another service, contract(name, operations, { grpc: 'shop.Orders' })`,
      )
    }
    methods.set(path, new ServerMethod(operation, host.limits.depth))
  }
  return methods
}

/** What to say of a path that is none of these. */
export function unknownPath(methods: Methods, target: string): CallError {
  const service = target.slice(0, target.lastIndexOf('/') + 1)
  const isService = service.length > 2 && [...methods.keys()].some((path) => path.startsWith(service))
  return unknownMethod(target, isService)
}
