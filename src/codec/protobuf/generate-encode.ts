/**
 * HOT PATH. A compiler: from a message layout to the source of flat encoding functions, one per message. Guarded by
 * `bench/scenarios/codec-protobuf`.
 *
 *   function encode1(value, writer, position, depth) {
 *     const field1 = value["id"], field2 = value["quantity"]
 *     if (typeof field1 !== 'string' …) throw giveUp
 *     let bytes = room for all fields up to the first list or message
 *     if (field1 !== '') { bytes[position++] = 10; position = putText(bytes, position, field1) }
 *     …
 *     return position
 *   }
 *
 * Whoever writes something of unknown size makes room for it, and for itself only; so whatever stands behind a list or
 * a message makes room again. Lengths of messages are guessed to take as many bytes as the last one did, and what was
 * written is moved when they do not.
 *
 * A value of the wrong shape throws `giveUp`; the closures then find out what is wrong with it.
 */
import type { MapType, TupleType, Types } from '../../schema/type.ts'
import { literal, program, property } from '../generate.ts'
import type { Writer } from '../writer.ts'
import { isInherited, keyFrom } from './encode.ts'
import * as fast from './fast.ts'
import { knownEncoder } from './known.ts'
import {
  type FieldLayout,
  isPacked,
  type KnownLayout,
  type MessageLayout,
  rivalsOf,
  type ScalarLayout,
  type ValueLayout,
  wireTypeOf,
} from './message-layout.ts'
import { highOf, lowOf } from './output.ts'
import type { Problem } from './problem.ts'
import { carriedRange, fitsScalar, isZero } from './scalar.ts'

/** Returns the position behind what it wrote. Throws `giveUp` when the closures have to do it. */
export type FastEncode = (value: unknown, writer: Writer, position: number, depth: number) => number

/** Up to so many characters, room is made for the most they could take; beyond, they are measured. */
const longestGuessed = 4096

export function generateEncoder(root: MessageLayout, types: Types): FastEncode {
  const into = program()
  const names = new Map<MessageLayout, string>()
  const functions: string[] = []
  const guesses: string[] = []
  const fail = `throw ${into.constant(fast.giveUp, 'giveUp')}`
  const room = into.constant(fast.room, 'room')

  const encodeRoot = nameOf(root)
  return into.build(
    [...guesses.map((guess) => `let ${guess} = 1`), ...functions, `return ${encodeRoot}`].join('\n\n'),
  )

  function call(value: unknown): string {
    return into.constant(value, 'call')
  }

  function nameOf(message: MessageLayout): string {
    const known = names.get(message)
    if (known !== undefined) return known

    const name = into.name('encode')
    names.set(message, name)
    functions.push(functionOf(name, message))
    return name
  }

  function functionOf(name: string, message: MessageLayout): string {
    return `
      function ${name}(value, writer, position, depth) {
        let bytes, start, from
        ${message.known === undefined ? bodyOf(message) : `position = ${knownCall(message.known, 'value', 'depth')}`}
        return position
      }`
  }

  function bodyOf(message: MessageLayout): string {
    switch (message.kind) {
      case 'object':
        return `if (typeof value !== 'object' || value === null || Array.isArray(value)) ${fail}\n${objectBody(message)}`
      case 'tuple':
        return tupleBody(message)
      case 'union':
        return unionBody(message)
      default:
        return fieldsBody(message.fields, ['value'])
    }
  }

  function objectBody(message: MessageLayout): string {
    const locals = message.fields.map((_, index) => `field${index}`)
    const reads = message.fields.map((field, index) => `const ${locals[index]} = ${read(field.property)}`)
    const rivals = rivalsOf(message).map(({ indexes }) => {
      const there = indexes.map((index) => `(${locals[index]} !== undefined)`)
      return `if (${there.join(' + ')} > 1) ${fail}`
    })
    return `${[...reads, ...rivals].join('\n')}\n${fieldsBody(message.fields, locals)}`
  }

  function read(name: string): string {
    const value = property('value', name)
    return isInherited(name) ? `(Object.hasOwn(value, ${literal(name)}) ? ${value} : undefined)` : value
  }

  function tupleBody(message: MessageLayout): string {
    const { items, rest } = message.tuple as TupleType
    const wrong = rest === undefined ? `value.length !== ${items.length}` : `value.length < ${items.length}`
    const locals = message.fields.map((_, index) => `field${index}`)
    const reads = locals.map((local, index) =>
      index === items.length ? `const ${local} = value.slice(${index})` : `const ${local} = value[${index}]`,
    )
    return `if (!Array.isArray(value) || ${wrong}) ${fail}\n${reads.join('\n')}\n${fieldsBody(message.fields, locals)}`
  }

  function unionBody(message: MessageLayout): string {
    const { by } = message.oneof as { by: string }
    const variants = message.fields.map(
      (field) => `case ${literal(field.tag as string)}: {
        bytes = ${room}(writer, position, 10)
        ${writeTag(tagOf(field.number, field.value))}
        ${writeValue(field.value, 'value')}
        break
      }`,
    )
    return `if (typeof value !== 'object' || value === null || Array.isArray(value)) ${fail}
      switch (${read(by)}) {
        ${variants.join('\n')}
        default: ${fail}
      }`
  }

  // ── Fields ──

  /** Fields of a bounded size share one call for room, up to the next list, map or message. */
  function fieldsBody(fields: readonly FieldLayout[], locals: readonly string[]): string {
    const checks: string[] = []
    const writes: string[] = []
    let bounded: number[] = []

    const flush = (): void => {
      if (bounded.length === 0) return
      writes.push(makeRoom(bounded, fields, locals))
      for (const index of bounded)
        writes.push(writeField(fields[index] as FieldLayout, locals[index] as string))
      bounded = []
    }

    for (const [index, field] of fields.entries()) {
      const local = locals[index] as string
      if (isBounded(field)) {
        checks.push(checkField(field, local))
        bounded.push(index)
      } else {
        flush()
        writes.push(writeUnbounded(field, local))
      }
    }
    flush()

    return [...checks, ...writes].join('\n')
  }

  function isBounded(field: FieldLayout): boolean {
    return field.shape === 'single' && (field.value.kind === 'scalar' || field.value.kind === 'enum')
  }

  function makeRoom(
    indexes: readonly number[],
    fields: readonly FieldLayout[],
    locals: readonly string[],
  ): string {
    const texts = indexes.filter((index) => isText(fields[index] as FieldLayout))
    const blobs = indexes.filter((index) => isProto(fields[index] as FieldLayout, 'bytes'))
    const fixed = indexes.length * 15

    const size = [
      String(fixed),
      ...blobs.map((index) => sizeIfThere(fields[index] as FieldLayout, locals[index] as string)),
    ].join(' + ')
    if (texts.length === 0) return `bytes = ${room}(writer, position, ${size})`

    const lengths = texts.map((index) => sizeIfThere(fields[index] as FieldLayout, locals[index] as string))
    const measured = texts.map((index) => {
      const local = locals[index] as string
      return `(typeof ${local} === 'string' ? ${call(Buffer.byteLength)}(${local}) : 0)`
    })
    return `from = ${lengths.join(' + ')}
      from = from > ${longestGuessed} ? ${measured.join(' + ')} : from * 3
      bytes = ${room}(writer, position, ${size} + from)`
  }

  function isProto(field: FieldLayout, proto: string): boolean {
    return field.value.kind === 'scalar' && field.value.proto === proto
  }

  function isText(field: FieldLayout): boolean {
    return isProto(field, 'string')
  }

  function sizeIfThere(field: FieldLayout, local: string): string {
    return field.optional || field.nullable
      ? `(${thereOf(field, local)} ? ${local}.length : 0)`
      : `${local}.length`
  }

  /** The condition under which a field that may be absent is there; `''` when it always is. */
  function thereOf(field: FieldLayout, local: string): string {
    const conditions: string[] = []
    if (field.optional) conditions.push(`${local} !== undefined`)
    if (field.nullable) conditions.push(`${local} !== null`)
    return conditions.join(' && ')
  }

  function ifThere(field: FieldLayout, local: string, code: string): string {
    const there = thereOf(field, local)
    return there === '' ? code : `if (${there}) {\n${code}\n}`
  }

  function checkField(field: FieldLayout, local: string): string {
    if (field.value.kind === 'enum') return ''
    const wrong = wrongScalar(field.value as ScalarLayout, local)
    const there = thereOf(field, local)
    return `if (${there === '' ? wrong : `${there} && (${wrong})`}) ${fail}`
  }

  function writeField(field: FieldLayout, local: string): string {
    const write = `${writeTag(tagOf(field.number, field.value))}\n${writeValue(field.value, local)}`
    if (field.presence === 'explicit') return ifThere(field, local, write)

    if (field.value.kind === 'enum') {
      const { values } = field.value.of.type
      const zeros = values
        .filter(({ number }) => number === 0)
        .map(({ value }) => `${local} !== ${literal(value)}`)
      return ifThere(field, local, zeros.length === 0 ? write : `if (${zeros.join(' && ')}) {\n${write}\n}`)
    }

    const nonZero = nonZeroOf(field.value as ScalarLayout, local)
    return ifThere(field, local, nonZero === '' ? write : `if (${nonZero}) {\n${write}\n}`)
  }

  function nonZeroOf(value: ScalarLayout, local: string): string {
    const { type, proto } = value
    if (type.kind === 'literal') {
      const zeros = type.values.filter((one) => isZero(one))
      return zeros.map((zero) => `${local} !== ${literal(zero)}`).join(' && ')
    }
    if (proto === 'string') return `${local} !== ""`
    if (proto === 'bytes') return `${local}.length !== 0`
    if (proto === 'bool') return local
    if (type.kind === 'int') return type.js === 'bigint' ? `${local} !== 0n` : `${local} !== 0`
    return `(${local} !== 0 || 1 / ${local} < 0)`
  }

  /** A condition that is true when a value has not the type or range to be written. */
  function wrongScalar(value: ScalarLayout, local: string): string {
    const { type, proto } = value
    switch (type.kind) {
      case 'string':
        return `typeof ${local} !== 'string'`
      case 'bool':
        return `typeof ${local} !== 'boolean'`
      case 'bytes':
        return `!(${local} instanceof Uint8Array)`
      case 'float':
        if (type.nonFinite) return `typeof ${local} !== 'number'`
        if (proto === 'float') return `!${call(fitsScalar(value))}(${local})`
        return `typeof ${local} !== 'number' || ${local} - ${local} !== 0`
      case 'literal':
        if (type.values.length > 8) return `!${into.constant(new Set(type.values), 'values')}.has(${local})`
        return type.values.map((one) => `${local} !== ${literal(one)}`).join(' && ')
      case 'int': {
        const { lowest, highest } = carriedRange(type, proto)
        const range = `${local} < ${literal(lowest)} || ${local} > ${literal(highest)}`
        if (type.js === 'bigint') return `typeof ${local} !== 'bigint' || ${range}`
        if (lowest === -0x8000_0000 && highest === 0x7fff_ffff) {
          return `typeof ${local} !== 'number' || (${local} | 0) !== ${local}`
        }
        return `!Number.isInteger(${local}) || ${range}`
      }
      default:
        throw new Error(`${type.kind} is no scalar`)
    }
  }

  function writeUnbounded(field: FieldLayout, local: string): string {
    if (field.shape === 'map') return ifThere(field, local, writeMap(field, local))
    if (field.shape === 'repeated') return ifThere(field, local, writeList(field, local))

    return ifThere(
      field,
      local,
      `bytes = ${room}(writer, position, 10)
      ${writeTag(tagOf(field.number, field.value))}
      ${writeValue(field.value, local)}`,
    )
  }

  function writeList(field: FieldLayout, local: string): string {
    const isSet = field.type.kind === 'list' && field.type.js === 'set'
    const check = isSet ? `!(${local} instanceof Set)` : `!Array.isArray(${local})`
    const loop = (code: string): string =>
      isSet
        ? `for (const item of ${local}) {\n${code}\n}`
        : `for (let index = 0; index < ${local}.length; index += 1) {\nconst item = ${local}[index]\n${code}\n}`

    if (isPacked(field)) {
      const elements = loop(
        `bytes = ${room}(writer, position, 10)\n${checkValue(field.value)}\n${writeValue(field.value, 'item')}`,
      )
      return `if (${check}) ${fail}
        if (${local}.${isSet ? 'size' : 'length'} !== 0) {
          bytes = ${room}(writer, position, 10)
          ${writeTag((field.number << 3) | 2)}
          ${withLength(elements)}
        }`
    }

    return `if (${check}) ${fail}\n${loop(writeElement(field.value, 'item', tagOf(field.number, field.value)))}`
  }

  /** Checks an element, makes room for it, and writes its tag and value. */
  function writeElement(value: ValueLayout, local: string, tag: number): string {
    return `${checkValue(value, local)}
      ${roomFor(value, local)}
      ${writeTag(tag)}
      ${writeValue(value, local)}`
  }

  function checkValue(value: ValueLayout, local = 'item'): string {
    return value.kind === 'scalar' ? `if (${wrongScalar(value, local)}) ${fail}` : ''
  }

  function roomFor(value: ValueLayout, local: string): string {
    if (value.kind === 'scalar' && value.proto === 'string') {
      const size = `${local}.length > ${longestGuessed} ? ${call(Buffer.byteLength)}(${local}) : ${local}.length * 3`
      return `bytes = ${room}(writer, position, 15 + (${size}))`
    }
    if (value.kind === 'scalar' && value.proto === 'bytes') {
      return `bytes = ${room}(writer, position, 15 + ${local}.length)`
    }
    return `bytes = ${room}(writer, position, 15)`
  }

  function writeMap(field: FieldLayout, local: string): string {
    const type = field.type as MapType
    const key = field.key as ScalarLayout
    const toKey = call(keyFrom(type, key, types))
    const plain = key.type.kind === 'string'
    const isMap = type.js === 'map'
    const check = isMap
      ? `!(${local} instanceof Map)`
      : `typeof ${local} !== 'object' || ${local} === null || Array.isArray(${local})`
    const loop = isMap
      ? `for (const [name, item] of ${local}) {`
      : `for (const name of Object.keys(${local})) {`
    const carrier: ScalarLayout = plain ? key : { ...key, type: keyTypeOf(key) }

    const entry = `
      ${writeElement(carrier, 'key', (1 << 3) | wireTypeOf(key))}
      ${writeElement(field.value, 'item', (2 << 3) | wireTypeOf(field.value))}`

    return `if (${check}) ${fail}
      ${loop}
        ${isMap ? '' : `const item = ${local}[name]`}
        const key = ${plain && !isMap ? 'name' : `${toKey}(name)`}
        if (key === undefined) ${fail}
        bytes = ${room}(writer, position, 10)
        ${writeTag((field.number << 3) | 2)}
        ${withLength(entry)}
      }`
  }

  /** Keys of enums and literals are text on the wire, and were looked up already. */
  function keyTypeOf(key: ScalarLayout): ScalarLayout['type'] {
    return key.proto === 'string' ? { kind: 'string' } : key.type
  }

  /** What `code` writes, with its length in front. The guess is kept, since a message within may change it. */
  function withLength(code: string): string {
    const guess = into.name('guess')
    const guessed = into.name('guessed')
    const start = into.name('start')
    guesses.push(guess)
    return `const ${start} = position, ${guessed} = ${guess}
      position += ${guessed}
      ${code}
      if (${guessed} === 1 && position - ${start} < 129) {
        writer.bytes[${start}] = position - ${start} - 1
      } else {
        from = position - ${start} - ${guessed}
        position = ${call(fast.putLength)}(writer, ${start}, ${guessed}, position)
        ${guess} = ${call(fast.sizeOf)}(from)
      }`
  }

  // ── Values ──

  function tagOf(number: number, value: ValueLayout): number {
    return ((number << 3) | wireTypeOf(value)) >>> 0
  }

  function writeTag(tag: number): string {
    const code: string[] = []
    let rest = tag >>> 0
    for (; rest > 0x7f; rest >>>= 7) code.push(`bytes[position++] = ${(rest & 0x7f) | 0x80}`)
    code.push(`bytes[position++] = ${rest}`)
    return code.join('\n')
  }

  /** Writes a value that was checked; there is room for it, or, of messages, for its length. */
  function writeValue(value: ValueLayout, local: string): string {
    switch (value.kind) {
      case 'scalar':
        return writeScalar(value, local)
      case 'enum':
        return writeEnum(value, local)
      case 'message':
        return `if (depth <= 0) ${fail}
          ${withLength(`position = ${nameOf(value.of)}(${local}, writer, position, depth - 1)`)}`
      case 'known':
        if (value.proto === 'google.protobuf.Timestamp' && value.type.kind === 'instant') {
          return `if (depth <= 0 || !(${local} instanceof Date)) ${fail}
            bytes = ${room}(writer, position, 32)
            position = ${call(fast.putTimestamp)}(bytes, position, ${local})`
        }
        return `if (depth <= 0) ${fail}
          ${withLength(`position = ${knownCall(value, local, 'depth - 1')}`)}`
    }
  }

  function writeEnum(value: Extract<ValueLayout, { kind: 'enum' }>, local: string): string {
    const numbers = new Map<unknown, number>()
    for (const one of value.of.type.values) numbers.set(one.value, one.number)
    return `from = ${into.constant(numbers, 'numbers')}.get(${local})
      if (from === undefined) ${fail}
      if (from >= 0 && from < 128) bytes[position++] = from
      else position = ${call(fast.putVarint64)}(bytes, position, from, from >> 31)`
  }

  function writeScalar(value: ScalarLayout, local: string): string {
    const number = value.type.kind === 'int' && value.type.js === 'bigint' ? `Number(${local})` : local
    const varint = call(fast.putVarint)
    const varint64 = call(fast.putVarint64)
    const fixed32 = call(fast.putFixed32)
    const halves = `${call(lowOf)}(${local}), ${call(highOf)}(${local})`
    const small = (one: string, other: string): string =>
      `if (${one} >= 0 && ${one} < 128) bytes[position++] = ${one}\nelse position = ${other}`

    switch (value.proto) {
      case 'string':
        return `position = ${call(fast.putText)}(bytes, position, ${local})`
      case 'bytes':
        return `position = ${call(fast.putBytes)}(bytes, position, ${local})`
      case 'bool':
        return `bytes[position++] = ${local} ? 1 : 0`
      case 'int32':
        return `from = ${number}\n${small('from', `${varint64}(bytes, position, from, from >> 31)`)}`
      case 'uint32':
        return `from = ${number}\n${small('from', `${varint}(bytes, position, from)`)}`
      case 'sint32':
        return `from = ${number}\nposition = ${varint}(bytes, position, (from << 1) ^ (from >> 31))`
      case 'int64':
      case 'uint64':
        if (number !== local) return `position = ${varint64}(bytes, position, ${halves})`
        return small(local, `${varint64}(bytes, position, ${halves})`)
      case 'sint64':
        return `from = ${call(highOf)}(${local}) >> 31
          start = ${call(lowOf)}(${local})
          position = ${varint64}(bytes, position, (start << 1) ^ from,
            ((${call(highOf)}(${local}) << 1) | (start >>> 31)) ^ from)`
      case 'fixed32':
      case 'sfixed32':
        return `position = ${fixed32}(bytes, position, ${number})`
      case 'fixed64':
      case 'sfixed64':
        return `position = ${fixed32}(bytes, position, ${call(lowOf)}(${local}))
          position = ${fixed32}(bytes, position, ${call(highOf)}(${local}))`
      case 'float':
        return `position = ${call(fast.putFloat)}(bytes, position, ${local})`
      case 'double':
        return `position = ${call(fast.putDouble)}(bytes, position, ${local})`
    }
  }

  function knownCall(known: KnownLayout, local: string, depth: string): string {
    const encode = knownEncoder(known)
    const viaClosure = (value: unknown, writer: Writer, position: number, left: number): number => {
      const problems: Problem[] = []
      writer.position = position
      encode(value, writer, problems, left)
      if (problems.length > 0) throw fast.giveUp
      return writer.position
    }
    return `${call(viaClosure)}(${local}, writer, position, ${depth})`
  }
}
