/**
 * HOT PATH. Power of two choices (Mitzenmacher 2001): of two endpoints picked at random the call goes to the one with fewer
 * calls open, unless one of them is known to be slower; then open calls are weighed with the time that an answer takes.
 *
 * The time is an EWMA as in Finagle's `p2cPeakEwma`, with two differences, both for clients with few calls open, where
 * nothing but the estimate decides. It is a mean of logarithms, so that a single answer that took 50 times as long does
 * not count for 50. And times count as different from a factor on: of equal endpoints one always has the better estimate
 * by chance, and would get all calls until the other one's is forgotten. `balancer.test.ts` has the shares and the 99th
 * percentiles.
 */

/** How long an estimate is believed: the time constant, in milliseconds, with which an old one sinks until it is tried again. */
const memory = 10_000

/** What an answer counts for at least, against those before it. */
const weightOfOne = 1 / 20

/** After how many answers an estimate counts: the first ones tell how long connecting and compiling take. */
const firstAnswers = 10

/** The logarithm of the factor from which on one endpoint is slower than another. */
const slower = Math.log(2)

/** What is known of the answers of one endpoint. */
export class LoadEstimate {
  /** The mean of the logarithms of milliseconds. */
  #time = 0
  #at = 0
  #answers = 0
  #pending = 0

  /** How many calls are open. */
  get pending(): number {
    return this.#pending
  }

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
    this.#answers++
    const weight = Math.max(weightOfOne, 1 / this.#answers, 1 - Math.exp((this.#at - now) / memory))
    this.#time += (Math.log(Math.max(elapsed, 0.01)) - this.#time) * weight
    this.#at = now
  }

  /** The logarithm of how many times as long as another's an answer is believed to take; 0 while one is not known. */
  timesAs(other: LoadEstimate, now: number): number {
    if (this.#answers < firstAnswers || other.#answers < firstAnswers) return 0
    return this.#believed(now) - other.#believed(now)
  }

  #believed(now: number): number {
    return this.#time - (now - this.#at) / memory
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
  return isBetter(b.estimate, a.estimate, now) ? b : a
}

/** Whether one more call costs less there. */
function isBetter(one: LoadEstimate, other: LoadEstimate, now: number): boolean {
  const times = one.timesAs(other, now)
  if (Math.abs(times) < slower) return one.pending < other.pending
  return times + Math.log((one.pending + 1) / (other.pending + 1)) < 0
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
