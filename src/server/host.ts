/** HOT PATH. What wires see of a server: its operations, the making of calls, and filters with handler behind one door. */
import { Call, type InputSource } from '../call/call.ts'
import { type Clock, clock } from '../call/clock.ts'
import { within } from '../call/current.ts'
import { CallError } from '../call/error.ts'
import { outwardError } from '../call/failure.ts'
import { type Filter, type Handler, type Reply, compose } from '../call/handler.ts'
import type { Limits } from '../call/limits.ts'
import type { Logger } from '../call/logger.ts'
import type { Metadata } from '../call/metadata.ts'
import type { Peer } from '../call/peer.ts'
import type { CallOperation, ContractInfo } from '../contract/operation.ts'
import { PartialBodies } from '../http/partial-bodies.ts'
import type { Host, Served } from '../wires/wire.ts'
import { type Implementation, implementedHandlers } from './implement.ts'

export interface HostOptions {
  /** Around all calls of all contracts; the first is the outermost. */
  readonly filters: readonly Filter[]
  readonly limits: Limits
  readonly log: Logger
}

export class ServerHost implements Host {
  readonly contracts: readonly ContractInfo[]
  readonly operations: ReadonlyMap<string, CallOperation>
  readonly limits: Limits
  readonly partialBodies: PartialBodies
  readonly clock: Clock = clock
  readonly log: Logger
  readonly inside = new Set<Served>()
  draining = false
  readonly #handlers = new Map<CallOperation, Handler>()

  constructor(implementations: readonly Implementation[], { filters, limits, log }: HostOptions) {
    this.limits = limits
    this.partialBodies = new PartialBodies(limits.partialBodiesSize)
    this.log = log
    this.contracts = implementations.map(({ info }) => info)
    this.operations = this.#register(implementations, filters)
  }

  #register(
    implementations: readonly Implementation[],
    filters: readonly Filter[],
  ): ReadonlyMap<string, CallOperation> {
    const operations = new Map<string, CallOperation>()
    const seen = new Set<string>()

    for (const implementation of implementations) {
      const { name } = implementation.info
      if (seen.has(name)) throw new TypeError(`serve: the contract ${name} is implemented twice`)
      seen.add(name)
      for (const [operation, handler] of implementedHandlers(implementation)) {
        operations.set(operation.id, operation)
        this.#handlers.set(operation, compose(filters, handler))
      }
    }

    return operations
  }

  open(
    operation: CallOperation,
    source: InputSource,
    metadata: Metadata | undefined,
    timeout: number | undefined,
    peer: Peer,
  ): Call {
    const call = new Call(operation, source, undefined, metadata, peer)
    const usual = operation.timeout ?? (operation.streaming === 'unary' ? this.limits.callTimeout : Infinity)
    const shortest = timeout === undefined || timeout > usual ? usual : timeout
    if (shortest !== Infinity) call.limit(this.clock.now() + shortest)
    return call
  }

  handle(call: Call): Reply | Promise<Reply> {
    const handler = this.#handlers.get(call.operation)
    if (handler === undefined) throw new CallError('unimplemented', `${call.operation.id} is not served here`)

    try {
      const reply = within(call, handler)
      if (!(reply instanceof Promise)) return isReply(reply) ? reply : this.#refuse(call, reply)
      return reply.then(
        (each) => (isReply(each) ? each : this.#refuse(call, each)),
        (error: unknown) => {
          throw this.failure(call, error)
        },
      )
    } catch (error) {
      throw this.failure(call, error)
    }
  }

  /** Of a filter that forgot to return what `next` gave it: no wire could answer with that. */
  #refuse(call: Call, reply: unknown): never {
    const what = reply === null ? 'null' : typeof reply
    throw this.failure(
      call,
      new TypeError(
        `${call.operation.id}: a filter must return a reply, such as that of next(call), got ${what}`,
      ),
    )
  }

  failure(call: Call, error: unknown): CallError {
    return outwardError(call, error, this.log, this.limits.headerSize)
  }
}

function isReply(reply: unknown): boolean {
  return typeof reply === 'object' && reply !== null
}
