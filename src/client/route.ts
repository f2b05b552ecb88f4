/** HOT PATH. From a call to the endpoint that carries it, and to another one when the first never saw it. */
import type { Call } from '../call/call.ts'
import type { Clock } from '../call/clock.ts'
import { CallError } from '../call/error.ts'
import { type Filter, type Handler, type Reply, compose } from '../call/handler.ts'
import type { ReplySink } from '../wires/wire.ts'
import { choose } from './balancer.ts'
import type { Endpoint } from './endpoint.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** How often a call that no server can have seen is given to another connection. */
const extraTries = 2

/** What a route needs besides its endpoints. */
export interface RouteSettings {
  /** Around each try, when `call.peer` is known. */
  readonly filters: readonly Filter[]
  readonly clock: Clock
  /** Where calls wait while no server can be reached; without one they fail. */
  readonly waitingRoom: WaitingRoom | undefined
}

interface Route extends RouteSettings {
  readonly endpoints: readonly Endpoint[]
  readonly through: ReadonlyMap<Endpoint, Handler>
}

/**
 * A way to endpoints in two halves, so that whoever waits for the reply anyway can ask for another try in the same breath:
 * a promise between the two would cost every call 4 %.
 */
export interface Way {
  /** Makes a call's first try. What it throws or rejects with goes to `again`. */
  first(call: Call): Reply | Promise<Reply>
  /**
   * Makes the first try of a call with one value as its output by callback, and returns true; without it, or when it
   * returns false, there is `first`. A failure, thrown or told, goes to `again`, but not before the caller has returned.
   */
  send?(call: Call, sink: ReplySink): boolean
  /** Makes more tries after the first has failed, where they are useful; else throws the error. */
  again(call: Call, error: unknown): Reply | Promise<Reply>
}

/** A way that spreads calls over endpoints. */
export function wayTo(endpoints: readonly Endpoint[], settings: RouteSettings): Way {
  const through = new Map(
    endpoints.map((endpoint) => [endpoint, compose(settings.filters, (call) => endpoint.call(call))]),
  )
  const route: Route = { ...settings, endpoints, through }
  const [only] = endpoints
  if (endpoints.length > 1 || only === undefined) {
    return {
      first: (call) => new Trip(call, route).go(),
      // Such a trip has made its further tries itself.
      again(_, error) {
        throw error
      },
    }
  }

  const { peer } = only
  const handler = through.get(only) as Handler
  return {
    first(call) {
      call.peer = peer
      return handler(call)
    },
    again: (call, error) => new Trip(call, route).after(only, error),
    ...(settings.filters.length === 0 ? { send: sendTo(only) } : {}),
  }
}

function sendTo(endpoint: Endpoint): NonNullable<Way['send']> {
  const { peer } = endpoint
  return (call, sink) => {
    call.peer = peer
    return endpoint.send(call, sink)
  }
}

/** Both halves of a way as one handler. */
export function along({ first, again }: Way): Handler {
  return (call) => {
    try {
      const reply = first(call)
      return reply instanceof Promise ? reply.then(undefined, (error: unknown) => again(call, error)) : reply
    } catch (error) {
      return again(call, error)
    }
  }
}

/** One call's way through the endpoints. */
class Trip {
  readonly #call: Call
  readonly #route: Route
  #endpoint: Endpoint | undefined
  #tried: Set<Endpoint> | undefined
  #tries = 0

  constructor(call: Call, route: Route) {
    this.#call = call
    this.#route = route
    this.#endpoint = undefined
    this.#tried = undefined
  }

  go(): Reply | Promise<Reply> {
    const { endpoints } = this.#route
    this.#tries++
    return endpoints.length === 1 ? this.#to(endpoints[0] as Endpoint) : this.#balanced()
  }

  /** Goes on after a first try that failed. */
  after(endpoint: Endpoint, error: unknown): Reply | Promise<Reply> {
    this.#tries = 1
    return this.#again(endpoint, error)
  }

  #balanced(): Reply | Promise<Reply> {
    const { endpoints, clock } = this.#route
    const before = this.#endpoint
    for (const each of endpoints) if (each.rank === 1) each.prepare()
    const endpoint = choose(endpoints, clock.now(), Math.random, this.#tried)
    endpoint.estimate.enter()
    this.#endpoint = endpoint
    if (before === undefined) this.#call.onEnd(() => this.#endpoint?.estimate.leave())
    else before.estimate.leave()
    return this.#to(endpoint)
  }

  #to(endpoint: Endpoint): Reply | Promise<Reply> {
    const { through, endpoints, clock } = this.#route
    const handler = through.get(endpoint) as Handler
    const started = endpoints.length === 1 ? 0 : clock.now()
    let reply: Reply | Promise<Reply>

    this.#call.peer = endpoint.peer
    try {
      reply = handler(this.#call)
    } catch (error) {
      return this.#again(endpoint, error)
    }

    if (!(reply instanceof Promise)) {
      if (started > 0) endpoint.estimate.observe(clock.now() - started, clock.now())
      return reply
    }
    if (started === 0) return reply.then(undefined, (error: unknown) => this.#again(endpoint, error))

    // The time to the head of the reply is what tells a slow endpoint; a stream may then last for hours.
    return reply.then(
      (value) => {
        endpoint.estimate.observe(clock.now() - started, clock.now())
        return value
      },
      (error: unknown) => {
        if (!isUnseen(error)) endpoint.estimate.observe(clock.now() - started, clock.now())
        return this.#again(endpoint, error)
      },
    )
  }

  #again(endpoint: Endpoint, error: unknown): Reply | Promise<Reply> {
    const { endpoints, waitingRoom } = this.#route
    const call = this.#call
    const over = call.outcome !== undefined || call.canceled !== undefined || endpoint.closed
    if (over || !isUnseen(error)) throw error

    this.#tried ??= new Set()
    const repeated = this.#tried.has(endpoint)
    this.#tried.add(endpoint)
    // A lone endpoint that is in its back-off says the same thing again: one more try is for a connection just lost.
    const useful = endpoints.length > 1 || (!repeated && endpoint.rank < 2)
    if (useful && this.#tries <= extraTries) {
      call.attempt++
      return this.go()
    }
    if (waitingRoom === undefined) throw error
    return this.#later(waitingRoom)
  }

  /** Tries again when the first of the endpoints may be tried again. */
  async #later(waitingRoom: WaitingRoom): Promise<Reply> {
    const soonest = Math.min(...this.#route.endpoints.map(({ retryAt }) => retryAt))
    await waitingRoom.wait(this.#call, soonest - this.#route.clock.read())
    this.#tries = 0
    this.#tried = undefined
    this.#call.attempt++
    return this.go()
  }
}

function isUnseen(error: unknown): boolean {
  return CallError.is(error) && error.processed === 'no' && error.code === 'unavailable'
}
