/**
 * From our protobuf layout to descriptors of protobuf-es, so that it can judge our bytes without a .proto file.
 */
import { create, createFileRegistry, type DescMessage, type Message } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  OneofDescriptorProtoSchema as Oneof,
  EnumDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Kind,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt'
import { jsonName } from '../../src/codec/json/protojson/names.ts'
import type {
  FieldLayout,
  Layout,
  MessageLayout,
  ValueLayout,
} from '../../src/codec/protobuf/message-layout.ts'

const scalars: Readonly<Record<string, Kind>> = {
  double: Kind.DOUBLE,
  float: Kind.FLOAT,
  int32: Kind.INT32,
  int64: Kind.INT64,
  uint32: Kind.UINT32,
  uint64: Kind.UINT64,
  sint32: Kind.SINT32,
  sint64: Kind.SINT64,
  fixed32: Kind.FIXED32,
  fixed64: Kind.FIXED64,
  sfixed32: Kind.SFIXED32,
  sfixed64: Kind.SFIXED64,
  bool: Kind.BOOL,
  string: Kind.STRING,
  bytes: Kind.BYTES,
}

const known = [
  file_google_protobuf_timestamp,
  file_google_protobuf_duration,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
  file_google_protobuf_empty,
]

/** Names in a .proto are identifiers; here every one that is not is made one, the same way everywhere. */
function identifier(name: string): string {
  return name.replace(/\W/g, (character) => `_${character.codePointAt(0)?.toString(16)}_`)
}

function fullName(name: string): string {
  return name.startsWith('google.protobuf.') ? `.${name}` : `.judged.${identifier(name)}`
}

function typed(value: ValueLayout): Partial<Omit<FieldDescriptorProto, keyof Message>> {
  if (value.kind === 'scalar') return { type: scalars[value.proto] }
  if (value.kind === 'enum') return { type: Kind.ENUM, typeName: fullName(value.of.name) }
  return { type: Kind.MESSAGE, typeName: fullName(value.kind === 'known' ? value.proto : value.of.name) }
}

function messageDescriptor(message: MessageLayout): DescriptorProto {
  const descriptor = create(DescriptorProtoSchema, { name: identifier(message.name) })
  if (message.oneof !== undefined) descriptor.oneofDecl.push(create(Oneof, { name: message.oneof.name }))

  for (const field of message.fields) {
    descriptor.field.push(fieldDescriptor(descriptor, message, field))
  }

  // Synthetic oneofs of `optional` fields come behind the real ones.
  for (const field of descriptor.field) {
    if (!field.proto3Optional) continue
    field.oneofIndex = descriptor.oneofDecl.length
    descriptor.oneofDecl.push(create(Oneof, { name: `_${field.name}` }))
  }
  return descriptor
}

function fieldDescriptor(
  into: DescriptorProto,
  message: MessageLayout,
  field: FieldLayout,
): FieldDescriptorProto {
  const descriptor = create(FieldDescriptorProtoSchema, {
    name: identifier(`f${field.number}_${field.name}`),
    number: field.number,
    jsonName: jsonName(field),
    label: field.shape === 'single' ? Label.OPTIONAL : Label.REPEATED,
    ...typed(field.value),
  })

  if (message.oneof !== undefined) descriptor.oneofIndex = 0
  else if (field.shape === 'single' && field.presence === 'explicit') {
    descriptor.proto3Optional = field.value.kind === 'scalar' || field.value.kind === 'enum'
  }

  if (field.shape === 'map') {
    // protoc's name of an entry is the field's name in camel case and `Entry`; it checks that of nobody else.
    const name = `${pascal(descriptor.name)}Entry`
    into.nestedType.push(entryDescriptor(name, field))
    descriptor.type = Kind.MESSAGE
    descriptor.typeName = `${fullName(message.name)}.${name}`
  }
  return descriptor
}

function pascal(name: string): string {
  return name.replace(/(?:^|_)(.?)/g, (_, letter: string) => letter.toUpperCase())
}

function entryDescriptor(name: string, field: FieldLayout): DescriptorProto {
  const part = (of: ValueLayout, number: number, called: string): FieldDescriptorProto =>
    create(FieldDescriptorProtoSchema, { name: called, number, label: Label.OPTIONAL, ...typed(of) })

  return create(DescriptorProtoSchema, {
    name,
    options: { mapEntry: true },
    field: [part(field.key as ValueLayout, 1, 'key'), part(field.value, 2, 'value')],
  })
}

/** The root message of a layout, as protobuf-es knows it. */
export function descriptorOf(layout: Layout): DescMessage {
  const file: FileDescriptorProto = create(FileDescriptorProtoSchema, {
    name: 'judged.proto',
    package: 'judged',
    syntax: 'proto3',
    dependency: known.map((one) => one.proto.name),
    messageType: [...layout.messages.values()].map(messageDescriptor),
    enumType: [...layout.enums.values()].map((one) =>
      create(EnumDescriptorProtoSchema, {
        name: identifier(one.name),
        options: { allowAlias: true },
        value: one.values.map(({ name, number }) => ({ name, number })),
      }),
    ),
  })

  const registry = createFileRegistry(file, (name) => known.find((one) => one.proto.name === name))
  const name = fullName(layout.root.name).slice(1)
  const found =
    registry.getMessage(name) ?? known.flatMap((one) => one.messages).find((one) => one.typeName === name)
  if (found === undefined) throw new Error(`no message ${name}`)
  return found
}
