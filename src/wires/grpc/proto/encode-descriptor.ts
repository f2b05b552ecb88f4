/** Descriptors as FileDescriptorProto, in bytes: what server reflection answers. Options of others are left out. */
import { compileProtobuf } from '../../../codec/protobuf/compile.ts'
import { Writer } from '../../../codec/writer.ts'
import { pascalCase } from '../../../schema/names.ts'
import {
  type Raw,
  editionNumber,
  featureValues,
  fileSchema,
  labelNumbers,
  typeNumbers,
} from './descriptor-schema.ts'
import type {
  EnumDescriptor,
  FieldDescriptor,
  FieldType,
  FileDescriptor,
  MessageDescriptor,
  MethodDescriptor,
  NumberRange,
} from './descriptor.ts'

/** The bytes of a file's FileDescriptorProto. */
export function encodeFile(file: FileDescriptor): Uint8Array {
  const writer = new Writer(1024)
  compileProtobuf(fileSchema).encode(rawFile(file), writer)
  return writer.copy()
}

function rawFile(file: FileDescriptor): Raw<'File'> {
  const editions = file.syntax === 'editions'
  // google.api.http is an option of others, which reflection does not carry.
  const imports = file.imports.filter(({ path }) => path !== 'google/api/annotations.proto')

  return {
    name: file.path,
    ...(file.package === '' ? {} : { package: file.package }),
    dependency: imports.map(({ path }) => path),
    publicDependency: [...imports.keys()].filter((index) => imports[index]?.kind === 'public'),
    messageType: file.messages.map((message) => rawMessage(message, file)),
    enumType: file.enums.map((one) => rawEnum(one, file)),
    service: file.services.map(({ local, deprecated, methods }) => ({
      name: local,
      method: methods.map(rawMethod),
      ...deprecation(deprecated),
    })),
    ...(file.syntax === 'proto2' ? {} : { syntax: file.syntax }),
    ...(editions ? { edition: editionNumber(file.edition) } : {}),
  }
}

function deprecation(deprecated: true | undefined): { options?: { deprecated: true } } {
  return deprecated === true ? { options: { deprecated } } : {}
}

/** Of messages and extensions the end is the first that does not belong to it. */
function openRange({ from, to }: NumberRange): Raw<'Range'> {
  return { start: from, end: to + 1 }
}

function rawMessage(message: MessageDescriptor, file: FileDescriptor): Raw<'Message'> {
  const oneofs = message.oneofs.map(({ name }) => ({ name }))
  const entries: Raw<'Message'>[] = []

  const fields = message.fields.map((field): Raw<'Field'> => {
    const raw = rawField(field, file)
    if (field.oneof !== undefined)
      return { ...raw, oneofIndex: message.oneofs.findIndex(({ name }) => name === field.oneof) }

    if (field.shape === 'map') {
      const entry = entryOf(field, file)
      entries.push(entry)
      return { ...raw, type: typeNumbers.message, typeName: `.${message.name}.${entry.name}` }
    }
    return raw
  })

  // Each `optional` field of proto3 is a oneof of its own, behind the real ones.
  for (const [index, field] of message.fields.entries()) {
    if (!isOptional(field, file)) continue
    fields[index] = { ...(fields[index] as Raw<'Field'>), oneofIndex: oneofs.length, proto3Optional: true }
    oneofs.push({ name: unusedName(`_${field.name}`, message, oneofs) })
  }

  return {
    name: message.local,
    field: fields,
    nestedType: [...entries, ...message.messages.map((nested) => rawMessage(nested, file))],
    enumType: message.enums.map((one) => rawEnum(one, file)),
    extensionRange: message.extensionRanges.map(openRange),
    oneofDecl: oneofs,
    reservedRange: message.reserved.ranges.map(openRange),
    reservedName: [...message.reserved.names],
    ...deprecation(message.deprecated),
  }
}

function unusedName(
  name: string,
  { fields }: MessageDescriptor,
  oneofs: readonly { name: string }[],
): string {
  const used = (one: string): boolean =>
    fields.some((field) => field.name === one) || oneofs.some((oneof) => oneof.name === one)
  return used(name) ? unusedName(`X${name}`, { fields } as MessageDescriptor, oneofs) : name
}

function isOptional({ presence, type, shape, oneof }: FieldDescriptor, { syntax }: FileDescriptor): boolean {
  return (
    syntax === 'proto3' &&
    shape === 'single' &&
    presence === 'explicit' &&
    oneof === undefined &&
    type.kind !== 'message'
  )
}

function rawType(type: FieldType, delimited: boolean): Pick<Raw<'Field'>, 'type' | 'typeName'> {
  if (type.kind === 'scalar') return { type: typeNumbers[type.scalar] }
  const number = type.kind === 'enum' ? typeNumbers.enum : delimited ? typeNumbers.group : typeNumbers.message
  return { type: number, typeName: `.${type.name}` }
}

function rawField(field: FieldDescriptor, { syntax }: FileDescriptor): Raw<'Field'> {
  const { shape, presence } = field
  const required = presence === 'required' && syntax === 'proto2'
  const label = shape !== 'single' ? 'repeated' : required ? 'required' : 'optional'
  const features = syntax === 'editions' ? featuresOf(field) : undefined
  const packed =
    field.packed === undefined || syntax === 'editions' ? undefined : packedOption(field.packed, syntax)

  const options: Raw<'FieldOptions'> = {
    ...(packed === undefined ? {} : { packed }),
    ...(field.deprecated === true ? { deprecated: true } : {}),
    ...(features === undefined ? {} : { features }),
  }
  return {
    name: field.name,
    number: field.number,
    label: labelNumbers[label],
    ...rawType(field.type, field.delimited === true && syntax === 'proto2'),
    jsonName: field.jsonName,
    ...(field.default === undefined ? {} : { defaultValue: defaultText(field) }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  }
}

/** Only what differs from the syntax's own rule is said. */
function packedOption(packed: boolean, syntax: FileDescriptor['syntax']): boolean | undefined {
  return packed === (syntax === 'proto3') ? undefined : packed
}

function featuresOf({ presence, packed, delimited, shape }: FieldDescriptor): Raw<'Features'> | undefined {
  const features: Raw<'Features'> = {
    ...(shape === 'single' && presence !== 'explicit'
      ? {
          fieldPresence: valueNumber(
            'fieldPresence',
            presence === 'required' ? 'LEGACY_REQUIRED' : 'IMPLICIT',
          ),
        }
      : {}),
    ...(packed === false ? { repeatedFieldEncoding: valueNumber('repeatedFieldEncoding', 'EXPANDED') } : {}),
    ...(delimited === true ? { messageEncoding: valueNumber('messageEncoding', 'DELIMITED') } : {}),
  }
  return Object.keys(features).length === 0 ? undefined : features
}

function valueNumber(feature: keyof typeof featureValues, value: string): number {
  return (featureValues[feature] as readonly string[]).indexOf(value)
}

function defaultText({ default: value, type }: FieldDescriptor): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (Number.isNaN(value)) return 'nan'
  const isBytes = type.kind === 'scalar' && type.scalar === 'bytes'
  return isBytes ? escaped(String(value)) : String(value)
}

/** Bytes from base64 to ASCII, as C would write them. */
function escaped(base64: string): string {
  return [...Buffer.from(base64, 'base64')]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x22 && byte !== 0x27
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, '0')}`,
    )
    .join('')
}

/** `TagsEntry` of the map `tags`. */
function entryOf(field: FieldDescriptor, file: FileDescriptor): Raw<'Message'> {
  const part = (name: string, number: number, type: FieldType): Raw<'Field'> =>
    rawField(
      {
        name,
        number,
        jsonName: name,
        shape: 'single',
        presence: partPresence(file, type),
        type,
        at: field.at,
      },
      file,
    )

  return {
    name: `${pascalOf(field.name)}Entry`,
    field: [part('key', 1, { kind: 'scalar', scalar: field.key ?? 'string' }), part('value', 2, field.type)],
    nestedType: [],
    enumType: [],
    extensionRange: [],
    oneofDecl: [],
    reservedRange: [],
    reservedName: [],
    options: { mapEntry: true },
  }
}

function partPresence({ syntax }: FileDescriptor, type: FieldType): FieldDescriptor['presence'] {
  return syntax === 'proto3' && type.kind !== 'message' ? 'implicit' : 'explicit'
}

/** protoc's own rule, which readers check: the letter behind every underscore is a capital. */
function pascalOf(name: string): string {
  return name.replace(/(?:^|_)(.?)/g, (_, letter: string) => letter.toUpperCase()) || pascalCase(name)
}

function rawEnum(one: EnumDescriptor, { syntax }: FileDescriptor): Raw<'Enum'> {
  const numbers = new Set(one.values.map(({ number }) => number))
  const options: Raw<'EnumOptions'> = {
    ...(numbers.size < one.values.length ? { allowAlias: true } : {}),
    ...(one.deprecated === true ? { deprecated: true } : {}),
    ...(one.closed && syntax === 'editions'
      ? { features: { enumType: valueNumber('enumType', 'CLOSED') } }
      : {}),
  }
  return {
    name: one.local,
    value: one.values.map(({ name, number, deprecated }) => ({ name, number, ...deprecation(deprecated) })),
    reservedRange: one.reserved.ranges.map(({ from, to }) => ({ start: from, end: to })),
    reservedName: [...one.reserved.names],
    ...(Object.keys(options).length === 0 ? {} : { options }),
  }
}

function rawMethod(method: MethodDescriptor): Raw<'Method'> {
  const options: Raw<'MethodOptions'> = {
    ...(method.deprecated === true ? { deprecated: true } : {}),
    ...(method.idempotency === undefined
      ? {}
      : { idempotencyLevel: method.idempotency === 'NO_SIDE_EFFECTS' ? 1 : 2 }),
  }
  return {
    name: method.name,
    inputType: `.${method.input}`,
    outputType: `.${method.output}`,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(method.clientStreaming ? { clientStreaming: true } : {}),
    ...(method.serverStreaming ? { serverStreaming: true } : {}),
  }
}
