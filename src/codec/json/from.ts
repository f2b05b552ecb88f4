/**
 * From a JSON tree to a valid value: one closure for each type, compiled once. It says all that is wrong with a value
 * and where, so whatever a faster reader refuses is read again here.
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
import { broken } from '../checks.ts'
import { keyOf } from './key.ts'
import { type Leaf, leafOf, wrong } from './leaves.ts'
import { oneofsIn } from '../oneofs.ts'
import { setOwn } from '../set-own.ts'
import {
  compileOnce,
  finishWalk,
  limited,
  mismatch,
  type NamedSteps,
  report,
  startWalk,
  wantedInJson,
  type Step,
  type Walk,
} from './walk.ts'

export type From = Step<unknown, unknown>

/** What the compilation of one schema shares. */
interface Context {
  readonly schema: Schema
  readonly depth: number
  readonly named: NamedSteps<string, unknown, unknown>
}

export function compileFrom(schema: Schema, depth: number): From {
  return slotFrom(schema.root, { schema, depth, named: new Map() })
}

function slotFrom(slot: Slot, context: Context): From {
  const from = typeFrom(slot, context)
  if (!slot.nullable) return from
  return (json, walk, depth) => (json === null ? null : from(json, walk, depth))
}

function typeFrom(slot: Slot, context: Context): From {
  const { type } = slot
  const leaf = leafOf(type, context.schema.types)
  if (leaf !== undefined) return leafFrom(leaf, type, context.schema.types)

  switch (type.kind) {
    case 'json':
      return jsonFrom(context.depth)
    case 'list':
      return limited(listFrom(type, context.schema.types, slotFrom(type.of, context)), context.depth)
    case 'tuple':
      return limited(tupleFrom(type, context), context.depth)
    case 'map':
      return limited(mapFrom(type, context.schema.types, slotFrom(type.of, context)), context.depth)
    case 'ref':
      return namedFrom(type.to, context)
    default:
      throw new TypeError(`JSON cannot carry the type "${type.kind}"`)
  }
}

/** A value without parts, in either dialect. */
export function leafFrom(leaf: Leaf, type: Type, types: Types): From {
  const isBroken = broken(type)
  const wanted = wantedInJson(type, types)

  return (json, walk, depth) => {
    const value = leaf.from(json)
    if (value === wrong || isBroken?.(value)) return mismatch(walk, depth, wanted, json)
    return value
  }
}

/** A fresh copy, so that a value never shares parts with what it was read from. */
export function jsonFrom(maximum: number): From {
  const from: From = (json, walk, depth) => {
    if (json === null || typeof json === 'string' || typeof json === 'boolean') return json
    if (typeof json === 'bigint') return Number(json)
    if (typeof json === 'number' && Number.isFinite(json)) return json
    if (typeof json !== 'object') return mismatch(walk, depth, 'a JSON value', json)
    if (depth >= maximum) return report(walk, depth, `nested deeper than ${maximum} levels`)

    if (Array.isArray(json)) {
      return json.map((element, index) => {
        walk.path[depth] = index
        return from(element, walk, depth + 1)
      })
    }
    if (!isPlain(json)) return mismatch(walk, depth, 'a JSON value', json)

    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(json)) {
      walk.path[depth] = key
      setOwn(copy, key, from((json as Record<string, unknown>)[key], walk, depth + 1))
    }
    return copy
  }
  return from
}

export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A list, in either dialect. */
export function listFrom(type: Type, types: Types, element: From): From {
  const isBroken = broken(type)
  const wanted = wantedInJson(type, types)
  const isSet = type.kind === 'list' && type.js === 'set'

  return (json, walk, depth) => {
    if (!Array.isArray(json)) return mismatch(walk, depth, wanted, json)

    const list: unknown[] = []
    for (let index = 0; index < json.length; index++) {
      walk.path[depth] = index
      list.push(element(json[index], walk, depth + 1))
    }
    if (!isSet) return isBroken?.(list) ? mismatch(walk, depth, wanted, json) : list

    const set = new Set(list)
    if (set.size !== list.length) return report(walk, depth, 'expected a list without duplicates')
    return isBroken?.(set) ? mismatch(walk, depth, wanted, json) : set
  }
}

function tupleFrom(type: TupleType, context: Context): From {
  const items = type.items.map((item) => slotFrom(item, context))
  const rest = type.rest === undefined ? undefined : slotFrom(type.rest, context)
  const wanted = wantedInJson(type, context.schema.types)

  return (json, walk, depth) => {
    const fits =
      Array.isArray(json) &&
      (json.length === items.length || (rest !== undefined && json.length > items.length))
    if (!fits) return mismatch(walk, depth, wanted, json)

    return json.map((element, index) => {
      walk.path[depth] = index
      return (items[index] ?? rest)!(element, walk, depth + 1)
    })
  }
}

/** A map, in either dialect. */
export function mapFrom(type: MapType, types: Types, element: From): From {
  const key = keyOf(type.key, type.js, types)
  const wantedKey = wantedInJson(type.key, types)
  const isBroken = broken(type)
  const wanted = wantedInJson(type, types)

  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, wanted, json)

    const record: Record<string, unknown> = {}
    const map = new Map<unknown, unknown>()
    for (const name of Object.keys(json)) {
      walk.path[depth] = name
      const ownKey = key.from(name)
      if (ownKey === wrong) {
        report(walk, depth + 1, `expected ${wantedKey} as the key`)
        continue
      }
      const value = element(json[name], walk, depth + 1)
      if (type.js === 'map') map.set(ownKey, value)
      else setOwn(record, name, value)
    }

    for (const name of type.keys ?? []) {
      if (Object.hasOwn(json, name)) continue
      walk.path[depth] = name
      element(undefined, walk, depth + 1)
    }

    const result = type.js === 'map' ? map : record
    return isBroken?.(result) ? mismatch(walk, depth, wanted, json) : result
  }
}

function namedFrom(name: string, context: Context): From {
  return compileOnce(context.named, name, () => {
    const named = context.schema.types[name]
    if (named?.kind === 'object') return limited(objectFrom(named, context), context.depth)
    if (named?.kind === 'union') return unionFrom(named, context)
    throw new TypeError(`the type "${name}" is not in the table of types`)
  })
}

interface FieldFrom {
  readonly name: string
  readonly json: string
  readonly from: From
  readonly sensitive: boolean
  readonly optional: boolean
  /** A fresh value for a field that was left out. */
  readonly fill: (() => unknown) | undefined
}

function fieldFrom(field: Field, context: Context): FieldFrom {
  return {
    name: field.name,
    json: field.json ?? field.name,
    from: slotFrom(field, context),
    sensitive: field.sensitive === true,
    optional: field.optional === true,
    fill: field.default === undefined ? undefined : compileDefault(field, context.schema, context.depth),
  }
}

/** Makes a fresh value of a field's default, which stands in the schema in our own dialect. */
export function compileDefault(
  field: Slot & { default?: Json },
  schema: Schema,
  depth: number,
): () => unknown {
  let from: From | undefined
  return () => {
    from ??= compileFrom({ root: { type: field.type, nullable: field.nullable }, types: schema.types }, depth)
    const walk = startWalk()
    const value = from(field.default, walk, 0)
    finishWalk(walk)
    return value
  }
}

function objectFrom(named: ObjectType, context: Context): From {
  const fields = named.fields.map((field) => fieldFrom(field, context))
  const known = new Set(fields.map((field) => field.json))
  const refuse = named.unknown === 'refuse'
  const oneofs = oneofsIn(named.fields).map((indexes) => indexes.map((index) => fields[index] as FieldFrom))

  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, 'an object', json)

    const object: Record<string, unknown> = {}
    for (const field of fields) {
      const value = readField(field, json, walk, depth)
      if (value !== undefined) setOwn(object, field.name, value)
    }

    for (const oneof of oneofs) {
      const given = oneof.filter(({ json: name }) => own(json, name) !== undefined)
      const names = given.map(({ json: name }) => JSON.stringify(name))
      if (given.length > 1) report(walk, depth, `expected at most one of ${names.join(', ')}`)
    }

    if (refuse) refuseUnknown(json, known, walk, depth)
    return object
  }
}

export function refuseUnknown(
  json: Record<string, unknown>,
  known: ReadonlySet<string>,
  walk: Walk,
  depth: number,
): void {
  for (const key of Object.keys(json)) {
    if (known.has(key)) continue
    walk.path[depth] = key
    report(walk, depth + 1, 'is not a declared field')
  }
}

function readField(field: FieldFrom, object: Record<string, unknown>, walk: Walk, depth: number): unknown {
  const json = own(object, field.json)
  if (json === undefined) {
    if (field.fill !== undefined) return field.fill()
    if (field.optional) return undefined
  }

  walk.path[depth] = field.json
  if (!field.sensitive) return field.from(json, walk, depth + 1)

  walk.hidden++
  const value = field.from(json, walk, depth + 1)
  walk.hidden--
  return value
}

/** Keys such as `constructor` are there in every object without being its own. */
export function own(object: Record<string, unknown>, key: string): unknown {
  const value = object[key]
  return value === undefined || !(key in Object.prototype) || Object.hasOwn(object, key) ? value : undefined
}

function unionFrom(named: UnionType, context: Context): From {
  const { types } = context.schema
  const variants = new Map<unknown, From>()
  const keys = new Set<string>()

  for (const { tag, to } of named.variants) {
    variants.set(tag, namedFrom(to, context))
    const object = types[to]
    const field = object?.kind === 'object' ? object.fields.find(({ name }) => name === named.by) : undefined
    keys.add(field === undefined ? named.by : (field.json ?? field.name))
  }
  const names = [...keys]
  const wanted = `one of ${named.variants.map(({ tag }) => JSON.stringify(tag)).join(', ')}`

  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, 'an object', json)

    let tag: unknown
    for (const key of names) {
      tag = own(json, key)
      const from = variants.get(tag)
      if (from !== undefined) return from(json, walk, depth)
    }
    walk.path[depth] = names[0]!
    return mismatch(walk, depth + 1, wanted, tag)
  }
}
