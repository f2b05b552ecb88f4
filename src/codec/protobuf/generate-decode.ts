/**
 * HOT PATH. A compiler: from a message layout to the source of flat decoding functions, one per message. Guarded by
 * `bench/scenarios/codec-protobuf`.
 *
 *   function decode1(bytes, position, end, depth) {
 *     let field1 = "", field2 = 0, field3 = []
 *     while (position < end) {
 *       read the tag
 *       switch (tag) {
 *         case 10: read field 1; if the tag of field 2 does not follow, continue the loop; step over it
 *         case 16: read field 2; …
 *         default: skip
 *       }
 *     }
 *     return { ["id"]: field1, … }
 *   }
 *
 * Two tricks carry it. A message of up to 1 KiB becomes one latin1 string once, of which ASCII texts are slices; larger
 * ones would be kept in memory by their slices. And each field expects the next one behind it, as encoders write them,
 * and falls through to it.
 *
 * The code decodes what is valid and usual. All else (a merge, a map's entry without a key, a bound that is broken, bytes
 * that are no message) throws `giveUp`, and the closures do it over.
 */
import type { ListType, MapType, TupleType, Type, Types } from '../../schema/type.ts'
import { brokenSource } from '../checks.ts'
import { defaultMaker } from '../default.ts'
import { literal, program, property } from '../generate.ts'
import * as fast from './fast.ts'
import type { Input } from './input.ts'
import { setOwn } from '../set-own.ts'
import { knownDecoder } from './known.ts'
import {
  type FieldLayout,
  type KnownLayout,
  type MessageLayout,
  rivalsOf,
  type Scalar,
  type ScalarLayout,
  type ValueLayout,
  wireTypeOf,
} from './message-layout.ts'
import type { Problem } from './problem.ts'
import { acceptor, carriedRange, rangeOf, zeroOf } from './scalar.ts'

/** Throws `giveUp` when the closures have to do it. */
export type FastDecode = (bytes: Buffer, start: number, end: number, depth: number) => unknown

/** The largest frame of which strings may be slices. */
const largestFrame = 1024

export function generateDecoder(root: MessageLayout, types: Types): FastDecode {
  const into = program()
  const names = new Map<MessageLayout, string>()
  const functions: string[] = []
  const fail = `throw ${into.constant(fast.giveUp, 'giveUp')}`
  const scratch = into.constant(fast.scratch, 'scratch')

  const decodeRoot = nameOf(root)
  const source = `
    let frame
    let base = 0

    function text(bytes, position, end) {
      if (frame === undefined) return ${call(fast.utf8)}(bytes, position, end)
      let bits = 0
      for (let index = position; index < end; index += 1) bits |= bytes[index]
      if (bits > 127) return ${call(fast.utf8)}(bytes, position, end)
      return frame.substring(position - base, end - base)
    }

    ${functions.join('\n\n')}

    return {
      decode(bytes, start, end, depth) {
        if (end - start <= ${largestFrame}) {
          frame = bytes.latin1Slice(start, end)
          base = start
        }
        const value = ${decodeRoot}(bytes, start, end, depth)
        frame = undefined
        return value
      },

      forget() {
        frame = undefined
      },
    }`

  const { decode, forget } = into.build<{ decode: FastDecode; forget: () => void }>(source)

  return (bytes, start, end, depth) => {
    try {
      return decode(bytes, start, end, depth)
    } catch (error) {
      forget()
      throw error
    }
  }

  function call(value: unknown): string {
    return into.constant(value, 'call')
  }

  function nameOf(message: MessageLayout): string {
    const known = names.get(message)
    if (known !== undefined) return known

    const name = into.name('decode')
    names.set(message, name)
    functions.push(functionOf(name, message))
    return name
  }

  function functionOf(name: string, message: MessageLayout): string {
    if (message.known !== undefined) {
      return `
        function ${name}(bytes, position, end, depth) {
          const value = ${knownCall(message.known, 'end', 'depth')}
          ${isInstant(message.known) ? failIfBroken(message.known.type, 'value') : ''}
          return value
        }`
    }

    const locals = message.fields.map((_, index) => `field${index}`)
    return `
      function ${name}(bytes, position, end, depth) {
        let tag = 0, stop = 0, low = 0, item, key
        ${message.kind === 'union' ? 'let value' : declarations(message.fields, locals)}
        message: while (position < end) {
          tag = bytes[position++]
          if (tag > 127) {
            tag = ${call(fast.varint)}(bytes, position - 1, end) >>> 0
            position = ${scratch}[0]
            if (${scratch}[1] !== 0) ${fail}
          }
          switch (tag) {
            ${cases(message, locals)}
            default:
              position = ${call(fast.skipped)}(bytes, tag, position, end)
          }
        }
        if (position !== end) ${fail}
        ${message.kind === 'union' ? `if (value === undefined) ${fail}` : endings(message.fields, locals)}
        ${oneOfRivals(message, locals)}
        ${result(message, locals)}
      }`
  }

  // ── Before and after the loop ──

  function declarations(fields: readonly FieldLayout[], locals: readonly string[]): string {
    return fields.map((field, index) => `let ${locals[index]} = ${initial(field)}`).join('\n')
  }

  function initial(field: FieldLayout): string {
    if (field.shape === 'repeated') return isSet(field.type) ? 'new Set()' : '[]'
    if (field.shape === 'map') return (field.type as MapType).js === 'map' ? 'new Map()' : '{}'
    if (field.absent === 'zero') return literal(zeroValue(field) as string | undefined)
    return 'undefined'
  }

  /** The value that an absent field has; `undefined` when it must not be absent, or must be made each time. */
  function zeroValue(field: FieldLayout): unknown {
    const { value } = field
    const raw = value.kind === 'scalar' || value.kind === 'enum' ? zeroOf(value) : undefined
    if (raw === undefined || raw instanceof Uint8Array) return undefined

    const problems: Problem[] = []
    const accepted = acceptor(value as ScalarLayout, types)(raw, problems)
    return problems.length === 0 ? accepted : undefined
  }

  /** Of the fields of a oneof the last one counts: which that was the closures know. */
  function oneOfRivals(message: MessageLayout, locals: readonly string[]): string {
    return rivalsOf(message)
      .map(({ indexes }) => {
        const there = indexes.map((index) => `(${locals[index]} !== undefined)`)
        return `if (${there.join(' + ')} > 1) ${fail}`
      })
      .join('\n')
  }

  function endings(fields: readonly FieldLayout[], locals: readonly string[]): string {
    return fields.map((field, index) => ending(field, locals[index] as string)).join('\n')
  }

  function ending(field: FieldLayout, local: string): string {
    if (field.shape !== 'single')
      return [requiredKeys(field, local), failIfBroken(field.type, local)].join('\n')

    switch (field.absent) {
      case 'null':
        return `if (${local} === undefined) ${local} = null`
      case 'default':
        return `if (${local} === undefined) ${local} = ${call(defaultMaker(field.type, field.default ?? null, types))}()`
      case 'zero': {
        if (zeroValue(field) !== undefined) return ''
        if (field.value.kind !== 'scalar' || field.value.proto !== 'bytes')
          return `if (${local} === undefined) ${fail}`
        return `if (${local} === undefined) { ${local} = new Uint8Array(0); ${failIfBroken(field.type, local)} }`
      }
      case 'missing':
        return `if (${local} === undefined) ${fail}`
      default:
        return ''
    }
  }

  function requiredKeys(field: FieldLayout, local: string): string {
    const keys = field.type.kind === 'map' ? (field.type.keys ?? []) : []
    const js = field.type.kind === 'map' ? field.type.js : 'record'
    return keys
      .map((key) =>
        js === 'map'
          ? `if (!${local}.has(${literal(key)})) ${fail}`
          : `if (!Object.hasOwn(${local}, ${literal(key)})) ${fail}`,
      )
      .join('\n')
  }

  function failIfBroken(type: Type, local: string): string {
    const condition = brokenSource(type, local, into)
    return condition === '' ? '' : `if (${condition}) ${fail}`
  }

  /** What was required comes in one literal up to the first optional field, which is left out when it is absent. */
  function result(message: MessageLayout, locals: readonly string[]): string {
    const { fields } = message
    if (message.kind === 'union') return 'return value'
    if (message.kind === 'tuple') return `return [${tupleItems(message.tuple as TupleType, locals)}]`
    if (message.kind !== 'object') return `return ${locals[0]}`

    const isSure = (field: FieldLayout): boolean =>
      field.absent !== 'undefined' && field.property !== '__proto__'
    const found = fields.findIndex((field) => !isSure(field))
    const sure = found === -1 ? fields.length : found
    const first = fields
      .slice(0, sure)
      .map((field, index) => `${literal(field.property)}: ${locals[index]}`)
      .join(', ')
    if (sure === fields.length) return `return { ${first} }`

    const later = fields.slice(sure).map((field, offset) => {
      const local = locals[sure + offset] as string
      const condition = field.absent === 'undefined' ? `if (${local} !== undefined) ` : ''
      const own = field.property === '__proto__'
      if (own) return `${condition}${call(setOwn)}(result, "__proto__", ${local})`
      return `${condition}${property('result', field.property)} = ${local}`
    })
    return `const result = { ${first} }\n${later.join('\n')}\nreturn result`
  }

  function tupleItems(type: TupleType, locals: readonly string[]): string {
    if (type.rest === undefined) return locals.join(', ')
    return [...locals.slice(0, -1), `...${locals.at(-1)}`].join(', ')
  }

  // ── In the loop ──

  function cases(message: MessageLayout, locals: readonly string[]): string {
    const { fields } = message
    const usual = fields.map((field, index) => {
      const next = message.kind === 'union' ? undefined : fields[index + 1]
      const read =
        message.kind === 'union' ? readVariant(message, field) : readField(field, locals[index] as string)
      return `case ${usualTag(field)}: {\n${read}\n${next === undefined ? 'continue message' : expectTag(usualTag(next))}\n}`
    })

    // Packed fields of senders that do not pack: read as well, but not expected.
    const unusual = fields
      .filter((field) => field.shape === 'repeated' && wireTypeOf(field.value) !== 2)
      .map((field) => {
        const local = locals[fields.indexOf(field)] as string
        const tag = ((field.number << 3) | wireTypeOf(field.value)) >>> 0
        return `case ${tag}: {\n${readValue(field.value, 'item', 'end')}\n${add(field, local)}\ncontinue message\n}`
      })

    return [...usual, ...unusual].join('\n')
  }

  function usualTag(field: FieldLayout): number {
    return ((field.number << 3) | (field.shape === 'single' ? wireTypeOf(field.value) : 2)) >>> 0
  }

  /** Steps over the tag when it follows, and falls through to its case; else goes round the loop. */
  function expectTag(tag: number): string {
    if (tag < 0x80) {
      return `if (position >= end || bytes[position] !== ${tag}) continue message\nposition += 1`
    }
    if (tag < 0x4000) {
      const [first, second] = [(tag & 0x7f) | 0x80, tag >>> 7]
      return `if (position + 1 >= end || bytes[position] !== ${first} || bytes[position + 1] !== ${second}) continue message
        position += 2`
    }
    return 'continue message'
  }

  function readVariant(message: MessageLayout, field: FieldLayout): string {
    const { by } = message.oneof as { by: string }
    const tag = literal(field.tag as string)
    return `if (value !== undefined) ${fail}
      ${readValue(field.value, 'value', 'end')}
      if (${property('value', by)} !== ${tag}) ${fail}`
  }

  function readField(field: FieldLayout, local: string): string {
    if (field.shape === 'map') return readEntry(field, local)

    if (field.shape === 'single') {
      const merges = field.value.kind === 'message' || field.value.kind === 'known'
      const once = merges ? `if (${local} !== undefined) ${fail}\n` : ''
      return once + readValue(field.value, local, 'end')
    }

    if (wireTypeOf(field.value) !== 2) {
      return `${readLength('end')}
        const last = stop
        while (position < last) {
          ${readValue(field.value, 'item', 'last')}
          ${add(field, local)}
        }`
    }

    return `for (;;) {
        ${readValue(field.value, 'item', 'end')}
        ${add(field, local)}
        ${again(usualTag(field))}
      }`
  }

  function again(tag: number): string {
    if (tag < 0x80) return `if (position >= end || bytes[position] !== ${tag}) break\nposition += 1`
    return 'break'
  }

  function add(field: FieldLayout, local: string): string {
    if (!isSet(field.type)) return `${local}.push(item)`
    return `if (${local}.has(item)) ${fail}\n${local}.add(item)`
  }

  /** An entry as everybody writes it: key, then value, both there. */
  function readEntry(field: FieldLayout, local: string): string {
    const type = field.type as MapType
    const key = field.key as ScalarLayout
    const keyTag = (1 << 3) | wireTypeOf(key)
    const valueTag = (2 << 3) | wireTypeOf(field.value)

    return `${readLength('end')}
      const last = stop
      if (position >= last || bytes[position++] !== ${keyTag}) ${fail}
      ${readKey(key)}
      if (position >= last || bytes[position++] !== ${valueTag}) ${fail}
      ${readValue(field.value, 'item', 'last')}
      if (position !== last) ${fail}
      ${type.js === 'map' ? `${local}.set(key, item)` : `if (key === "__proto__") ${fail}\n${local}[key] = item`}`
  }

  function readKey(key: ScalarLayout): string {
    if (key.type.kind !== 'ref') return readValue(key, 'key', 'last')

    const named = types[key.type.to]
    const values = new Map(
      named?.kind === 'enum' ? named.values.map(({ value }) => [String(value), value]) : [],
    )
    return `${readText('key', 'last')}
      key = ${into.constant(values, 'keys')}.get(key)
      if (key === undefined) ${fail}`
  }

  // ── Values ──

  /** Reads the value at `position` and leaves `position` behind it. */
  function readValue(value: ValueLayout, target: string, end: string): string {
    switch (value.kind) {
      case 'scalar':
        return `${readScalar(value, target, end)}\n${failIfUnfit(value, target)}`
      case 'enum':
        return `${readVarint(target, end, (low) => low)}\n${enumValue(value.of.type.values, target)}`
      case 'known':
        return `${readLength(end)}
          if (depth <= 0) ${fail}
          ${target} = ${knownCall(value, 'stop', 'depth - 1')}
          ${isInstant(value) ? failIfBroken(value.type, target) : ''}
          position = stop`
      case 'message':
        return readMessage(value.of, target, end)
    }
  }

  /** The position is at the value's first byte then, and `stop` behind its last. */
  function readLength(end: string): string {
    return `if (position >= ${end}) ${fail}
      stop = bytes[position++]
      if (stop < 128) {
        stop += position
        if (stop > ${end}) ${fail}
      } else {
        stop = ${call(fast.farEnd)}(bytes, position - 1, ${end})
        position = ${scratch}[0]
      }`
  }

  function readMessage(message: MessageLayout, target: string, end: string): string {
    const decode = nameOf(message)
    return `${readLength(end)}
      if (depth <= 0) ${fail}
      if (frame === undefined && stop - position <= ${largestFrame}) {
        frame = bytes.latin1Slice(position, stop)
        base = position
        ${target} = ${decode}(bytes, position, stop, depth - 1)
        frame = undefined
      } else {
        ${target} = ${decode}(bytes, position, stop, depth - 1)
      }
      position = stop`
  }

  function readText(target: string, end: string): string {
    return `${readLength(end)}
      ${target} = text(bytes, position, stop)
      position = stop`
  }

  /** `of` is the value, given its lower 32 bits in `low` and the upper ones in `scratch[1]`, of a varint of any size. */
  function readVarint(
    target: string,
    end: string,
    of: (low: string, high: string) => string,
    small = 'low',
  ): string {
    return `if (position >= ${end}) ${fail}
      low = bytes[position++]
      if (low < 128) {
        ${target} = ${small}
      } else {
        low = ${call(fast.varint)}(bytes, position - 1, ${end})
        ${target} = ${of('low', `${scratch}[1]`)}
        position = ${scratch}[0]
      }`
  }

  function readScalar(value: ScalarLayout, target: string, end: string): string {
    const big = value.type.kind === 'int' && value.type.js === 'bigint'
    const wide = (text: string): string => (big ? `BigInt(${text})` : text)
    const signed = call(big ? fast.signedBigInt : fast.signedNumber)
    const unsigned = call(big ? fast.unsignedBigInt : fast.unsignedNumber)
    const zigZag = '(low >>> 1) ^ -(low & 1)'

    switch (value.proto) {
      case 'string':
        return readText(target, end)
      case 'bytes':
        return `${readLength(end)}\n${target} = ${call(fast.bytesOf)}(bytes, position, stop)\nposition = stop`
      case 'bool':
        return readVarint(target, end, (low, high) => `(${low} | ${high}) !== 0`, 'low !== 0')
      case 'int32':
        return readVarint(target, end, wide, wide('low'))
      case 'uint32':
        return readVarint(target, end, (low) => wide(`${low} >>> 0`), wide('low'))
      case 'sint32':
        return readVarint(target, end, () => wide(zigZag), wide(zigZag))
      case 'int64':
        return readVarint(target, end, (low, high) => `${signed}(${low}, ${high})`, wide('low'))
      case 'uint64':
        return readVarint(target, end, (low, high) => `${unsigned}(${low}, ${high})`, wide('low'))
      case 'sint64': {
        const halves = (low: string, high: string): string =>
          `${signed}(${call(fast.zigZagLow)}(${low}, ${high}), ${call(fast.zigZagHigh)}(${low}, ${high}))`
        return readVarint(target, end, halves, wide(zigZag))
      }
      case 'fixed32':
        return `${target} = ${wide(`${call(fast.fixed32)}(bytes, position, ${end}) >>> 0`)}\nposition += 4`
      case 'sfixed32':
        return `${target} = ${wide(`${call(fast.fixed32)}(bytes, position, ${end})`)}\nposition += 4`
      case 'float':
        return `${target} = ${call(fast.float)}(bytes, position, ${end})\nposition += 4`
      case 'double':
        return `${target} = ${call(fast.double)}(bytes, position, ${end})\nposition += 8`
      case 'fixed64':
      case 'sfixed64': {
        const half = call(fast.fixed32)
        const join = value.proto === 'fixed64' ? unsigned : signed
        return `${target} = ${join}(${half}(bytes, position, ${end}), ${half}(bytes, position + 4, ${end}))
          position += 8`
      }
    }
  }

  /** What the wire can carry and the type does not have, and the declared checks. */
  function failIfUnfit(value: ScalarLayout, target: string): string {
    const { type, proto } = value
    if (type.kind === 'literal') return failIfNoneOf(type.values, target, proto)

    const conditions = [brokenSource(type, target, into)]
    if (type.kind === 'float' && !type.nonFinite) conditions.unshift(`${target} - ${target} !== 0`)
    if (type.kind === 'int' && !isCarriedWhole(type, proto)) {
      const { lowest, highest } = rangeOf(type)
      conditions.unshift(`${target} < ${literal(lowest)} || ${target} > ${literal(highest)}`)
    }

    const condition = conditions.filter((one) => one !== '').join(' || ')
    return condition === '' ? '' : `if (${condition}) ${fail}`
  }

  /** Whether all that the protobuf type carries is in the type, so that nothing needs a comparison. */
  function isCarriedWhole(type: Extract<Type, { kind: 'int' }>, proto: Scalar): boolean {
    const wide: typeof type = { ...type, bits: 64, js: 'bigint', signed: true }
    const wideUnsigned: typeof type = { ...wide, signed: false }
    const isUnsigned = proto.startsWith('u') || proto.startsWith('fixed')
    const all = carriedRange(isUnsigned ? wideUnsigned : wide, proto)
    const own = rangeOf(type)
    const exact = type.js === 'number' && type.bits === 64
    return all.lowest >= own.lowest && (all.highest <= own.highest || (exact && isUnsigned === !type.signed))
  }

  function failIfNoneOf(
    values: readonly (string | number | boolean)[],
    target: string,
    proto: Scalar,
  ): string {
    if (proto === 'float') {
      const known = new Map(values.map((value) => [Math.fround(Number(value)), value]))
      return `${target} = ${into.constant(known, 'values')}.get(${target})\nif (${target} === undefined) ${fail}`
    }
    if (values.length > 8) return `if (!${into.constant(new Set(values), 'values')}.has(${target})) ${fail}`
    return `if (${values.map((value) => `${target} !== ${literal(value)}`).join(' && ')}) ${fail}`
  }

  /** Small enum numbers look their value up in an array, others in a Map. */
  function enumValue(
    values: readonly { readonly number: number; readonly value: string | number }[],
    target: string,
  ): string {
    const known = new Map<number, string | number>()
    for (const { number, value } of values) {
      if (!known.has(number)) known.set(number, value)
    }

    const numbers = [...known.keys()]
    const dense = numbers.every((number) => number >= 0 && number < 64)
    if (!dense)
      return `${target} = ${into.constant(known, 'values')}.get(${target})\nif (${target} === undefined) ${fail}`

    const table = Array.from({ length: Math.max(-1, ...numbers) + 1 }, (_, number) => known.get(number))
    return `if (${target} < 0 || ${target} >= ${table.length}) ${fail}
      ${target} = ${into.constant(table, 'values')}[${target}]
      if (${target} === undefined) ${fail}`
  }

  function knownCall(known: KnownLayout, end: string, depth: string): string {
    if (isInstant(known)) return `${call(fast.timestamp)}(bytes, position, ${end})`

    const decode = knownDecoder(known, types)
    const viaClosure = (bytes: Buffer, position: number, stop: number, left: number): unknown => {
      const input: Input = { bytes, position, low: 0, high: 0, depth: left, problems: [] }
      const value = decode(input, stop)
      if (input.problems.length > 0) throw fast.giveUp
      return value
    }
    return `${call(viaClosure)}(bytes, position, ${end}, ${depth})`
  }
}

/** Dates are read without a detour; the decoders of the others check what is declared themselves. */
function isInstant(known: KnownLayout): boolean {
  return known.proto === 'google.protobuf.Timestamp' && known.type.kind === 'instant'
}

function isSet(type: Type): type is ListType {
  return type.kind === 'list' && type.js === 'set'
}
