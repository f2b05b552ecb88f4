/**
 * google.protobuf.Timestamp in ProtoJSON: RFC 3339 in UTC with 0, 3, 6 or 9 decimals, of the years 1 to 9999. In
 * TypeScript a `Date`, which keeps milliseconds, or a string, which keeps all nine.
 */
import { parseInstant } from '../instant.ts'
import { wrong, type Leaf } from '../leaves.ts'
import { fractionOf } from './duration.ts'

const earliest = Date.parse('0001-01-01T00:00:00Z')
const latest = Date.parse('9999-12-31T23:59:59.999Z')

function isInRange(milliseconds: number): boolean {
  return milliseconds >= earliest && milliseconds <= latest
}

export const dateLeaf: Leaf = {
  from: (json) => {
    const milliseconds = typeof json === 'string' ? parseInstant(json) : NaN
    return isInRange(milliseconds) ? new Date(milliseconds) : wrong
  },
  to: (value) => {
    if (!(value instanceof Date) || !isInRange(value.getTime())) return wrong
    return value.toISOString().replace('.000Z', 'Z')
  },
}

/** In TypeScript `2020-01-01T00:00:00.5Z`. */
export const textLeaf: Leaf = {
  from: (json) => inUtc(json, (digits) => (digits === '' ? '' : `.${digits}`)) ?? wrong,
  to: (value) => inUtc(value, fractionOf) ?? wrong,
}

const decimals = /\.(\d{1,9})/

function inUtc(text: unknown, fraction: (digits: string) => string): string | undefined {
  const milliseconds = typeof text === 'string' ? parseInstant(text) : NaN
  if (!isInRange(milliseconds)) return undefined

  const digits = (decimals.exec(text as string)?.[1] ?? '').replace(/0+$/, '')
  return `${new Date(milliseconds).toISOString().slice(0, 19)}${fraction(digits)}Z`
}
