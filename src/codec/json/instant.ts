/**
 * Moments as RFC 3339 §5.6 writes them. HOT PATH; guarded by `bench/scenarios/codec-json.ts`.
 *
 *     date-time = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*DIGIT ] offset
 *     offset    = "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT
 *
 * Written with milliseconds and `Z`; read with any offset, "T" and "Z" in either case. Digits beyond milliseconds are
 * cut off, and a leap second (`:60`), which `Date` cannot hold, is refused.
 */

const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** The years that RFC 3339 can write, 0000 to 9999. */
const earliest = Date.parse('0000-01-01T00:00:00.000Z')
const latest = Date.parse('9999-12-31T23:59:59.999Z')

/** Milliseconds since 1970; NaN when the text is not an RFC 3339 date-time. */
export function parseInstant(text: string): number {
  const length = text.length
  if (length < 20) return NaN

  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  const letter = text.charCodeAt(10) | 0x20

  if (
    text.charCodeAt(4) !== 0x2d ||
    text.charCodeAt(7) !== 0x2d ||
    letter !== 0x74 ||
    text.charCodeAt(13) !== 0x3a ||
    text.charCodeAt(16) !== 0x3a
  ) {
    return NaN
  }
  // NaN, from anything that is not a digit, fails every comparison.
  if (!(year >= 0 && month >= 1 && month <= 12 && hour <= 23 && minute <= 59 && second <= 59)) return NaN
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  if (!(day >= 1 && day <= monthLengths[month - 1]! + (leap && month === 2 ? 1 : 0))) return NaN

  let position = 19
  let fraction = 0
  if (text.charCodeAt(position) === 0x2e) {
    const first = ++position
    let unit = 100
    for (;;) {
      const digit = text.charCodeAt(position) - 0x30
      if (!(digit >= 0 && digit <= 9)) break
      fraction += digit * unit
      unit = unit === 100 ? 10 : unit === 10 ? 1 : 0
      position++
    }
    if (position === first) return NaN
  }

  const offset = parseOffset(text, position)
  const past = year - 1
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400)
  const days = past * 365 + leapDays + daysBefore[month - 1]! + (leap && month > 2 ? 1 : 0) + day - 1 - 719162
  const minutes = days * 1440 + hour * 60 + minute - offset
  const milliseconds = minutes * 60_000 + second * 1000 + fraction
  return milliseconds >= earliest && milliseconds <= latest ? milliseconds : NaN
}

/** Minutes east of Greenwich of what stands at the end of the text. */
function parseOffset(text: string, position: number): number {
  const sign = text.charCodeAt(position)
  if ((sign | 0x20) === 0x7a) return position + 1 === text.length ? 0 : NaN

  if ((sign !== 0x2b && sign !== 0x2d) || text.length !== position + 6) return NaN
  const hours = twoDigits(text, position + 1)
  const minutes = twoDigits(text, position + 4)
  if (text.charCodeAt(position + 3) !== 0x3a || !(hours <= 23 && minutes <= 59)) return NaN
  return sign === 0x2d ? -(hours * 60 + minutes) : hours * 60 + minutes
}

function twoDigits(text: string, position: number): number {
  const tens = text.charCodeAt(position) - 0x30
  const ones = text.charCodeAt(position + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** `undefined` when the moment cannot be written: an invalid `Date`, or a year beyond 0000 to 9999. */
export function formatInstant(instant: Date): string | undefined {
  const milliseconds = instant.getTime()
  return milliseconds >= earliest && milliseconds <= latest ? instant.toISOString() : undefined
}
