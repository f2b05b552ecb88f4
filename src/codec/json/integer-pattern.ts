/**
 * A regular expression for the decimal integers of a range, for documents: JSON Schema has bounds for numbers only, and
 * 64-bit integers travel as text.
 */

/** Matches exactly the integers from `least` to `most`, without leading zeros. */
export function integerPattern(least: bigint, most: bigint): string {
  const parts: string[] = []
  if (least < 0n) {
    const from = most < 0n ? -most : 1n
    parts.push(`-(?:${magnitudes(from, -least).join('|')})`)
  }
  if (most >= 0n) {
    const from = least > 0n ? least : 0n
    if (from === 0n) parts.push('0')
    if (most >= 1n) parts.push(...magnitudes(from === 0n ? 1n : from, most))
  }
  return `^(?:${parts.join('|')})$`
}

/** Alternatives for the positive integers from `least` to `most`. */
function magnitudes(least: bigint, most: bigint): string[] {
  const parts: string[] = []
  let from = least
  while (from <= most) {
    const last = nines(from) < most ? nines(from) : most
    parts.push(...sameLength(from.toString(), last.toString()))
    from = last + 1n
  }
  return merged(parts)
}

/** The largest integer with as many digits. */
function nines(value: bigint): bigint {
  return 10n ** BigInt(value.toString().length) - 1n
}

/** Alternatives for the numerals between two of one length. */
function sameLength(low: string, high: string): string[] {
  if (low === high) return [low]
  const first = Number(low[0])
  const last = Number(high[0])
  const rest = low.length - 1
  if (rest === 0) return [digits(first, last)]
  if (first === last) return sameLength(low.slice(1), high.slice(1)).map((each) => `${first}${each}`)

  const parts: string[] = []
  const lowRest = low.slice(1)
  const highRest = high.slice(1)
  const from = /^0+$/.test(lowRest) ? first : first + 1
  const to = /^9+$/.test(highRest) ? last : last - 1

  if (from > first) parts.push(...sameLength(lowRest, '9'.repeat(rest)).map((each) => `${first}${each}`))
  if (from <= to) parts.push(digits(from, to) + anyDigits(rest))
  if (to < last) parts.push(...sameLength('0'.repeat(rest), highRest).map((each) => `${last}${each}`))
  return parts
}

function digits(from: number, to: number): string {
  return from === to ? String(from) : `[${from}-${to}]`
}

function anyDigits(count: number): string {
  return count === 1 ? '[0-9]' : `[0-9]{${count}}`
}

/** `[1-9]`, `[1-9][0-9]`, `[1-9][0-9]{2}` … is one alternative. */
function merged(parts: readonly string[]): string[] {
  const whole = parts.findIndex((part, index) => part !== `[1-9]${index === 0 ? '' : anyDigits(index)}`)
  const count = whole < 0 ? parts.length : whole
  if (count < 2) return [...parts]
  return [`[1-9][0-9]{0,${count - 1}}`, ...parts.slice(count)]
}
