/**
 * HOT PATH. How long a caller will wait. Guarded by `bench/scenarios/grpc`.
 *
 *     grpc-timeout = 1*8DIGIT ( "H" / "M" / "S" / "m" / "u" / "n" )
 *
 * Hours, minutes, seconds, milli-, micro-, nanoseconds. Follows gRPC's "Protocol over HTTP2".
 */

const mostDigits = 8
const largest = 99_999_999

/** Milliseconds; NaN when it is malformed. */
export function parseTimeout(text: string): number {
  const digits = text.length - 1
  if (digits < 1 || digits > mostDigits) return Number.NaN

  let value = 0
  for (let i = 0; i < digits; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }

  switch (text.charCodeAt(digits)) {
    case 0x6d:
      return value
    case 0x53:
      return value * 1_000
    case 0x4d:
      return value * 60_000
    case 0x48:
      return value * 3_600_000
    case 0x75:
      return value / 1_000
    case 0x6e:
      return value / 1_000_000
    default:
      return Number.NaN
  }
}

/** A rest of time of more than 0 milliseconds, rounded up. */
export function formatTimeout(milliseconds: number): string {
  const whole = Math.max(1, Math.ceil(milliseconds))
  if (whole <= largest) return `${whole}m`
  const seconds = Math.ceil(whole / 1_000)
  if (seconds <= largest) return `${seconds}S`
  return `${Math.min(largest, Math.ceil(seconds / 60))}M`
}
