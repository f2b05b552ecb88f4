/**
 * The messages of google.rpc that errors are made of, with their codecs.
 *
 *     message Status      { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
 *     message Any         { string type_url = 1; bytes value = 2; }
 *     message BadRequest  { repeated FieldViolation field_violations = 1; }
 *     message FieldViolation { string field = 1; string description = 2; }
 *     message RetryInfo   { google.protobuf.Duration retry_delay = 1; }
 *     message ErrorInfo   { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
 *
 * Follows google/rpc/status.proto and google/rpc/error_details.proto.
 */
import { type ProtobufCodec, compileProtobuf } from '../../codec/protobuf/compile.ts'
import { Writer } from '../../codec/writer.ts'
import type { Field, Type, Types } from '../../schema/type.ts'

export interface AnyMessage {
  readonly typeUrl: string
  readonly value: Uint8Array
}

export interface StatusMessage {
  readonly code: number
  readonly message: string
  readonly details: readonly AnyMessage[]
}

export interface BadRequest {
  readonly fieldViolations: readonly { readonly field: string; readonly description: string }[]
}

export interface RetryInfo {
  readonly retryDelay?: { readonly seconds: number; readonly nanos: number }
}

export interface ErrorInfo {
  readonly reason: string
  readonly domain: string
  readonly metadata: Readonly<Record<string, string>>
}

const text: Type = { kind: 'string' }
const int32: Type = { kind: 'int', bits: 32, signed: true, js: 'number' }
const int64: Type = { kind: 'int', bits: 64, signed: true, js: 'number' }

const fieldOf = (name: string, number: number, type: Type): Field => ({ name, number, type })
const listOf = (to: string): Type => ({ kind: 'list', of: { type: { kind: 'ref', to } }, js: 'array' })
const message = (...fields: Field[]): Types[string] => ({ kind: 'object', fields, unknown: 'strip' })

const types: Types = {
  Status: message(
    fieldOf('code', 1, int32),
    fieldOf('message', 2, text),
    fieldOf('details', 3, listOf('Any')),
  ),
  Any: message(fieldOf('typeUrl', 1, text), fieldOf('value', 2, { kind: 'bytes' })),
  BadRequest: message(fieldOf('fieldViolations', 1, listOf('FieldViolation'))),
  FieldViolation: message(fieldOf('field', 1, text), fieldOf('description', 2, text)),
  RetryInfo: message({ ...fieldOf('retryDelay', 1, { kind: 'ref', to: 'Delay' }), optional: true }),
  Delay: message(fieldOf('seconds', 1, int64), fieldOf('nanos', 2, int32)),
  ErrorInfo: message(
    fieldOf('reason', 1, text),
    fieldOf('domain', 2, text),
    fieldOf('metadata', 3, { kind: 'map', key: text, of: { type: text }, js: 'record' }),
  ),
}

const scratch = new Writer(1024)
const largestScratch = 64 * 1024

/** Bytes of their own, made by a codec. Throws `Invalid`. */
export function encodeApart(codec: ProtobufCodec, value: unknown): Uint8Array {
  scratch.reset()
  codec.encode(value, scratch)
  const bytes = new Uint8Array(scratch.written())
  if (scratch.bytes.length > largestScratch) scratch.take()
  return bytes
}

/** The value of bytes. Throws `Invalid`. */
export function decodeApart(codec: ProtobufCodec, bytes: Uint8Array): unknown {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return codec.decode(view, 0, view.length)
}

/** Encodes and decodes one message of this page. Both throw `Invalid`. */
export interface RpcCodec<T> {
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
}

function codecOf<T>(name: string): RpcCodec<T> {
  let made: ProtobufCodec | undefined
  const codec = () => (made ??= compileProtobuf({ root: { type: { kind: 'ref', to: name } }, types }))
  return {
    encode: (value) => encodeApart(codec(), value),
    decode: (bytes) => decodeApart(codec(), bytes) as T,
  }
}

export const statusCodec = codecOf<StatusMessage>('Status')
export const badRequestCodec = codecOf<BadRequest>('BadRequest')
export const retryInfoCodec = codecOf<RetryInfo>('RetryInfo')
export const errorInfoCodec = codecOf<ErrorInfo>('ErrorInfo')
