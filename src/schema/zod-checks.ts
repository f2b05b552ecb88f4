/** zod's checks as checks of the Type model; what has no form there is left to zod itself at run time (`refine`). */
import type { Check, FloatType, IntType, StringType } from './type.ts'
import type { ZodCheckDef } from './zod-def.ts'

/** Checks of the model, and whether zod must run as well. */
export interface Checked {
  readonly checks: readonly Check[]
  readonly refine: boolean
}

/** zod's names of formats where JSON Schema has another. */
const formatNames: Readonly<Record<string, string>> = { datetime: 'date-time', url: 'uri', guid: 'uuid' }

const wholeBase64 = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'
const wholeBase64url = '^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$'

/** Formats that zod checks by more than the pattern it shows. */
const checkedByCode: ReadonlySet<string> = new Set(['cidrv6', 'jwt', 'credit_card', 'iban', 'json_string'])

/** Appends `type.checks` only when there are some. */
export function withChecks<T extends object>(
  type: T,
  checks: readonly Check[],
): T & { checks?: readonly Check[] } {
  return checks.length === 0 ? type : { ...type, checks }
}

export function stringType(defs: readonly ZodCheckDef[]): { type: StringType; refine: boolean } {
  const checks: Check[] = []
  let format: string | undefined
  let refine = false
  let tested = false

  for (const def of defs) {
    const length = lengthChecks(def)

    if (length !== undefined) {
      checks.push(...length)
    } else if (def.check !== 'string_format') {
      refine = true
    } else if (def.format === 'includes') {
      if (def.position === undefined) checks.push(pattern(escape(def.includes ?? '')))
      else refine = true
    } else if (def.format === 'starts_with') {
      checks.push(pattern(`^${escape(def.prefix ?? '')}`))
    } else if (def.format === 'ends_with') {
      checks.push(pattern(`${escape(def.suffix ?? '')}$`))
    } else if (def.format === 'regex' || def.format === 'lowercase' || def.format === 'uppercase') {
      if (def.pattern !== undefined) checks.push(patternOf(def.pattern))
    } else if (def.format !== undefined) {
      format ??= formatName(def)

      // zod tests these by code too, and takes more than the pattern that it shows of IPv6 addresses.
      if (def.format === 'url' || def.format === 'ipv6') tested = true
      else if (def.format === 'base64') checks.push(pattern(wholeBase64))
      else if (def.format === 'base64url') checks.push(pattern(wholeBase64url))
      else if (def.pattern !== undefined) checks.push(patternOf(def.pattern))

      const byCode = checkedByCode.has(def.format) || (def.pattern === undefined && !tested)
      const withOptions =
        def.format === 'url' && (def.hostname ?? def.protocol ?? def.normalize) !== undefined

      if (byCode || withOptions) refine = true
    }
  }

  // A pattern takes the place of the format's own test (type.ts), so zod has to see to the format.
  if (tested && checks.some(({ check }) => check === 'pattern')) refine = true

  const type: StringType = format === undefined ? { kind: 'string' } : { kind: 'string', format }

  return { type: withChecks(type, checks), refine }
}

/** A local time, or one without seconds, is no RFC 3339 `date-time`. */
function formatName(def: ZodCheckDef): string {
  if (def.format === 'datetime' && (def.local === true || def.precision === -1)) return 'local-date-time'

  return formatNames[def.format ?? ''] ?? def.format ?? ''
}

type NumberFormat = 'int32' | 'uint32' | 'safeint' | 'float32' | 'float64'

/** `undefined` when two formats exclude each other. */
export function numberType(
  defs: readonly ZodCheckDef[],
): { type: IntType | FloatType; refine: boolean } | undefined {
  const formats = new Set(
    defs.filter(({ check }) => check === 'number_format').map(({ format }) => format as NumberFormat),
  )

  if (formats.has('int32') && formats.has('uint32')) return undefined

  const base = numberBase(formats)
  const { checks, refine } = numericChecks(
    defs.filter(({ check }) => check !== 'number_format'),
    base.kind === 'int',
  )

  return { type: withChecks(base, checks), refine }
}

function numberBase(formats: ReadonlySet<NumberFormat>): IntType | FloatType {
  if (formats.has('int32')) return { kind: 'int', bits: 32, signed: true, js: 'number' }
  if (formats.has('uint32')) return { kind: 'int', bits: 32, signed: false, js: 'number' }
  if (formats.has('safeint')) return { kind: 'int', bits: 64, signed: true, js: 'number' }

  return { kind: 'float', bits: formats.has('float32') ? 32 : 64 }
}

/** A bigint without a format is an int64; one that is never negative and may be larger is a uint64. */
export function bigintType(defs: readonly ZodCheckDef[]): { type: IntType; refine: boolean } {
  const formats = defs.filter(({ check }) => check === 'bigint_format').map(({ format }) => format)
  const { checks, refine } = numericChecks(
    defs.filter(({ check }) => check !== 'bigint_format'),
    true,
  )
  const neverNegative = checks.some((check) => check.check === 'min' && BigInt(check.value) >= 0n)
  const large = checks.some((check) => check.check === 'max' && BigInt(check.value) > 2n ** 63n - 1n)
  const unsigned = formats.includes('uint64') || (formats.length === 0 && neverNegative && large)

  return {
    type: withChecks({ kind: 'int', bits: 64, signed: !unsigned, js: 'bigint' }, checks),
    refine: refine || formats.length > 1,
  }
}

/** Bounds and multiples of numbers, and bounds of moments. */
export function numericChecks(defs: readonly ZodCheckDef[], whole: boolean): Checked {
  const checks: Check[] = []
  let refine = false

  for (const def of defs) {
    const kind = def.check === 'greater_than' ? 'min' : def.check === 'less_than' ? 'max' : undefined

    if (kind !== undefined && def.value !== undefined) {
      if (def.value === Infinity || def.value === -Infinity) {
        if (def.value > 0 === (kind === 'min') || def.inclusive === false) refine = true
        continue
      }

      checks.push(bound(kind, def.value, def.inclusive !== false, whole))
    } else if (def.check === 'multiple_of' && (!whole || isWhole(def.value))) {
      checks.push({ check: 'multipleOf', value: exact(def.value ?? 0) })
    } else {
      refine = true
    }
  }

  return { checks, refine }
}

function bound(
  kind: 'min' | 'max',
  value: number | bigint | Date,
  inclusive: boolean,
  whole: boolean,
): Check {
  if (whole && typeof value === 'number' && !Number.isInteger(value)) {
    return { check: kind, value: exact(kind === 'min' ? Math.ceil(value) : Math.floor(value)) }
  }

  const check: Check = { check: kind, value: exact(value) }

  return inclusive ? check : { ...check, exclusive: true }
}

function isWhole(value: number | bigint | Date | undefined): boolean {
  return typeof value === 'bigint' || Number.isInteger(value)
}

/** Integers without an exponent, whatever their size; moments in RFC 3339. */
export function exact(value: number | bigint | Date): string {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value).toString()

  return String(value)
}

/** The bounds of a length or size that one check sets; `undefined` when it is another kind of check. */
export function lengthChecks(def: ZodCheckDef): readonly Check[] | undefined {
  switch (def.check) {
    case 'min_length':
    case 'min_size':
      return [{ check: 'minLength', value: String(def.minimum) }]
    case 'max_length':
    case 'max_size':
      return [{ check: 'maxLength', value: String(def.maximum) }]
    case 'length_equals':
    case 'size_equals': {
      const value = String(def.length ?? def.size)

      return [
        { check: 'minLength', value },
        { check: 'maxLength', value },
      ]
    }
    default:
      return undefined
  }
}

/** Lengths of lists, maps and bytes; any other check is zod's. */
export function sizedChecks(defs: readonly ZodCheckDef[]): Checked {
  const checks: Check[] = []
  let refine = false

  for (const def of defs) {
    const length = lengthChecks(def)

    if (length === undefined) refine = true
    else checks.push(...length)
  }

  return { checks, refine }
}

function pattern(source: string): Check {
  return { check: 'pattern', source, flags: '' }
}

/** zod tests from the start each time: `g` then means nothing, and `y` an anchor. */
export function patternOf({ source, flags }: RegExp): Check {
  const anchored = flags.includes('y') ? `^(?:${source})` : source

  return { check: 'pattern', source: anchored, flags: flags.replace(/[gy]/g, '') }
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
