/**
 * How large a window must be, so that the peer is never kept waiting: the bandwidth-delay product, measured by a PING
 * that is sent when data comes in. What arrives until it is answered is what one round trip brings. Pure.
 *
 * A sample that fills two thirds of the window, at the highest rate seen so far, says that the window was the limit: it
 * becomes twice the sample. Samples that say nothing make the next one rarer.
 */

const share = 0.66
/** A round trip is taken longer than it is, so that a burst at its end does not look like a rate. */
const margin = 1.5
const longestPause = 256

export class BandwidthEstimate {
  /** Bytes. */
  window: number
  readonly #limit: number
  #sample = 0
  #sentAt = 0
  #probing = false
  #roundTrip = 0
  #highestRate = 0
  /** Bytes since the last sample, and how many there must be for the next. */
  #since = 0
  #pause = 1

  /**
   * @param window The window at first, in bytes.
   * @param limit The largest there may be, in bytes.
   */
  constructor(window: number, limit: number) {
    this.window = window
    this.#limit = limit
  }

  /** Bytes came in. Returns whether to send a PING now, and to call `sent`. */
  received(bytes: number): boolean {
    if (this.window >= this.#limit) return false
    if (this.#probing) {
      this.#sample += bytes
      return false
    }
    this.#since += bytes
    return this.#since >= (this.window >>> 2) * this.#pause
  }

  /** @param now Monotonic milliseconds. */
  sent(now: number): void {
    this.#probing = true
    this.#sample = 0
    this.#since = 0
    this.#sentAt = now
  }

  /** The PING was answered. Returns whether the window has grown. */
  answered(now: number): boolean {
    if (!this.#probing) return false
    this.#probing = false
    const taken = Math.max(now - this.#sentAt, 0.001)
    this.#roundTrip = this.#roundTrip === 0 ? taken : this.#roundTrip + (taken - this.#roundTrip) / 8
    const rate = this.#sample / (this.#roundTrip * margin)
    const highest = rate > this.#highestRate
    if (highest) this.#highestRate = rate

    if (!highest || this.#sample < this.window * share) {
      this.#pause = Math.min(this.#pause * 2, longestPause)
      return false
    }
    this.window = Math.min(this.#limit, this.#sample * 2)
    this.#pause = 1
    return true
  }
}
