/** HOT PATH. What a handler gets besides its input; one object a call. */
import type { CallOperation } from '../contract/operation.ts'
import type { FaultConstructors } from '../contract/types.ts'
import type { Faults } from '../contract/fault.ts'
import type { Call } from './call.ts'
import type { CallError } from './error.ts'
import { faultConstructors } from './fault.ts'
import type { Reply } from './handler.ts'
import { Metadata } from './metadata.ts'
import type { Peer } from './peer.ts'
import type { Principal } from './principal.ts'

/**
 * What a handler gets besides its input.
 *
 * @example
 * ```ts
 * import { call, contract, implement } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Whoami = contract('acme.whoami.v1', { ask: call({ output: z.object({ id: z.string() }) }) })
 *
 * export const service = implement(Whoami, {
 *   ask(_input, ctx) {
 *     ctx.reply.metadata.set('x-region', 'eu')
 *     return { id: ctx.principal?.id ?? 'nobody' }
 *   },
 * })
 * ```
 */
export interface Context<F = Faults> {
  /** One function a declared fault; throw what it returns. */
  readonly fault: FaultConstructors<F, CallError>
  /** Aborted when the caller gives up, its connection is cut, or the deadline has passed. */
  readonly signal: AbortSignal
  /** What came with the call. */
  readonly metadata: Metadata
  /** Monotonic milliseconds (`performance.now()`) at which the call ends; Infinity when there is no deadline. */
  readonly deadline: number
  /** Who calls, if the server authenticates. */
  readonly principal: Principal | undefined
  /** The other side of the connection. */
  readonly peer: Peer
  readonly operation: CallOperation
  /** What goes back besides the output: `metadata` before the first message, `trailers` after the last. */
  readonly reply: { readonly metadata: Metadata; readonly trailers: Metadata }
}

export class HandlerContext implements Context<never> {
  readonly #call: Call
  #replyMetadata: Metadata | undefined
  #trailers: Metadata | undefined

  constructor(call: Call) {
    this.#call = call
    this.#replyMetadata = undefined
    this.#trailers = undefined
  }

  get fault(): never {
    return faultConstructors(this.#call.operation) as never
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  get metadata(): Metadata {
    return this.#call.metadata
  }

  get deadline(): number {
    return this.#call.deadline
  }

  get principal(): Principal | undefined {
    return this.#call.principal
  }

  get peer(): Peer {
    return this.#call.peer as Peer
  }

  get operation(): CallOperation {
    return this.#call.operation
  }

  get reply(): { readonly metadata: Metadata; readonly trailers: Metadata } {
    return {
      metadata: (this.#replyMetadata ??= new Metadata()),
      trailers: (this.#trailers ??= new Metadata()),
    }
  }

  /** The reply with this output. A generator writes to its metadata and trailers once it runs. */
  answer(output: unknown, streamed: boolean): Reply {
    if (streamed) {
      this.#replyMetadata ??= new Metadata()
      this.#trailers ??= new Metadata()
    }
    return { output, metadata: this.#replyMetadata, trailers: this.#trailers }
  }
}
