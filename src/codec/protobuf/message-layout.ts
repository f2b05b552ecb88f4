/**
 * What a schema is in protobuf, once it is laid out: messages, fields, numbers, presence. A table, made by `layout.ts`;
 * the codecs are compiled from it, and .proto files and server reflection are written from it.
 */
import type { EnumType, Field, Json, ObjectType, TupleType, Type, UnionType } from '../../schema/type.ts'

export type Scalar =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

/** 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. */
export type WireType = 0 | 1 | 2 | 5

/** The messages of google/protobuf that are JavaScript values of their own here. */
export type WellKnown =
  | 'google.protobuf.Timestamp'
  | 'google.protobuf.Duration'
  | 'google.protobuf.Value'
  | 'google.protobuf.Struct'
  | 'google.protobuf.ListValue'

export interface Layout {
  /** The message that carries a value of the schema. */
  readonly root: MessageLayout
  /** Every message that can be reached from the root, by name; well-known ones are left out. */
  readonly messages: ReadonlyMap<string, MessageLayout>
  readonly enums: ReadonlyMap<string, EnumLayout>
}

export interface MessageLayout {
  /** As in `Schema.types`, or nested in the message it was made for: `Order.TagsBox`. */
  readonly name: string
  /** How the JavaScript value is made of the fields; a box is the value of its only field. */
  readonly kind: 'object' | 'union' | 'tuple' | 'box' | 'wrapper' | 'known'
  /** In order of declaration. */
  readonly fields: readonly FieldLayout[]
  /** Of a union. */
  readonly oneof?: { readonly name: string; readonly by: string; readonly type: UnionType }
  readonly object?: ObjectType
  readonly tuple?: TupleType
  /** A root that is a well-known message itself, because the schema says so with `protobuf`. */
  readonly known?: KnownLayout
}

export interface KnownLayout {
  readonly kind: 'known'
  readonly proto: WellKnown
  readonly type: Type
}

export interface EnumLayout {
  readonly name: string
  readonly type: EnumType
  /** Zero first, as proto3 demands; a zero that the type does not have is added, without a `value`. */
  readonly values: readonly {
    readonly name: string
    readonly number: number
    readonly value?: string | number
  }[]
}

/** What the reader takes when a field is not there. */
export type Absent = 'zero' | 'empty' | 'undefined' | 'null' | 'default' | 'missing'

export interface FieldLayout {
  /** In .proto: snake_case. */
  readonly name: string
  readonly number: number
  /** In JavaScript; of a tuple's item, its index; of a box, nothing. */
  readonly property: string
  readonly shape: 'single' | 'repeated' | 'map'
  /** `implicit`: the zero value is not written. Messages are always explicit. Repeated fields and maps are neither. */
  readonly presence: 'implicit' | 'explicit'
  readonly absent: Absent
  /** `undefined` is accepted from the sender, and written as nothing. */
  readonly optional: boolean
  /** `null` is written as nothing. */
  readonly nullable: boolean
  /** In the JSON form of our own dialect; converted by the codec. */
  readonly default?: Json
  readonly sensitive: boolean
  /** The JavaScript type of the whole field: of a repeated one, the list. */
  readonly type: Type
  /** One value, one element, or a map's value. */
  readonly value: ValueLayout
  /** Of a map. */
  readonly key?: ScalarLayout
  /** Of a list of numbers that is written one by one. */
  readonly packed?: false
  /** The discriminator's value, of a union's variant. */
  readonly tag?: string | number | boolean
  /** The name in ProtoJSON of a union's variant, when it is not the usual one. */
  readonly json?: string
  readonly field?: Field
}

export interface ScalarLayout {
  readonly kind: 'scalar'
  readonly proto: Scalar
  /** A string, int, float, bool, bytes or literal; as a map's key also a ref to an enum, carried as a string. */
  readonly type: Type
}

export type ValueLayout =
  | ScalarLayout
  | { readonly kind: 'enum'; readonly of: EnumLayout; readonly type: Type }
  | { readonly kind: 'message'; readonly of: MessageLayout; readonly type: Type }
  | KnownLayout

const wireTypes: Readonly<Record<Scalar, WireType>> = {
  double: 1,
  float: 5,
  int32: 0,
  int64: 0,
  uint32: 0,
  uint64: 0,
  sint32: 0,
  sint64: 0,
  fixed32: 5,
  fixed64: 1,
  sfixed32: 5,
  sfixed64: 1,
  bool: 0,
  string: 2,
  bytes: 2,
}

/** The wire type of one value, not packed. */
export function wireTypeOf(value: ValueLayout): WireType {
  if (value.kind === 'scalar') return wireTypes[value.proto]
  return value.kind === 'enum' ? 0 : 2
}

/** Numbers, booleans and enums in repeated fields are written in one packed run, unless the schema says otherwise. */
export function isPacked(field: FieldLayout): boolean {
  return field.shape === 'repeated' && field.packed !== false && wireTypeOf(field.value) !== 2
}

/** The fields of an object of which at most one is there, by their indexes. */
export interface Rivals {
  readonly oneof: string
  readonly indexes: readonly number[]
}

/** The oneofs of an object that have several fields. A union is a oneof as a whole. */
export function rivalsOf({ kind, fields }: MessageLayout): readonly Rivals[] {
  const groups = new Map<string, number[]>()
  if (kind !== 'object') return []

  for (const [index, { field, absent }] of fields.entries()) {
    if (field?.oneof === undefined || absent !== 'undefined') continue
    const before = groups.get(field.oneof)
    if (before === undefined) groups.set(field.oneof, [index])
    else before.push(index)
  }
  return [...groups]
    .filter(([, indexes]) => indexes.length > 1)
    .map(([oneof, indexes]) => ({ oneof, indexes }))
}

/** The protobuf type in a .proto file: `int32`, `Order`, `google.protobuf.Timestamp`. */
export function protoTypeOf(value: ValueLayout): string {
  return value.kind === 'scalar' || value.kind === 'known' ? value.proto : value.of.name
}
