/** Keys of maps: JSON has strings only. */
import type { Type, Types } from '../../schema/type.ts'
import { broken } from '../checks.ts'
import { integerRange, parseInteger } from './integer.ts'
import { leafOf, wrong } from './leaves.ts'

export interface Key {
  /** The key in TypeScript: the string itself in a record. `wrong` when it does not fit. */
  readonly from: (text: string) => unknown
  /** The key in JSON. */
  readonly to: (key: unknown) => string | typeof wrong
}

export function keyOf(type: Type, js: 'record' | 'map', types: Types): Key {
  const fromText = readerOf(type, types)
  const isBroken = broken(type)
  const from = (text: string): unknown => {
    const key = fromText(text)
    return key === wrong || isBroken?.(key) ? wrong : key
  }

  // A record has strings for keys in TypeScript, too, whatever they stand for.
  if (js === 'record') {
    const check = (text: string): string | typeof wrong => (from(text) === wrong ? wrong : text)
    return { from: check, to: (key) => check(key as string) }
  }

  const leaf = leafOf(type, types)
  return {
    from,
    to: (key) => {
      const json = leaf === undefined ? wrong : leaf.to(key)
      return json === wrong ? wrong : String(json)
    },
  }
}

function readerOf(type: Type, types: Types): (text: string) => unknown {
  if (type.kind === 'int') {
    const { least, most } = integerRange(type)
    return (text) => {
      const value = text === '-0' ? undefined : parseInteger(text)
      if (value === undefined || value < least || value > most) return wrong
      return type.js === 'bigint' ? value : Number(value)
    }
  }
  if (type.kind === 'bool') {
    return (text) => (text === 'true' ? true : text === 'false' ? false : wrong)
  }
  if (type.kind === 'string') return (text) => text

  const values = type.kind === 'literal' ? type.values : enumValues(type, types)
  const byText = new Map<string, unknown>(values.map((value) => [String(value), value]))
  return (text) => (byText.has(text) ? byText.get(text) : wrong)
}

function enumValues(type: Type, types: Types): readonly (string | number | boolean)[] {
  const named = type.kind === 'ref' ? types[type.to] : undefined
  return named?.kind === 'enum' ? named.values.map(({ value }) => value) : []
}
