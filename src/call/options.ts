/** Options of `serve`, `connect` and the like, checked when they are given: a misspelt one must not be silently without effect. */
import { nearest } from '../contract/nearest.ts'
import { valueInWords } from '../contract/value-in-words.ts'

/** What an option must be: a test, and the same in words. */
export interface OptionRule {
  readonly fits: (value: unknown) => boolean
  readonly expected: string
  /** Whether the value must not be shown in an error: a key, a pass phrase. */
  readonly secret?: true
}

export type OptionRules<T> = Readonly<Record<keyof T & string, OptionRule>>

/** The longest time that a timer of Node's can wait, in milliseconds: about 24.8 days. */
export const longestTime = 2 ** 31 - 1

export const aFunction: OptionRule = { fits: (value) => typeof value === 'function', expected: 'a function' }
export const aBoolean: OptionRule = { fits: (value) => typeof value === 'boolean', expected: 'true or false' }
export const someText: OptionRule = {
  fits: (value) => typeof value === 'string' && value !== '',
  expected: 'a string that is not empty',
}
export const anObject: OptionRule = {
  fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  expected: 'an object',
}
/** Certificates and keys, or a mistake instead of them that may be a key. */
export const tlsObject: OptionRule = { ...anObject, secret: true }
export const aSecret: OptionRule = { ...someText, secret: true }
export const aPort: OptionRule = {
  fits: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
  expected: 'an integer from 0 to 65535',
}
/** What it says is parsed where it is used. */
export const aDuration: OptionRule = {
  fits: (value) => typeof value === 'number' || typeof value === 'string',
  expected: "a time in milliseconds, or such as '500ms' or '2s'",
}
export const someFilters = arrayOf(aFunction, 'an array of filters, which are functions')
export const aLogger: OptionRule = {
  fits: (value) =>
    anObject.fits(value) &&
    ['debug', 'info', 'warn', 'error'].every((level) =>
      aFunction.fits((value as Record<string, unknown>)[level]),
    ),
  expected: 'a logger with debug, info, warn and error, such as one of pino',
}
export const someWires = arrayOf(
  { fits: (value) => anObject.fits(value) && 'name' in (value as object), expected: '' },
  "an array of wires, such as trunk() and rest() of 'trunkline/wires'",
)

export function arrayOf(rule: OptionRule, expected: string): OptionRule {
  return { fits: (value) => Array.isArray(value) && value.every((each) => rule.fits(each)), expected }
}

/**
 * Holds options to their rules. Those that are `undefined` are left out.
 *
 * @param where Whose options they are, for messages: `serve`.
 * @throws TypeError that names the option, what it must be and what it is; with the nearest name for an unknown one.
 */
export function checkOptions<T extends object>(where: string, options: T, rules: OptionRules<T>): void {
  if (!anObject.fits(options))
    throw new TypeError(`${where}: expected an object of options, got ${valueInWords(options)}`)

  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(rules, name)) {
      const known = Object.keys(rules)
      const near = nearest(name, known)
      const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean '${near}'?`
      throw new TypeError(`${where}: there is no option '${name}'; ${hint}`)
    }
    const { fits, expected, secret } = rules[name as keyof T & string]
    if (value === undefined || fits(value)) continue
    const got = secret === true ? kindInWords(value) : valueInWords(value)
    throw new TypeError(`${where}: ${name}: expected ${expected}, got ${got}`)
  }
}

function kindInWords(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  const kind = Array.isArray(value) ? 'array' : typeof value
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`
}

/** How long something that is ended may still take. Throws RangeError for what no timer can wait. */
export function checkGrace(where: string, grace: number): number {
  if (typeof grace === 'number' && grace >= 0 && grace <= longestTime) return grace
  throw new RangeError(
    `${where}: grace: expected milliseconds from 0 to ${longestTime}, got ${valueInWords(grace)}`,
  )
}
