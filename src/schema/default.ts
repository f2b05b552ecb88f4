/**
 * A default's JSON form in our own dialect (docs/types.md): bigint and 64-bit integers exact, bytes in base64, moments in
 * RFC 3339. Runs once per default while a contract is declared; the compiled codecs have nothing to do with it.
 */
import { isJson } from './meta.ts'
import { jsonName } from './names.ts'
import type { Json, Slot, Type, Types } from './type.ts'

/** The value is not one of the type; the message says where and why. */
export class NoJsonForm extends Error {}

/** Throws `NoJsonForm` when the value does not have the slot's type. */
export function defaultToJson(value: unknown, slot: Slot, types: Types, path = 'the default'): Json {
  if (value === null && slot.nullable) return null

  return typeToJson(value, slot.type, types, path)
}

function typeToJson(value: unknown, type: Type, types: Types, path: string): Json {
  const refuse = (expected: string): NoJsonForm => new NoJsonForm(`${path} is not ${expected}`)

  switch (type.kind) {
    case 'string':
      if (typeof value !== 'string') throw refuse('a string')
      return value

    case 'bool':
      if (typeof value !== 'boolean') throw refuse('a boolean')
      return value

    case 'int':
      if (type.js === 'bigint') {
        if (typeof value !== 'bigint') throw refuse('a bigint')
        return value.toString()
      }
      if (!Number.isSafeInteger(value)) throw refuse('an integer')
      return value as number

    case 'float':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse('a finite number')
      return value

    case 'bytes':
      if (!(value instanceof Uint8Array)) throw refuse('a Uint8Array')
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')

    case 'instant':
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw refuse('a valid Date')
      return value.toISOString()

    case 'json':
      if (!isJson(value)) throw refuse('JSON')
      return value

    case 'literal':
      if (!type.values.includes(value as string)) throw refuse(`one of ${JSON.stringify(type.values)}`)
      return value as string

    case 'list': {
      if (type.js === 'set' ? !(value instanceof Set) : !Array.isArray(value)) throw refuse(`a ${type.js}`)
      return [...(value as Iterable<unknown>)].map((element, index) =>
        defaultToJson(element, type.of, types, `${path}[${index}]`),
      )
    }

    case 'tuple': {
      if (!Array.isArray(value) || value.length < type.items.length) throw refuse('a tuple of that length')
      return value.map((element, index) => {
        const slot = type.items[index] ?? type.rest

        if (slot === undefined) throw refuse('a tuple of that length')

        return defaultToJson(element, slot, types, `${path}[${index}]`)
      })
    }

    case 'map': {
      if (type.js === 'map' ? !(value instanceof Map) : typeof value !== 'object' || value === null) {
        throw refuse(`a ${type.js}`)
      }
      const entries = value instanceof Map ? [...value] : Object.entries(value as object)

      return Object.fromEntries(
        entries.map(([key, member]) => [
          String(key),
          defaultToJson(member, type.of, types, `${path}[${JSON.stringify(String(key))}]`),
        ]),
      )
    }

    case 'ref':
      return namedToJson(value, type.to, types, path)
  }
}

function namedToJson(value: unknown, name: string, types: Types, path: string): Json {
  const named = types[name]

  if (named === undefined) throw new NoJsonForm(`${path} refers to the type ${name} from inside of it`)

  if (named.kind === 'enum') {
    if (!named.values.some((member) => member.value === value))
      throw new NoJsonForm(`${path} is not a ${name}`)
    return value as string | number
  }

  if (typeof value !== 'object' || value === null) throw new NoJsonForm(`${path} is not an object`)

  const object = value as Record<string, unknown>

  if (named.kind === 'union') {
    const variant = named.variants.find(({ tag }) => tag === object[named.by])

    if (variant === undefined) throw new NoJsonForm(`${path}.${named.by} names no variant of ${name}`)

    return namedToJson(value, variant.to, types, path)
  }

  const json: Record<string, Json> = {}

  for (const field of named.fields) {
    const member = object[field.name]

    if (member === undefined && (field.optional || field.default !== undefined)) continue
    json[jsonName(field)] = defaultToJson(member, field, types, `${path}.${field.name}`)
  }

  return json
}
