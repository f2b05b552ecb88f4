/**
 * HOT PATH. The Date field's value (RFC 9110 section 6.6.1), made when the process's ticker has ticked: reading the clock for
 * each answer cost 4 %.
 */
let madeAt = -1
let second = 0
let text = ''

/** @param tick Monotonic milliseconds of the last tick. */
export function httpDate(tick: number): string {
  if (tick === madeAt) return text
  madeAt = tick
  const now = Math.floor(Date.now() / 1000)
  if (now !== second) {
    second = now
    text = new Date(now * 1000).toUTCString()
  }
  return text
}
