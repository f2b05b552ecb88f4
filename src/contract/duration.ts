import { ContractError } from './contract-error.ts'

/** A length of time: milliseconds, or a number with its unit: `'500ms'`, `'1.5s'`, `'2m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const grammar = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/**
 * The milliseconds of a duration.
 *
 * @param duration milliseconds, or a number with a unit
 * @param what names the option in the error: `timeout of place`
 * @throws ContractError for anything that is not a finite length of time ≥ 0
 *
 * @example
 * ```ts
 * import { parseDuration } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * assert.equal(parseDuration('1.5s'), 1500)
 * ```
 */
export function parseDuration(duration: Duration, what = 'duration'): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration

  const parts = typeof duration === 'string' ? grammar.exec(duration) : null
  const [, amount, unit] = parts ?? []

  if (amount === undefined || unit === undefined) {
    const given = typeof duration === 'string' ? `'${duration}'` : String(duration)

    throw new ContractError(
      'contract_option',
      `${what}: expected milliseconds as a number ≥ 0, or a text such as '500ms', '30s', '5m', '1h', '7d', got ${given}`,
    )
  }

  return Number(amount) * (milliseconds[unit] as number)
}
