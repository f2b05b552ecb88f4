/**
 * The messages of google/protobuf/descriptor.proto in the Type model, as far as they are read and written here; enums are
 * their numbers. https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto
 */
import type { Field, Named, Schema, Slot, Types } from '../../../schema/type.ts'

const table = {
  FileSet: { file: '1 []File' },
  File: {
    name: '1 string',
    package: '2 string',
    dependency: '3 []string',
    messageType: '4 []Message',
    enumType: '5 []Enum',
    service: '6 []Service',
    options: '8 FileOptions',
    publicDependency: '10 []int',
    syntax: '12 string',
    edition: '14 int',
  },
  Message: {
    name: '1 string',
    field: '2 []Field',
    nestedType: '3 []Message',
    enumType: '4 []Enum',
    extensionRange: '5 []Range',
    options: '7 MessageOptions',
    oneofDecl: '8 []Oneof',
    reservedRange: '9 []Range',
    reservedName: '10 []string',
  },
  Range: { start: '1 int', end: '2 int' },
  Oneof: { name: '1 string' },
  Field: {
    name: '1 string',
    number: '3 int',
    label: '4 int',
    type: '5 int',
    typeName: '6 string',
    defaultValue: '7 string',
    options: '8 FieldOptions',
    oneofIndex: '9 int',
    jsonName: '10 string',
    proto3Optional: '17 bool',
  },
  Enum: {
    name: '1 string',
    value: '2 []EnumValue',
    options: '3 EnumOptions',
    reservedRange: '4 []Range',
    reservedName: '5 []string',
  },
  EnumValue: { name: '1 string', number: '2 int', options: '3 EnumValueOptions' },
  Service: { name: '1 string', method: '2 []Method', options: '3 ServiceOptions' },
  Method: {
    name: '1 string',
    inputType: '2 string',
    outputType: '3 string',
    options: '4 MethodOptions',
    clientStreaming: '5 bool',
    serverStreaming: '6 bool',
  },
  FileOptions: { deprecated: '23 bool', features: '50 Features' },
  MessageOptions: { deprecated: '3 bool', mapEntry: '7 bool', features: '12 Features' },
  FieldOptions: { packed: '2 bool', deprecated: '3 bool', features: '21 Features' },
  EnumOptions: { allowAlias: '2 bool', deprecated: '3 bool', features: '7 Features' },
  EnumValueOptions: { deprecated: '1 bool' },
  ServiceOptions: { deprecated: '33 bool', features: '34 Features' },
  MethodOptions: { deprecated: '33 bool', idempotencyLevel: '34 int', features: '35 Features' },
  Features: {
    fieldPresence: '1 int',
    enumType: '2 int',
    repeatedFieldEncoding: '3 int',
    messageEncoding: '5 int',
  },
} as const

type Table = typeof table

type ValueOf<T extends string> = T extends 'string'
  ? string
  : T extends 'int'
    ? number
    : T extends 'bool'
      ? boolean
      : T extends keyof Table
        ? Raw<T>
        : never

/** A message of the table; whatever is not there is `undefined`, lists are empty. */
export type Raw<N extends keyof Table> = {
  -readonly [
    K in keyof Table[N] as Table[N][K] extends `${string}[]${string}` ? never : K
  ]?: Table[N][K] extends `${string} ${infer T}` ? ValueOf<T> : never
} & {
  -readonly [
    K in keyof Table[N] as Table[N][K] extends `${string}[]${string}` ? K : never
  ]: Table[N][K] extends `${string} []${infer T}` ? ValueOf<T>[] : never
}

const scalars: Readonly<Record<string, Slot>> = {
  string: { type: { kind: 'string' } },
  int: { type: { kind: 'int', bits: 32, signed: true, js: 'number' } },
  bool: { type: { kind: 'bool' } },
}

function slotOf(name: string): Slot {
  return scalars[name] ?? { type: { kind: 'ref', to: name } }
}

function fieldOf([name, said]: [string, string]): Field {
  const [number, type = ''] = said.split(' ')
  const common = { name, number: Number(number) }
  if (!type.startsWith('[]')) return { ...common, ...slotOf(type), optional: true }
  return { ...common, type: { kind: 'list', of: slotOf(type.slice(2)), js: 'array' }, packed: false }
}

const types: Types = Object.fromEntries(
  Object.entries(table).map(([name, fields]): [string, Named] => [
    name,
    { kind: 'object', unknown: 'strip', fields: Object.entries(fields).map(fieldOf) },
  ]),
)

export const fileSchema: Schema = { root: { type: { kind: 'ref', to: 'File' } }, types }
export const fileSetSchema: Schema = { root: { type: { kind: 'ref', to: 'FileSet' } }, types }

/** `FieldDescriptorProto.Type` */
export const typeNumbers = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  group: 10,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
} as const

export const labelNumbers = { optional: 1, required: 2, repeated: 3 } as const

/** The features by their numbers; what stands first has the number 1. */
export const featureValues = {
  fieldPresence: ['field_presence', 'EXPLICIT', 'IMPLICIT', 'LEGACY_REQUIRED'],
  enumType: ['enum_type', 'OPEN', 'CLOSED'],
  repeatedFieldEncoding: ['repeated_field_encoding', 'PACKED', 'EXPANDED'],
  messageEncoding: ['message_encoding', 'LENGTH_PREFIXED', 'DELIMITED'],
} as const

/** `Edition`: 2023 is 1000, 2024 is 1001. */
export function editionNumber(edition: string): number {
  return 1000 + Number(edition) - 2023
}
