/**
 * What a peer may make this side do without paying for it: a bucket of tokens that fills at a steady rate. Pings,
 * cancellations, refused calls and frames that carry nothing take tokens; whoever empties it is cut off.
 */
export class Budget {
  readonly #capacity: number
  readonly #perMillisecond: number
  #tokens: number
  #filled: number

  /**
   * @param capacity Tokens at first, and at most.
   * @param perSecond Tokens that are added each second.
   * @param now Monotonic milliseconds.
   */
  constructor(capacity: number, perSecond: number, now: number) {
    this.#capacity = capacity
    this.#tokens = capacity
    this.#perMillisecond = perSecond / 1000
    this.#filled = now
  }

  /** Takes tokens; `false` when there are not as many. */
  take(tokens: number, now: number): boolean {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#filled) * this.#perMillisecond)
    this.#filled = now
    if (this.#tokens < tokens) return false
    this.#tokens -= tokens
    return true
  }
}
