/**
 * What .proto files declare, with names resolved, presence and packing decided and defaults read: what protobuf calls
 * descriptors. Made by `link.ts` from files and by `from-contract.ts` from contracts; written by `print.ts` and `binary.ts`.
 */
import type { OptionNode, Scalar } from './ast.ts'
import type { Position } from './error.ts'

export interface FileDescriptor {
  /** By which others import it: `acme/orders/v1/orders.proto`. */
  readonly path: string
  readonly syntax: 'proto2' | 'proto3' | 'editions'
  /** `2023`, with editions only. */
  readonly edition: string
  readonly package: string
  readonly imports: readonly {
    readonly path: string
    readonly kind: 'plain' | 'public' | 'weak' | 'option'
  }[]
  readonly messages: readonly MessageDescriptor[]
  readonly enums: readonly EnumDescriptor[]
  readonly services: readonly ServiceDescriptor[]
  readonly doc?: string
}

interface Documented {
  readonly doc?: string
  readonly deprecated?: true
}

interface Placed {
  /** Where it was declared. */
  readonly file: string
  readonly at: Position
}

export interface MessageDescriptor extends Documented, Placed {
  /** The last part of the name. */
  readonly local: string
  /** `acme.orders.v1.Order.Line` */
  readonly name: string
  readonly fields: readonly FieldDescriptor[]
  readonly oneofs: readonly { readonly name: string; readonly doc?: string }[]
  readonly messages: readonly MessageDescriptor[]
  readonly enums: readonly EnumDescriptor[]
  readonly reserved: Reserved
  /** Ranges that are open to extensions, both ends included. */
  readonly extensionRanges: readonly NumberRange[]
}

export interface NumberRange {
  readonly from: number
  readonly to: number
}

export interface Reserved {
  /** Both ends included. */
  readonly ranges: readonly NumberRange[]
  readonly names: readonly string[]
}

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: Scalar }
  /** By full name, without a dot in front. */
  | { readonly kind: 'message'; readonly name: string }
  | { readonly kind: 'enum'; readonly name: string }

/** `required` is proto2's: the value is written even when it is zero, and must be there. */
export type Presence = 'implicit' | 'explicit' | 'required'

export interface FieldDescriptor extends Documented {
  readonly name: string
  readonly number: number
  /** The name in ProtoJSON. */
  readonly jsonName: string
  readonly shape: 'single' | 'repeated' | 'map'
  /** Of a single field; `implicit` with the others. */
  readonly presence: Presence
  readonly type: FieldType
  /** Of a map. */
  readonly key?: Scalar
  /** Of repeated numbers, booleans and enums. */
  readonly packed?: boolean
  /** A message between a start and an end tag instead of behind a length: a group. */
  readonly delimited?: true
  readonly oneof?: string
  /** As `default` says: text, a number, a bool or the name of an enum's value. 64-bit integers as decimal strings, bytes in base64. */
  readonly default?: string | number | boolean
  readonly at: Position
}

export interface EnumDescriptor extends Documented, Placed {
  readonly local: string
  readonly name: string
  readonly values: readonly EnumValueDescriptor[]
  /** Numbers that it does not have count as unknown fields. */
  readonly closed: boolean
  readonly reserved: Reserved
}

export interface EnumValueDescriptor extends Documented {
  readonly name: string
  readonly number: number
}

export interface ServiceDescriptor extends Documented, Placed {
  readonly local: string
  readonly name: string
  readonly methods: readonly MethodDescriptor[]
}

export interface MethodDescriptor extends Documented {
  readonly name: string
  readonly input: string
  readonly output: string
  readonly clientStreaming: boolean
  readonly serverStreaming: boolean
  readonly idempotency?: 'NO_SIDE_EFFECTS' | 'IDEMPOTENT'
  /** `google.api.http` */
  readonly http?: HttpRule
  readonly at: Position
}

/** https://github.com/googleapis/googleapis/blob/master/google/api/http.proto */
export interface HttpRule {
  /** `GET`; with `custom` whatever stands there. */
  readonly method: string
  readonly path: string
  /** `*` is all that is not in the path. */
  readonly body?: string
  readonly responseBody?: string
  /** How many `additional_bindings` there are besides. */
  readonly more: number
}

/** The value of an option by its whole name. */
export function optionOf(options: readonly OptionNode[], name: string): OptionNode | undefined {
  return options.findLast((option) => option.name === name)
}
