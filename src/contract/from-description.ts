/**
 * From a description (describe.ts) back to a `ContractInfo`, for callers that have no contract of their own: `trunkline call`
 * against a server's own description, gateways. What comes from elsewhere is checked, since codecs are compiled from it.
 */
import { upperSnakeCase } from '../schema/names.ts'
import type { Check, Named, Slot, Type, Types } from '../schema/type.ts'
import { refuseConflicts } from './conflicts.ts'
import { ContractError } from './contract-error.ts'
import type {
  CallDescription,
  ContractDescription,
  FaultDescription,
  MessageDescription,
  OperationDescription,
} from './describe.ts'
import { isFieldNumber } from './lock.ts'
import {
  checkContractName,
  checkOperationName,
  checkProtoName,
  checkTopic,
  parseGrpcMethod,
} from './names.ts'
import type { ContractInfo, FaultInfo, Message, Operation, RestRoute } from './operation.ts'
import { commonOf } from './options.ts'
import { contractInfoOf, streamingOf } from './resolve.ts'
import { impliedRoute, resolveRoute, type RoutedCall } from './rest.ts'
import { isStatusCode } from './status.ts'

const maximumTypes = 10_000
const maximumNesting = 100

/**
 * Makes a contract of its description.
 *
 * @param description JSON as `describe` gives it, from anywhere
 * @throws ContractError with the path of what is wrong
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, describe, fromDescription } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contractInfo(contract('acme.ping.v1', { ping: call({ rest: 'GET /ping' }) }))
 * const again = fromDescription(JSON.parse(JSON.stringify(describe(Ping))))
 * assert.equal(again.digest, Ping.digest)
 * ```
 */
export function fromDescription(description: unknown): ContractInfo {
  const from = object(description, 'description') as unknown as ContractDescription

  if (from.trunkline !== 1) {
    throw wrong(
      'trunkline',
      `this version reads descriptions of version 1, this one is ${JSON.stringify(from.trunkline)}`,
    )
  }

  if (typeof from.name !== 'string') throw wrong('name', 'must be a string')
  // The contracts of every server itself are described too, and their names are reserved.
  if (!from.name.startsWith('trunkline.')) checkContractName(from.name)
  checkProtoName('description: grpcService', from.grpcService)
  if (typeof from.soapNamespace !== 'string') throw wrong('soapNamespace', 'must be a string')

  const types = readTypes(from.types)
  const operations = new Map<string, Operation>()

  const info = contractInfoOf({
    name: from.name,
    ...docOf(from, 'description'),
    operations,
    types,
    locked: from.locked === true,
    grpcService: from.grpcService,
    soapNamespace: from.soapNamespace,
  })

  for (const [name, operation] of Object.entries(object(from.operations, 'operations'))) {
    checkOperationName(from.name, name)
    const path = `operations.${name}`
    operations.set(
      name,
      readOperation(info, name, object(operation, path) as unknown as OperationDescription, path),
    )
  }

  refuseConflicts(info)

  return info
}

function readOperation(
  info: ContractInfo,
  name: string,
  from: OperationDescription,
  path: string,
): Operation {
  const id = `${info.name}/${name}`
  const scopes = from.scopes ?? []
  if (!Array.isArray(scopes)) throw wrong(`${path}.scopes`, 'must be a list of strings')

  const common = {
    contract: info,
    name,
    id,
    ...commonOf(id, {
      scopes,
      ...docOf(from, path),
      ...(from.deprecated === true ? { deprecated: true } : {}),
    }),
  }
  const read = (message: MessageDescription | undefined, part: string) =>
    readMessage(info.types, message, `${path}.${part}`)
  const must = (message: MessageDescription | undefined, part: string) => {
    const made = read(message, part)
    if (made === undefined || made.stream) throw wrong(`${path}.${part}`, 'must be one message')
    return made
  }

  switch (from.kind) {
    case 'call':
      return { ...common, ...readCall(info, id, from, path, read) }
    case 'event': {
      checkTopic(path, from.topic)
      const payload = must(from.payload, 'payload')
      if (from.orderBy !== undefined && typeof from.orderBy !== 'string')
        throw wrong(`${path}.orderBy`, 'must be a string')
      return { ...common, kind: 'event', payload, orderBy: from.orderBy, topic: from.topic }
    }
    case 'task':
      checkTopic(path, from.topic)
      return {
        ...common,
        kind: 'task',
        input: read(from.input, 'input'),
        output: read(from.output, 'output'),
        topic: from.topic,
      }
    case 'collection':
      checkTopic(path, from.topic)
      return {
        ...common,
        kind: 'collection',
        key: must(from.key, 'key'),
        value: must(from.value, 'value'),
        topic: from.topic,
      }
    default:
      throw wrong(
        `${path}.kind`,
        `${JSON.stringify((from as { kind: unknown }).kind)} is no kind of operation`,
      )
  }
}

type CallParts = Omit<
  Extract<Operation, { kind: 'call' }>,
  'contract' | 'name' | 'id' | 'doc' | 'deprecated' | 'scopes'
>

function readCall(
  info: ContractInfo,
  id: string,
  from: CallDescription,
  path: string,
  read: (message: MessageDescription | undefined, part: string) => Message | undefined,
): CallParts {
  const input = read(from.input, 'input')
  const output = read(from.output, 'output')
  const { idempotency, timeout } = from
  const { action, element } = object(from.soap, `${path}.soap`)

  if (typeof action !== 'string' || typeof element !== 'string')
    throw wrong(`${path}.soap`, 'must have action and element')
  if (idempotency !== undefined && !['safe', 'idempotent', 'keyed'].includes(idempotency)) {
    throw wrong(`${path}.idempotency`, `${JSON.stringify(idempotency)} is none of safe, idempotent, keyed`)
  }
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout >= 0)) {
    throw wrong(`${path}.timeout`, 'must be milliseconds ≥ 0')
  }

  parseGrpcMethod(id, from.grpc)

  const faults: Record<string, FaultInfo> = Object.create(null)
  for (const [fault, declared] of Object.entries(object(from.faults ?? {}, `${path}.faults`))) {
    faults[fault] = readFault(info, fault, declared, `${path}.faults.${fault}`)
  }

  return {
    kind: 'call',
    streaming: streamingOf(input?.stream === true, output?.stream === true),
    input,
    output,
    faults: { ...faults },
    rest: readRoute({ id, input, output, idempotency }, from, path),
    idempotency,
    timeout,
    grpc: from.grpc,
    soap: { action, element },
  }
}

function readRoute(call: RoutedCall, from: CallDescription, path: string): RestRoute {
  const { route, implied, ...rest } = object(from.rest, `${path}.rest`)
  if (typeof route !== 'string') throw wrong(`${path}.rest.route`, 'must be a string')

  if (implied === true) {
    const suffix = `/${call.id}`
    if (!route.startsWith('POST /') || !route.endsWith(suffix)) {
      throw wrong(`${path}.rest.route`, `an implied route is 'POST …${suffix}', this is '${route}'`)
    }
    return impliedRoute(call, route.slice('POST '.length, -suffix.length))
  }

  return resolveRoute(call, { ...(rest as object), route }, '')
}

function readFault(info: ContractInfo, name: string, declared: unknown, path: string): FaultInfo {
  const { code, detail, http, ...more } = object(declared, path) as unknown as FaultDescription

  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || name in Object.prototype)
    throw wrong(path, 'is no name of a fault')
  if (typeof code !== 'string' || !isStatusCode(code))
    throw wrong(`${path}.code`, `${JSON.stringify(code)} is no status code`)
  if (http !== undefined && !(Number.isInteger(http) && http >= 400 && http <= 599)) {
    throw wrong(`${path}.http`, 'must be 400 to 599')
  }

  return { name, code, detail: readMessage(info.types, detail, `${path}.detail`), http, ...docOf(more, path) }
}

function readMessage(types: Types, from: MessageDescription | undefined, path: string): Message | undefined {
  if (from === undefined) return undefined

  const { name, root, stream } = object(from, path) as unknown as MessageDescription
  if (typeof name !== 'string') throw wrong(`${path}.name`, 'must be a string')
  checkSlot(types, root, `${path}.root`, 0)

  return { stream: stream === true, schema: { root, types }, name, refine: undefined }
}

function docOf(from: object, path: string): { readonly doc?: string } {
  const { doc } = from as { readonly doc?: unknown }
  if (doc === undefined) return {}
  if (typeof doc !== 'string') throw wrong(`${path}.doc`, 'must be a string')
  return { doc }
}

// ── Types ──

function readTypes(content: unknown): Types {
  const types = object(content, 'types') as unknown as Types
  const names = Object.keys(types)
  if (names.length > maximumTypes)
    throw wrong('types', `are ${names.length}; at most ${maximumTypes} are read`)

  for (const name of names) {
    if (name === '__proto__') throw wrong('types', "no type is called '__proto__'")
    checkNamed(types, types[name] as Named, `types.${name}`)
  }

  return types
}

function checkNamed(types: Types, named: Named, path: string): void {
  const { kind } = object(named, path)

  switch (kind) {
    case 'object': {
      const { fields, unknown } = named as Extract<Named, { kind: 'object' }>
      if (unknown !== 'strip' && unknown !== 'refuse')
        throw wrong(`${path}.unknown`, "must be 'strip' or 'refuse'")

      for (const [index, field] of list(fields, `${path}.fields`).entries()) {
        const here = `${path}.fields[${index}]`
        object(field, here)
        if (typeof field.name !== 'string' || field.name === '__proto__')
          throw wrong(`${here}.name`, 'must be a string')
        if (!isFieldNumber(field.number)) throw wrong(`${here}.number`, 'is no number of a field')
        checkSlot(types, field, here, 0)
      }

      unique(fields, (field) => field.name, `${path}.fields`)
      unique(fields, (field) => field.number, `${path}.fields`)
      return
    }
    case 'enum': {
      const { values } = named as Extract<Named, { kind: 'enum' }>
      for (const [index, value] of list(values, `${path}.values`).entries()) {
        const here = `${path}.values[${index}]`
        object(value, here)
        if (typeof value.name !== 'string') {
          throw wrong(`${here}.name`, `must be a string, such as '${upperSnakeCase(String(value.value))}'`)
        }
        if (typeof value.value !== 'string' && typeof value.value !== 'number')
          throw wrong(`${here}.value`, 'must be a string or number')
        if ((value.number | 0) !== value.number) throw wrong(`${here}.number`, 'is no signed 32-bit integer')
      }
      unique(values, (value) => value.value, `${path}.values`)
      unique(values, (value) => value.name, `${path}.values`)
      return
    }
    case 'union': {
      const { by, variants } = named as Extract<Named, { kind: 'union' }>
      if (typeof by !== 'string') throw wrong(`${path}.by`, 'must be a string')
      for (const [index, variant] of list(variants, `${path}.variants`).entries()) {
        const here = `${path}.variants[${index}]`
        object(variant, here)
        if (!['string', 'number', 'boolean'].includes(typeof variant.tag))
          throw wrong(`${here}.tag`, 'must be a constant')
        if (!isFieldNumber(variant.number)) throw wrong(`${here}.number`, 'is no number of a field')
        if (kindOf(types, variant.to) !== 'object')
          throw wrong(`${here}.to`, `'${variant.to}' is no object in types`)
      }
      unique(variants, (variant) => variant.tag, `${path}.variants`)
      unique(variants, (variant) => variant.number, `${path}.variants`)
      return
    }
    default:
      throw wrong(`${path}.kind`, `${JSON.stringify(kind)} is none of object, enum, union`)
  }
}

function checkSlot(types: Types, slot: Slot, path: string, depth: number): void {
  const { type } = object(slot, path) as unknown as Slot
  checkType(types, type, `${path}.type`, depth)
}

function checkType(types: Types, type: Type, path: string, depth: number): void {
  if (depth > maximumNesting) throw wrong(path, `is nested more than ${maximumNesting} deep`)
  const { kind, checks } = object(type, path)
  if (checks !== undefined) readChecks(checks as readonly Check[], `${path}.checks`)

  switch (type.kind) {
    case 'string':
    case 'bool':
    case 'bytes':
    case 'instant':
    case 'json':
      return
    case 'int':
      if ((type.bits !== 32 && type.bits !== 64) || typeof type.signed !== 'boolean') {
        throw wrong(path, 'an int has bits 32 or 64, and signed')
      }
      if (type.js !== 'number' && type.js !== 'bigint')
        throw wrong(`${path}.js`, "must be 'number' or 'bigint'")
      return
    case 'float':
      if (type.bits !== 32 && type.bits !== 64) throw wrong(`${path}.bits`, 'must be 32 or 64')
      return
    case 'literal':
      for (const value of list(type.values, `${path}.values`)) {
        if (!['string', 'number', 'boolean'].includes(typeof value))
          throw wrong(`${path}.values`, 'must be constants')
      }
      return
    case 'list':
      if (type.js !== 'array' && type.js !== 'set') throw wrong(`${path}.js`, "must be 'array' or 'set'")
      return checkSlot(types, type.of, `${path}.of`, depth + 1)
    case 'tuple':
      for (const [index, item] of list(type.items, `${path}.items`).entries()) {
        checkSlot(types, item, `${path}.items[${index}]`, depth + 1)
      }
      if (type.rest !== undefined) checkSlot(types, type.rest, `${path}.rest`, depth + 1)
      return
    case 'map':
      if (type.js !== 'record' && type.js !== 'map') throw wrong(`${path}.js`, "must be 'record' or 'map'")
      checkType(types, type.key, `${path}.key`, depth + 1)
      return checkSlot(types, type.of, `${path}.of`, depth + 1)
    case 'ref':
      if (kindOf(types, type.to) === undefined)
        throw wrong(`${path}.to`, `there is no type '${String(type.to)}'`)
      return
    default:
      throw wrong(`${path}.kind`, `${JSON.stringify(kind)} is no kind of type that this version knows`)
  }
}

function readChecks(checks: readonly Check[], path: string): void {
  for (const [index, check] of list(checks, path).entries()) {
    const here = `${path}[${index}]`
    object(check, here)

    if (check.check === 'pattern') {
      try {
        RegExp(check.source, check.flags)
      } catch (cause) {
        throw wrong(here, `is no regular expression: ${(cause as Error).message}`)
      }
    } else if (!['min', 'max', 'multipleOf', 'minLength', 'maxLength'].includes(check.check)) {
      throw wrong(`${here}.check`, `${JSON.stringify(check.check)} is no bound that this version knows`)
    } else if (typeof check.value !== 'string') {
      throw wrong(`${here}.value`, 'must be a string')
    }
  }
}

function kindOf(types: Types, name: string): Named['kind'] | undefined {
  return typeof name === 'string' && Object.hasOwn(types, name) ? types[name]?.kind : undefined
}

function unique<T>(elements: readonly T[], keyOf: (element: T) => unknown, path: string): void {
  const keys = elements.map(keyOf)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) throw wrong(path, `${JSON.stringify(twice)} is there twice`)
}

function list<T>(content: readonly T[], path: string): readonly T[] {
  if (Array.isArray(content)) return content
  throw wrong(path, 'must be a list')
}

function object(content: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
    return content as Readonly<Record<string, unknown>>
  }

  throw wrong(path, `must be an object, is ${JSON.stringify(content) ?? typeof content}`)
}

function wrong(path: string, message: string): ContractError {
  return new ContractError('contract_description', `contract description: ${path}: ${message}`)
}
