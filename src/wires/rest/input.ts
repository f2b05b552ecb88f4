/**
 * HOT PATH. The input of an operation from what a request brings, and the other way round: fields in path, query and
 * headers, and the body, which is the object of all other fields, one field alone, or, without parameters, the whole
 * input. Guarded by `bench/scenarios/rest-server`.
 *
 * However it came, the codec validates the input as a whole. Fields in path, query and headers are not read from a
 * body; one that has them is treated as if it had undeclared keys.
 */
import { type JsonCodec, compileJson } from '../../codec/json/compile.ts'
import { parse } from '../../codec/json/parse.ts'
import { setOwn } from '../../codec/set-own.ts'
import { got } from '../../codec/checks.ts'
import type { CallOperation, Message } from '../../contract/operation.ts'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { Invalid } from '../../schema/invalid.ts'
import { jsonName } from '../../schema/names.ts'
import type { ObjectType } from '../../schema/type.ts'
import { type JsonObject, type Parameters, type WrittenParameters, compileParameters } from './parameters.ts'

/** A request without its body. */
export interface RequestParts {
  /** The values of the route's fields, decoded. */
  readonly path: readonly string[]
  readonly query: string
  readonly headers: HttpHeaders
}

/** Reads and writes the unary input of one operation. */
export interface InputCodec {
  /** Whether anything of the input is in the body. */
  readonly hasBody: boolean
  /** The valid input, apart from what only the schema library can check. Throws Invalid. No bytes: there was no body. */
  read(parts: RequestParts, bytes: Buffer, start: number, end: number): unknown
  /** Encodes what is in the body into the one that `compose` begins. Throws Invalid. */
  write(value: unknown, compose: () => BodyBuffer): WrittenInput
}

export interface WrittenInput {
  readonly parameters: WrittenParameters | undefined
  /** JSON; `undefined` when nothing of the input is in the body. */
  readonly body: BodyBuffer | undefined
}

/** Compiles the input of a unary or server streaming operation; `depth` is how many brackets may be open at once. */
export function compileInput(operation: CallOperation, depth: number): InputCodec {
  const { input, rest } = operation
  if (input === undefined || input.stream) return nothing

  const codec = compileJson(input.schema, 'trunkline', { depth })
  const object = objectOf(input)
  const placed = rest.parameters.length + rest.query.length + Object.keys(rest.headers).length
  if (object === undefined || (placed === 0 && rest.body === undefined)) return wholeBody(codec, object)

  const parameters = compileParameters(rest, object, input.schema.types)
  const bodyField = object.fields.find(({ name }) => name === rest.body)
  if (bodyField !== undefined) return fieldBody(codec, parameters, jsonName(bodyField), depth)
  if (placed === object.fields.length) return noBody(codec, parameters)
  return restBody(codec, parameters, object, depth)
}

/** The object that a message is; `undefined` for everything else. */
export function objectOf(message: Message): ObjectType | undefined {
  const { root, types } = message.schema
  if (root.nullable === true || root.type.kind !== 'ref') return undefined
  const named = types[root.type.to]
  return named?.kind === 'object' ? named : undefined
}

const nothing: InputCodec = {
  hasBody: false,
  read: () => undefined,
  write: () => ({ parameters: undefined, body: undefined }),
}

function wholeBody(codec: JsonCodec, object: ObjectType | undefined): InputCodec {
  return {
    hasBody: true,
    read(_parts, bytes, start, end) {
      if (start < end) return codec.decode(bytes, start, end)
      // Where every field may be left out, so may the object.
      if (object !== undefined) return codec.fromJson({})
      throw Invalid.at('', 'expected JSON in the body, got nothing')
    },
    write(value, compose) {
      const body = compose()
      try {
        codec.encodeInto(value, body)
      } catch (error) {
        body.close()
        throw error
      }
      return { parameters: undefined, body }
    },
  }
}

function noBody(codec: JsonCodec, parameters: Parameters): InputCodec {
  return {
    hasBody: false,
    read: ({ path, query, headers }) => codec.fromJson(parameters.read(path, query, headers)),
    write: (value) => ({
      parameters: parameters.write(codec.toJson(value) as JsonObject),
      body: undefined,
    }),
  }
}

function fieldBody(codec: JsonCodec, parameters: Parameters, field: string, depth: number): InputCodec {
  return {
    hasBody: true,
    read({ path, query, headers }, bytes, start, end) {
      const json = parameters.read(path, query, headers)
      if (start < end) setOwn(json, field, parse(bytes, start, end, depth))
      return codec.fromJson(json)
    },
    write(value, compose) {
      const json = codec.toJson(value) as JsonObject
      const written = parameters.write(json)
      return {
        parameters: written,
        body: json[field] === undefined ? undefined : bodyOf(json[field], compose),
      }
    },
  }
}

function restBody(
  codec: JsonCodec,
  parameters: Parameters,
  { unknown }: ObjectType,
  depth: number,
): InputCodec {
  return {
    hasBody: true,
    read({ path, query, headers }, bytes, start, end) {
      const placed = parameters.read(path, query, headers)
      const json = start < end ? parse(bytes, start, end, depth) : {}
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        throw Invalid.at('', `expected an object in the body, got ${got(json)}`)
      }

      for (const name of parameters.names) {
        if (!Object.hasOwn(json, name)) continue
        if (unknown === 'refuse')
          throw Invalid.at(name, 'travels outside of the body; take it out of the body')
        delete json[name]
      }
      for (const name of Object.keys(placed)) setOwn(json, name, placed[name])
      return codec.fromJson(json)
    },
    write(value, compose) {
      const json = codec.toJson(value) as JsonObject
      const written = parameters.write(json)
      return { parameters: written, body: bodyOf(json, compose) }
    },
  }
}

function bodyOf(json: unknown, compose: () => BodyBuffer): BodyBuffer {
  const text = JSON.stringify(json)
  const body = compose()
  body.reserve(text.length * 3)
  body.position += body.bytes.write(text, body.position)
  return body
}
