/**
 * HOT PATH; guarded by `bench/scenarios/codec-json.ts`. Compiles a schema to one flat test whether `JSON.stringify`
 * writes a value exactly as the codec would: declared fields only, in their order, each of its type, nothing that needs
 * translation. The test costs a twentieth of the writing, and nothing in JavaScript makes text as fast as that.
 *
 * `false` says no more than that the value takes the other way: it may be longer, or wrong, or simply of a class.
 */
import type {
  Field,
  ListType,
  MapType,
  ObjectType,
  Schema,
  Slot,
  Type,
  UnionType,
} from '../../schema/type.ts'
import { literal, program, property, type Program } from '../generate.ts'
import { isFreeRecord, isNoNumber } from './generate-to.ts'

/** Whether `JSON.stringify(value)` is the text of the value. */
export type PlainTest = (value: unknown) => boolean

interface Context {
  readonly schema: Schema
  readonly depth: number
  readonly into: Program
  readonly functions: string[]
  /** The test of each named type; `undefined` while it is being made. */
  readonly named: Map<string, string | undefined>
}

/** Thrown inside, when the type has another form in JSON than in JavaScript, or nests in itself. */
const otherwise: unique symbol = Symbol('otherwise')

/**
 * `undefined` when no value of the schema is plain; and when a type nests in itself, since values are then many small
 * objects, which the printer of bytes is the fastest for.
 */
export function generatePlain(schema: Schema, depth: number): PlainTest | undefined {
  const context: Context = { schema, depth, into: program(), functions: [], named: new Map() }
  let root: string
  try {
    root = refuseSlot(schema.root, 'v', context)
  } catch (error) {
    if (error === otherwise) return undefined
    throw error
  }

  const source = `
    let depth = 0
    function isPlain(v) {
      depth = 0
      ${root}
      return true
    }`
  return context.into.build<PlainTest>(`${source}\n${context.functions.join('\n')}\nreturn isPlain`)
}

/** A statement that returns false unless the value, an identifier, is plain. */
function refuseSlot(slot: Slot, value: string, context: Context): string {
  const condition = isNotPlain(slot.type, value, context)
  return `if (${slot.nullable ? `${value} !== null && ` : ''}(${condition})) return false;`
}

function isNotPlain(type: Type, value: string, context: Context): string {
  switch (type.kind) {
    case 'string':
      return `typeof ${value} !== 'string'`
    case 'bool':
      return `typeof ${value} !== 'boolean'`
    case 'int':
      if (type.js === 'bigint') throw otherwise
      return isNoNumber(type, value)
    case 'float':
      return isNoNumber(type, value)
    case 'literal':
      return isNoneOf(type.values, value, context)
    case 'list':
      return `!${listTest(type, context)}(${value})`
    case 'map':
      return `!${recordTest(type, context)}(${value})`
    case 'ref':
      return isNotNamed(type.to, value, context)
    case 'bytes':
    case 'instant':
    case 'json':
    case 'tuple':
      throw otherwise
  }
}

const mostCompared = 8

function isNoneOf(values: readonly (string | number | boolean)[], value: string, context: Context): string {
  if (values.length <= mostCompared) {
    return values.map((each) => `${value} !== ${literal(each)}`).join(' && ')
  }
  return `!${context.into.constant(new Set(values), 'known')}.has(${value})`
}

function enter(context: Context): string {
  return `if (++depth > ${context.depth}) return false;`
}

/** From here on the printer of bytes is faster than `JSON.stringify`, which looks at each object's keys anew. */
const manyObjects = 8

function listTest(type: ListType, context: Context): string {
  if (type.js === 'set') throw otherwise
  const name = context.into.name('isPlainList')
  const hasObjects = type.of.type.kind === 'ref' && context.schema.types[type.of.type.to]?.kind !== 'enum'
  const element = refuseSlot(type.of, 'v', context)

  context.functions.push(`function ${name}(list) {
    if (!Array.isArray(list) || list.toJSON !== undefined) return false
    ${hasObjects ? `if (list.length >= ${manyObjects}) return false` : ''}
    ${enter(context)}
    for (let i = 0; i < list.length; i++) { const v = list[i]; ${element} }
    depth--
    return true
  }`)
  return name
}

function recordTest(type: MapType, context: Context): string {
  if (!isFreeRecord(type)) throw otherwise
  const name = context.into.name('isPlainRecord')
  context.functions.push(`function ${name}(map) {
    if (typeof map !== 'object' || map === null || Array.isArray(map) || map.toJSON !== undefined) return false
    ${enter(context)}
    for (const key in map) { const v = map[key]; ${refuseSlot(type.of, 'v', context)} }
    depth--
    return true
  }`)
  return name
}

function isNotNamed(name: string, value: string, context: Context): string {
  const named = context.schema.types[name]
  if (named === undefined) throw new TypeError(`the type "${name}" is not in the table of types`)
  if (named.kind === 'enum')
    return isNoneOf(
      named.values.map((each) => each.value),
      value,
      context,
    )

  let made = context.named.get(name)
  if (made === undefined) {
    if (context.named.has(name)) throw otherwise
    context.named.set(name, undefined)
    made = context.into.name('isPlainNamed')
    const source =
      named.kind === 'object' ? objectSource(named, made, context) : unionSource(named, made, context)
    context.functions.push(source)
    context.named.set(name, made)
  }
  return `!${made}(${value})`
}

/**
 * Every key must be the next one that is declared, or one behind it, and as many must be there as were read. They must
 * be its own: an inherited one would be read and not be written.
 */
function objectSource(named: ObjectType, name: string, context: Context): string {
  const { fields } = named
  if (fields.some((field) => field.json !== undefined && field.json !== field.name)) throw otherwise
  if (fields.some((field) => field.name in Object.prototype)) throw otherwise
  const names = context.into.constant(
    fields.map((field) => field.name),
    'names',
  )
  // V8 knows this very call within this very loop, and makes next to nothing of it.
  const hasOwn = context.into.constant(Object.prototype.hasOwnProperty, 'hasOwn')
  const required = fields.filter((field) => !mayBeAbsent(field)).length

  return `function ${name}(object) {
    if (typeof object !== 'object' || object === null || object.toJSON !== undefined) return false
    ${enter(context)}
    let present = ${required}
    ${fields.map((field) => refuseField(field, context)).join('\n')}
    let next = 0
    for (const key in object) {
      if (!${hasOwn}.call(object, key)) return false
      while (key !== ${names}[next]) if (++next >= ${fields.length}) return false
      next++
      present--
    }
    depth--
    return present === 0
  }`
}

function mayBeAbsent(field: Field): boolean {
  return field.optional === true || field.default !== undefined
}

function refuseField(field: Field, context: Context): string {
  const value = property('object', field.name)
  const test = refuseSlot(field, 'v', context)
  if (!mayBeAbsent(field)) return `{ const v = ${value}; ${test} }`
  return `{ const v = ${value}; if (v !== undefined) { present++; ${test} } }`
}

function unionSource(named: UnionType, name: string, context: Context): string {
  const branches = named.variants.map(
    ({ tag, to }) => `case ${literal(tag)}: return !(${isNotNamed(to, 'object', context)})`,
  )
  return `function ${name}(object) {
    if (typeof object !== 'object' || object === null) return false
    switch (${property('object', named.by)}) {
      ${branches.join('\n')}
    }
    return false
  }`
}
