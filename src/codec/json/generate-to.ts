/**
 * Compiles a schema to one flat writer of JSON bytes: HOT PATH, guarded by `bench/scenarios/codec-json.ts`. A compiler,
 * so longer than other files.
 *
 * `JSON.stringify` makes text that still has to be copied into a buffer; here bytes go where they are sent from. Long
 * strings, and lists and records of plain scalars, are handed to `JSON.stringify` after a look at each, since nothing
 * in JavaScript is as fast as that.
 *
 * Space: whoever writes a value of unbounded size leaves `spare` bytes free behind it, which is more than all that is
 * written of bounded size before the next. A value that does not fit its type is `unexpected`: the closures say why.
 */
import type {
  EnumType,
  Field,
  ListType,
  MapType,
  ObjectType,
  Schema,
  Slot,
  Type,
  Types,
  UnionType,
} from '../../schema/type.ts'
import { literal, program } from '../generate.ts'
import { integerRange } from './integer.ts'
import { largestFloat } from './leaves.ts'
import { addKey, createKeyTable, isFull } from './key-table.ts'
import { type Functions, namedFunction } from './named-function.ts'
import {
  makeRoom,
  type Output,
  printBigInteger,
  printInstant,
  printNumber,
  printRaw,
  printText,
  printWhole,
  viewOf,
} from './print.ts'
import { unexpected } from './scan.ts'
import { compileTo } from './to.ts'
import { finishWalk, startWalk } from './walk.ts'

/** Writes at the writer's position and moves it. Nothing counts as written when it throws. */
export type Printer = (writer: Output, value: unknown) => void

interface Context extends Functions {
  /** More than is written of bounded size in one go. */
  readonly spare: number
}

export function generateTo(schema: Schema, depth: number): Printer {
  const context: Context = {
    schema,
    depth,
    into: program(),
    functions: [],
    named: new Map(),
    spare: spareOf(schema.types),
  }
  const root = writeSlot(schema.root, 'v', context)
  const room = context.into.constant(makeRoom, 'makeRoom')
  const source = `
    let depth = 0
    function write(w, v) {
      depth = 0
      let p = w.position
      ${room}(w, p, ${context.spare})
      let b = w.bytes
      ${root}
      w.position = p
    }`
  return context.into.build<Printer>(`${source}\n${context.functions.join('\n')}\nreturn write`)
}

/** Statements that write a value, an identifier, at `p`. */
function writeSlot(slot: Slot, value: string, context: Context): string {
  const write = writeType(slot, value, context)
  return slot.nullable ? `if (${value} === null) { ${bytes('null')} } else { ${write} }` : write
}

function bytes(text: string): string {
  const stores = [...Buffer.from(text)].map((byte, index) => `b[p + ${index}] = ${byte};`)
  return `${stores.join(' ')} p += ${stores.length};`
}

function refuse(condition: string, context: Context): string {
  return `if (${condition}) throw ${context.into.constant(unexpected, 'unexpected')};`
}

/** The most bytes that a number takes, `-1.2345678901234567e-100`, or a moment in quotes, or a constant written inline. */
const longestScalar = 64

/** Brackets, commas and a scalar or two. */
const slack = 256

const spares = new WeakMap<Types, number>()

/** As if all fields of an object were short: nothing of bounded size is longer. */
function spareOf(types: Types): number {
  let spare = spares.get(types)
  if (spare === undefined) {
    spare = slack
    for (const named of Object.values(types)) {
      if (named.kind !== 'object') continue
      const sizes = named.fields.map((field) => Buffer.byteLength(keyOf(field)) + longestScalar)
      spare = Math.max(
        spare,
        sizes.reduce((sum, size) => sum + size, slack),
      )
    }
    spares.set(types, spare)
  }
  return spare
}

/** With the comma that stands before it. */
function keyOf(field: Field): string {
  return `,${JSON.stringify(field.json ?? field.name)}:`
}

function writeType(slot: Slot, value: string, context: Context): string {
  const { type } = slot
  const { into } = context
  switch (type.kind) {
    case 'string':
      return `${refuse(`typeof ${value} !== 'string'`, context)} ${unbounded(printText, value, context)}`
    case 'bool':
      return `if (${value} === true) { ${bytes('true')} }
        else { ${refuse(`${value} !== false`, context)} ${bytes('false')} }`
    case 'int':
    case 'float':
      return writeNumber(type, value, context)
    case 'instant':
      return `${refuse(`!(${value} instanceof Date)`, context)} const at = ${value}.getTime();
        ${refuse('!(at >= -62167219200000 && at <= 253402300799999)', context)}
        p = ${into.constant(printInstant, 'print')}(b, p, at);`
    case 'literal':
      return writeConstant(type.values, value, context)
    case 'list':
      return callFunction(listFunction(type, context), value)
    case 'map':
      return callFunction(mapFunction(type, context), value)
    case 'ref':
      return writeNamed(type.to, value, context)
    case 'bytes':
    case 'json':
    case 'tuple':
      return writeSlowly(type, value, context)
  }
}

function unbounded(
  print: (writer: Output, position: number, value: string, spare: number) => number,
  value: string,
  context: Context,
): string {
  return `p = ${context.into.constant(print, 'print')}(w, p, ${value}, ${context.spare}); b = w.bytes;`
}

function callFunction(name: string, value: string): string {
  return `p = ${name}(w, p, ${value}); b = w.bytes;`
}

/** A condition: the value is no number of the type. */
function isNoNumber(type: Extract<Type, { kind: 'int' | 'float' }>, value: string): string {
  if (type.kind === 'float') {
    // Infinities and NaN are those that are not zero when they are taken from themselves.
    if (type.bits === 64) return `typeof ${value} !== 'number' || ${value} - ${value} !== 0`
    return `typeof ${value} !== 'number' || !(${value} >= -${largestFloat} && ${value} <= ${largestFloat})`
  }
  // Minus zero passes, as it does everywhere: an integer has no sign of its own there.
  if (type.bits === 32 && type.js === 'number') {
    return `typeof ${value} !== 'number' || (${value} ${type.signed ? '|' : '>>>'} 0) !== ${value}`
  }
  const { least, most } = integerRange(type)
  if (type.js === 'bigint')
    return `typeof ${value} !== 'bigint' || ${value} < ${least}n || ${value} > ${most}n`
  return `!Number.isInteger(${value}) || ${value} < ${least} || ${value} > ${most}`
}

function writeNumber(
  type: Extract<Type, { kind: 'int' | 'float' }>,
  value: string,
  context: Context,
): string {
  if (type.kind === 'float' && type.nonFinite) return writeSlowly(type, value, context)
  const print = type.kind === 'float' ? printNumber : type.js === 'bigint' ? printBigInteger : printWhole
  return `${refuse(isNoNumber(type, value), context)} p = ${context.into.constant(print, 'print')}(b, p, ${value});`
}

const mostCompared = 8
function writeConstant(
  values: readonly (string | number | boolean)[],
  value: string,
  context: Context,
): string {
  const texts = values.map((each) => JSON.stringify(each))
  const isShort = texts.every((text) => Buffer.byteLength(text) <= longestScalar)
  if (isShort && values.length <= mostCompared) {
    const tests = values.map(
      (each, index) => `if (${value} === ${literal(each)}) { ${bytes(texts[index]!)} } else `,
    )
    return `${tests.join('')}{ ${refuse('true', context)} }`
  }

  const known = context.into.constant(new Map(values.map((each, index) => [each, texts[index]])), 'known')
  return `const json = ${known}.get(${value}); ${refuse('json === undefined', context)}
    ${unbounded(printRaw, 'json', context)}`
}

/** By the closures. */
function writeSlowly(type: Type, value: string, context: Context): string {
  const { schema, depth } = context
  const to = compileTo({ root: { type }, types: schema.types }, depth)
  const stringify = (part: unknown, open: number): string => {
    const walk = startWalk()
    const json = to(part, walk, open)
    finishWalk(walk)
    return JSON.stringify(json)
  }
  const text = `${context.into.constant(stringify, 'stringify')}(${value}, depth)`
  return `const json = ${text}; ${unbounded(printRaw, 'json', context)}`
}

function enter(context: Context): string {
  return refuse(`++depth > ${context.depth}`, context)
}

/** A condition: `JSON.stringify` would not write the value as the type wants it. `undefined` when it never does. */
function isNotPlain(slot: Slot, value: string): string | undefined {
  const { type } = slot
  const condition =
    type.kind === 'string'
      ? `typeof ${value} !== 'string'`
      : type.kind === 'bool'
        ? `typeof ${value} !== 'boolean'`
        : (type.kind === 'int' && type.js === 'number') || (type.kind === 'float' && !type.nonFinite)
          ? isNoNumber(type, value)
          : undefined
  return condition !== undefined && slot.nullable ? `${value} !== null && (${condition})` : condition
}

/** Below this, calling `JSON.stringify` costs more than it saves. */
const fewElements = 8

function listFunction(type: ListType, context: Context): string {
  const name = context.into.name('writeList')
  context.functions.push(listSource(type, name, context))
  return name
}

function listSource(type: ListType, name: string, context: Context): string {
  const isSet = type.js === 'set'
  const notPlain = isSet || type.of.type.kind === 'int' ? undefined : isNotPlain(type.of, 'v')
  const room = context.into.constant(makeRoom, 'makeRoom')

  const natively =
    notPlain === undefined
      ? ''
      : `if (list.length > ${fewElements} && list.toJSON === undefined) {
          for (let i = 0; i < list.length; i++) { const v = list[i]; ${refuse(notPlain, context)} }
          depth--
          const json = JSON.stringify(list)
          ${unbounded(printRaw, 'json', context)}
          return p
        }`

  return `function ${name}(w, p, list) {
    let b = w.bytes
    ${refuse(isSet ? '!(list instanceof Set)' : '!Array.isArray(list)', context)}
    ${enter(context)}
    ${natively}
    const start = p
    let last = b.length - ${context.spare}
    ${isSet ? 'for (const v of list) {' : 'for (let i = 0; i < list.length; i++) { const v = list[i];'}
      if (p > last) { ${room}(w, p, ${context.spare}); b = w.bytes; last = b.length - ${context.spare} }
      b[p++] = 0x2c
      { ${writeSlot(type.of, 'v', context)} }
    }
    ${close(0x5b, 0x5d, context)}
    return p
  }`
}

/** Every part began with a comma; the first is overwritten by the bracket. */
function close(open: number, closed: number, context: Context): string {
  const room = context.into.constant(makeRoom, 'makeRoom')
  return `if (p + ${context.spare} > b.length) { ${room}(w, p, ${context.spare}); b = w.bytes }
    if (p === start) p++
    b[start] = ${open}
    b[p++] = ${closed}
    depth--`
}

function mapFunction(type: MapType, context: Context): string {
  const name = context.into.name('writeMap')

  const slowly = (): string => `function ${name}(w, p, map) {
    let b
    ${writeSlowly(type, 'map', context)}
    return p
  }`
  context.functions.push(isFreeRecord(type) ? recordSource(type, name, context) : slowly())
  return name
}

/** A record with any strings for keys, and none that must be there. */
function isFreeRecord({ js, key, keys }: MapType): boolean {
  return (
    js === 'record' &&
    key.kind === 'string' &&
    key.checks === undefined &&
    key.format === undefined &&
    keys === undefined
  )
}

function recordSource(type: MapType, name: string, context: Context): string {
  const { into } = context
  const notPlain = isNotPlain(type.of, 'v')
  const room = into.constant(makeRoom, 'makeRoom')
  const print = into.constant(printText, 'print')
  const keys = createKeyTable()
  const table = into.constant(keys, 'table')
  const places = into.constant(keys.places, 'places')
  const words = into.constant(keys.words, 'words')
  const sizes = into.constant(keys.sizes, 'sizes')
  // A value of a few bytes is written faster than JSON.stringify is told of it, unless keys are never the same.
  const isBrief = type.of.type.kind === 'int' || type.of.type.kind === 'bool'

  const natively =
    notPlain === undefined
      ? ''
      : `if (${isBrief ? `${into.constant(isFull, 'isFull')}(${table}) && ` : ''}typeof map.toJSON !== 'function') {
          for (const key in map) { const v = map[key]; ${refuse(notPlain, context)} }
          depth--
          const json = JSON.stringify(map)
          ${unbounded(printRaw, 'json', context)}
          return p
        }`

  return `function ${name}(w, p, map) {
    let b = w.bytes
    ${refuse(`typeof map !== 'object' || map === null || Array.isArray(map)`, context)}
    ${enter(context)}
    ${natively}
    const start = p
    let viewed = b
    let view = ${into.constant(viewOf, 'viewOf')}(b)
    for (const key in map) {
      if (!Object.prototype.hasOwnProperty.call(map, key)) continue
      const v = map[key]
      if (p + ${context.spare} > b.length) { ${room}(w, p, ${context.spare}); b = w.bytes }
      let place = ${places}.get(key)
      if (place === undefined) place = ${into.constant(addKey, 'addKey')}(${table}, key)
      if (place >= 0) {
        if (b !== viewed) { view = ${into.constant(viewOf, 'viewOf')}(b); viewed = b }
        view.setFloat64(p, ${words}[place], true)
        view.setFloat64(p + 8, ${words}[place + 1], true)
        const size = ${sizes}[place]
        if (size > 16) {
          view.setFloat64(p + 16, ${words}[place + 2], true)
          view.setFloat64(p + 24, ${words}[place + 3], true)
        }
        p += size
      } else {
        b[p++] = 0x2c
        p = ${print}(w, p, key, ${context.spare})
        b = w.bytes
        b[p++] = 0x3a
      }
      { ${writeSlot(type.of, 'v', context)} }
    }
    ${close(0x7b, 0x7d, context)}
    return p
  }`
}

function writeNamed(type: string, value: string, context: Context): string {
  const named = context.schema.types[type]
  if (named?.kind === 'enum') return writeEnum(named, value, context)
  const name = namedFunction(type, context, (parts, made) =>
    parts.kind === 'object' ? objectSource(parts, made, context) : unionSource(parts, made, context),
  )
  return callFunction(name, value)
}

function writeEnum(named: EnumType, value: string, context: Context): string {
  return writeConstant(
    named.values.map((each) => each.value),
    value,
    context,
  )
}

function objectSource(named: ObjectType, name: string, context: Context): string {
  const room = context.into.constant(makeRoom, 'makeRoom')
  const fields = named.fields.map((field) => writeField(field, context))

  return `function ${name}(w, p, object) {
    let b = w.bytes
    ${refuse(`typeof object !== 'object' || object === null || Array.isArray(object)`, context)}
    ${enter(context)}
    if (p + ${context.spare} > b.length) { ${room}(w, p, ${context.spare}); b = w.bytes }
    const start = p
    ${fields.join('\n')}
    ${close(0x7b, 0x7d, context)}
    return p
  }`
}

function writeField(field: Field, context: Context): string {
  const name = literal(field.name)
  const isInherited = field.name in Object.prototype
  const value = isInherited
    ? `Object.hasOwn(object, ${name}) ? object[${name}] : undefined`
    : `object[${name}]`
  const mayBeAbsent = field.optional || field.default !== undefined
  const write = `${bytes(keyOf(field))} ${writeSlot(field, 'v', context)}`
  return `{ const v = ${value}; ${mayBeAbsent ? `if (v !== undefined) { ${write} }` : write} }`
}

function unionSource(named: UnionType, name: string, context: Context): string {
  const branches = named.variants.map(
    ({ tag, to }) => `case ${literal(tag)}: { ${writeNamed(to, 'object', context)} return p }`,
  )
  return `function ${name}(w, p, object) {
    let b
    ${refuse(`typeof object !== 'object' || object === null`, context)}
    switch (object[${literal(named.by)}]) {
      ${branches.join('\n')}
      default: ${refuse('true', context)}
    }
  }`
}
