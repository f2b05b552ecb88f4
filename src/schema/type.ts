/**
 * The Type model: what a value looks like, as plain JSON data and nothing else.
 *
 * Every codec and every document (protobuf, JSON, OpenAPI, `describe`, digest, lock, diff) is compiled from it, so
 * functions, regular expressions and schema instances stay outside. Recursion goes through names only: a `ref` points
 * into the contract's one table of named types. Nullability sits on the slot, because elements of a list and values
 * of a map can be null as well as fields.
 */

/** A value's shape: where to start, and the named types that can be reached from there. */
export interface Schema {
  readonly root: Slot
  /** The contract's one table; all schemas of a contract share it. */
  readonly types: Types
}

/** Named types by name: `Order`, `PlaceRequest`, or dotted and fully qualified (`google.rpc.Status`). */
export type Types = Readonly<Record<string, Named>>

/** A place that holds a value: a field, an element, a map's value, or the root. */
export interface Slot {
  readonly type: Type
  readonly nullable?: true
  /**
   * The protobuf type to use instead of the usual one, for contracts that follow a foreign document: a scalar
   * (`sint32`, `fixed64`, `uint32`, …) or a well-known type (`google.protobuf.Duration`, `google.protobuf.StringValue`,
   * `google.protobuf.Struct`, …).
   */
  readonly protobuf?: string
}

export type Type =
  | StringType
  | IntType
  | FloatType
  | { readonly kind: 'bool' }
  | BytesType
  /** A moment, `Date` in TypeScript: milliseconds since 1970. */
  | { readonly kind: 'instant'; readonly checks?: readonly Check[] }
  /** Any JSON value. */
  | { readonly kind: 'json' }
  | LiteralType
  | ListType
  | TupleType
  | MapType
  | RefType

/**
 * A `pattern` among the checks is a library's own idea of the format and takes its place: then the format is only
 * documented. Without one, a format that `codec/formats.ts` knows is validated as it says.
 */
export interface StringType {
  readonly kind: 'string'
  readonly format?: Format
  readonly checks?: readonly Check[]
}

export interface IntType {
  readonly kind: 'int'
  readonly bits: 32 | 64
  readonly signed: boolean
  /** 64-bit integers are `bigint`, or `number` within ±(2^53 − 1). 32-bit ones are always `number`. */
  readonly js: 'number' | 'bigint'
  readonly checks?: readonly Check[]
}

export interface FloatType {
  readonly kind: 'float'
  readonly bits: 32 | 64
  /** `true` when NaN and ±Infinity are values of the type (foreign protobuf doubles); zod's numbers refuse them. */
  readonly nonFinite?: true
  readonly checks?: readonly Check[]
}

export interface BytesType {
  readonly kind: 'bytes'
  readonly checks?: readonly Check[]
}

/** One of a few constants. All of one JavaScript type, apart from `null`, which is expressed by `nullable`. */
export interface LiteralType {
  readonly kind: 'literal'
  readonly values: readonly (string | number | boolean)[]
}

export interface ListType {
  readonly kind: 'list'
  readonly of: Slot
  readonly js: 'array' | 'set'
  readonly checks?: readonly Check[]
}

export interface TupleType {
  readonly kind: 'tuple'
  readonly items: readonly Slot[]
  readonly rest?: Slot
}

export interface MapType {
  readonly kind: 'map'
  /** A string, int, bool, literal of strings, or a ref to an enum. */
  readonly key: Type
  readonly of: Slot
  readonly js: 'record' | 'map'
  /** The keys that must all be there (a record over an enum). */
  readonly keys?: readonly string[]
  readonly checks?: readonly Check[]
}

/** Points into `Schema.types`. */
export interface RefType {
  readonly kind: 'ref'
  readonly to: string
}

export type Named = ObjectType | EnumType | UnionType

export interface Documented {
  readonly doc?: string
  readonly deprecated?: true
}

/** Numbers and names that were used once and must never come back. */
interface Reserving {
  readonly reserved?: { readonly numbers: readonly number[]; readonly names: readonly string[] }
}

export interface ObjectType extends Documented, Reserving {
  readonly kind: 'object'
  readonly fields: readonly Field[]
  /** What happens to undeclared keys of a JSON body: dropped, or refused. protobuf always skips them. */
  readonly unknown: 'strip' | 'refuse'
}

export interface Field extends Slot, Documented {
  /** The property's name in TypeScript. */
  readonly name: string
  /** From the lock, by position of use; without a lock, by order of declaration. */
  readonly number: number
  /** The name in .proto when it is not the snake_case of `name`. */
  readonly proto?: string
  /** The name in JSON when it is not `name`. */
  readonly json?: string
  readonly xml?: { readonly name?: string; readonly as?: 'element' | 'attribute' | 'text' }
  /** May be left out: `undefined` on both sides. */
  readonly optional?: true
  /** May be left out by the sender; the receiver reads this value (in the JSON form of our own dialect). */
  readonly default?: Json
  /** Must not appear in logs or the console. */
  readonly sensitive?: true
  /** The header that carries it in REST, in lower case. */
  readonly header?: string
  /** In the JSON form of our own dialect. */
  readonly examples?: readonly Json[]
  /** The `oneof` of foreign protobuf that it is in: of the optional fields of one name at most one is there. */
  readonly oneof?: string
  /**
   * Presence of foreign protobuf where it is not the usual one: `required` is written even when it is zero and must be
   * there (proto2); `explicit` keeps a zero apart from an absent field whose default is zero as well.
   */
  readonly presence?: 'explicit' | 'required'
  /** Numbers of a list are written one by one, each behind its tag, for foreign readers that demand it. */
  readonly packed?: false
}

export interface EnumType extends Documented, Reserving {
  readonly kind: 'enum'
  readonly values: readonly EnumValue[]
}

export interface EnumValue extends Documented {
  /** The name in documents and, where it differs from `value`, in ProtoJSON: `PAID`. */
  readonly name: string
  /** The value in TypeScript and in our JSON: `'paid'`. */
  readonly value: string | number
  /** protobuf's number, from the lock. */
  readonly number: number
}

/** A discriminated union of objects: `by` is the property that tells them apart. protobuf: a message with one `oneof`. */
export interface UnionType extends Documented, Reserving {
  readonly kind: 'union'
  readonly by: string
  readonly variants: readonly Variant[]
}

export interface Variant {
  /** The discriminator's value. */
  readonly tag: string | number | boolean
  /** The object's name in `types`. Its fields include the discriminator, as a literal. */
  readonly to: string
  readonly number: number
  /** The name in .proto when it is not the snake_case of `tag`. */
  readonly proto?: string
  /** The name in ProtoJSON when it is not the lowerCamelCase of the one in .proto. */
  readonly json?: string
  readonly xml?: { readonly name?: string }
}

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** JSON Schema's format names, plus `decimal`. Those that `codec/formats.ts` knows are validated; others documented. */
export type Format =
  | 'date'
  | 'time'
  | 'date-time'
  | 'duration'
  | 'uuid'
  | 'email'
  | 'uri'
  | 'ipv4'
  | 'ipv6'
  | 'decimal'
  | (string & {})

/** A bound. Numbers are written as decimal strings so that 64-bit ones stay exact in JSON. Instants in RFC 3339. */
export type Check =
  | { readonly check: 'min' | 'max'; readonly value: string; readonly exclusive?: true }
  | { readonly check: 'multipleOf'; readonly value: string }
  /** Strings in code points, as JSON Schema and zod count; bytes in bytes, lists and maps in entries. */
  | { readonly check: 'minLength' | 'maxLength'; readonly value: string }
  | { readonly check: 'pattern'; readonly source: string; readonly flags: string }
