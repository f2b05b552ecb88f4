/**
 * The protobuf codec of a schema. Two back-ends with one behaviour: flat generated functions, and closures where code
 * must not be generated. The generated ones know valid values and usual bytes only; for all else they hand over to the
 * closures, which find every problem and its path.
 */
import type { Schema, Types } from '../../schema/type.ts'
import { canGenerate } from '../generate.ts'
import type { Writer } from '../writer.ts'
import { closureDecoder } from './decode.ts'
import { closureEncoder } from './encode.ts'
import { giveUp } from './fast.ts'
import { generateDecoder } from './generate-decode.ts'
import { generateEncoder } from './generate-encode.ts'
import type { Input } from './input.ts'
import { layout, type Layout } from './layout.ts'
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
}

const defaultDepth = 100

/** Compiles the codec of a schema. */
export function compileProtobuf(schema: Schema, options: ProtobufOptions = {}): ProtobufCodec {
  const depth = options.depth ?? defaultDepth
  const generate = options.generate ?? canGenerate()

  const made = layout(schema)
  const closures = closureCodec(made, schema.types, depth)
  return generate ? generatedCodec(made, schema.types, depth, closures) : closures
}

function generatedCodec(
  { root }: Layout,
  types: Types,
  depth: number,
  closures: ProtobufCodec,
): ProtobufCodec {
  const encode = generateEncoder(root, types)
  const decode = generateDecoder(root, types)

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
      closures.encode(value, writer)
    },

    decode(bytes, start, end) {
      try {
        return decode(bytes, start, end, depth)
      } catch (error) {
        if (error !== giveUp && !(error instanceof Malformed)) throw error
      }
      return closures.decode(bytes, start, end)
    },
  }
}

function closureCodec({ root }: Layout, types: Types, depth: number): ProtobufCodec {
  const encode = closureEncoder(root, types)
  const decode = closureDecoder(root, types)

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
