/** The JSON codec of a schema: strict, validating, and compiled once. */
import { generateTo, type Printer } from './generate-to.ts'
import { type Output, printRaw } from './print.ts'
import { Writer } from '../writer.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Json, Schema } from '../../schema/type.ts'
import { layout } from '../protobuf/layout.ts'
import { canGenerate } from '../generate.ts'
import { compileFrom, type From } from './from.ts'
import { generateFrom, type Reader } from './generate-from.ts'
import { parse } from './parse.ts'
import { compileProtoFrom } from './protojson/from.ts'
import { compileProtoTo } from './protojson/to.ts'
import { type Bytes, closeCursor, createCursor, openCursor, skipSpace, unexpected } from './scan.ts'
import { compileTo, type To } from './to.ts'
import { finishWalk, startWalk } from './walk.ts'

/** `trunkline` is our own, for REST, WebSocket and documents; `protojson` that of protobuf, for gRPC and Connect. */
export type JsonDialect = 'trunkline' | 'protojson'

export interface JsonCodec {
  /**
   * JSON text, with the declared fields only. Throws `Invalid` when the value has the wrong shape. Not for a wire:
   * nothing that checks what it writes makes text as fast as `JSON.stringify`.
   */
  encode(value: unknown): string

  /** The same into a writer, as UTF-8: what wires send. When it throws, nothing was written. */
  encodeInto(value: unknown, writer: Output): void

  /**
   * Reads and validates UTF-8 bytes from `start` to `end`: what is returned is a valid value, apart from what only the
   * schema library can check. Throws `Invalid` with the paths of what is wrong (at most 20), or, for text that is not
   * JSON, one issue that names the byte offset, counted from `start`.
   */
  decode(bytes: Buffer, start: number, end: number): unknown

  /** The same for text. */
  decodeText(text: string): unknown

  /** From a JSON value that somebody else has parsed. Throws `Invalid`. */
  fromJson(json: unknown): unknown

  /** To a JSON value instead of text. Throws `Invalid`. */
  toJson(value: unknown): Json
}

export interface JsonOptions {
  /** Whether code may be generated; by default, where the process allows it. */
  readonly generate?: boolean
  /** How many brackets may be open at once; 100 by default. */
  readonly depth?: number
  /** Hears when generated code leaves a value or bytes to the closures, as it does with all that is wrong. */
  readonly onHandOver?: () => void
}

const defaultDepth = 100

export function compileJson(schema: Schema, dialect: JsonDialect, options: JsonOptions = {}): JsonCodec {
  const depth = options.depth ?? defaultDepth
  const { from, to } = dialect === 'trunkline' ? ownDialect(schema, depth) : protojson(schema, depth)

  function fromJson(json: unknown): unknown {
    const walk = startWalk()
    const value = from(json, walk, 0)
    finishWalk(walk)
    return value
  }

  function toJson(value: unknown): Json {
    const walk = startWalk()
    const json = to(value, walk, 0)
    finishWalk(walk)
    return json as Json
  }

  const generate = options.generate ?? canGenerate()
  const quick = generate && dialect === 'trunkline'
  const reader = quick ? generateFrom(schema, depth) : undefined
  const printer = quick ? generateTo(schema, depth) : undefined

  function encodeInto(value: unknown, writer: Output): void {
    if (printer !== undefined && printQuickly(printer, value, writer)) return
    if (printer !== undefined) options.onHandOver?.()
    const json = JSON.stringify(toJson(value))
    writer.position = printRaw(writer, writer.position, json, 0)
  }

  function encode(value: unknown): string {
    if (printer === undefined) return JSON.stringify(toJson(value))
    scratch.reset()
    encodeInto(value, scratch)
    const text = (scratch.bytes as Bytes).utf8Slice(0, scratch.position)
    if (scratch.bytes.length > largestScratch) scratch.take()
    return text
  }

  function decode(bytes: Buffer, start: number, end: number): unknown {
    const value = reader === undefined ? unexpected : readQuickly(reader, bytes, start, end)
    if (value !== unexpected) return value
    if (reader !== undefined) options.onHandOver?.()
    return fromJson(parse(bytes, start, end, depth))
  }

  return {
    encode,
    encodeInto,
    decode,
    decodeText(text) {
      if (!text.isWellFormed()) throw Invalid.at('', 'not valid JSON: the text has a lone surrogate')
      const bytes = Buffer.from(text)
      return decode(bytes, 0, bytes.length)
    },
    fromJson,
    toJson,
  }
}

interface Directions {
  readonly from: From
  readonly to: To
}

function ownDialect(schema: Schema, depth: number): Directions {
  return { from: compileFrom(schema, depth), to: compileTo(schema, depth) }
}

function protojson(schema: Schema, depth: number): Directions {
  const laidOut = layout(schema)
  return { from: compileProtoFrom(schema, laidOut, depth), to: compileProtoTo(schema, laidOut, depth) }
}

const cursor = createCursor()

/** `unexpected` when the bytes have to be read again by whoever can say what is wrong with them, if anything is. */
function readQuickly(reader: Reader, bytes: Buffer, start: number, end: number): unknown {
  openCursor(cursor, bytes, start, end)
  try {
    const value = reader(cursor, skipSpace(cursor, start))
    const after = cursor.position
    return after === end || (after < end && skipSpace(cursor, after) >= end) ? value : unexpected
  } catch (error) {
    if (error === unexpected || error instanceof Invalid) return unexpected
    throw error
  } finally {
    closeCursor(cursor)
  }
}

const scratch = new Writer()
const largestScratch = 256 * 1024

/** `false` when the value does not fit: the closures say why. */
function printQuickly(print: Printer, value: unknown, writer: Output): boolean {
  const start = writer.position
  try {
    print(writer, value)
    return true
  } catch (error) {
    writer.position = start
    if (error === unexpected || error instanceof Invalid) return false
    throw error
  }
}
