/**
 * Default values. A schema has them in the JSON form of our own dialect (dates in RFC 3339, 64-bit integers as decimal
 * strings, bytes in base64); the reader of a message gets them as the values they stand for.
 */
import type {
  Json,
  ListType,
  MapType,
  ObjectType,
  Slot,
  TupleType,
  Type,
  Types,
  UnionType,
} from '../schema/type.ts'

/** A function that gives the default, fresh each time when it could be changed. */
export function defaultMaker(type: Type, json: Json, types: Types): () => unknown {
  const first = valueOf(type, json, types)
  if (typeof first !== 'object' || first === null) return () => first
  return () => valueOf(type, json, types)
}

function valueOf(type: Type, json: Json, types: Types): unknown {
  if (type.kind === 'json') return structuredClone(json)
  if (json === null) return null

  switch (type.kind) {
    case 'int':
      return type.js === 'bigint' ? BigInt(json as string | number) : Number(json)
    case 'float':
      return Number(json)
    case 'bytes':
      return Uint8Array.from(Buffer.from(String(json), 'base64'))
    case 'instant':
      return new Date(json as string)
    case 'list':
      return listOf(type, json as readonly Json[], types)
    case 'tuple':
      return tupleOf(type, json as readonly Json[], types)
    case 'map':
      return mapOf(type, json as Readonly<Record<string, Json>>, types)
    case 'ref':
      return namedOf(type.to, json, types)
    default:
      return json
  }
}

function listOf(type: ListType, json: readonly Json[], types: Types): unknown {
  const list = json.map((element) => valueOf(type.of.type, element, types))
  return type.js === 'set' ? new Set(list) : list
}

function tupleOf(type: TupleType, json: readonly Json[], types: Types): unknown {
  return json.map((element, index) =>
    valueOf((type.items[index] ?? (type.rest as Slot)).type, element, types),
  )
}

function mapOf(type: MapType, json: Readonly<Record<string, Json>>, types: Types): unknown {
  const entries = Object.entries(json)
  if (type.js === 'map') {
    return new Map(
      entries.map(([key, value]) => [keyOf(type.key, key, types), valueOf(type.of.type, value, types)]),
    )
  }
  return Object.fromEntries(entries.map(([key, value]) => [key, valueOf(type.of.type, value, types)]))
}

function keyOf(type: Type, key: string, types: Types): unknown {
  if (type.kind === 'bool') return key === 'true'
  if (type.kind === 'int') return type.js === 'bigint' ? BigInt(key) : Number(key)

  const named = type.kind === 'ref' ? types[type.to] : undefined
  return named?.kind === 'enum' ? named.values.find(({ value }) => String(value) === key)?.value : key
}

function namedOf(name: string, json: Json, types: Types): unknown {
  const named = types[name]
  if (named?.kind === 'object') return objectOf(named, json as Readonly<Record<string, Json>>, types)
  if (named?.kind === 'union') return variantOf(named, json as Readonly<Record<string, Json>>, types)
  return json
}

function objectOf(type: ObjectType, json: Readonly<Record<string, Json>>, types: Types): unknown {
  const entries: [string, unknown][] = []
  for (const field of type.fields) {
    const name = field.json ?? field.name
    const value = Object.hasOwn(json, name) ? json[name] : field.default
    if (value !== undefined) entries.push([field.name, valueOf(field.type, value, types)])
  }
  return Object.fromEntries(entries)
}

function variantOf(type: UnionType, json: Readonly<Record<string, Json>>, types: Types): unknown {
  for (const variant of type.variants) {
    const object = types[variant.to] as ObjectType
    const by = object.fields.find((field) => field.name === type.by)
    if (json[by?.json ?? type.by] === variant.tag) return objectOf(object, json, types)
  }
  return json
}
