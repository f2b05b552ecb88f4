/** Fields of an input that its type does not have: a codec skips them, and a typing mistake would go unseen. Pure. */
import { didYouMean } from '../contract/nearest.ts'
import type { Json, Message, Schema } from '../index.ts'

type Slot = Schema['root']
type Named = Schema['types'][string]

export interface UnknownField {
  /** `lines[2].quantty` */
  readonly path: string
  /** The field that was meant, or those there are. */
  readonly hint: string
}

/** All fields of a JSON value that its message does not have. What does not fit the type otherwise is not looked at. */
export function unknownFields({ schema }: Message, json: Json): readonly UnknownField[] {
  const found: UnknownField[] = []
  walk(schema.root, json, '', { types: schema.types, found })
  return found
}

interface Walk {
  readonly types: Schema['types']
  readonly found: UnknownField[]
}

function walk({ type }: Pick<Slot, 'type'>, json: Json, path: string, into: Walk): void {
  switch (type.kind) {
    case 'list':
      if (Array.isArray(json)) json.forEach((each, index) => walk(type.of, each, `${path}[${index}]`, into))
      return
    case 'tuple':
      if (!Array.isArray(json)) return
      json.forEach((each, index) => {
        const item = type.items[index] ?? type.rest
        if (item !== undefined) walk(item, each, `${path}[${index}]`, into)
      })
      return
    case 'map':
      if (!isObject(json)) return
      for (const [key, each] of Object.entries(json)) walk(type.of, each, under(path, key), into)
      return
    case 'ref':
      if (isObject(json)) walkNamed(type.to, json, path, into)
  }
}

function walkNamed(name: string, json: JsonObject, path: string, into: Walk): void {
  const named = into.types[name]

  if (named?.kind === 'union') {
    const variant = variantOf(named, json, into.types)
    if (variant !== undefined) walkNamed(variant, json, path, into)
    return
  }
  if (named?.kind !== 'object') return

  const fields = new Map(named.fields.map((field) => [field.json ?? field.name, field]))
  for (const [key, value] of Object.entries(json)) {
    const field = fields.get(key)
    if (field !== undefined) walk(field, value, under(path, key), into)
    else into.found.push({ path: under(path, key), hint: hintOf(key, name, [...fields.keys()]) })
  }
}

/** The variant that the value says it is. */
function variantOf(
  union: Extract<Named, { kind: 'union' }>,
  json: JsonObject,
  types: Schema['types'],
): string | undefined {
  return union.variants.find(({ tag, to }) => {
    const object = types[to]
    const by = object?.kind === 'object' ? object.fields.find(({ name }) => name === union.by) : undefined
    const key = by?.json ?? union.by
    return Object.hasOwn(json, key) && json[key] === tag
  })?.to
}

function hintOf(key: string, type: string, known: readonly string[]): string {
  const meant = didYouMean(key, known)
  if (meant !== '') return meant.trimStart()
  return known.length === 0 ? `${type} has no fields` : `${type} has ${known.join(', ')}`
}

type JsonObject = { readonly [key: string]: Json }

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function under(path: string, key: string): string {
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}
