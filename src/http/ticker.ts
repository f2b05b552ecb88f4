/**
 * One coarse timer for the time-outs of all connections: a request moves a number, not a timer. It does not exist while
 * there is no connection, and keeps no process alive.
 */

/** Something with a time-out. */
export interface Timed {
  /** Monotonic milliseconds; Infinity for none. */
  deadline: number
  /** The deadline has passed. Set a new one, or be called again. */
  expire(): void
}

const period = 500

export class Ticker {
  /** Monotonic milliseconds at the last tick. */
  now = 0
  readonly #entries = new Set<Timed>()
  readonly #period: number
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number = period) {
    this.#period = milliseconds
  }

  add(entry: Timed): void {
    this.#entries.add(entry)
    if (this.#timer !== undefined) return
    this.now = performance.now()
    this.#timer = setInterval(() => this.tick(performance.now()), this.#period)
    this.#timer.unref()
  }

  remove(entry: Timed): void {
    this.#entries.delete(entry)
    if (this.#entries.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** When a time-out that begins now is over: never early, up to two periods late. */
  after(milliseconds: number): number {
    return this.now + this.#period + milliseconds
  }

  /** Ends what is overdue. The timer calls it; tests with a clock of their own do too. */
  tick(now: number): void {
    this.now = now
    for (const entry of this.#entries) if (entry.deadline <= now) entry.expire()
  }
}

/** The process's ticker. */
export const ticker = new Ticker()
