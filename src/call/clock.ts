/**
 * HOT PATH. One reading of the monotonic clock per turn of the event loop: `performance.now()` for every call cost
 * 5 % of a unary call. Guarded by `bench/scenarios/trunk`.
 */

export interface Clock {
  /** Monotonic milliseconds, at most one turn of the event loop old. For code that the event loop has just called. */
  now(): number
  /** Monotonic milliseconds of this moment. For code that follows somebody else's, which may have kept the turn busy. */
  read(): number
}

let reading = 0
let fresh = false

function expire(): void {
  fresh = false
}

function read(): number {
  reading = performance.now()
  if (!fresh) {
    fresh = true
    setImmediate(expire)
  }
  return reading
}

/** The process's clock. */
export const clock: Clock = {
  now: () => (fresh ? reading : read()),
  read,
}
