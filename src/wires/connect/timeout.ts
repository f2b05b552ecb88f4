/**
 * How long a caller will wait.
 *
 *     connect-timeout-ms = 1*10DIGIT
 *
 * Follows the "Connect Protocol".
 */

const grammar = /^\d{1,10}$/
const largest = 9_999_999_999

/** Milliseconds; NaN when it is malformed. */
export function parseTimeout(text: string): number {
  return grammar.test(text) ? Number(text) : Number.NaN
}

/** A rest of time of more than 0 milliseconds, rounded up. */
export function formatTimeout(milliseconds: number): string {
  return String(Math.min(largest, Math.max(1, Math.ceil(milliseconds))))
}
