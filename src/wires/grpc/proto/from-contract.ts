/**
 * From contracts to descriptors: messages as the codec lays them out, calls as methods. Wherever two contracts share a
 * package their types are one. A compiler, so longer than other files; pure.
 */
import { messagesOf } from '../../../contract/conflicts.ts'
import type { CallOperation, ContractInfo, Message } from '../../../contract/operation.ts'
import { layout } from '../../../codec/protobuf/layout.ts'
import {
  type EnumLayout,
  type FieldLayout,
  type MessageLayout,
  type ValueLayout,
  isPacked,
} from '../../../codec/protobuf/message-layout.ts'
import { lowerCamelCase, snakeCase } from '../../../schema/names.ts'
import type {
  EnumDescriptor,
  FieldDescriptor,
  FieldType,
  FileDescriptor,
  MessageDescriptor,
  MethodDescriptor,
  NumberRange,
  Reserved,
  ServiceDescriptor,
} from './descriptor.ts'
import { ProtoConflict } from './conflict.ts'
import { fullNameOf, protoNameOf } from '../../grpc-family/full-names.ts'
import { httpRuleOfRoute } from './http-of-route.ts'
import { filesInOrder } from './split-files.ts'
import { wellKnownPath } from './well-known.ts'

const nowhere = { line: 1, column: 1 }
const annotations = 'google/api/annotations.proto'

/** Files, one a package, each behind those that it imports. Throws ProtoConflict. */
export function contractsToFiles(infos: readonly ContractInfo[]): readonly FileDescriptor[] {
  const packages = new Map<string, Contents>()
  for (const info of infos) addContract(info, packages)

  const contents = [...packages.values()].filter(
    ({ roots, services }) => roots.length > 0 || services.size > 0,
  )
  const pathOf = new Map(contents.map((one): [string, string] => [one.name, pathFor(one)]))
  const moved = new Map<string, string>()
  for (const one of contents) separateEnums(one.roots, one.name, moved)
  return filesInOrder(contents.map((one) => fileOf(one, pathOf, moved)))
}

/** What a package holds. */
interface Contents {
  readonly name: string
  /** Messages and enums by their path in the package. */
  readonly types: Map<string, Declared>
  readonly roots: Declared[]
  readonly services: Map<string, Service>
}

type Declared = DeclaredMessage | DeclaredEnum

interface DeclaredMessage {
  readonly kind: 'message'
  readonly local: string
  /** `undefined` as long as only types within it were met. */
  own: MessageLayout | undefined
  info: ContractInfo
  readonly within: Declared[]
}

interface DeclaredEnum {
  readonly kind: 'enum'
  readonly local: string
  readonly own: EnumLayout
  readonly info: ContractInfo
}

interface Service {
  readonly info: ContractInfo
  readonly name: string
  readonly methods: CallOperation[]
  /** What the messages that carry inputs and outputs are called. */
  readonly roots: Map<Message, string>
}

function addContract(info: ContractInfo, packages: Map<string, Contents>): void {
  const calls = [...info.operations.values()].filter((operation) => operation.kind === 'call')
  if (calls.length === 0) serviceIn(info.grpcService, info, packages)

  for (const call of calls) {
    const service = serviceIn(call.grpc.slice(0, call.grpc.indexOf('/')), info, packages)
    refuseMethod(service, call)
    service.methods.push(call)

    for (const message of messagesOf(call)) {
      const { root, messages, enums } = layout(message.schema, message.name)
      service.roots.set(message, root.name)
      for (const one of messages.values()) addType(one.name, { message: one }, info, packages)
      for (const one of enums.values()) addType(one.name, { enum: one }, info, packages)
    }
  }
}

function serviceIn(name: string, info: ContractInfo, packages: Map<string, Contents>): Service {
  const { services } = contentsOf(name.split('.').slice(0, -1).join('.'), packages)
  const service = services.get(name) ?? { info, name, methods: [], roots: new Map() }
  services.set(name, service)
  return service
}

function refuseMethod({ methods }: Service, call: CallOperation): void {
  const other = methods.find(({ grpc }) => grpc === call.grpc)
  if (other === undefined) return
  throw new ProtoConflict(`${other.id} and ${call.id} are both ${call.grpc}; export one of the two contracts`)
}

function contentsOf(name: string, packages: Map<string, Contents>): Contents {
  const found = packages.get(name) ?? { name, types: new Map(), roots: [], services: new Map() }
  packages.set(name, found)
  return found
}

function addType(
  name: string,
  type: { readonly message: MessageLayout } | { readonly enum: EnumLayout },
  info: ContractInfo,
  packages: Map<string, Contents>,
): void {
  const isType = (one: string): boolean => Object.hasOwn(info.types, one)
  const { package: owner, path } = fullNameOf(name, info.grpcPackage, isType)
  if (wellKnownPath(`${owner}.${path}`) !== undefined) return

  const contents = contentsOf(owner, packages)
  const before = contents.types.get(path)
  const holder = holderOf(path, contents, info)
  const local = path.slice(path.lastIndexOf('.') + 1)

  if ('enum' in type) {
    if (before !== undefined) return refuseOther(before, type.enum, name, info)
    const made: Declared = { kind: 'enum', local, own: type.enum, info }
    contents.types.set(path, made)
    holder.push(made)
    return
  }

  // A message that others are nested in may have been met through them.
  if (before?.kind === 'message' && before.own === undefined) {
    before.own = type.message
    before.info = info
    return
  }
  if (before !== undefined) return refuseOther(before, type.message, name, info)
  const made: Declared = { kind: 'message', local, own: type.message, info, within: [] }
  contents.types.set(path, made)
  holder.push(made)
}

/** Where a type is declared: in its package, or in the message that its path says. */
function holderOf(path: string, contents: Contents, info: ContractInfo): Declared[] {
  const dot = path.lastIndexOf('.')
  if (dot === -1) return contents.roots

  const outer = path.slice(0, dot)
  const found = contents.types.get(outer)
  if (found?.kind === 'message') return found.within

  const made: Declared = {
    kind: 'message',
    local: outer.slice(outer.lastIndexOf('.') + 1),
    own: undefined,
    info,
    within: [],
  }
  contents.types.set(outer, made)
  holderOf(outer, contents, info).push(made)
  return made.within
}

/** Two contracts may share a type; it must be the same. */
function refuseOther(
  before: Declared,
  other: MessageLayout | EnumLayout,
  name: string,
  info: ContractInfo,
): void {
  if (before.own === other || before.info === info) return
  if (before.own !== undefined && fingerprint(before.own) === fingerprint(other)) return

  throw new ProtoConflict(
    `${name} is one thing in '${before.info.name}' and another in '${info.name}', and both are in one package; ` +
      `export them one by one, or rename one type with .meta({ id: '…' })`,
  )
}

function fingerprint(type: MessageLayout | EnumLayout): string {
  const parts =
    'fields' in type
      ? type.fields.map((field) => [
          field.name,
          field.number,
          field.shape,
          field.presence,
          nameOf(field.value),
          field.key?.proto,
        ])
      : type.values.map(({ name, number }) => [name, number])
  return JSON.stringify(parts)
}

function nameOf(value: ValueLayout): string {
  return value.kind === 'scalar' || value.kind === 'known' ? value.proto : value.of.name
}

// ── Files ──

function pathFor({ name, services }: Contents): string {
  const folders = name === '' ? [] : name.split('.')
  const noun = folders.findLast((part) => !/^v\d/.test(part))
  const only = services.size === 1 ? [...services.keys()][0]?.split('.').at(-1) : undefined
  return [...folders, `${only === undefined ? (noun ?? 'types') : snakeCase(only)}.proto`].join('/')
}

/**
 * Values of enums stand beside their enum. Where two would be the same the later enum gets a message around it, `Status`
 * becoming `StatusEnum.Status`: the values keep their names, which ProtoJSON writes.
 */
function separateEnums(declared: Declared[], scope: string, moved: Map<string, string>): void {
  const names = new Set(declared.map(({ local }) => local))
  const nameIn = (local: string): string => (scope === '' ? local : `${scope}.${local}`)

  for (const [index, one] of declared.entries()) {
    if (one.kind === 'message') {
      separateEnums(one.within, nameIn(one.local), moved)
      continue
    }

    const values = one.own.values.map(({ name }) => name)
    if (values.every((name) => !names.has(name))) {
      for (const name of values) names.add(name)
      continue
    }

    const local = `${one.local}Enum`
    moved.set(nameIn(one.local), `${nameIn(local)}.${one.local}`)
    declared[index] = { kind: 'message', local, own: undefined, info: one.info, within: [one] }
  }
}

function fileOf(
  contents: Contents,
  pathOf: ReadonlyMap<string, string>,
  moved: ReadonlyMap<string, string>,
): FileDescriptor {
  const path = pathOf.get(contents.name) as string
  const imports = new Set<string>()
  const within: Within = {
    path,
    scope: contents.name,
    typeName(info, name) {
      const { package: owner } = fullNameOf(name, info.grpcPackage, (one) => Object.hasOwn(info.types, one))
      const full = protoNameOf(info, name)
      const file = wellKnownPath(full) ?? pathOf.get(owner)
      if (file !== undefined && file !== path) imports.add(file)
      return moved.get(full) ?? full
    },
  }

  const { messages, enums } = declare(contents.roots, within)
  const services = [...contents.services.values()].map((service) => serviceOf(service, within))
  if (services.some(({ methods }) => methods.some(({ http }) => http !== undefined))) imports.add(annotations)
  const editions = messages.some(needsEditions)
  const docs = new Set([...contents.services.values()].map(({ info }) => info.name))

  return {
    path,
    syntax: editions ? 'editions' : 'proto3',
    edition: editions ? '2023' : '',
    package: contents.name,
    imports: [...imports].toSorted().map((one) => ({ path: one, kind: 'plain' as const })),
    messages,
    enums,
    services,
    ...(docs.size === 0
      ? {}
      : { doc: `The contract ${[...docs].join(', ')}, written by \`trunkline export proto\`.` }),
  }
}

/** `required` has no form in proto3. */
function needsEditions({ fields, messages }: MessageDescriptor): boolean {
  return fields.some(({ presence }) => presence === 'required') || messages.some(needsEditions)
}

// ── Messages and enums ──

interface Within {
  readonly path: string
  readonly scope: string
  /** The full name of a type of a contract. The file that declares it is imported. */
  typeName(info: ContractInfo, name: string): string
}

function inside(within: Within, local: string): Within {
  return { ...within, scope: within.scope === '' ? local : `${within.scope}.${local}` }
}

function declare(
  declared: readonly Declared[],
  within: Within,
): { messages: MessageDescriptor[]; enums: EnumDescriptor[] } {
  return {
    messages: declared.filter((one) => one.kind === 'message').map((one) => messageOf(one, within)),
    enums: declared.filter((one) => one.kind === 'enum').map((one) => enumOf(one, within)),
  }
}

function messageOf({ local, own, info, within: nested }: DeclaredMessage, around: Within): MessageDescriptor {
  const within = inside(around, local)
  const fields = own?.fields.map((field) => fieldOf(field, own, info, within)) ?? []
  const object = own?.object

  return {
    local,
    name: within.scope,
    file: around.path,
    at: nowhere,
    ...documentation(object ?? own?.oneof?.type ?? {}),
    fields: own === undefined ? [] : inOneofs(fields, own),
    oneofs: oneofsOf(own),
    ...declare(nested, within),
    reserved: reservedOf(object?.reserved ?? own?.oneof?.type.reserved, fields),
    extensionRanges: [],
  }
}

function documentation({ doc, deprecated }: { readonly doc?: string; readonly deprecated?: true }): {
  doc?: string
  deprecated?: true
} {
  return { ...(doc === undefined ? {} : { doc }), ...(deprecated === true ? { deprecated } : {}) }
}

function fieldOf(
  field: FieldLayout,
  message: MessageLayout,
  info: ContractInfo,
  within: Within,
): FieldDescriptor {
  const { name, number, shape, value, key } = field
  const said = documentation(field.field ?? {})
  const fallback =
    field.default === undefined || field.presence === 'implicit'
      ? undefined
      : `Absent means ${JSON.stringify(field.default)}.`
  const doc = [said.doc, fallback].filter((part) => part !== undefined).join('\n\n')
  const isMessage = value.kind === 'message' || value.kind === 'known'
  const presence =
    shape !== 'single'
      ? 'implicit'
      : field.field?.presence === 'required'
        ? 'required'
        : isMessage || message.oneof !== undefined
          ? 'explicit'
          : field.presence

  return {
    name,
    number,
    jsonName: field.field?.json ?? lowerCamelCase(name),
    shape,
    presence,
    type: typeOf(value, info, within),
    ...said,
    ...(doc === '' ? {} : { doc }),
    ...(key === undefined ? {} : { key: key.proto }),
    ...(isNumbers(field) ? { packed: isPacked(field) } : {}),
    at: nowhere,
  }
}

function isNumbers({ shape, value }: FieldLayout): boolean {
  if (shape !== 'repeated') return false
  return (
    value.kind === 'enum' || (value.kind === 'scalar' && value.proto !== 'string' && value.proto !== 'bytes')
  )
}

function typeOf(value: ValueLayout, info: ContractInfo, within: Within): FieldType {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'scalar', scalar: value.proto }
    case 'enum':
      return { kind: 'enum', name: within.typeName(info, value.of.name) }
    case 'message':
      return { kind: 'message', name: within.typeName(info, value.of.name) }
    case 'known':
      return { kind: 'message', name: within.typeName(info, value.proto) }
  }
}

/** A union is a oneof of all its fields; an object's fields say which oneof they are in. */
function inOneofs(fields: readonly FieldDescriptor[], message: MessageLayout): FieldDescriptor[] {
  return fields.map((field, index) => {
    const oneof = message.oneof?.name ?? oneofOf(message.fields[index] as FieldLayout)
    return oneof === undefined || field.shape !== 'single' ? field : { ...field, oneof, presence: 'explicit' }
  })
}

function oneofOf({ field, optional, presence }: FieldLayout): string | undefined {
  return optional && presence === 'explicit' ? field?.oneof : undefined
}

function oneofsOf(message: MessageLayout | undefined): { name: string }[] {
  if (message === undefined) return []
  if (message.oneof !== undefined) return message.fields.length === 0 ? [] : [{ name: message.oneof.name }]
  const names = new Set(message.fields.map(oneofOf).filter((name) => name !== undefined))
  return [...names].map((name) => ({ name }))
}

function enumOf({ local, own }: DeclaredEnum, around: Within): EnumDescriptor {
  const said = new Map(own.type.values.map((value) => [value.name, value]))

  return {
    local,
    name: inside(around, local).scope,
    file: around.path,
    at: nowhere,
    ...documentation(own.type),
    values: own.values.map(({ name, number }) => ({ name, number, ...documentation(said.get(name) ?? {}) })),
    closed: false,
    reserved: reservedOf(own.type.reserved, own.values),
  }
}

/** The lock has names of TypeScript; in .proto they are what protobuf would have called them. */
function reservedOf(
  reserved: { readonly numbers: readonly number[]; readonly names: readonly string[] } | undefined,
  members: readonly { readonly name: string; readonly number: number }[],
): Reserved {
  if (reserved === undefined) return { ranges: [], names: [] }

  const ranges: NumberRange[] = []
  const used = new Set(members.map(({ number }) => number))
  for (const number of [...new Set(reserved.numbers)].toSorted((one, other) => one - other)) {
    const last = ranges.at(-1)
    if (used.has(number)) continue
    if (last !== undefined && last.to === number - 1)
      ranges[ranges.length - 1] = { from: last.from, to: number }
    else ranges.push({ from: number, to: number })
  }

  const taken = new Set(members.map(({ name }) => name))
  const names = reserved.names.map((name) => (/^[A-Z0-9_]+$/.test(name) ? name : snakeCase(name)))
  const free = names.filter((name) => /^[A-Za-z_]\w*$/.test(name) && !taken.has(name))
  return { ranges, names: [...new Set(free)].toSorted() }
}

// ── Services ──

function serviceOf({ name, methods, info, roots }: Service, within: Within): ServiceDescriptor {
  const isWhole = info.grpcService === name

  return {
    local: name.slice(name.lastIndexOf('.') + 1),
    name,
    file: within.path,
    at: nowhere,
    ...(isWhole ? documentation(info) : {}),
    methods: methods.map((call) => methodOf(call, roots, within)),
  }
}

function methodOf(
  call: CallOperation,
  roots: ReadonlyMap<Message, string>,
  within: Within,
): MethodDescriptor {
  const nameOf = (message: Message | undefined): string => {
    const root = message === undefined ? 'google.protobuf.Empty' : (roots.get(message) as string)
    return within.typeName(call.contract, root)
  }
  const http = httpRuleOfRoute(call)
  const level = call.idempotency === 'safe' ? 'NO_SIDE_EFFECTS' : 'IDEMPOTENT'

  return {
    name: call.grpc.slice(call.grpc.indexOf('/') + 1),
    input: nameOf(call.input),
    output: nameOf(call.output),
    clientStreaming: call.input?.stream === true,
    serverStreaming: call.output?.stream === true,
    ...documentation(call),
    ...(call.idempotency === 'safe' || call.idempotency === 'idempotent' ? { idempotency: level } : {}),
    ...(http === undefined ? {} : { http }),
    at: nowhere,
  }
}
