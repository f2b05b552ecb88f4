/**
 * What a .proto file says, before names are looked up: the parser makes it, and so does the reader of descriptors.
 * `link.ts` makes descriptors of it.
 */
import type { Position } from './error.ts'

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

export const scalars: ReadonlySet<string> = new Set<Scalar>([
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])

export interface FileNode {
  readonly path: string
  readonly syntax: 'proto2' | 'proto3' | 'editions'
  /** `2023`, with editions only. */
  readonly edition: string
  readonly package: string
  readonly imports: readonly ImportNode[]
  readonly messages: readonly MessageNode[]
  readonly enums: readonly EnumNode[]
  readonly services: readonly ServiceNode[]
  readonly extensions: readonly ExtendNode[]
  readonly options: readonly OptionNode[]
  readonly doc: string | undefined
}

interface Node {
  readonly at: Position
  readonly doc: string | undefined
  readonly options: readonly OptionNode[]
}

export interface ImportNode {
  readonly path: string
  readonly kind: 'plain' | 'public' | 'weak' | 'option'
  readonly at: Position
}

export interface MessageNode extends Node {
  readonly name: string
  readonly fields: readonly FieldNode[]
  readonly oneofs: readonly OneofNode[]
  readonly messages: readonly MessageNode[]
  readonly enums: readonly EnumNode[]
  readonly extensions: readonly ExtendNode[]
  readonly extensionRanges: readonly RangeNode[]
  readonly reserved: readonly RangeNode[]
  readonly reservedNames: readonly string[]
}

export interface FieldNode extends Node {
  readonly name: string
  readonly number: number
  /** As written before the type. */
  readonly label: 'none' | 'optional' | 'required' | 'repeated'
  /** A scalar, or a name that is looked up; of a map, its values' type. */
  readonly type: string
  readonly typeAt: Position
  /** Of a map. */
  readonly key?: Scalar
  /** `type` is a message of the same place that was declared with the field. */
  readonly group?: true
  readonly oneof?: string
}

export interface OneofNode extends Node {
  readonly name: string
}

export interface EnumNode extends Node {
  readonly name: string
  readonly values: readonly EnumValueNode[]
  readonly reserved: readonly RangeNode[]
  readonly reservedNames: readonly string[]
}

export interface EnumValueNode extends Node {
  readonly name: string
  readonly number: number
}

export interface ServiceNode extends Node {
  readonly name: string
  readonly methods: readonly MethodNode[]
}

export interface MethodNode extends Node {
  readonly name: string
  readonly input: string
  readonly inputAt: Position
  readonly clientStreaming: boolean
  readonly output: string
  readonly outputAt: Position
  readonly serverStreaming: boolean
}

/** `extend Foo { … }`; groups in it are messages of the place where it stands. */
export interface ExtendNode {
  readonly extendee: string
  readonly fields: readonly FieldNode[]
  readonly at: Position
}

/** Both ends belong to it. */
export interface RangeNode {
  readonly from: number
  readonly to: number
  readonly at: Position
}

export interface OptionNode {
  /** `deprecated`, `features.field_presence`, `(google.api.http).get`: without spaces. */
  readonly name: string
  readonly value: OptionValue
  readonly at: Position
}

export type OptionValue =
  | { readonly kind: 'word'; readonly text: string }
  /** With `binary` its bytes, each a character, since they are no UTF-8. */
  | { readonly kind: 'text'; readonly text: string; readonly binary?: true }
  /** With its sign, as written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'list'; readonly values: readonly OptionValue[] }
  | {
      readonly kind: 'message'
      readonly fields: readonly { readonly name: string; readonly value: OptionValue }[]
    }
