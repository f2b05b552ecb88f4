/**
 * The checks that a type declares, compiled: for generated code as a condition in source text, for closures as a
 * function, and for people as words. The codecs decode what passes, and explain what does not.
 *
 * Only declared checks and formats are here (`min`, `maxLength`, `pattern`, …). That a value has the right JavaScript
 * type, and that an integer fits its width, every codec sees for itself.
 */
import type { Check, Type, Types } from '../schema/type.ts'
import { knownFormat } from './formats.ts'
import { literal, type Program } from './generate.ts'

/** One check of one type. */
export interface Rule {
  /** Whether a value of the right JavaScript type passes. */
  readonly holds: (value: unknown) => boolean
  /** The same as source text; `value` is an identifier. */
  readonly source: (value: string, into: Program) => string
  /** `≥ 1` */
  readonly phrase: string
}

/** All checks that a type declares, cheapest first: lengths stand before patterns. */
export function rulesOf(type: Type): readonly Rule[] {
  const checks = 'checks' in type && type.checks !== undefined ? type.checks : []
  const rules = checks.map((check) => ruleOf(type, check))
  const format = type.kind === 'string' ? knownFormat(type.format) : undefined

  if (format !== undefined && !checks.some(({ check }) => check === 'pattern')) {
    rules.push({
      holds: (value) => format.holds(value as string),
      source: (value, into) => `${into.constant(format.holds, 'format')}(${value})`,
      phrase: '',
    })
  }

  return rules.filter(isCheap).concat(rules.filter((rule) => !isCheap(rule)))
}

function isCheap(rule: Rule): boolean {
  return rule.phrase !== '' && !rule.phrase.startsWith('matching')
}

/** A condition that is true when `value`, an identifier, breaks a check; `''` when the type declares none. */
export function brokenSource(type: Type, value: string, into: Program): string {
  return rulesOf(type)
    .map((rule) => `!(${rule.source(value, into)})`)
    .join(' || ')
}

/** Whether a value breaks a check; `undefined` when the type declares none. */
export function broken(type: Type): ((value: unknown) => boolean) | undefined {
  const rules = rulesOf(type)
  if (rules.length === 0) return undefined

  return (value) => {
    for (const rule of rules) {
      if (!rule.holds(value)) return true
    }
    return false
  }
}

function ruleOf(type: Type, check: Check): Rule {
  switch (check.check) {
    case 'min':
    case 'max':
      return type.kind === 'instant' ? instantBound(check) : numberBound(type, check)
    case 'multipleOf':
      return multipleOf(type, check.value)
    case 'minLength':
    case 'maxLength':
      return lengthBound(type, check.check, Number(check.value))
    case 'pattern':
      return pattern(check.source, check.flags)
  }
}

type Bound = Extract<Check, { check: 'min' | 'max' }>

const symbols = { '>=': '≥', '>': '>', '<=': '≤', '<': '<' }

function operatorOf(check: Bound): '>=' | '>' | '<=' | '<' {
  if (check.check === 'min') return check.exclusive ? '>' : '>='
  return check.exclusive ? '<' : '<='
}

function compare(
  operator: '>=' | '>' | '<=' | '<',
  limit: number | bigint,
): (value: number | bigint) => boolean {
  if (operator === '>=') return (value) => value >= limit
  if (operator === '>') return (value) => value > limit
  if (operator === '<=') return (value) => value <= limit
  return (value) => value < limit
}

function numberBound(type: Type, check: Bound): Rule {
  const limit = type.kind === 'int' && type.js === 'bigint' ? BigInt(check.value) : Number(check.value)
  const operator = operatorOf(check)
  return {
    holds: compare(operator, limit) as (value: unknown) => boolean,
    source: (value) => `${value} ${operator} ${literal(limit)}`,
    phrase: `${symbols[operator]} ${check.value}`,
  }
}

function instantBound(check: Bound): Rule {
  const limit = Date.parse(check.value)
  const operator = operatorOf(check)
  const holds = compare(operator, limit)
  return {
    holds: (value) => holds((value as Date).getTime()),
    source: (value) => `${value}.getTime() ${operator} ${literal(limit)}`,
    phrase: `${symbols[operator]} ${check.value}`,
  }
}

/**
 * Integers exactly. Floats as zod does: 0.3 is a multiple of 0.1 although the division of the two nearest doubles is
 * not a whole number.
 */
function multipleOf(type: Type, text: string): Rule {
  const phrase = `divisible by ${text}`

  if (type.kind === 'int' && type.js === 'bigint') {
    const step = BigInt(text)
    return {
      holds: (value) => step !== 0n && (value as bigint) % step === 0n,
      source: (value) => (step === 0n ? 'false' : `${value} % ${literal(step)} === 0n`),
      phrase,
    }
  }

  const step = Number(text)
  if (type.kind === 'int' && Number.isSafeInteger(step)) {
    return {
      holds: (value) => (value as number) % step === 0,
      source: (value) => `${value} % ${literal(step)} === 0`,
      phrase,
    }
  }

  const holds = (value: unknown): boolean => isMultiple(value as number, step)
  return { holds, source: (value, into) => `${into.constant(holds, 'multiple')}(${value})`, phrase }
}

function isMultiple(value: number, step: number): boolean {
  const quotient = value / step
  const tolerance = 4 * Number.EPSILON * Math.max(Math.abs(quotient), 1)
  return Math.abs(quotient - Math.round(quotient)) < tolerance
}

function lengthBound(type: Type, check: 'minLength' | 'maxLength', limit: number): Rule {
  const operator = check === 'minLength' ? '>=' : '<='
  const holds = compare(operator, limit)
  const phrase = `${check === 'minLength' ? 'at least' : 'at most'} ${limit}`

  if (type.kind === 'string') return check === 'minLength' ? atLeast(limit, phrase) : atMost(limit, phrase)

  if (type.kind === 'map' && type.js === 'record') {
    return {
      holds: (value) => holds(Object.keys(value as object).length),
      source: (value) => `Object.keys(${value}).length ${operator} ${limit}`,
      phrase,
    }
  }

  if (type.kind === 'map' || (type.kind === 'list' && type.js === 'set')) {
    return {
      holds: (value) => holds((value as { size: number }).size),
      source: (value) => `${value}.size ${operator} ${limit}`,
      phrase,
    }
  }

  return {
    holds: (value) => holds((value as { length: number }).length),
    source: (value) => `${value}.length ${operator} ${limit}`,
    phrase,
  }
}

/**
 * Strings are measured in code points, as JSON Schema and zod do. Each is one or two UTF-16 units, so counting is needed
 * only where the units leave it open.
 */
function atLeast(limit: number, phrase: string): Rule {
  const holds = (text: string): boolean =>
    text.length >= limit && (text.length >= 2 * limit || codePoints(text) >= limit)
  return {
    holds: (value) => holds(value as string),
    source: (value, into) =>
      `(${value}.length >= ${2 * limit} || ${into.constant(holds, 'atLeast')}(${value}))`,
    phrase,
  }
}

function atMost(limit: number, phrase: string): Rule {
  const holds = (text: string): boolean =>
    text.length <= limit || (text.length <= 2 * limit && codePoints(text) <= limit)
  return {
    holds: (value) => holds(value as string),
    source: (value, into) => `(${value}.length <= ${limit} || ${into.constant(holds, 'atMost')}(${value}))`,
    phrase,
  }
}

function codePoints(text: string): number {
  let count = text.length
  for (let index = 0; index < text.length; index += 1) {
    if ((text.codePointAt(index) as number) > 0xffff) {
      count -= 1
      index += 1
    }
  }
  return count
}

/** `g` is left out, since it would only make the expression remember where it stopped; `y` needs that undone. */
function pattern(source: string, flags: string): Rule {
  const expression = new RegExp(source, flags.replace('g', ''))
  const phrase = `matching ${expression}`

  if (expression.sticky) {
    const holds = (value: unknown): boolean => {
      expression.lastIndex = 0
      return expression.test(value as string)
    }
    return { holds, source: (value, into) => `${into.constant(holds, 'pattern')}(${value})`, phrase }
  }

  return {
    holds: (value) => expression.test(value as string),
    source: (value, into) => `${into.constant(expression, 'pattern')}.test(${value})`,
    phrase,
  }
}

/**
 * What a type wants, in words, for whoever sent something else: `an integer ≥ 1`, `a string of at most 64 characters`.
 */
export function expected(type: Type, types: Types): string {
  switch (type.kind) {
    case 'string':
      return expectedString(type)
    case 'int':
      return expectedNumber(type, expectedInteger(type))
    case 'float':
      return expectedNumber(type, type.nonFinite ? 'a number' : 'a finite number')
    case 'bool':
      return 'true or false'
    case 'bytes':
      return expectedLength(type, 'bytes', 'bytes')
    case 'instant':
      return expectedNumber(type, 'a moment in time')
    case 'json':
      return 'a JSON value'
    case 'literal':
      return expectedOneOf(type.values)
    case 'list':
      return expectedLength(type, type.js === 'set' ? 'a set' : 'a list', 'entries')
    case 'tuple':
      return `a list of ${type.rest === undefined ? '' : 'at least '}${type.items.length} entries`
    case 'map':
      return expectedLength(type, type.js === 'map' ? 'a map' : 'an object', 'entries')
    case 'ref':
      return expectedNamed(type.to, types)
  }
}

/** The checks say more than the width does, and a sender who is told `≥ 1` needs nothing else, mostly. */
function expectedInteger(type: Extract<Type, { kind: 'int' }>): string {
  if (type.checks !== undefined && type.checks.length > 0) return 'an integer'
  if (type.js === 'number' && type.bits === 64) return type.signed ? 'an integer' : 'an integer ≥ 0'
  return type.signed ? `a ${type.bits}-bit integer` : `a ${type.bits}-bit integer ≥ 0`
}

function expectedNumber(type: Type, noun: string): string {
  const phrases = rulesOf(type).map((rule) => rule.phrase)
  return phrases.length === 0 ? noun : `${noun} ${phrases.join(' and ')}`
}

function expectedString(type: Extract<Type, { kind: 'string' }>): string {
  const format = knownFormat(type.format)
  const noun = format?.phrase ?? expectedLength(type, 'a string', 'characters')
  const source = type.checks?.find((check) => check.check === 'pattern')
  if (source === undefined || format !== undefined) return noun

  return `${noun} matching ${new RegExp(source.source, source.flags)}`
}

function expectedLength(type: Type, noun: string, unit: string): string {
  const phrases = rulesOf(type)
    .map((rule) => rule.phrase)
    .filter((phrase) => phrase.startsWith('at '))
  return phrases.length === 0 ? noun : `${noun} of ${phrases.join(' and ')} ${unit}`
}

function expectedNamed(name: string, types: Types): string {
  const named = types[name]
  return named?.kind === 'enum' ? expectedOneOf(named.values.map(({ value }) => value)) : 'an object'
}

function expectedOneOf(values: readonly (string | number | boolean)[]): string {
  const shown = values.slice(0, 12).map((value) => JSON.stringify(value))
  if (values.length > shown.length) shown.push('…')
  return shown.length === 1 ? (shown[0] ?? '') : `one of ${shown.join(', ')}`
}

const longestShown = 40

/** What was there instead, in words: `"two"`, `a list of 3 entries`. Long strings are cut. */
export function got(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'string') return gotString(value)
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  if (typeof value !== 'object') return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString()
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `a list of ${value.length} entries`
  if (value instanceof Set) return `a set of ${value.size} entries`
  if (value instanceof Map) return `a map of ${value.size} entries`
  return 'an object'
}

/** The key of a map's entry, whatever it is, as a step of a path. */
export function keyText(key: unknown): string {
  return typeof key === 'object' ? got(key) : String(key)
}

function gotString(value: string): string {
  if (value.length <= longestShown) return JSON.stringify(value)
  return `${JSON.stringify(`${value.slice(0, longestShown)}…`)} (${value.length} characters)`
}
