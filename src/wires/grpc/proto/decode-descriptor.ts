/** FileDescriptorProto and FileDescriptorSet, in bytes, as what a file says: `link.ts` does the rest. */
import { compileProtobuf } from '../../../codec/protobuf/compile.ts'
import { Invalid } from '../../../schema/invalid.ts'
import type {
  EnumNode,
  FieldNode,
  FileNode,
  MessageNode,
  OptionNode,
  OptionValue,
  RangeNode,
  Scalar,
} from './ast.ts'
import {
  type Raw,
  featureValues,
  fileSchema,
  fileSetSchema,
  labelNumbers,
  typeNumbers,
} from './descriptor-schema.ts'
import { ProtoError } from './error.ts'

const at = { line: 1, column: 1 }
const typesByNumber = new Map(Object.entries(typeNumbers).map(([name, number]) => [number as number, name]))

/** Reads one FileDescriptorProto. Throws ProtoError. */
export function decodeFile(bytes: Uint8Array): FileNode {
  return fileNode(decoded(bytes, () => compileProtobuf(fileSchema)) as Raw<'File'>)
}

/** Reads a FileDescriptorSet, as `protoc --descriptor_set_out` writes it. Throws ProtoError. */
export function decodeFileSet(bytes: Uint8Array): readonly FileNode[] {
  return (decoded(bytes, () => compileProtobuf(fileSetSchema)) as Raw<'FileSet'>).file.map(fileNode)
}

function decoded(bytes: Uint8Array, codec: () => ReturnType<typeof compileProtobuf>): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    return codec().decode(buffer, 0, buffer.length)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    throw new ProtoError('descriptor', at, `these bytes are no descriptor of protobuf: ${error.message}`)
  }
}

function wrong(file: string, what: string): ProtoError {
  return new ProtoError(file, at, `the descriptor is broken: ${what}`)
}

function fileNode(raw: Raw<'File'>): FileNode {
  const { name: path = 'descriptor' } = raw
  const syntax = syntaxOf(raw, path)
  const publicly = new Set(raw.publicDependency)
  const within: Within = { file: path, syntax }

  return {
    path,
    syntax,
    edition: syntax === 'editions' ? String(2023 + (raw.edition ?? 1000) - 1000) : '',
    package: raw.package ?? '',
    imports: raw.dependency.map((one, index) => ({
      path: one,
      kind: publicly.has(index) ? ('public' as const) : ('plain' as const),
      at,
    })),
    messages: raw.messageType.map((message) => messageNode(message, within, 0)),
    enums: raw.enumType.map((one) => enumNode(one, within)),
    services: raw.service.map((service) => ({
      ...node(nameOf(service.name, within), service.options),
      methods: service.method.map((method) => ({
        ...node(nameOf(method.name, within), method.options),
        input: method.inputType ?? '',
        inputAt: at,
        clientStreaming: method.clientStreaming === true,
        output: method.outputType ?? '',
        outputAt: at,
        serverStreaming: method.serverStreaming === true,
      })),
    })),
    extensions: [],
    options: optionsOf(raw.options),
    doc: undefined,
  }
}

interface Within {
  readonly file: string
  readonly syntax: FileNode['syntax']
}

function syntaxOf({ syntax, edition }: Raw<'File'>, path: string): FileNode['syntax'] {
  if (syntax === undefined || syntax === '' || syntax === 'proto2') return 'proto2'
  if (syntax === 'proto3') return 'proto3'
  if (syntax === 'editions' && edition !== undefined && edition >= 1000 && edition <= 1001) return 'editions'
  throw wrong(path, `its syntax is ${JSON.stringify(syntax)}, edition ${edition}, which is not known here`)
}

function nameOf(name: string | undefined, { file }: Within): string {
  if (name !== undefined && /^[A-Za-z_]\w*$/.test(name)) return name
  throw wrong(file, `${JSON.stringify(name ?? '')} is no name`)
}

/** What all nodes have. */
function node(
  name: string,
  options: Readonly<Record<string, unknown>> | undefined,
): Pick<MessageNode, 'name' | 'at' | 'doc' | 'options'> {
  return { name, at, doc: undefined, options: optionsOf(options) }
}

/** Options under the names that they have in files. */
function optionsOf(raw: Readonly<Record<string, unknown>> | undefined): OptionNode[] {
  const options: OptionNode[] = []
  const word = (name: string, text: string): number =>
    options.push({ name, value: { kind: 'word', text }, at })

  for (const [name, value] of Object.entries(raw ?? {})) {
    if (typeof value === 'boolean') word(name.replace(/[A-Z]/g, '_$&').toLowerCase(), String(value))
    if (name === 'idempotencyLevel' && (value === 1 || value === 2))
      word('idempotency_level', value === 1 ? 'NO_SIDE_EFFECTS' : 'IDEMPOTENT')
    if (name !== 'features') continue

    for (const [feature, number] of Object.entries(value as Raw<'Features'>)) {
      const [own, ...values] = featureValues[feature as keyof typeof featureValues]
      const text = values[number - 1]
      if (text !== undefined) word(`features.${own}`, text)
    }
  }
  return options
}

const deepest = 64

function messageNode(raw: Raw<'Message'>, within: Within, depth: number): MessageNode {
  const name = nameOf(raw.name, within)
  if (depth > deepest) throw wrong(within.file, `messages are nested more than ${deepest} deep`)
  const entries = new Map(
    raw.nestedType
      .filter(({ options }) => options?.mapEntry === true)
      .map((entry) => [entry.name as string, entry]),
  )
  const fields = raw.field.map((field) => fieldNode(field, raw, entries, within))
  const real = new Set(fields.map(({ oneof }) => oneof))

  return {
    ...node(name, raw.options),
    fields,
    oneofs: raw.oneofDecl
      .map((oneof) => node(nameOf(oneof.name, within), undefined))
      .filter((oneof) => real.has(oneof.name)),
    messages: raw.nestedType
      .filter(({ options }) => options?.mapEntry !== true)
      .map((nested) => messageNode(nested, within, depth + 1)),
    enums: raw.enumType.map((one) => enumNode(one, within)),
    extensions: [],
    extensionRanges: raw.extensionRange.map(openRange),
    reserved: raw.reservedRange.map(openRange),
    reservedNames: raw.reservedName,
  }
}

function openRange({ start = 0, end = 0 }: Raw<'Range'>): RangeNode {
  return { from: start, to: end - 1, at }
}

function fieldNode(
  raw: Raw<'Field'>,
  message: Raw<'Message'>,
  entries: ReadonlyMap<string, Raw<'Message'>>,
  within: Within,
): FieldNode {
  const name = nameOf(raw.name, within)
  const { number = 0 } = raw
  if (number < 1 || number > 536_870_911) throw wrong(within.file, `${number} is no field number`)

  const common = {
    ...node(name, raw.options),
    number,
    typeAt: at,
    options: [...optionsOf(raw.options), ...fieldOptions(raw)],
  }

  const entry = entries.get(raw.typeName?.split('.').at(-1) ?? '')
  if (entry !== undefined && raw.label === labelNumbers.repeated) {
    const [key, value] = [1, 2].map((wanted) => entry.field.find((field) => field.number === wanted))
    if (key === undefined || value === undefined)
      throw wrong(within.file, `the map ${name} has no key or value`)
    return { ...common, label: 'none', key: typeOf(key, within) as Scalar, type: typeOf(value, within) }
  }

  const inOneof = raw.oneofIndex !== undefined && raw.proto3Optional !== true
  const oneof = inOneof ? message.oneofDecl[raw.oneofIndex as number]?.name : undefined
  if (inOneof && oneof === undefined) throw wrong(within.file, `${name} is in a oneof that is not there`)

  return {
    ...common,
    label: labelOf(raw, oneof !== undefined, within),
    type: typeOf(raw, within),
    ...(raw.type === typeNumbers.group ? { group: true as const } : {}),
    ...(oneof === undefined ? {} : { oneof }),
  }
}

function labelOf(raw: Raw<'Field'>, inOneof: boolean, { syntax }: Within): FieldNode['label'] {
  if (raw.label === labelNumbers.repeated) return 'repeated'
  if (raw.label === labelNumbers.required) return 'required'
  if (raw.proto3Optional === true) return 'optional'
  return syntax === 'proto2' && !inOneof ? 'optional' : 'none'
}

function typeOf({ type = 0, typeName, name }: Raw<'Field'>, { file }: Within): string {
  const known = typesByNumber.get(type)
  const named = known === undefined || known === 'message' || known === 'enum' || known === 'group'
  if (!named) return known
  if (typeName === undefined || typeName === '')
    throw wrong(file, `the type ${type} of ${name} is not known here`)
  return typeName
}

function fieldOptions({ jsonName, defaultValue, type }: Raw<'Field'>): OptionNode[] {
  const options: OptionNode[] = []
  if (jsonName !== undefined) options.push({ name: 'json_name', value: { kind: 'text', text: jsonName }, at })
  if (defaultValue === undefined) return options

  const known = typesByNumber.get(type ?? 0)
  const kind: OptionValue['kind'] =
    known === 'string' || known === 'bytes'
      ? 'text'
      : known === 'enum' || known === 'bool' || /^-?(?:inf|nan)$/.test(defaultValue)
        ? 'word'
        : 'number'
  const value = known === 'bytes' ? { text: unescaped(defaultValue), binary: true } : { text: defaultValue }
  options.push({ name: 'default', value: { kind, ...value } as OptionValue, at })
  return options
}

/** Bytes that were written in ASCII, as C would, each as a character. */
function unescaped(text: string): string {
  const simple: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
  return text.replace(/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))/gs, (_, octal, hex, other: string) =>
    octal !== undefined
      ? String.fromCharCode(Number.parseInt(octal as string, 8) & 0xff)
      : hex !== undefined
        ? String.fromCharCode(Number.parseInt(hex as string, 16))
        : (simple[other] ?? other),
  )
}

function enumNode(raw: Raw<'Enum'>, within: Within): EnumNode {
  return {
    ...node(nameOf(raw.name, within), raw.options),
    values: raw.value.map((value) => ({
      ...node(nameOf(value.name, within), value.options),
      number: value.number ?? 0,
    })),
    reserved: raw.reservedRange.map(({ start = 0, end = 0 }) => ({ from: start, to: end, at })),
    reservedNames: raw.reservedName,
  }
}
