/**
 * What a peer may make this side do without paying for it: a bucket of tokens that fills at a steady rate, and by what is
 * useful. Whoever empties it is cut off. Pure.
 */
export class Budget {
  readonly #capacity: number
  readonly #perMillisecond: number
  #tokens: number
  #filled = 0

  /**
   * @param capacity Tokens at first, and at most.
   * @param perSecond Tokens that are added each second.
   */
  constructor(capacity: number, perSecond: number) {
    this.#capacity = capacity
    this.#tokens = capacity
    this.#perMillisecond = perSecond / 1000
  }

  /** Takes tokens; `false` when there are not as many. `now`: monotonic milliseconds. */
  take(now: number, tokens = 1): boolean {
    if (this.#filled === 0) this.#filled = now
    const filled = this.#tokens + (now - this.#filled) * this.#perMillisecond
    this.#filled = now
    this.#tokens = Math.min(this.#capacity, filled) - tokens
    return this.#tokens >= 0
  }

  /** The peer did something useful. */
  earn(tokens: number): void {
    if (this.#tokens < this.#capacity) this.#tokens = Math.min(this.#capacity, this.#tokens + tokens)
  }
}
