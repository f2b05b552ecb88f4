/**
 * Compiles a schema to one flat parser that knows which keys to expect: HOT PATH, guarded by
 * `bench/scenarios/codec-json.ts`. A compiler, so longer than other files.
 *
 * An object is read in two passes over its keys. First in the order of declaration, by comparing bytes: a key that is
 * there costs a few comparisons, one that is left out costs one. Whatever is left after that (other keys, another
 * order) goes through a switch. Values stay in local variables until the object is made in one go.
 *
 * What is generated accepts nothing that `from.ts` would refuse. It may throw `unexpected` at anything.
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
  UnionType,
} from '../../schema/type.ts'
import { broken, brokenSource } from '../checks.ts'
import { literal, program } from '../generate.ts'
import { oneofsIn } from '../oneofs.ts'
import { setOwn } from '../set-own.ts'
import { parseBase64 } from './base64.ts'
import { compileDefault, compileFrom } from './from.ts'
import { integerRange } from './integer.ts'
import { keyOf } from './key.ts'
import { wrong } from './leaves.ts'
import { type Functions, namedFunction } from './named-function.ts'
import { parsePart } from './parse.ts'
import {
  nextPart,
  readBigInteger,
  readInstant,
  readInteger,
  readNull,
  readNumber,
  readNumbers,
  readText,
  skipColon,
  skipSpace,
  unexpected,
  type Cursor,
} from './scan.ts'
import { startWalk } from './walk.ts'

/** Reads the value that begins at `position`, and leaves the cursor behind it. */
export type Reader = (cursor: Cursor, position: number) => unknown

type Context = Functions

export function generateFrom(schema: Schema, depth: number): Reader {
  const context: Context = { schema, depth, into: program(), functions: [], named: new Map() }
  const root = `function read(c, p) {
    const b = c.bytes
    let v
    ${readSlot(schema.root, 'v', context)}
    c.position = p
    return v
  }`
  return context.into.build<Reader>(`${context.functions.join('\n')}\n${root}\nreturn read`)
}

/** Statements that read what begins at `p` into a variable and move `p` behind it. */
function readSlot(slot: Slot, into: string, context: Context): string {
  const read = readType(slot, into, context)
  if (!slot.nullable) return read
  const readsNull = context.into.constant(readNull, 'readNull')
  return `if (b[p] === 0x6e) { p = ${readsNull}(c, p); ${into} = null } else { ${read} }`
}

function readType(slot: Slot, into: string, context: Context): string {
  const { type } = slot
  switch (type.kind) {
    case 'string':
      return call(readText, into, context) + check(type, into, context)
    case 'bool':
      return readBool(into, context)
    case 'int':
      return readInt(type, into, context) + check(type, into, context)
    case 'float':
      return type.nonFinite
        ? readSlowly(slot, into, context)
        : readFloat(type.bits, into, context) + check(type, into, context)
    case 'instant':
      return call(readInstant, into, context) + check(type, into, context)
    case 'bytes':
      return call(readBytes, into, context) + check(type, into, context)
    case 'literal':
      return readConstant(type.values, into, context)
    case 'json':
      return call(jsonReader(context.depth), into, context)
    case 'list':
      return callFunction(listFunction(type, context), into)
    case 'map':
      return callFunction(mapFunction(type, context), into)
    case 'ref':
      return readNamed(type.to, into, context)
    case 'tuple':
      return readSlowly(slot, into, context)
  }
}

function call(reader: Reader, into: string, context: Context): string {
  return callFunction(context.into.constant(reader, 'read'), into)
}

function callFunction(name: string, into: string): string {
  return `${into} = ${name}(c, p); p = c.position;`
}

function refuse(condition: string, context: Context): string {
  return `if (${condition}) throw ${context.into.constant(unexpected, 'unexpected')};`
}

function check(type: Type, value: string, context: Context): string {
  const condition = brokenSource(type, value, context.into)
  return condition === '' ? '' : refuse(condition, context)
}

function readBool(into: string, context: Context): string {
  return `if (${matches('true', 'p')}) { ${into} = true; p += 4 }
    else { ${refuse(`!(${matches('false', 'p')})`, context)} ${into} = false; p += 5 }`
}

/** A condition: these bytes stand there. */
function matches(text: string, position: string): string {
  return [...Buffer.from(text)]
    .map((byte, index) => `b[${position}${index === 0 ? '' : ` + ${index}`}] === ${byte}`)
    .join(' && ')
}

function readInt(type: Extract<Type, { kind: 'int' }>, into: string, context: Context): string {
  const range = integerRange(type)
  const [least, most] =
    type.js === 'bigint' ? [range.least, range.most] : [Number(range.least), Number(range.most)]
  const reader = type.js === 'bigint' ? readBigInteger : readInteger
  const outside = `${into} < ${literal(least)} || ${into} > ${literal(most)}`
  return call(reader, into, context) + refuse(outside, context)
}

function readFloat(bits: 32 | 64, into: string, context: Context): string {
  const outside = `${into} < -3.4028234663852886e38 || ${into} > 3.4028234663852886e38`
  return call(readNumber, into, context) + (bits === 32 ? refuse(outside, context) : '')
}

function readBytes(cursor: Cursor, position: number): Uint8Array {
  const bytes = parseBase64(readText(cursor, position))
  if (bytes === undefined) throw unexpected
  return bytes
}

function jsonReader(depth: number): Reader {
  return (cursor, position) => parsePart(cursor, position, depth, false)
}

/** More than these are looked up instead of compared one after the other. */
const mostCompared = 8

/** Gives out the constant itself, not a copy of its characters. */
function readConstant(
  values: readonly (string | number | boolean)[],
  into: string,
  context: Context,
): string {
  const texts = values.filter((value) => typeof value === 'string' && value.isWellFormed())
  if (texts.length === values.length && values.length <= mostCompared) {
    const tests = values.map((value) => {
      const text = JSON.stringify(value)
      const length = Buffer.byteLength(text)
      return `if (${matches(text, 'p')}) { ${into} = ${literal(value)}; p += ${length} } else `
    })
    return `${tests.join('')}{ ${readKnown(values, into, context)} }`
  }
  return readKnown(values, into, context)
}

function readKnown(values: readonly (string | number | boolean)[], into: string, context: Context): string {
  const known = new Map<unknown, unknown>(values.map((value) => [value, value]))
  return call(
    (cursor, position) => {
      const value = cursor.bytes[position] === 0x22 ? readText(cursor, position) : readWord(cursor, position)
      if (!known.has(value)) throw unexpected
      return known.get(value)
    },
    into,
    context,
  )
}

function readWord(cursor: Cursor, position: number): unknown {
  return parsePart(cursor, position, 0, false)
}

/** By the closures. Rare types have no reader of their own. */
function readSlowly(slot: Slot, into: string, context: Context): string {
  const { schema, depth } = context
  const from = compileFrom({ root: { type: slot.type }, types: schema.types }, depth)
  return call(
    (cursor, position) => {
      const walk = startWalk()
      const value = from(parsePart(cursor, position, depth, true), walk, cursor.depth)
      if (walk.issues.length > 0) throw unexpected
      return value
    },
    into,
    context,
  )
}

function space(context: Context): string {
  return `if (b[p] <= 0x20) p = ${context.into.constant(skipSpace, 'skipSpace')}(c, p);`
}

/** Behind a value: on to the next part, or out of the loop or block. */
function advance(close: number, quick: string, leave: string, context: Context): string {
  const next = context.into.constant(nextPart, 'nextPart')
  return `if (b[p] === 0x2c && ${quick}) p++;
    else if (b[p] === ${close}) { p++; ${leave} }
    else { p = ${next}(c, p, ${close}); if (p < 0) { p = ~p; ${leave} } }`
}

function openBracket(bracket: number, context: Context): string {
  return `${refuse(`b[p] !== ${bracket} || ++c.depth > ${context.depth}`, context)} p++; ${space(context)}`
}

/** A whole list at once, if it is long; else what follows reads it. */
function readNumbersNatively(type: Type, context: Context): string {
  const condition = brokenSource(type, 'v', context.into)
  const checks =
    condition === ''
      ? ''
      : `for (let i = 0; i < list.length; i++) { const v = list[i]; ${refuse(condition, context)} }`
  return `list = ${context.into.constant(readNumbers, 'readNumbers')}(c, start)
    if (list !== undefined) { p = c.position; ${checks} } else`
}

function listFunction(type: ListType, context: Context): string {
  const name = context.into.name('readList')
  const { type: element, nullable } = type.of
  const isNumbers =
    element.kind === 'float' && element.bits === 64 && !element.nonFinite && nullable === undefined
  const natively = isNumbers ? readNumbersNatively(element, context) : ''
  const body = `
    let list
    const start = p
    ${openBracket(0x5b, context)}
    ${natively} {
      list = []
      if (b[p] === 0x5d) p++
      else for (;;) {
        let v
        ${readSlot(type.of, 'v', context)}
        list.push(v)
        ${advance(0x5d, 'b[p + 1] > 0x20', 'break', context)}
      }
    }
    c.depth--
    c.position = p`
  const result =
    type.js === 'array'
      ? `${check(type, 'list', context)} return list`
      : `const set = new Set(list); ${refuse('set.size !== list.length', context)}
         ${check(type, 'set', context)} return set`

  context.functions.push(`function ${name}(c, p) { const b = c.bytes; ${body}\n${result} }`)
  return name
}

function mapFunction(type: MapType, context: Context): string {
  const { into, schema } = context
  const name = into.name('readMap')
  const colon = into.constant(skipColon, 'skipColon')
  const isRecord = type.js === 'record'
  const isAnyText = type.key.kind === 'string' && broken(type.key) === undefined

  const key = into.constant(keyOf(type.key, type.js, schema.types).from, 'key')
  const convert = isAnyText
    ? ''
    : `k = ${key}(k); ${refuse(`k === ${into.constant(wrong, 'wrong')}`, context)}`
  const store = isRecord
    ? `if (k === '__proto__') ${into.constant(setOwn, 'setOwn')}(map, k, v); else map[k] = v;`
    : `map.set(k, v);`
  const required = (type.keys ?? []).map((each) => `!Object.hasOwn(map, ${literal(each)})`).join(' || ')

  context.functions.push(`function ${name}(c, p) {
    const b = c.bytes
    const map = ${isRecord ? '{}' : 'new Map()'}
    ${openBracket(0x7b, context)}
    if (b[p] === 0x7d) p++
    else for (;;) {
      let k = ${into.constant(readText, 'read')}(c, p)
      ${convert}
      p = c.position
      if (b[p] === 0x3a && b[p + 1] > 0x20) p++; else p = ${colon}(c, p);
      let v
      ${readSlot(type.of, 'v', context)}
      ${store}
      ${advance(0x7d, 'b[p + 1] === 0x22', 'break', context)}
    }
    c.depth--
    c.position = p
    ${required === '' ? '' : refuse(required, context)}
    ${check(type, 'map', context)}
    return map
  }`)
  return name
}

function readNamed(type: string, into: string, context: Context): string {
  const named = context.schema.types[type]
  if (named?.kind === 'enum') return readEnum(named, into, context)
  const name = namedFunction(type, context, (parts, made) =>
    parts.kind === 'object'
      ? objectFunction(parts, made, context)
      : unionFunction(type, parts, made, context),
  )
  return callFunction(name, into)
}

function readEnum(named: EnumType, into: string, context: Context): string {
  return readConstant(
    named.values.map(({ value }) => value),
    into,
    context,
  )
}

function jsonKey(field: Field): string {
  return field.json ?? field.name
}

function objectFunction(named: ObjectType, name: string, context: Context): string {
  const { into, depth } = context
  const { fields } = named
  const text = into.constant(readText, 'read')
  const colon = into.constant(skipColon, 'skipColon')
  const next = into.constant(nextPart, 'nextPart')
  const variables = fields.map((_, index) => `v${index}`)

  const unknown =
    named.unknown === 'refuse'
      ? refuse('true', context)
      : `${into.constant(jsonReader(depth), 'skip')}(c, p); p = c.position;`
  const cases = fields.map(
    (field, index) => `case ${literal(jsonKey(field))}: { ${readSlot(field, `v${index}`, context)} break }`,
  )

  return `function ${name}(c, p) {
    const b = c.bytes
    ${variables.length > 0 ? `let ${variables.join(', ')}` : ''}
    ${openBracket(0x7b, context)}
    body: {
      if (b[p] === 0x7d) { p++; break body }
      ${fields.map((field, index) => expectedField(field, `v${index}`, context)).join('\n')}
      for (;;) {
        const key = ${text}(c, p)
        p = ${colon}(c, c.position)
        switch (key) {
          ${cases.join('\n')}
          default: ${unknown}
        }
        p = ${next}(c, p, 0x7d)
        if (p < 0) { p = ~p; break }
      }
    }
    c.depth--
    c.position = p
    ${oneofsIn(fields)
      .map((indexes) =>
        refuse(`${indexes.map((index) => `(v${index} !== undefined)`).join(' + ')} > 1`, context),
      )
      .join('\n')}
    ${makeObject(fields, context)}
  }`
}

/** Reads the field when its key is what comes next. */
function expectedField(field: Field, variable: string, context: Context): string {
  const name = jsonKey(field)
  if (!name.isWellFormed()) return ''
  const key = `${JSON.stringify(name)}:`
  return `if (${matches(key, 'p')}) {
    p += ${Buffer.byteLength(key)}; ${space(context)}
    ${readSlot(field, variable, context)}
    ${advance(0x7d, 'b[p + 1] === 0x22', 'break body', context)}
  }`
}

/** All that is always there at once, then what may be left out. */
function makeObject(fields: readonly Field[], context: Context): string {
  const always: string[] = []
  const sometimes: string[] = []
  const missing: string[] = []
  const fills: string[] = []

  for (const [index, field] of fields.entries()) {
    const variable = `v${index}`
    const name = `[${literal(field.name)}]`
    if (field.default !== undefined) {
      const fill = context.into.constant(compileDefault(field, context.schema, context.depth), 'fill')
      fills.push(`if (${variable} === undefined) ${variable} = ${fill}();`)
    } else if (field.optional) {
      sometimes.push(`if (${variable} !== undefined) ${put(field.name, variable, context)}`)
      continue
    } else {
      missing.push(`${variable} === undefined`)
    }
    always.push(field.name === '__proto__' ? `${name}: ${variable}` : `${literal(field.name)}: ${variable}`)
  }

  return `${missing.length === 0 ? '' : refuse(missing.join(' || '), context)}
    ${fills.join('\n')}
    const object = { ${always.join(', ')} }
    ${sometimes.join('\n')}
    return object`
}

function put(name: string, variable: string, context: Context): string {
  if (name !== '__proto__') return `object[${literal(name)}] = ${variable};`
  return `${context.into.constant(setOwn, 'setOwn')}(object, ${literal(name)}, ${variable});`
}

/** The discriminator usually comes first. Where it does not, the closures look for it. */
function unionFunction(name: string, named: UnionType, made: string, context: Context): string {
  const branches = named.variants.map(({ tag, to }) => {
    const variant = context.schema.types[to]
    const field =
      variant?.kind === 'object' ? variant.fields.find((each) => each.name === named.by) : undefined
    const key = `${JSON.stringify(field === undefined ? named.by : jsonKey(field))}:`
    const value = JSON.stringify(tag)
    const ended = `(b[q + ${Buffer.byteLength(value)}] === 0x2c || b[q + ${Buffer.byteLength(value)}] === 0x7d)`

    return `if (${matches(key, 'p')}) {
      let q = p + ${Buffer.byteLength(key)}
      if (b[q] <= 0x20) q = ${context.into.constant(skipSpace, 'skipSpace')}(c, q)
      if (${matches(value, 'q')}${typeof tag === 'string' ? '' : ` && ${ended}`}) {
        let v
        p = start
        ${readNamed(to, 'v', context)}
        return v
      }
    }`
  })

  return `function ${made}(c, p) {
    const b = c.bytes
    const start = p
    ${refuse('b[p] !== 0x7b', context)}
    p++; ${space(context)}
    ${branches.join('\n')}
    let v
    p = start
    ${readSlowly({ type: { kind: 'ref', to: name } }, 'v', context)}
    return v
  }`
}
