/** What gRPC-Web can carry. */
import type { Operation } from '../../contract/operation.ts'

/** `true`, or why not. */
export function supports({ kind, id, ...operation }: Operation): true | string {
  if (kind !== 'call')
    return `${id} is ${kind === 'event' ? 'an event' : `a ${kind}`}; gRPC-Web carries calls`
  if ('input' in operation && operation.input?.stream === true) {
    return `${id} streams its input, which gRPC-Web cannot; use gRPC, Connect or trunk`
  }
  return true
}
