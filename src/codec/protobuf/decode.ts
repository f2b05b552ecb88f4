/**
 * The decoder as closures: one per field, one per message. It is the whole truth about decoding (the rare rules too:
 * merging, last one wins, oneof) and it says what is wrong and where. It decodes where code must not be generated,
 * and wherever the generated decoder gives up.
 *
 * A message is read in two steps. First every field takes what is its own off the wire: of scalars the last one, of
 * messages the stretches of bytes, of lists all. Then each is made a value, so that only what counts must be valid.
 */
import type { MapType, TupleType, Type, Types } from '../../schema/type.ts'
import { formatStep } from '../../schema/path.ts'
import { broken, expected } from '../checks.ts'
import { defaultMaker } from '../default.ts'
import { type Input, readLength, readTag, skip } from './input.ts'
import { setOwn } from '../set-own.ts'
import { knownDecoder, readNested } from './known.ts'
import {
  type FieldLayout,
  type MessageLayout,
  rivalsOf,
  type ScalarLayout,
  type ValueLayout,
  wireTypeOf,
} from './message-layout.ts'
import { entryStep, Malformed, note, noteText, within } from './problem.ts'
import { acceptor, type ScalarValue, scalarReaders, zeroOf } from './scalar.ts'

/** Reads a message up to `end`; what is wrong with it is noted in the input's problems. */
export type Decode = (input: Input, end: number) => unknown

/** What was taken off the wire: a scalar; stretches of a message; several of these; a map's entries. */
type Raw = unknown

/** Takes one occurrence, given what there was before; `notMine` when the wire type is not the field's. */
type Take = (input: Input, wire: number, end: number, before: Raw) => Raw

const notMine = Symbol('not mine')

type Finish = (raw: Raw, input: Input) => unknown

interface FieldDecoder {
  readonly property: string
  readonly take: Take
  /** `raw` is `undefined` when the field is absent. Notes problems with the field's own step. */
  readonly finish: Finish
}

/** Compiles a message's decoder, and those of all messages within. */
export function closureDecoder(root: MessageLayout, types: Types): Decode {
  const compiled = new Map<MessageLayout, Decode>()

  function messageDecoder(message: MessageLayout): Decode {
    const known = compiled.get(message)
    if (known !== undefined) return known

    // A message within itself finds this one, which looks up the compiled one when it runs.
    compiled.set(message, (input, end) => (compiled.get(message) as Decode)(input, end))
    const decode = compileMessage(message)
    compiled.set(message, decode)
    return decode
  }

  function compileMessage(message: MessageLayout): Decode {
    if (message.known !== undefined) return knownDecoder(message.known, types)

    const fields = message.fields.map(compileField)
    const indexes = new Map(message.fields.map((field, index) => [field.number, index]))

    switch (message.kind) {
      case 'union':
        return decodeUnion(message, fields, indexes)
      case 'tuple':
        return decodeTuple(message, fields, indexes)
      case 'object':
        return decodeObject(message, fields, indexes)
      default:
        return decodeBox(fields[0] as FieldDecoder, indexes)
    }
  }

  function compileField(field: FieldLayout): FieldDecoder {
    const step = stepOf(field)
    const finish = finishField(field)

    return {
      property: field.property,
      take: takeField(field),
      finish(raw, input) {
        const before = input.problems.length
        try {
          const value = finish(raw, input)
          if (input.problems.length > before) within(input.problems, before, step, field.sensitive)
          return value
        } catch (error) {
          if (error instanceof Malformed) error.path = step + error.path
          throw error
        }
      },
    }
  }

  function finishField(field: FieldLayout): Finish {
    const absent = finishAbsent(field)
    const finish = finishPresent(field)
    return (raw, input) => (raw === undefined ? absent(raw, input) : finish(raw, input))
  }

  function finishPresent(field: FieldLayout): Finish {
    const one = finishOne(field.value)
    if (field.shape === 'repeated') return checked(field.type, finishList(field, one))
    if (field.shape === 'map') return checked(field.type, finishMap(field, one, types))
    return one
  }

  /** Lists and maps have checks of their own, which come when they are complete. */
  function checked(type: Type, finish: Finish): Finish {
    const breaks = broken(type)
    if (breaks === undefined) return finish

    const expectation = expected(type, types)
    return (raw, input) => {
      const value = finish(raw, input)
      if (breaks(value)) note(input.problems, expectation, value)
      return value
    }
  }

  function finishOne(value: ValueLayout): Finish {
    if (value.kind === 'scalar' || value.kind === 'enum') {
      const accept = acceptor(value, types)
      return (raw, input) => accept(raw as ScalarValue, input.problems)
    }

    const decode = value.kind === 'message' ? messageDecoder(value.of) : knownDecoder(value, types)
    return (raw, input) => readNested(input, raw as number[], decode)
  }

  function finishAbsent(field: FieldLayout): Finish {
    const { value } = field
    const expectation = expected(field.type, types)

    switch (field.absent) {
      case 'undefined':
        return () => undefined
      case 'null':
        return () => null
      case 'default': {
        return defaultMaker(field.type, field.default ?? null, types)
      }
      case 'empty': {
        const finish = finishPresent(field)
        return (_, input) => finish(field.shape === 'map' ? new Map() : [], input)
      }
      case 'zero': {
        const zero = value.kind === 'scalar' || value.kind === 'enum' ? zeroOf(value) : undefined
        const finish = finishOne(value)
        if (zero instanceof Uint8Array) return (_, input) => finish(new Uint8Array(0), input)
        if (zero !== undefined) return (_, input) => finish(zero, input)
      }
    }

    return (_, input) => noteText(input.problems, `missing, expected ${expectation}`)
  }

  return messageDecoder(root)
}

function stepOf(field: FieldLayout): string {
  if (field.property === '') return ''
  return /^\d+$/.test(field.property) && field.field === undefined
    ? tupleStep(field)
    : formatStep(field.property)
}

/** The rest of a tuple puts its own index in front of its elements. */
function tupleStep(field: FieldLayout): string {
  return field.shape === 'repeated' && field.name === 'rest' ? '' : `[${field.property}]`
}

// ── First step: off the wire ──

function takeField(field: FieldLayout): Take {
  if (field.shape === 'map') return takeEntry(field)
  if (field.shape === 'repeated') return takeElements(field.value)
  return takeOne(field.value)
}

function takeOne(value: ValueLayout): Take {
  const wireType = wireTypeOf(value)

  if (value.kind === 'scalar' || value.kind === 'enum') {
    const read = scalarReaders[value.kind === 'enum' ? 'int32' : value.proto]
    return (input, wire, end) => (wire === wireType ? read(input, end) : notMine)
  }

  return (input, wire, end, before) => {
    if (wire !== 2) return notMine

    const ranges = (before as number[] | undefined) ?? []
    takeRange(input, end, ranges)
    return ranges
  }
}

function takeRange(input: Input, end: number, ranges: number[]): void {
  const stop = readLength(input, end)
  ranges.push(input.position, stop)
  input.position = stop
}

function takeElements(value: ValueLayout): Take {
  const wireType = wireTypeOf(value)

  if (value.kind === 'message' || value.kind === 'known') {
    return (input, wire, end, before) => {
      if (wire !== 2) return notMine

      const elements = (before as number[][] | undefined) ?? []
      const ranges: number[] = []
      takeRange(input, end, ranges)
      elements.push(ranges)
      return elements
    }
  }

  const read = scalarReaders[value.kind === 'enum' ? 'int32' : value.proto]
  return (input, wire, end, before) => {
    const elements = (before as ScalarValue[] | undefined) ?? []

    if (wire === wireType) {
      elements.push(read(input, end))
    } else if (wire === 2) {
      const stop = readLength(input, end)
      while (input.position < stop) elements.push(read(input, stop))
    } else {
      return notMine
    }
    return elements
  }
}

/** An entry is a message with the key in field 1 and the value in field 2, either of which may be left out. */
function takeEntry(field: FieldLayout): Take {
  const key = field.key as Exclude<FieldLayout['key'], undefined>
  const takeKey = takeOne(key)
  const takeValue = takeOne(field.value)
  const noKey = key.type.kind === 'literal' ? '' : zeroOf(key)
  const noValue = rawOfNothing(field.value)

  return (input, wire, end, before) => {
    if (wire !== 2) return notMine

    const entries = (before as Map<Raw, Raw> | undefined) ?? new Map<Raw, Raw>()
    const stop = readLength(input, end)
    let keyRaw: Raw
    let valueRaw: Raw

    while (input.position < stop) {
      const tag = readTag(input, stop)
      const number = tag >>> 3
      let taken: Raw = notMine
      if (number === 1) taken = takeKey(input, tag & 7, stop, keyRaw)
      if (number === 2) taken = takeValue(input, tag & 7, stop, valueRaw)

      if (taken === notMine) skip(input, tag, stop, input.depth)
      else if (number === 1) keyRaw = taken
      else valueRaw = taken
    }

    entries.set(keyRaw ?? noKey, valueRaw ?? noValue(stop))
    return entries
  }
}

/** What a map's value is when its entry has none: the zero of a scalar, or an empty message. */
function rawOfNothing(value: ValueLayout): (position: number) => Raw {
  if (value.kind === 'message' || value.kind === 'known') return (position) => [position, position]
  return () => zeroOf(value) ?? (value.kind === 'enum' ? 0 : '')
}

// ── Second step: values ──

function finishList(field: FieldLayout, one: Finish): Finish {
  const isSet = field.type.kind === 'list' && field.type.js === 'set'
  const offset = field.name === 'rest' && /^\d+$/.test(field.property) ? Number(field.property) : 0

  return (raw, input) => {
    const elements = raw as Raw[]
    const result: unknown[] = []

    for (const element of elements) {
      const value = finishPart(element, result.length + offset, one, input)
      result.push(value)
    }
    if (!isSet) return result

    const set = new Set(result)
    if (set.size < result.length) noteText(input.problems, 'expected a set, got the same entry twice')
    return set
  }
}

/** One element or one map's value, with its step in front of its problems. */
function finishPart(raw: Raw, key: string | number, one: Finish, input: Input): unknown {
  const before = input.problems.length
  try {
    const value = one(raw, input)
    if (input.problems.length > before) within(input.problems, before, formatStep(key), false)
    return value
  } catch (error) {
    if (error instanceof Malformed) error.path = formatStep(key) + error.path
    throw error
  }
}

/** Entries become a Map or an object's own properties, also one that is called `__proto__`. */
function finishMap(field: FieldLayout, one: Finish, types: Types): Finish {
  const type = field.type as MapType
  const key = field.key as ScalarLayout
  const acceptKey = acceptor(key, types)
  const required = type.keys ?? []

  return (raw, input) => {
    const map = new Map<unknown, unknown>()
    const record: Record<string, unknown> = {}

    for (const [keyRaw, valueRaw] of raw as Map<ScalarValue, Raw>) {
      const before = input.problems.length
      const name = acceptKey(keyRaw, input.problems)
      if (input.problems.length > before) within(input.problems, before, entryStep(keyRaw), false)

      const value = finishPart(valueRaw, String(keyRaw), one, input)
      if (type.js === 'map') map.set(name, value)
      else setOwn(record, String(name), value)
    }

    for (const name of required) {
      const there = type.js === 'map' ? map.has(name) : Object.hasOwn(record, name)
      if (!there) noteText(input.problems, `missing the entry ${JSON.stringify(name)}`)
    }
    return type.js === 'map' ? map : record
  }
}

// ── Messages ──

type Indexes = ReadonlyMap<number, number>

/** The other fields of a field's oneof, by its index. */
type RivalsOf = ReadonlyMap<number, readonly number[]>

const noRivals: RivalsOf = new Map()

/** Reads all fields off the wire; what nobody knows is skipped. Of the fields of a oneof the last one counts. */
function takeFields(
  input: Input,
  end: number,
  fields: readonly FieldDecoder[],
  indexes: Indexes,
  rivals: RivalsOf,
): Raw[] {
  const raws: Raw[] = Array.from({ length: fields.length })

  while (input.position < end) {
    const tag = readTag(input, end)
    const index = indexes.get(tag >>> 3)
    const taken =
      index === undefined ? notMine : (fields[index] as FieldDecoder).take(input, tag & 7, end, raws[index])

    if (taken === notMine) skip(input, tag, end, input.depth)
    else {
      raws[index as number] = taken
      for (const other of rivals.get(index as number) ?? []) raws[other] = undefined
    }
  }
  return raws
}

function decodeObject(message: MessageLayout, fields: readonly FieldDecoder[], indexes: Indexes): Decode {
  const groups = rivalsOf(message).map((group) => group.indexes)
  const rivals: RivalsOf = new Map(
    groups.flatMap((group) => group.map((index) => [index, group.filter((other) => other !== index)])),
  )

  return (input, end) => {
    const raws = takeFields(input, end, fields, indexes, rivals)
    const result: Record<string, unknown> = {}

    for (const [index, field] of fields.entries()) {
      const value = field.finish(raws[index], input)
      if (value !== undefined) setOwn(result, field.property, value)
    }
    return result
  }
}

function decodeTuple(message: MessageLayout, fields: readonly FieldDecoder[], indexes: Indexes): Decode {
  const rest = (message.tuple as TupleType).rest !== undefined

  return (input, end) => {
    const raws = takeFields(input, end, fields, indexes, noRivals)
    const values = fields.map((field, index) => field.finish(raws[index], input))
    return rest ? values.slice(0, -1).concat(values.at(-1) as unknown[]) : values
  }
}

function decodeBox(field: FieldDecoder, indexes: Indexes): Decode {
  return (input, end) => field.finish(takeFields(input, end, [field], indexes, noRivals)[0], input)
}

/** Of several variants the last one wins; stretches of one variant are merged only when no other came between. */
function decodeUnion(message: MessageLayout, fields: readonly FieldDecoder[], indexes: Indexes): Decode {
  const { by } = message.oneof as { by: string }
  const tags = message.fields.map((field) => field.tag)
  const expectation = `expected one of ${message.fields.map(({ tag }) => JSON.stringify(tag)).join(', ')}`

  return (input, end) => {
    let current: number | undefined
    let raw: Raw

    while (input.position < end) {
      const tag = readTag(input, end)
      const index = indexes.get(tag >>> 3)
      const before = index === current ? raw : undefined
      const taken =
        index === undefined ? notMine : (fields[index] as FieldDecoder).take(input, tag & 7, end, before)

      if (taken === notMine) {
        skip(input, tag, end, input.depth)
      } else {
        current = index
        raw = taken
      }
    }

    if (current === undefined) {
      noteText(input.problems, `${expectation}, got none that is known`)
      return undefined
    }

    const before = input.problems.length
    const value = (fields[current] as FieldDecoder).finish(raw, input)
    const tag = tags[current]
    if (input.problems.length === before && (value as Record<string, unknown>)[by] !== tag) {
      note(input.problems, JSON.stringify(tag), (value as Record<string, unknown>)[by])
      within(input.problems, before, formatStep(by), false)
    }
    return value
  }
}
