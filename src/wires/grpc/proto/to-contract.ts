/**
 * From descriptors to a contract: the service's methods as operations, and every message that can be reached from them in
 * the Type model. A table of what is what, so longer than other files.
 *
 *   string, bool, bytes, numbers    the same; 64-bit ones are bigint; sint32, fixed64, … by `protobuf`
 *   Timestamp                       instant
 *   Duration                        string (ISO 8601) with `protobuf`
 *   Value, Struct, ListValue        json, record and list of json
 *   StringValue and its like        the scalar, with `protobuf`
 *   Empty                           no input or output; as a field an empty object
 *   Any, FieldMask, …               messages like all others
 *   field without presence          default: its zero value (list and map: empty)
 *   field with presence             optional; with the default that proto2 gives it
 *   required                        required, and written even when it is zero (`presence: 'required'`)
 *   oneof                           optional fields, with the name of their oneof
 *   map<string, T>, map<K, T>       record, Map
 *   enum                            enum of the names as they stand there
 *
 * What has no form is left out, its number reserved, and noted.
 */
import { fromDescription } from '../../../contract/from-description.ts'
import type {
  ContractDescription,
  MessageDescription,
  OperationDescription,
} from '../../../contract/describe.ts'
import type { ContractInfo, Idempotency } from '../../../contract/operation.ts'
import { resolveRoute } from '../../../contract/rest.ts'
import { type Route, conflict, parseRoute } from '../../../contract/route.ts'
import { lowerCamelCase, snakeCase } from '../../../schema/names.ts'
import type { EnumType, EnumValue, Field, Json, Named, ObjectType, Slot } from '../../../schema/type.ts'
import { contractNameOf, isOwnMethodName, operationNameOf, typeNameOf } from './contract-names.ts'
import type {
  EnumDescriptor,
  FieldDescriptor,
  MessageDescriptor,
  MethodDescriptor,
  ServiceDescriptor,
} from './descriptor.ts'
import type { Position } from './error.ts'
import { type HttpRoute, routeOf } from './http-route.ts'
import type { Declarations } from './load.ts'
import { reflow } from './reflow.ts'
import { emptyMessage, rootSlot, scalarSlot, wellKnownSlot, zeroJson } from './well-known-types.ts'

/** Something that a contract does not say. */
export interface ProtoNote {
  /** A word for statistics: `group`, `http`, `enum alias`, … */
  readonly construct: string
  readonly file: string
  readonly at: Position
  /** The full name of what it is about. */
  readonly about: string
  readonly what: string
  /** The wire differs: a field is missing. */
  readonly loses: boolean
}

export interface ImportedService {
  readonly info: ContractInfo
  readonly service: ServiceDescriptor
  readonly notes: readonly ProtoNote[]
  /** The paths of google.api.http that are in the contract. */
  readonly routes: ReadonlyMap<string, { readonly route: string; readonly body?: string }>
  /** Documentation of the values of enums, by the enum's name in the contract and the value's. */
  readonly valueDocs: ReadonlyMap<string, ReadonlyMap<string, string>>
}

export interface ToContractOptions {
  /** Whether numbers may be NaN and infinite, which no schema of zod says. */
  readonly nonFinite?: boolean
  /** Whether `google.api.http` becomes routes, whose path parameters must then be there. */
  readonly routes?: boolean
}

/** Makes the contract of one service. */
export function serviceToContract(
  declarations: Declarations,
  service: ServiceDescriptor,
  options: ToContractOptions = {},
): ImportedService {
  return servicesToContracts(declarations, [service], options)[0] as ImportedService
}

/** Makes the contracts of several services of a package, which agree on the messages that they share. */
export function servicesToContracts(
  declarations: Declarations,
  services: readonly ServiceDescriptor[],
  { nonFinite = false, routes: withRoutes = true }: ToContractOptions = {},
): readonly ImportedService[] {
  // A route decides which fields must be there. One that turns out not to fit is given up, and all begins again.
  const givenUp = new Map<MethodDescriptor, string>()

  for (;;) {
    const before = givenUp.size
    const required = new Set<string>()
    const routes = services.map((service) =>
      withRoutes ? routesOf(service, declarations, givenUp, required) : noRoutes,
    )
    const made = services.map((service, index) =>
      attempt(declarations, service, { nonFinite, givenUp, required, routed: routes[index] as Routed }),
    )
    if (givenUp.size === before) return made
  }
}

const noRoutes: Routed = { routes: new Map(), notes: [] }

interface Attempt {
  readonly nonFinite: boolean
  readonly givenUp: Map<MethodDescriptor, string>
  readonly required: ReadonlySet<string>
  readonly routed: Routed
}

function attempt(
  declarations: Declarations,
  service: ServiceDescriptor,
  { nonFinite, givenUp, required, routed }: Attempt,
): ImportedService {
  const name = contractNameOf(service.name)
  const notes: ProtoNote[] = [...routed.notes]
  const packageName = declarations.packageOf(service)
  const types: Record<string, Named> = {}
  const valueDocs = new Map<string, ReadonlyMap<string, string>>()
  const scope: Scope = {
    declarations,
    packageName,
    types,
    valueDocs,
    notes,
    nonFinite,
    required,
  }

  const operations: Record<string, OperationDescription> = {}
  const routes = new Map<string, { route: string; body?: string }>()
  const used = new Set<string>()
  const taken: Route[] = []

  for (const method of service.methods) {
    const key = operationNameOf(method.name, used)
    used.add(key)
    const input = messageOf(method.input, method.clientStreaming, `${method.name}Request`, scope)
    const output = messageOf(method.output, method.serverStreaming, `${method.name}Response`, scope)
    const idempotency = idempotencyOf(method)
    const id = `${name}/${key}`

    const rest = routed.routes.get(method)
    const written = rest === undefined ? undefined : writtenRoute(rest, declarations, method)
    const problem =
      written === undefined ? undefined : problemOf({ id, input, output, idempotency }, written, types, taken)
    if (problem !== undefined) givenUp.set(method, problem)
    const kept = problem === undefined ? written : undefined
    if (kept !== undefined) routes.set(key, kept)

    operations[key] = {
      kind: 'call',
      ...documentation(method),
      ...(input === undefined ? {} : { input }),
      ...(output === undefined ? {} : { output }),
      rest:
        kept === undefined
          ? { route: `POST /${id}`, implied: true, status: output === undefined ? 204 : 200 }
          : { ...kept, status: output === undefined ? 204 : 200 },
      ...(idempotency === undefined ? {} : { idempotency }),
      grpc: `${service.name}/${method.name}`,
      soap: { action: `urn:${name}#${key}`, element: key },
    }
  }

  const description: ContractDescription = {
    trunkline: 1,
    name,
    ...documentation(service),
    locked: true,
    grpcService: service.name,
    soapNamespace: `urn:${name}`,
    types,
    operations,
  }
  return { info: fromDescription(description), service, notes, routes, valueDocs }
}

/** Whether `contract(name, …)` gives the method this name by itself. */
export function needsGrpcName(service: ServiceDescriptor, operation: string, grpc: string): boolean {
  const [owner, method = ''] = grpc.split('/')
  return owner !== service.name || !isOwnMethodName(operation, method)
}

interface Scope {
  readonly declarations: Declarations
  readonly packageName: string
  readonly types: Record<string, Named>
  readonly valueDocs: Map<string, ReadonlyMap<string, string>>
  readonly notes: ProtoNote[]
  readonly nonFinite: boolean
  /** Fields that a path needs, as `message/field`. */
  readonly required: ReadonlySet<string>
}

function documentation({ doc, deprecated }: { doc?: string; deprecated?: true }): {
  doc?: string
  deprecated?: true
} {
  const text = reflow(doc)
  return { ...(text === undefined ? {} : { doc: text }), ...(deprecated === true ? { deprecated } : {}) }
}

function idempotencyOf({ idempotency }: MethodDescriptor): Idempotency | undefined {
  if (idempotency === 'NO_SIDE_EFFECTS') return 'safe'
  return idempotency === 'IDEMPOTENT' ? 'idempotent' : undefined
}

// ── Routes ──

interface Routed {
  readonly routes: ReadonlyMap<MethodDescriptor, HttpRoute>
  readonly notes: readonly ProtoNote[]
}

function routesOf(
  service: ServiceDescriptor,
  declarations: Declarations,
  givenUp: ReadonlyMap<MethodDescriptor, string>,
  required: Set<string>,
): Routed {
  const routes = new Map<MethodDescriptor, HttpRoute>()
  const notes: ProtoNote[] = []

  for (const method of service.methods) {
    if (method.http === undefined) continue
    const input = declarations.messages.get(method.input)
    const isValue = wellKnownSlot(method.input, { nonFinite: false }) !== undefined
    const found =
      givenUp.get(method) ??
      routeOf(method.http, isValue ? undefined : input, method.clientStreaming, isListable)

    if (typeof found === 'string') {
      notes.push(httpNote(service, method, found))
      continue
    }
    routes.set(method, found)
    for (const field of found.parameters) required.add(`${method.input}/${field}`)
    if (method.http.more > 0)
      notes.push(httpNote(service, method, `${method.http.more} additional_bindings are left out`))
  }
  return { routes, notes }
}

function httpNote(service: ServiceDescriptor, method: MethodDescriptor, what: string): ProtoNote {
  const about = `${service.name}.${method.name}`
  return {
    construct: 'http',
    file: service.file,
    at: method.at,
    about,
    what: `google.api.http: ${what}`,
    loses: false,
  }
}

function isListable({ shape, type }: FieldDescriptor): boolean {
  if (shape === 'map') return false
  if (type.kind !== 'message') return true
  return (
    /^google\.protobuf\.(?:Timestamp|Duration|\w+Value)$/.test(type.name) &&
    !/\.(?:List)?Value$/.test(type.name)
  )
}

function writtenRoute(
  { method, path, body }: HttpRoute,
  declarations: Declarations,
  { input }: MethodDescriptor,
): { route: string; body?: string } {
  const message = declarations.messages.get(input)
  const names = message === undefined ? new Map<string, string>() : propertiesOf(message)
  const propertyOf = (name: string): string => names.get(name) ?? name
  const renamed = path.replace(/\{(\w+)\}/g, (_, name: string) => `{${propertyOf(name)}}`)
  return { route: `${method} ${renamed}`, ...(body === undefined ? {} : { body: propertyOf(body) }) }
}

/** Why the contract would refuse a route; `undefined` when it takes it. */
function problemOf(
  call: {
    id: string
    input: MessageDescription | undefined
    output: MessageDescription | undefined
    idempotency: Idempotency | undefined
  },
  written: { route: string; body?: string },
  types: Readonly<Record<string, Named>>,
  taken: Route[],
): string | undefined {
  const message = (from: MessageDescription | undefined) =>
    from === undefined
      ? undefined
      : {
          stream: from.stream === true,
          schema: { root: from.root, types },
          name: from.name,
          refine: undefined,
        }

  try {
    resolveRoute({ ...call, input: message(call.input), output: message(call.output) }, written, '')
    const route = parseRoute(call.id, written.route)
    if (taken.some((other) => conflict(other, route) !== undefined))
      return `${written.route} is another method's route`
    taken.push(route)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

// ── Messages ──

function messageOf(
  name: string,
  stream: boolean,
  suggested: string,
  scope: Scope,
): MessageDescription | undefined {
  if (name === emptyMessage && !stream) return undefined

  const value = wellKnownSlot(name, scope)
  const root = value === undefined ? messageSlot(name, scope) : rootSlot(value, name)
  const named = root.type.kind === 'ref' ? root.type.to : suggested
  return { name: named, root, ...(stream ? { stream: true as const } : {}) }
}

/** A slot with a message of its own name; the message and what it refers to go into the table. */
function messageSlot(name: string, scope: Scope): Slot {
  const message = scope.declarations.messages.get(name) as MessageDescriptor
  const to = typeNameOf(name, scope.declarations.packageOf(message), scope.packageName)
  if (!Object.hasOwn(scope.types, to)) defineMessages(message, to, scope)

  const slot: Slot = { type: { kind: 'ref', to } }
  return name === emptyMessage ? rootSlot(slot, name) : slot
}

/** Messages are deeper than a stack may be, so that those still to be defined wait in a list. */
function defineMessages(first: MessageDescriptor, firstName: string, scope: Scope): void {
  const waiting: [MessageDescriptor, string][] = [[first, firstName]]
  const reserve = (message: MessageDescriptor, name: string): void => {
    if (Object.hasOwn(scope.types, name)) return
    scope.types[name] = { kind: 'object', fields: [], unknown: 'strip' }
    waiting.push([message, name])
  }

  scope.types[firstName] = { kind: 'object', fields: [], unknown: 'strip' }
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [message, name] = next
    scope.types[name] = objectOf(message, scope, reserve)
  }
}

type Reserve = (message: MessageDescriptor, name: string) => void

function objectOf(message: MessageDescriptor, scope: Scope, reserve: Reserve): ObjectType {
  const properties = propertiesOf(message)
  const fields: Field[] = []
  const lost: FieldDescriptor[] = []

  for (const field of message.fields) {
    const why = cannotBe(field)
    if (why === undefined) {
      fields.push(fieldOf(field, properties.get(field.name) as string, message, scope, reserve))
    } else {
      lost.push(field)
      note(scope, why.construct, message, field.at, `${message.name}.${field.name}`, why.what, true)
    }
  }

  if (message.extensionRanges.length > 0) {
    const what = 'extension ranges are left out: extensions that come are skipped'
    note(scope, 'extension range', message, message.at, message.name, what, false)
  }

  return {
    kind: 'object',
    ...documentation(message),
    fields,
    unknown: 'strip',
    ...reservedOf(message, lost, scope),
  }
}

function note(
  scope: Scope,
  construct: string,
  { file }: { readonly file: string },
  at: Position,
  about: string,
  what: string,
  loses: boolean,
): void {
  scope.notes.push({ construct, file, at, about, what, loses })
}

/** Properties by names of .proto: lowerCamelCase, unless that is another field's. */
function propertiesOf(message: MessageDescriptor): Map<string, string> {
  const names = new Map<string, string>()
  const used = new Set<string>()

  for (const { name } of message.fields) {
    const camel = lowerCamelCase(name)
    const property = camel === '' || used.has(camel) ? name : camel
    used.add(property)
    names.set(name, property)
  }
  return names
}

function cannotBe({
  delimited,
  shape,
  key,
}: FieldDescriptor): { construct: string; what: string } | undefined {
  if (delimited === true) {
    const what =
      'groups (delimited messages) are not written here: the field is left out and its number reserved'
    return { construct: 'group', what }
  }
  const usual = ['string', 'bool', 'int32', 'int64', 'uint32', 'uint64']
  if (shape === 'map' && key !== undefined && !usual.includes(key)) {
    const what = `a map's keys cannot be ${key} here: the field is left out and its number reserved`
    return { construct: 'map key', what }
  }
  return undefined
}

function fieldOf(
  field: FieldDescriptor,
  property: string,
  message: MessageDescriptor,
  scope: Scope,
  reserve: Reserve,
): Field {
  const element = slotOf(field, scope, reserve)
  const common = {
    name: property,
    number: field.number,
    ...(snakeCase(property) === field.name ? {} : { proto: field.name }),
    ...(lowerCamelCase(field.name) === field.jsonName ? {} : { json: field.jsonName }),
    ...documentation(field),
  }

  if (field.shape === 'repeated') {
    const packed = field.packed === false ? { packed: false as const } : {}
    return { ...common, type: { kind: 'list', of: element, js: 'array' }, default: [], ...packed }
  }
  if (field.shape === 'map') {
    const key = scalarSlot(field.key ?? 'string', scope).type
    const js = field.key === 'string' ? 'record' : 'map'
    return { ...common, type: { kind: 'map', key, of: element, js }, default: {} }
  }

  const oneof = field.oneof === undefined ? {} : { oneof: field.oneof }
  const needed = scope.required.has(`${message.name}/${field.name}`)
  if (needed) return { ...common, ...element }
  if (field.presence === 'required') return { ...common, ...element, presence: 'required' }
  if (field.presence === 'implicit') return { ...common, ...element, default: zeroOf(field, element, scope) }

  const fallback = field.default === undefined ? undefined : defaultOf(field, element, message, scope)
  if (fallback === undefined || field.oneof !== undefined)
    return { ...common, ...element, ...oneof, optional: true }
  const isZero = fallback === zeroOf(field, element, scope)
  return { ...common, ...element, default: fallback, ...(isZero ? { presence: 'explicit' as const } : {}) }
}

function slotOf({ type }: FieldDescriptor, scope: Scope, reserve: Reserve): Slot {
  if (type.kind === 'scalar') return scalarSlot(type.scalar, scope)

  if (type.kind === 'enum') {
    const found = scope.declarations.enums.get(type.name) as EnumDescriptor
    const to = typeNameOf(type.name, scope.declarations.packageOf(found), scope.packageName)
    scope.types[to] ??= enumOf(found, to, scope)
    return { type: { kind: 'ref', to } }
  }

  const value = wellKnownSlot(type.name, scope)
  if (value !== undefined) return value

  const found = scope.declarations.messages.get(type.name) as MessageDescriptor
  const to = typeNameOf(type.name, scope.declarations.packageOf(found), scope.packageName)
  reserve(found, to)
  const slot: Slot = { type: { kind: 'ref', to } }
  return type.name === emptyMessage ? rootSlot(slot, emptyMessage) : slot
}

/** The zero value in our JSON. */
function zeroOf({ type }: FieldDescriptor, slot: Slot, { types }: Scope): Json {
  if (type.kind === 'scalar') return zeroJson(type.scalar)

  const named = slot.type.kind === 'ref' ? types[slot.type.to] : undefined
  const zero = named?.kind === 'enum' ? named.values.find(({ number }) => number === 0) : undefined
  return zero?.value ?? 0
}

function defaultOf(
  field: FieldDescriptor,
  slot: Slot,
  message: MessageDescriptor,
  scope: Scope,
): Json | undefined {
  const { default: written, type } = field
  if (typeof written === 'number' && !Number.isFinite(written)) {
    const what = `the default ${written} has no form in JSON: the field is optional`
    note(scope, 'default', message, field.at, `${message.name}.${field.name}`, what, false)
    return undefined
  }

  if (type.kind !== 'enum') return written

  // An alias means the value that has its number first.
  const named = slot.type.kind === 'ref' ? scope.types[slot.type.to] : undefined
  const found = scope.declarations.enums.get(type.name)?.values.find(({ name }) => name === written)
  return named?.kind === 'enum'
    ? named.values.find(({ number }) => number === found?.number)?.value
    : undefined
}

function enumOf(from: EnumDescriptor, to: string, scope: Scope): EnumType {
  const byNumber = new Map<number, EnumValue>()
  const docs = new Map<string, string>()

  for (const value of from.values) {
    const doc = reflow(value.doc)
    if (doc !== undefined) docs.set(value.name, doc)
    const before = byNumber.get(value.number)
    if (before === undefined) {
      byNumber.set(value.number, { name: value.name, value: value.name, number: value.number })
      continue
    }
    const what = `${value.name} is another name of ${before.name}: only the first is kept`
    note(scope, 'enum alias', from, from.at, from.name, what, false)
  }

  scope.valueDocs.set(to, docs)
  return {
    kind: 'enum',
    ...documentation(from),
    values: [...byNumber.values()],
    ...reservedOf(from, [], scope),
  }
}

const mostReserved = 1000

function reservedOf(
  message: MessageDescriptor | EnumDescriptor,
  lost: readonly FieldDescriptor[],
  scope: Scope,
): Pick<ObjectType, 'reserved'> {
  const { ranges, names } = message.reserved
  const numbers: number[] = lost.map(({ number }) => number)

  for (const { from, to } of ranges) {
    if (numbers.length + (to - from) < mostReserved) {
      for (let number = from; number <= to; number += 1) {
        if (number < 19_000 || number > 19_999) numbers.push(number)
      }
      continue
    }
    const what = `reserved ${from} to ${to} is too long to be listed and is left out`
    note(scope, 'reserved range', message, message.at, message.name, what, false)
  }

  const allNames = [...names, ...lost.map(({ name }) => name)]
  if (numbers.length === 0 && allNames.length === 0) return {}
  return { reserved: { numbers: numbers.toSorted((one, other) => one - other), names: allNames.toSorted() } }
}
