/**
 * From what a file says to descriptors: names looked up, features applied, and refused what protobuf refuses. Pure.
 */
import { lowerCamelCase } from '../../../schema/names.ts'
import {
  type EnumNode,
  type FieldNode,
  type FileNode,
  type MessageNode,
  type MethodNode,
  type OptionNode,
  type RangeNode,
  type Scalar,
  type ServiceNode,
  scalars,
} from './ast.ts'
import {
  type EnumDescriptor,
  type FieldDescriptor,
  type FieldType,
  type FileDescriptor,
  type MessageDescriptor,
  type MethodDescriptor,
  type Presence,
  type ServiceDescriptor,
  optionOf,
} from './descriptor.ts'
import { ProtoError } from './error.ts'
import { type Features, defaultFeatures, withFeatures } from './features.ts'
import { httpRuleOf } from './http-rule.ts'
import type { Symbols } from './names.ts'
import { integerOf } from './parse.ts'

/** What a file can see of others. */
export interface Surroundings {
  readonly symbols: Symbols
  /** The paths of the file itself and of what it imports. */
  readonly visible: ReadonlySet<string>
  readonly missing: readonly string[]
  /** The values of an enum, by its full name. */
  enumValues(name: string): readonly { readonly name: string; readonly number: number }[]
}

/** Makes the descriptors of a file. Throws ProtoError. */
export function linkFile(file: FileNode, around: Surroundings): FileDescriptor {
  const features = withFeatures(defaultFeatures(file.syntax), file.options, file.path)
  const within = (scope: string): Scope => ({ file, around, scope, features })
  const scope = within(file.package)

  refuseTwice(
    [...file.messages, ...file.enums, ...file.services, ...file.enums.flatMap(({ values }) => values)],
    scope,
  )
  for (const { extendee, at, fields } of file.extensions) checkExtension(extendee, at, fields, scope)

  return {
    path: file.path,
    syntax: file.syntax,
    edition: file.edition,
    package: file.package,
    imports: file.imports.map(({ path, kind }) => ({ path, kind })),
    messages: file.messages.map((message) => linkMessage(message, scope)),
    enums: file.enums.map((one) => linkEnum(one, scope)),
    services: file.services.map((service) => linkService(service, scope)),
    ...docOf(file.doc),
  }
}

interface Scope {
  readonly file: FileNode
  readonly around: Surroundings
  readonly scope: string
  readonly features: Features
}

function nameIn({ scope }: Scope, local: string): string {
  return scope === '' ? local : `${scope}.${local}`
}

function docOf(doc: string | undefined): { doc?: string } {
  return doc === undefined ? {} : { doc }
}

function documented(node: { readonly doc: string | undefined; readonly options: readonly OptionNode[] }): {
  doc?: string
  deprecated?: true
} {
  return { ...docOf(node.doc), ...(isOn(node.options, 'deprecated') ? { deprecated: true as const } : {}) }
}

function isOn(options: readonly OptionNode[], name: string): boolean {
  const value = optionOf(options, name)?.value
  return value?.kind === 'word' && value.text === 'true'
}

/** Names that stand in one scope; the values of an enum stand beside it. */
function refuseTwice(
  nodes: readonly { readonly name: string; readonly at: ProtoErrorPosition }[],
  { file }: Scope,
): void {
  const seen = new Map<string, ProtoErrorPosition>()
  for (const { name, at } of nodes) {
    const before = seen.get(name)
    if (before !== undefined) {
      const hint = `the other one is on line ${before.line} (values of an enum stand beside it)`
      throw new ProtoError(file.path, at, `${name} is declared twice in this place`, hint)
    }
    seen.set(name, at)
  }
}

type ProtoErrorPosition = OptionNode['at']

// ── Messages ──

function linkMessage(node: MessageNode, outer: Scope): MessageDescriptor {
  const name = nameIn(outer, node.name)
  const features = withFeatures(outer.features, node.options, outer.file.path)
  const scope: Scope = { ...outer, scope: name, features }

  refuseTwice(
    [
      ...node.fields,
      ...node.oneofs,
      ...node.messages,
      ...node.enums,
      ...node.enums.flatMap(({ values }) => values),
    ],
    scope,
  )
  refuseNumbers(node, scope)
  for (const { extendee, at, fields } of node.extensions) checkExtension(extendee, at, fields, scope)

  return {
    local: node.name,
    name,
    file: outer.file.path,
    at: node.at,
    ...documented(node),
    fields: node.fields.map((field) => linkField(field, node, scope)),
    oneofs: node.oneofs.map(({ name: oneof, doc }) => ({ name: oneof, ...docOf(doc) })),
    messages: node.messages.map((message) => linkMessage(message, scope)),
    enums: node.enums.map((one) => linkEnum(one, scope)),
    reserved: { ranges: node.reserved.map(rangeOf), names: node.reservedNames },
    extensionRanges: node.extensionRanges.map(rangeOf),
  }
}

function rangeOf({ from, to }: RangeNode): { from: number; to: number } {
  return { from, to }
}

function refuseNumbers(node: MessageNode, { file }: Scope): void {
  const taken = new Map<number, string>()

  for (const { name, number, at } of node.fields) {
    const before = taken.get(number)
    if (before !== undefined) {
      const hint = `the next free one is ${nextFree(node)}`
      throw new ProtoError(file.path, at, `${node.name}.${name} has the number ${number} of ${before}`, hint)
    }
    taken.set(number, name)

    const reserved = node.reserved.find(({ from, to }) => number >= from && number <= to)
    if (reserved !== undefined)
      throw new ProtoError(
        file.path,
        at,
        `${node.name}.${name} has the number ${number}, which is reserved`,
        `the next free one is ${nextFree(node)}`,
      )
    if (node.reservedNames.includes(name))
      throw new ProtoError(file.path, at, `the name ${name} is reserved in ${node.name}`, 'choose another')
    if (node.extensionRanges.some(({ from, to }) => number >= from && number <= to))
      throw new ProtoError(
        file.path,
        at,
        `${node.name}.${name} has the number ${number}, which is open to extensions`,
      )
  }
}

function nextFree({ fields, reserved }: MessageNode): number {
  const next =
    [...fields.map(({ number }) => number), ...reserved.map(({ to }) => to)]
      .filter((number) => number < 536_870_911)
      .reduce((largest, number) => Math.max(largest, number), 0) + 1
  return next >= 19_000 && next <= 19_999 ? 20_000 : next
}

function checkExtension(
  extendee: string,
  at: ProtoErrorPosition,
  fields: readonly FieldNode[],
  scope: Scope,
): void {
  // Nothing is made of extensions but the check of their types, and only where their files could be read.
  if (scope.around.missing.length > 0 || extendee.replace(/^\./, '').startsWith('google.protobuf.')) return
  lookUp(extendee, at, scope)
  for (const field of fields) typeOf(field.type, field.typeAt, scope)
}

function lookUp(
  name: string,
  at: ProtoErrorPosition,
  { file, around, scope }: Scope,
): { name: string; kind: 'message' | 'enum' } {
  const { symbols, visible, missing } = around
  return symbols.resolve({ file: file.path, visible, missing, scope, name, at })
}

function typeOf(type: string, at: ProtoErrorPosition, scope: Scope): FieldType {
  return scalars.has(type) ? { kind: 'scalar', scalar: type as Scalar } : lookUp(type, at, scope)
}

function linkField(node: FieldNode, message: MessageNode, scope: Scope): FieldDescriptor {
  const features = withFeatures(scope.features, node.options, scope.file.path)
  const type = typeOf(node.type, node.typeAt, scope)
  const shape = node.key !== undefined ? 'map' : node.label === 'repeated' ? 'repeated' : 'single'
  const packable =
    shape === 'repeated' &&
    (type.kind === 'enum' || (type.kind === 'scalar' && type.scalar !== 'string' && type.scalar !== 'bytes'))
  const delimited =
    shape !== 'map' &&
    type.kind === 'message' &&
    (node.group === true || features.message_encoding === 'DELIMITED')
  const fallback = shape === 'single' ? defaultOf(node, type, scope) : undefined

  return {
    name: node.name,
    number: node.number,
    jsonName: jsonNameOf(node),
    shape,
    presence: shape === 'single' ? presenceOf(node, type, features, scope) : 'implicit',
    type,
    ...documented(node),
    ...(node.key === undefined ? {} : { key: node.key }),
    ...(packable ? { packed: isPacked(node, features) } : {}),
    ...(delimited ? { delimited: true as const } : {}),
    ...(node.oneof === undefined ? {} : { oneof: oneofOf(node.oneof, message) }),
    ...(fallback === undefined ? {} : { default: fallback }),
    at: node.at,
  }
}

function oneofOf(name: string, { oneofs }: MessageNode): string {
  return oneofs.find((oneof) => oneof.name === name)?.name ?? name
}

function jsonNameOf({ name, options }: FieldNode): string {
  const written = optionOf(options, 'json_name')?.value
  return written?.kind === 'text' ? written.text : lowerCamelCase(name)
}

function presenceOf(node: FieldNode, type: FieldType, features: Features, { file }: Scope): Presence {
  if (node.label === 'required') return 'required'
  if (node.oneof !== undefined || node.label === 'optional') return 'explicit'
  if (features.field_presence === 'LEGACY_REQUIRED') return 'required'
  if (type.kind === 'message' || file.syntax === 'proto2') return 'explicit'
  return features.field_presence === 'IMPLICIT' ? 'implicit' : 'explicit'
}

function isPacked({ options }: FieldNode, features: Features): boolean {
  const written = optionOf(options, 'packed')?.value
  if (written?.kind === 'word') return written.text === 'true'
  return features.repeated_field_encoding === 'PACKED'
}

function defaultOf(
  { name, options }: FieldNode,
  type: FieldType,
  { file, around }: Scope,
): FieldDescriptor['default'] {
  const option = optionOf(options, 'default')
  if (option === undefined) return undefined
  const { value, at } = option

  const wrong = (what: string): ProtoError =>
    new ProtoError(file.path, at, `the default of ${name} must be ${what}`)
  if (type.kind === 'message') throw new ProtoError(file.path, at, `a message has no default`)

  if (type.kind === 'enum') {
    const known = around.enumValues(type.name)
    const found = value.kind === 'word' ? known.find((one) => one.name === value.text) : undefined
    if (found === undefined) throw wrong(`a value of ${type.name}`)
    return found.name
  }

  switch (type.scalar) {
    case 'string':
    case 'bytes':
      if (value.kind !== 'text') throw wrong('a string')
      if (type.scalar === 'string') return value.text
      return Buffer.from(value.text, value.binary === true ? 'latin1' : 'utf8').toString('base64')
    case 'bool':
      if (value.kind !== 'word' || !/^(?:true|false)$/.test(value.text)) throw wrong('true or false')
      return value.text === 'true'
    case 'double':
    case 'float': {
      const number = numberOf(value.kind === 'number' || value.kind === 'word' ? value.text : '')
      if (number === undefined) throw wrong('a number')
      return number
    }
    default: {
      if (value.kind !== 'number' || !/^-?(?:0[xX][0-9a-fA-F]+|\d+)$/.test(value.text))
        throw wrong('an integer')
      return /64/.test(type.scalar) ? bigOf(value.text).toString() : Number(bigOf(value.text))
    }
  }
}

function bigOf(text: string): bigint {
  const digits = text.replace(/^-/, '')
  const value = /^0\d/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits)
  return text.startsWith('-') ? -value : value
}

function numberOf(text: string): number | undefined {
  const special = /^(-?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null)
    return special[2]?.toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity
  if (/^-?\d+$/.test(text)) return text.startsWith('-') ? -integerOf(text.slice(1)) : integerOf(text)
  const number = Number(text.replace(/[fF]$/, ''))
  return text === '' || Number.isNaN(number) ? undefined : number
}

// ── Enums ──

function linkEnum(node: EnumNode, outer: Scope): EnumDescriptor {
  const features = withFeatures(outer.features, node.options, outer.file.path)
  const closed = features.enum_type === 'CLOSED'
  const [first] = node.values
  const { path } = outer.file

  if (!closed && first !== undefined && first.number !== 0) {
    throw new ProtoError(
      path,
      first.at,
      `the first value of ${node.name} has the number ${first.number}, and must have 0`,
      `put ${node.name.replace(/(?<=[a-z0-9])[A-Z]/g, '_$&').toUpperCase()}_UNSPECIFIED = 0 in front`,
    )
  }

  const taken = new Map<number, string>()
  const alias = isOn(node.options, 'allow_alias')
  for (const { name, number, at } of node.values) {
    const before = taken.get(number)
    if (before !== undefined && !alias) {
      const hint = 'give it its own, or write option allow_alias = true'
      throw new ProtoError(path, at, `${name} has the number ${number} of ${before}`, hint)
    }
    taken.set(number, name)
    if (node.reserved.some(({ from, to }) => number >= from && number <= to))
      throw new ProtoError(path, at, `${name} has the number ${number}, which is reserved`)
  }

  return {
    local: node.name,
    name: nameIn(outer, node.name),
    file: path,
    at: node.at,
    ...documented(node),
    values: node.values.map((value) => ({ name: value.name, number: value.number, ...documented(value) })),
    closed,
    reserved: { ranges: node.reserved.map(rangeOf), names: node.reservedNames },
  }
}

// ── Services ──

function linkService(node: ServiceNode, scope: Scope): ServiceDescriptor {
  refuseTwice(node.methods, scope)
  return {
    local: node.name,
    name: nameIn(scope, node.name),
    file: scope.file.path,
    at: node.at,
    ...documented(node),
    methods: node.methods.map((method) => linkMethod(method, { ...scope, scope: nameIn(scope, node.name) })),
  }
}

function linkMethod(node: MethodNode, scope: Scope): MethodDescriptor {
  const message = (name: string, at: ProtoErrorPosition): string => {
    const found = lookUp(name, at, scope)
    if (found.kind === 'message') return found.name
    throw new ProtoError(scope.file.path, at, `${name} is an enum; a method takes and gives messages`)
  }
  const level = optionOf(node.options, 'idempotency_level')?.value
  const http = httpRuleOf(node.options)

  return {
    name: node.name,
    input: message(node.input, node.inputAt),
    output: message(node.output, node.outputAt),
    clientStreaming: node.clientStreaming,
    serverStreaming: node.serverStreaming,
    ...documented(node),
    ...(level?.kind === 'word' && (level.text === 'NO_SIDE_EFFECTS' || level.text === 'IDEMPOTENT')
      ? { idempotency: level.text }
      : {}),
    ...(http === undefined ? {} : { http }),
    at: node.at,
  }
}
