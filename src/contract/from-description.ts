/**
 * From a description (describe.ts) back to a `ContractInfo`, for callers that have no contract of their own: `trunkline call`
 * against a server's own description, gateways. What comes from elsewhere is checked, since codecs are compiled from it.
 */
import type { Types } from '../schema/type.ts'
import { refuseConflicts } from './conflicts.ts'
import type {
  CallDescription,
  ContractDescription,
  FaultDescription,
  MessageDescription,
  OperationDescription,
} from './describe.ts'
import {
  checkContractName,
  checkOperationName,
  checkProtoName,
  checkTopic,
  parseGrpcMethod,
} from './names.ts'
import type { ContractInfo, FaultInfo, Message, Operation, RestRoute } from './operation.ts'
import { commonOf } from './options.ts'
import { contractInfoOf } from './info.ts'
import { streamingOf } from './resolve-call.ts'
import { object, wrong } from './description-error.ts'
import { checkSlot, readTypes } from './description-types.ts'
import { impliedRoute, resolveRoute, type RoutedCall } from './rest.ts'
import { isStatusCode } from './status.ts'

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
