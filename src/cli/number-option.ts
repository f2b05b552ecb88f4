/** Options whose values are numbers or lengths of time. */
import { parseDuration } from '../index.ts'
import { type Given, valueOf } from './command.ts'
import { usage } from './failure.ts'

/** A whole number within bounds; `undefined` when the option was not given. */
export function numberOption(given: Given, option: string, least: number, most: number): number | undefined {
  const text = valueOf(given, option)
  if (text === undefined) return undefined

  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw usage(`--${option}: expected a whole number from ${least} to ${most}, got '${text}'`)
}

/** A length of time in milliseconds: `500ms`, `10s`, or a bare number of milliseconds. */
export function durationOption(given: Given, option: string): number | undefined {
  const text = valueOf(given, option)
  if (text === undefined) return undefined

  try {
    return parseDuration(/^\d+$/.test(text) ? Number(text) : (text as `${number}ms`), `--${option}`)
  } catch {
    throw usage(`--${option}: expected a length of time such as 500ms, 10s or 2m, got '${text}'`)
  }
}
