/** Integers in JSON: which values fit a type, and how text becomes one. */
import type { IntType } from '../../schema/type.ts'

/** Inclusive. A 64-bit integer that is a `number` in TypeScript has the range in which a number is exact. */
export function integerRange(type: IntType): { readonly least: bigint; readonly most: bigint } {
  if (type.bits === 32)
    return type.signed ? { least: -(2n ** 31n), most: 2n ** 31n - 1n } : { least: 0n, most: 2n ** 32n - 1n }
  if (type.js === 'number') return { least: type.signed ? -(2n ** 53n - 1n) : 0n, most: 2n ** 53n - 1n }
  return type.signed ? { least: -(2n ** 63n), most: 2n ** 63n - 1n } : { least: 0n, most: 2n ** 64n - 1n }
}

const plain = /^-?(?:0|[1-9]\d{0,39})$/

/** `undefined` when the text is not a decimal integer without fraction, exponent or leading zeros. */
export function parseInteger(text: string): bigint | undefined {
  return plain.test(text) ? BigInt(text) : undefined
}

const scientific = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/

/** As ProtoJSON reads them, quoted or not: `1.5e1` is 15. `undefined` when the text is not a whole number. */
export function parseScientificInteger(text: string): bigint | undefined {
  if (text.length > 100) return undefined
  const parts = scientific.exec(text)
  if (parts === null) return undefined

  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  const shift = Number(parts[4] ?? '0') - fraction.length
  const digits = BigInt(parts[2]! + fraction)
  if (digits === 0n) return 0n
  const [whole, rest] =
    shift >= 0 ? [digits * 10n ** BigInt(Math.min(shift, 40)), 0n] : divide(digits, -shift)
  if (rest !== 0n) return undefined
  return parts[1] === '-' ? -whole : whole
}

function divide(digits: bigint, places: number): [bigint, bigint] {
  const divisor = 10n ** BigInt(Math.min(places, 120))
  return [digits / divisor, digits % divisor]
}
