/**
 * From a value to JSON: one closure for each type, compiled once. Only what is declared is read, so nothing else can
 * leave. The shape is checked, and widths of integers; bounds and patterns are the reader's to check.
 */
import type {
  Field,
  Json,
  MapType,
  ObjectType,
  Schema,
  Slot,
  TupleType,
  Type,
  Types,
  UnionType,
} from '../../schema/type.ts'
import { isObject, isPlain } from './from.ts'
import { keyOf } from './key.ts'
import { type Leaf, leafOf, wrong } from './leaves.ts'
import { setOwn } from '../set-own.ts'
import { compileOnce, limited, mismatch, type NamedSteps, report, type Step, type Walk } from './walk.ts'
import { expected, keyText } from '../checks.ts'

/** `undefined` only beside an issue. */
export type To = Step<unknown, Json | undefined>

interface Context {
  readonly schema: Schema
  readonly depth: number
  readonly named: NamedSteps<string, unknown, Json | undefined>
}

export function compileTo(schema: Schema, depth: number): To {
  return slotTo(schema.root, { schema, depth, named: new Map() })
}

function slotTo(slot: Slot, context: Context): To {
  const to = typeTo(slot, context)
  if (!slot.nullable) return to
  return (value, walk, depth) => (value === null ? null : to(value, walk, depth))
}

function typeTo(slot: Slot, context: Context): To {
  const { type } = slot
  const leaf = leafOf(type, context.schema.types)

  if (leaf !== undefined) return leafTo(leaf, type, context.schema.types)

  switch (type.kind) {
    case 'json':
      return jsonTo(context.depth)
    case 'list':
      return limited(listTo(type, context.schema.types, slotTo(type.of, context)), context.depth)
    case 'tuple':
      return limited(tupleTo(type, context), context.depth)
    case 'map':
      return limited(mapTo(type, context.schema.types, slotTo(type.of, context)), context.depth)
    case 'ref':
      return namedTo(type.to, context)
    default:
      throw new TypeError(`JSON cannot carry the type "${type.kind}"`)
  }
}

/** A value without parts, in either dialect. */
export function leafTo(leaf: Leaf, type: Type, types: Types): To {
  const wanted = expected(type, types)
  return (value, walk, depth) => {
    const json = leaf.to(value)
    return json === wrong ? mismatch(walk, depth, wanted, value) : json
  }
}

/** A copy: what is written must not change between now and then. Properties that are `undefined` are left out. */
export function jsonTo(maximum: number): To {
  const to: To = (value, walk, depth) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    if (typeof value !== 'object') return mismatch(walk, depth, 'a JSON value', value)
    if (depth >= maximum) return report(walk, depth, `nested deeper than ${maximum} levels`)

    if (Array.isArray(value)) {
      return value.map((element, index) => {
        walk.path[depth] = index
        return to(element, walk, depth + 1) ?? null
      })
    }
    if (!isPlain(value)) return mismatch(walk, depth, 'a JSON value', value)

    const copy: Record<string, Json> = {}
    for (const key of Object.keys(value)) {
      if (value[key] === undefined) continue
      walk.path[depth] = key
      setOwn(copy, key, to(value[key], walk, depth + 1))
    }
    return copy
  }
  return to
}

/** A list, in either dialect. */
export function listTo(type: Type, types: Types, element: To): To {
  const wanted = expected(type, types)
  const isSet = type.kind === 'list' && type.js === 'set'

  return (value, walk, depth) => {
    if (isSet ? !(value instanceof Set) : !Array.isArray(value)) return mismatch(walk, depth, wanted, value)

    const list: Json[] = []
    for (const part of value as Iterable<unknown>) {
      walk.path[depth] = list.length
      list.push(element(part, walk, depth + 1) ?? null)
    }
    return list
  }
}

function tupleTo(type: TupleType, context: Context): To {
  const items = type.items.map((item) => slotTo(item, context))
  const rest = type.rest === undefined ? undefined : slotTo(type.rest, context)
  const wanted = expected(type, context.schema.types)

  return (value, walk, depth) => {
    const fits =
      Array.isArray(value) &&
      (value.length === items.length || (rest !== undefined && value.length > items.length))
    if (!fits) return mismatch(walk, depth, wanted, value)

    return value.map((part, index) => {
      walk.path[depth] = index
      return (items[index] ?? rest)!(part, walk, depth + 1) ?? null
    })
  }
}

/** A map, in either dialect. */
export function mapTo(type: MapType, types: Types, element: To): To {
  const key = keyOf(type.key, type.js, types)
  const wantedKey = expected(type.key, types)
  const wanted = expected(type, types)

  return (value, walk, depth) => {
    if (type.js === 'map' ? !(value instanceof Map) : !isObject(value)) {
      return mismatch(walk, depth, wanted, value)
    }

    const object: Record<string, Json> = {}
    const entries = type.js === 'map' ? (value as Map<unknown, unknown>) : Object.entries(value as object)
    for (const [own, part] of entries) {
      const name = key.to(own)
      walk.path[depth] = name === wrong ? keyText(own) : name
      if (name === wrong) report(walk, depth + 1, `expected ${wantedKey} as the key`)
      else setOwn(object, name, element(part, walk, depth + 1))
    }

    for (const name of type.keys ?? []) {
      if (Object.hasOwn(object, name)) continue
      walk.path[depth] = name
      element(undefined, walk, depth + 1)
    }
    return object
  }
}

function namedTo(name: string, context: Context): To {
  return compileOnce(context.named, name, () => {
    const named = context.schema.types[name]
    if (named?.kind === 'object') return limited(objectTo(named, context), context.depth)
    if (named?.kind === 'union') return unionTo(named, context)
    throw new TypeError(`the type "${name}" is not in the table of types`)
  })
}

interface FieldTo {
  readonly name: string
  readonly json: string
  readonly to: To
  /** May be left out by whoever writes: because it is optional, or because the reader has a default. */
  readonly optional: boolean
  readonly sensitive: boolean
  /** Whether the name is one that every object has without owning it. */
  readonly inherited: boolean
}

function fieldTo(field: Field, context: Context): FieldTo {
  return {
    name: field.name,
    json: field.json ?? field.name,
    to: slotTo(field, context),
    optional: field.optional === true || field.default !== undefined,
    sensitive: field.sensitive === true,
    inherited: field.name in Object.prototype,
  }
}

function objectTo(named: ObjectType, context: Context): To {
  const fields = named.fields.map((field) => fieldTo(field, context))

  return (value, walk, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return mismatch(walk, depth, 'an object', value)
    }

    const object: Record<string, Json> = {}
    for (const field of fields) writeField(field, value as Record<string, unknown>, object, walk, depth)
    return object
  }
}

function writeField(
  field: FieldTo,
  from: Record<string, unknown>,
  into: Record<string, Json>,
  walk: Walk,
  depth: number,
): void {
  const value = field.inherited && !Object.hasOwn(from, field.name) ? undefined : from[field.name]
  if (value === undefined && field.optional) return

  walk.path[depth] = field.name
  if (field.sensitive) walk.hidden++
  const json = field.to(value, walk, depth + 1)
  if (field.sensitive) walk.hidden--
  if (json !== undefined) setOwn(into, field.json, json)
}

function unionTo(named: UnionType, context: Context): To {
  const variants = new Map<unknown, To>()
  for (const { tag, to } of named.variants) variants.set(tag, namedTo(to, context))
  const wanted = `one of ${named.variants.map(({ tag }) => JSON.stringify(tag)).join(', ')}`

  return (value, walk, depth) => {
    if (typeof value !== 'object' || value === null) return mismatch(walk, depth, 'an object', value)
    const tag = (value as Record<string, unknown>)[named.by]
    const to = variants.get(tag)
    if (to !== undefined) return to(value, walk, depth)

    walk.path[depth] = named.by
    return mismatch(walk, depth + 1, wanted, tag)
  }
}
