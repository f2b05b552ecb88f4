/**
 * The encoder as closures: one per field, one per message. It encodes where code must not be generated, and says what
 * is wrong with a value that the generated encoder refuses. Declared fields only are read and written; shapes are
 * checked, not the declared bounds.
 */
import type { MapType, TupleType, Types } from '../../schema/type.ts'
import { formatStep } from '../../schema/path.ts'
import { expected, keyText } from '../checks.ts'
import type { Writer } from '../writer.ts'
import { type EncodeKnown as Encode, knownEncoder, writeNested } from './known.ts'
import {
  type FieldLayout,
  isPacked,
  type MessageLayout,
  rivalsOf,
  type ScalarLayout,
  type ValueLayout,
  wireTypeOf,
} from './message-layout.ts'
import { beginLength, endLength, writeVarint, writeVarint64 } from './output.ts'
import { entryStep, note, noteText, type Problem, within } from './problem.ts'
import { fitsScalar, isZero, scalarWriters } from './scalar.ts'

export type { Encode }

interface FieldEncoder {
  readonly property: string
  readonly encode: Encode
}

/** Compiles a message's encoder, and those of all messages within. */
export function closureEncoder(root: MessageLayout, types: Types): Encode {
  const compiled = new Map<MessageLayout, Encode>()

  function messageEncoder(message: MessageLayout): Encode {
    const known = compiled.get(message)
    if (known !== undefined) return known

    // A message within itself finds this one, which looks up the compiled one when it runs.
    compiled.set(message, (value, writer, problems, depth) =>
      (compiled.get(message) as Encode)(value, writer, problems, depth),
    )
    const encode = compileMessage(message)
    compiled.set(message, encode)
    return encode
  }

  function compileMessage(message: MessageLayout): Encode {
    if (message.known !== undefined) return knownEncoder(message.known)

    const fields = message.fields.map(compileField)
    switch (message.kind) {
      case 'union':
        return encodeUnion(message, fields)
      case 'tuple':
        return encodeTuple(message, fields)
      case 'object':
        return encodeObject(message, fields)
      default:
        return (fields[0] as FieldEncoder).encode
    }
  }

  function compileField(field: FieldLayout): FieldEncoder {
    const step = field.property === '' || isIndex(field) ? '' : formatStep(field.property)
    const present = encodePresent(field)
    const expectation = expected(field.type, types)

    return {
      property: field.property,
      encode(value, writer, problems, depth) {
        if (value === undefined && field.optional) return
        if (value === null && field.nullable) return

        const before = problems.length
        if (value === undefined) note(problems, expectation, value)
        else present(value, writer, problems, depth)
        if (problems.length > before) within(problems, before, step, field.sensitive)
      },
    }
  }

  function encodePresent(field: FieldLayout): Encode {
    if (field.shape === 'repeated') return isPacked(field) ? encodePacked(field) : encodeRepeated(field)
    if (field.shape === 'map') return encodeMap(field)

    const tag = tagOf(field.number, field.value)
    const encode = encodeOne(field.value)
    const implicit = field.presence === 'implicit'
    const isNothing = field.value.kind === 'enum' ? isZeroOf(field.value.of) : isZero

    return (value, writer, problems, depth) => {
      if (implicit && isNothing(value) && fits(value, field.value)) return
      writeVarint(writer, tag)
      encode(value, writer, problems, depth)
    }
  }

  /** Nothing of the wrong type is taken for a zero: `''` is none of an integer. */
  function fits(value: unknown, layout: ValueLayout): boolean {
    return layout.kind !== 'scalar' || fitsScalar(layout)(value)
  }

  /** A value without its tag. */
  function encodeOne(value: ValueLayout): Encode {
    if (value.kind === 'scalar') return encodeScalar(value)
    if (value.kind === 'enum') return encodeEnum(value)

    const encode = value.kind === 'message' ? messageEncoder(value.of) : knownEncoder(value)
    return (message, writer, problems, depth) => writeNested(message, writer, problems, depth, encode)
  }

  function encodeScalar(value: ScalarLayout): Encode {
    const fit = fitsScalar(value)
    const write = scalarWriters[value.proto]
    const expectation = expected(value.type, types)

    return (scalar, writer, problems) => {
      if (fit(scalar)) write(writer, scalar as never)
      else note(problems, expectation, scalar)
    }
  }

  function encodeEnum(value: Extract<ValueLayout, { kind: 'enum' }>): Encode {
    const numbers = new Map<unknown, number>(value.of.type.values.map((one) => [one.value, one.number]))
    const expectation = expected(value.type, types)

    return (constant, writer, problems) => {
      const number = numbers.get(constant)
      if (number === undefined) note(problems, expectation, constant)
      else writeVarint64(writer, number, number < 0 ? -1 : 0)
    }
  }

  function encodePacked(field: FieldLayout): Encode {
    const elements = elementsOf(field)
    const offset = offsetOf(field)
    const encode = encodeOne(field.value)
    const tag = (field.number << 3) | 2
    const expectation = expected(field.type, types)

    return (value, writer, problems, depth) => {
      const list = elements(value)
      if (list === undefined) {
        note(problems, expectation, value)
        return
      }
      if (list.length === 0) return

      writeVarint(writer, tag)
      const start = beginLength(writer)
      for (const [index, element] of list.entries()) {
        encodePart(encode, element, index + offset, writer, problems, depth)
      }
      endLength(writer, start)
    }
  }

  function encodeRepeated(field: FieldLayout): Encode {
    const elements = elementsOf(field)
    const offset = offsetOf(field)
    const encode = encodeOne(field.value)
    const tag = tagOf(field.number, field.value)
    const expectation = expected(field.type, types)

    return (value, writer, problems, depth) => {
      const list = elements(value)
      if (list === undefined) {
        note(problems, expectation, value)
        return
      }

      for (const [index, element] of list.entries()) {
        writeVarint(writer, tag)
        encodePart(encode, element, index + offset, writer, problems, depth)
      }
    }
  }

  function encodeMap(field: FieldLayout): Encode {
    const type = field.type as MapType
    const key = field.key as ScalarLayout
    const tag = (field.number << 3) | 2
    const keyTag = tagOf(1, key)
    const valueTag = tagOf(2, field.value)
    const toKey = keyFrom(type, key, types)
    const writeKey = scalarWriters[key.proto]
    const encodeValue = encodeOne(field.value)
    const expectation = expected(type, types)
    const keyExpectation = `a key that is ${expected(type.key, types)}`

    return (value, writer, problems, depth) => {
      const entries = entriesOf(type, value)
      if (entries === undefined) {
        note(problems, expectation, value)
        return
      }

      for (const [name, element] of entries) {
        const before = problems.length
        const keyValue = toKey(name)
        if (keyValue === undefined) {
          note(problems, keyExpectation, name)
          within(problems, before, entryStep(name), false)
          continue
        }

        writeVarint(writer, tag)
        const start = beginLength(writer)
        writeVarint(writer, keyTag)
        writeKey(writer, keyValue as never)
        writeVarint(writer, valueTag)
        encodePart(encodeValue, element, keyText(name), writer, problems, depth)
        endLength(writer, start)
      }
    }
  }

  return messageEncoder(root)
}

/** The rest of a tuple goes on counting where the items stopped. */
function offsetOf(field: FieldLayout): number {
  return isIndex(field) ? Number(field.property) : 0
}

function isIndex(field: FieldLayout): boolean {
  return field.field === undefined && /^\d+$/.test(field.property)
}

function tagOf(number: number, value: ValueLayout): number {
  return ((number << 3) | wireTypeOf(value)) >>> 0
}

function isZeroOf(layout: {
  readonly type: { readonly values: readonly { value: unknown; number: number }[] }
}) {
  const zeros = new Set(layout.type.values.filter(({ number }) => number === 0).map(({ value }) => value))
  return (value: unknown): boolean => zeros.has(value)
}

function encodePart(
  encode: Encode,
  element: unknown,
  key: string | number,
  writer: Writer,
  problems: Problem[],
  depth: number,
): void {
  const before = problems.length
  encode(element, writer, problems, depth)
  if (problems.length > before) within(problems, before, formatStep(key), false)
}

/** The elements of a list or set; `undefined` when the value is none. */
function elementsOf(field: FieldLayout): (value: unknown) => readonly unknown[] | undefined {
  const isSet = field.type.kind === 'list' && field.type.js === 'set'
  if (isSet) return (value) => (value instanceof Set ? [...value] : undefined)
  return (value) => (Array.isArray(value) ? value : undefined)
}

function entriesOf(type: MapType, value: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (type.js === 'map') return value instanceof Map ? [...value] : undefined
  return isObject(value) ? Object.entries(value) : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** From a Map's key, or a property's name, to what is written; `undefined` when it is no key of this type. */
export function keyFrom(type: MapType, key: ScalarLayout, types: Types): (name: unknown) => unknown {
  const asKey = typedKey(type.key)
  const named = key.type.kind === 'ref' ? types[key.type.to] : undefined

  if (named?.kind === 'enum') {
    const texts = new Map<unknown, string>()
    for (const { value } of named.values) texts.set(type.js === 'map' ? value : String(value), String(value))
    return (name) => texts.get(name)
  }

  const fit = fitsScalar(key)
  if (type.js === 'map') return (name) => (fit(name) ? name : undefined)

  return (name) => {
    const value = asKey(name as string)
    return fit(value) ? value : undefined
  }
}

/** Property names are text: `'7'` is the integer 7, `'07'` is not, since it would come back as another. */
function typedKey(type: MapType['key']): (name: string) => unknown {
  if (type.kind === 'bool') return (name) => (name === 'true' ? true : name === 'false' ? false : undefined)
  if (type.kind !== 'int') return (name) => name

  const canonical = /^(?:0|-?[1-9]\d*)$/
  return (name) => {
    if (!canonical.test(name)) return undefined
    return type.js === 'bigint' ? BigInt(name) : Number(name)
  }
}

/** Whether every object has such a property: `constructor`, `__proto__`. Then only its own counts. */
export function isInherited(property: string): boolean {
  return property in Object.prototype
}

function readProperty(value: Record<string, unknown>, property: string): unknown {
  return isInherited(property) && !Object.hasOwn(value, property) ? undefined : value[property]
}

function encodeObject(message: MessageLayout, fields: readonly FieldEncoder[]): Encode {
  const rivals = rivalsOf(message).map(({ indexes }) =>
    indexes.map((index) => (fields[index] as FieldEncoder).property),
  )

  return (value, writer, problems, depth) => {
    if (!isObject(value)) {
      note(problems, 'an object', value)
      return
    }

    for (const properties of rivals) {
      const there = properties.filter((property) => readProperty(value, property) !== undefined)
      if (there.length > 1)
        noteText(problems, `expected at most one of ${properties.join(', ')}, got ${there.join(' and ')}`)
    }
    for (const { property, encode } of fields) encode(readProperty(value, property), writer, problems, depth)
  }
}

function encodeTuple(message: MessageLayout, fields: readonly FieldEncoder[]): Encode {
  const { items, rest } = message.tuple as TupleType
  const expectation = `a list of ${rest === undefined ? '' : 'at least '}${items.length} entries`

  return (value, writer, problems, depth) => {
    const fitting =
      Array.isArray(value) &&
      (rest === undefined ? value.length === items.length : value.length >= items.length)
    if (!fitting) {
      note(problems, expectation, value)
      return
    }

    const list = value as readonly unknown[]
    for (const [index, { encode }] of fields.entries()) {
      const isRest = index === items.length
      const before = problems.length
      encode(isRest ? list.slice(index) : list[index], writer, problems, depth)
      if (!isRest && problems.length > before) within(problems, before, formatStep(index), false)
    }
  }
}

function encodeUnion(message: MessageLayout, fields: readonly FieldEncoder[]): Encode {
  const { by } = message.oneof as { by: string }
  const variants = new Map<unknown, FieldEncoder>()
  for (const [index, field] of message.fields.entries())
    variants.set(field.tag, fields[index] as FieldEncoder)
  const tags = message.fields.map(({ tag }) => JSON.stringify(tag)).join(', ')

  return (value, writer, problems, depth) => {
    if (!isObject(value)) {
      note(problems, 'an object', value)
      return
    }

    const variant = variants.get(readProperty(value, by))
    if (variant !== undefined) {
      variant.encode(value, writer, problems, depth)
      return
    }

    const before = problems.length
    note(problems, `one of ${tags}`, value[by])
    within(problems, before, formatStep(by), false)
  }
}
