/**
 * HOT PATH. Power of two choices by peak EWMA: of two endpoints picked at random the call goes to the one whose recent
 * response time times the number of calls it would then have open is less. One slow answer raises the estimate at once,
 * good ones lower it slowly. Follows Finagle's `p2cPeakEwma` (Mitzenmacher 2001 for the two choices).
 */

/** How long it takes an estimate to forget: the time constant of its decay, in milliseconds. */
const memory = 10_000

/** What an endpoint that has not answered yet is believed to take while it has calls open, in milliseconds. */
const presumed = 1_000

/** The estimate of one endpoint. */
export class LoadEstimate {
  #cost = 0
  #at = 0
  #pending = 0

  /** One more call is open. */
  enter(): void {
    this.#pending++
  }

  /** One less. */
  leave(): void {
    this.#pending--
  }

  /** An answer took `elapsed` milliseconds. */
  observe(elapsed: number, now: number): void {
    if (elapsed > this.#cost) {
      this.#cost = elapsed
    } else {
      const weight = Math.exp(-(now - this.#at) / memory)
      this.#cost = this.#cost * weight + elapsed * (1 - weight)
    }
    this.#at = now
  }

  /** What one more call would cost. */
  load(now: number): number {
    if (this.#cost === 0) return this.#pending === 0 ? 0 : presumed * (this.#pending + 1)
    const decayed = this.#cost * Math.exp(-(now - this.#at) / memory)
    return decayed * (this.#pending + 1)
  }
}

/** What the balancer knows of an endpoint. */
export interface Balanced {
  readonly estimate: LoadEstimate
  /** 0 can take a call now, 1 after connecting, 2 has just failed. Only the lowest rank there is gets calls. */
  readonly rank: 0 | 1 | 2
}

/**
 * Chooses an endpoint.
 *
 * @param endpoints At least one.
 * @param now Monotonic milliseconds.
 * @param random Numbers in [0, 1), as `Math.random`; a test passes its own.
 * @param except Endpoints that were tried already, avoided while there are others.
 */
export function choose<T extends Balanced>(
  endpoints: readonly T[],
  now: number,
  random: () => number = Math.random,
  except?: ReadonlySet<T>,
): T {
  if (endpoints.length === 1) return endpoints[0] as T
  const candidates = best(endpoints, except)
  if (candidates.length === 1) return candidates[0] as T

  const first = Math.floor(random() * candidates.length)
  let second = Math.floor(random() * (candidates.length - 1))
  if (second >= first) second++
  const a = candidates[first] as T
  const b = candidates[second] as T
  return b.estimate.load(now) < a.estimate.load(now) ? b : a
}

/** The endpoints of the lowest rank; all of them without a copy in the usual case that all are ready. */
function best<T extends Balanced>(endpoints: readonly T[], except: ReadonlySet<T> | undefined): readonly T[] {
  let untried = endpoints
  if (except !== undefined && except.size > 0 && except.size < endpoints.length) {
    untried = endpoints.filter((endpoint) => !except.has(endpoint))
  }

  let lowest = 2
  let uniform = true
  for (const { rank } of untried) {
    if (rank !== (untried[0] as T).rank) uniform = false
    if (rank < lowest) lowest = rank
  }
  return uniform ? untried : untried.filter(({ rank }) => rank === lowest)
}
