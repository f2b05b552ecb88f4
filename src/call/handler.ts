import type { Call } from './call.ts'
import type { Metadata } from './metadata.ts'

/**
 * What a handler answers. `metadata` goes before the first message: a wire sends it with that message, or alone when the
 * stream has not begun within a turn of the event loop, so what a generator sets before its first `await` or `yield` goes
 * along. `trailers` is complete once the output has ended, so a streaming handler may add to it until then.
 */
export interface Reply {
  /** The value, or, of a streamed output, an AsyncIterable or Iterable. */
  readonly output: unknown
  readonly metadata: Metadata | undefined
  readonly trailers: Metadata | undefined
}

/** Answers a call. Fails by throwing or rejecting with a `CallError`. */
export type Handler = (call: Call) => Reply | Promise<Reply>

/**
 * Wraps a handler into another; the same on server and client. Composed once, when a server or client is made.
 *
 * What happens before goes before `next(call)`, what happens after into `call.onEnd`; a filter that waits for nothing
 * should not be an `async` function, which would cost every call a promise.
 *
 * @example
 * ```ts
 * import { CallError, type Filter } from 'trunkline'
 *
 * const maintenance: Filter = (next) => (call) => {
 *   if (call.metadata.has('x-maintenance')) throw new CallError('unavailable', 'back at noon')
 *   call.onEnd(({ error }) => console.log(call.operation.id, error?.code ?? 'ok'))
 *   return next(call)
 * }
 * ```
 */
export type Filter = (next: Handler) => Handler

/** Filters around a handler; the first is the outermost. */
export function compose(filters: readonly Filter[], handler: Handler): Handler {
  return filters.reduceRight((next, filter) => filter(next), handler)
}
