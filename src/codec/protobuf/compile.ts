/**
 * The protobuf codec of a schema. Two back-ends with one behaviour: flat generated functions, and closures where code
 * must not be generated. The generated ones know valid values and usual bytes only; for all else they hand over to the
 * closures, which find every problem and its path.
 */
import type { Schema, Slot, Types } from '../../schema/type.ts'
import { canGenerate } from '../generate.ts'
import type { Writer } from '../writer.ts'
import { closureDecoder, type Decode } from './decode.ts'
import { closureEncoder, type Encode } from './encode.ts'
import { giveUp } from './fast.ts'
import { type FastDecode, generateDecoder } from './generate-decode.ts'
import { type FastEncode, generateEncoder } from './generate-encode.ts'
import type { Input } from './input.ts'
import { layout } from './layout.ts'
import type { Layout } from './message-layout.ts'
import { invalidOf, invalidOfMalformed, Malformed, type Problem } from './problem.ts'

export interface ProtobufCodec {
  /**
   * Encodes in place, appending to the writer, without a length in front. Throws `Invalid` when the value has the wrong
   * shape; the writer is then as it was before. Declared bounds are the decoder's to check.
   */
  encode(value: unknown, writer: Writer): void
  /**
   * Decodes and validates the bytes from `start` up to `end`; nothing outside is read. Throws `Invalid` with all issues
   * and their paths. Nothing that is returned keeps the bytes in memory, apart from frames of up to 1 KiB.
   */
  decode(bytes: Buffer, start: number, end: number): unknown
}

export interface ProtobufOptions {
  /** Whether code may be generated; by default, where the process allows it. */
  readonly generate?: boolean
  /** How many messages may be nested in the outermost one; 100 by default. */
  readonly depth?: number
  /** Hears when generated code leaves a value or bytes to the closures, as it does with all that is wrong. */
  readonly onHandOver?: () => void
}

const defaultDepth = 100

/** By the table of types, then by the root: wires and filters ask for the same codecs again. */
const compiled = new WeakMap<Types, WeakMap<Slot, ProtobufCodec>>()

/**
 * Compiles the codec of a schema; the same one for the same objects and no options. The schema is laid out at once, and
 * refused by an Error if it cannot be; the functions are made when they are first used.
 */
export function compileProtobuf(schema: Schema, options: ProtobufOptions = {}): ProtobufCodec {
  if (Object.keys(options).length > 0) return compile(schema, options)

  let roots = compiled.get(schema.types)
  if (roots === undefined) {
    roots = new WeakMap()
    compiled.set(schema.types, roots)
  }

  const known = roots.get(schema.root)
  if (known !== undefined) return known

  const codec = compile(schema, options)
  roots.set(schema.root, codec)
  return codec
}

function compile(schema: Schema, options: ProtobufOptions): ProtobufCodec {
  const depth = options.depth ?? defaultDepth
  const made = layout(schema)
  const closures = closureCodec(made, schema.types, depth)
  const generate = options.generate ?? canGenerate()
  return generate ? generatedCodec(made, schema.types, depth, closures, options.onHandOver) : closures
}

function generatedCodec(
  made: Layout,
  types: Types,
  depth: number,
  closures: ProtobufCodec,
  onHandOver: (() => void) | undefined,
): ProtobufCodec {
  let encode: FastEncode = (value, writer, position, left) => {
    encode = generateEncoder(made.root, types)
    return encode(value, writer, position, left)
  }

  let decode: FastDecode = (bytes, start, end, left) => {
    decode = generateDecoder(made.root, types)
    return decode(bytes, start, end, left)
  }

  return {
    encode(value, writer) {
      const start = writer.position
      try {
        writer.position = encode(value, writer, start, depth)
        return
      } catch (error) {
        writer.position = start
        if (error !== giveUp) throw error
      }
      onHandOver?.()
      closures.encode(value, writer)
    },

    decode(bytes, start, end) {
      try {
        return decode(bytes, start, end, depth)
      } catch (error) {
        if (error !== giveUp && !(error instanceof Malformed)) throw error
      }
      onHandOver?.()
      return closures.decode(bytes, start, end)
    },
  }
}

function closureCodec({ root }: Layout, types: Types, depth: number): ProtobufCodec {
  let encode: Encode = (value, writer, problems, left) => {
    encode = closureEncoder(root, types)
    encode(value, writer, problems, left)
  }

  let decode: Decode = (input, end) => {
    decode = closureDecoder(root, types)
    return decode(input, end)
  }

  return {
    encode(value, writer) {
      const start = writer.position
      const problems: Problem[] = []
      try {
        encode(value, writer, problems, depth)
      } catch (error) {
        writer.position = start
        throw error
      }

      if (problems.length > 0) {
        writer.position = start
        throw invalidOf(problems)
      }
    },

    decode(bytes, start, end) {
      const input: Input = { bytes, position: start, low: 0, high: 0, depth, problems: [] }
      let value: unknown
      try {
        value = decode(input, end)
      } catch (error) {
        throw error instanceof Malformed ? invalidOfMalformed(error, input.problems) : error
      }

      if (input.problems.length > 0) throw invalidOf(input.problems)
      return value
    },
  }
}
