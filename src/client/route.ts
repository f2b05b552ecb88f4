/** HOT PATH. From a call to the endpoint that carries it, and to another one when the first never saw it. */
import type { Call } from '../call/call.ts'
import type { Clock } from '../call/clock.ts'
import { CallError } from '../call/error.ts'
import { type Filter, type Handler, type Reply, compose } from '../call/handler.ts'
import { choose } from './balancer.ts'
import type { Endpoint } from './endpoint.ts'

/** How often a call that no server can have seen is given to another connection. */
const extraTries = 2

/** A handler that spreads calls over endpoints. `filters` run once per try, with `call.peer` known. */
export function routeTo(endpoints: readonly Endpoint[], filters: readonly Filter[], clock: Clock): Handler {
  const only = endpoints.length === 1 ? endpoints[0] : undefined
  const through = new Map(
    endpoints.map((endpoint) => [endpoint, compose(filters, (call) => endpoint.call(call))]),
  )

  return (call) => {
    const trip = new Trip(call, endpoints, through, clock)
    return only === undefined ? trip.balanced() : trip.to(only)
  }
}

/** One call's way through the endpoints. */
class Trip {
  readonly #call: Call
  readonly #endpoints: readonly Endpoint[]
  readonly #through: ReadonlyMap<Endpoint, Handler>
  readonly #clock: Clock
  #endpoint: Endpoint | undefined
  #tried: Set<Endpoint> | undefined

  constructor(
    call: Call,
    endpoints: readonly Endpoint[],
    through: ReadonlyMap<Endpoint, Handler>,
    clock: Clock,
  ) {
    this.#call = call
    this.#endpoints = endpoints
    this.#through = through
    this.#clock = clock
    this.#endpoint = undefined
    this.#tried = undefined
  }

  balanced(): Reply | Promise<Reply> {
    const now = this.#clock.now()
    const first = this.#endpoint === undefined
    this.#endpoint?.estimate.leave()
    const endpoint = choose(this.#endpoints, now, Math.random, this.#tried)
    endpoint.estimate.enter()
    this.#endpoint = endpoint
    if (first) this.#call.onEnd(() => this.#endpoint?.estimate.leave())
    return this.#measured(this.to(endpoint), endpoint, now)
  }

  /** The time to the head of the reply is what tells a slow endpoint; a stream may then last for hours. */
  #measured(reply: Reply | Promise<Reply>, endpoint: Endpoint, started: number): Reply | Promise<Reply> {
    const observe = () => {
      const now = this.#clock.now()
      endpoint.estimate.observe(now - started, now)
    }
    if (!(reply instanceof Promise)) {
      observe()
      return reply
    }
    return reply.then(
      (value) => {
        observe()
        return value
      },
      (error: unknown) => {
        if (!(CallError.is(error) && error.processed === 'no')) observe()
        throw error
      },
    )
  }

  to(endpoint: Endpoint): Reply | Promise<Reply> {
    const handler = this.#through.get(endpoint) as Handler
    try {
      const reply = handler(this.#call)
      return reply instanceof Promise ? reply.then(undefined, (error) => this.#again(endpoint, error)) : reply
    } catch (error) {
      return this.#again(endpoint, error)
    }
  }

  #again(endpoint: Endpoint, error: unknown): Reply | Promise<Reply> {
    const unseen = CallError.is(error) && error.processed === 'no' && error.code === 'unavailable'
    const { outcome, canceled } = this.#call
    this.#tried ??= new Set()
    const repeated = this.#tried.has(endpoint)
    this.#tried.add(endpoint)
    // A lone endpoint that is in its back-off says the same thing again: one more try is for a connection just lost.
    const useful = this.#endpoints.length > 1 || (!repeated && endpoint.rank < 2)
    if (
      !unseen ||
      outcome !== undefined ||
      canceled !== undefined ||
      !useful ||
      this.#call.attempt > extraTries
    ) {
      throw error
    }
    this.#call.attempt++
    return this.#endpoints.length > 1 ? this.balanced() : this.to(endpoint)
  }
}
