/** From declarations to `ContractInfo`: names decided, schemas read, numbers taken, conflicts refused. */
import { tableBuilder } from '../schema/from-standard.ts'
import { declarationOrder } from '../schema/numbers.ts'
import type { CallDeclaration } from './call.ts'
import type { CollectionDeclaration } from './collection.ts'
import { refuseConflicts } from './conflicts.ts'
import { ContractError } from './contract-error.ts'
import type { ContractOptions, Declaration } from './contract.ts'
import { digestOf } from './digest.ts'
import { parseDuration } from './duration.ts'
import type { EventDeclaration } from './event.ts'
import type { Fault } from './fault.ts'
import { isLocking, lockedNumbers } from './lock.ts'
import { messageReader, type ReadMessage } from './message.ts'
import {
  checkContractName,
  checkOperationName,
  checkProtoName,
  checkTopic,
  defaultGrpcService,
  parseGrpcMethod,
} from './names.ts'
import type {
  CallOperation,
  CollectionOperation,
  ContractInfo,
  EventOperation,
  FaultInfo,
  Idempotency,
  Operation,
  Streaming,
  TaskOperation,
} from './operation.ts'
import { checkOptions, commonOf } from './options.ts'
import { checkPrefix, impliedRoute, isScalar, resolveRoute } from './rest.ts'
import { pascalCase } from '../schema/names.ts'
import { isStatusCode, statusTable } from './status.ts'
import type { TaskDeclaration } from './task.ts'

/** What operations need of their contract while they are resolved. */
interface Scope {
  readonly info: ContractInfo
  readonly options: ContractOptions
  readonly read: ReadMessage
  readonly restPrefix: string
}

/** Resolves a contract. Throws ContractError, or Undeclarable for a schema that cannot be carried. */
export function resolve(
  name: string,
  declarations: Readonly<Record<string, Declaration>>,
  options: ContractOptions,
): ContractInfo {
  checkContractName(name)
  const where = `contract '${name}'`
  checkOptions(where, options, ['lock', 'grpc', 'soap', 'rest', 'topic', 'doc'])
  checkOptions(`${where}: soap`, options.soap ?? {}, ['namespace'])
  checkOptions(`${where}: rest`, options.rest ?? {}, ['prefix'])

  const restPrefix = options.rest?.prefix ?? ''
  if (restPrefix !== '') checkPrefix(where, restPrefix)
  if (options.grpc !== undefined) checkProtoName(`${where}: grpc`, options.grpc)
  if (options.topic !== undefined) checkTopic(where, options.topic)

  const lock = options.lock === undefined || isLocking() ? undefined : lockedNumbers(options.lock, name)
  const table = tableBuilder(lock?.numbers ?? declarationOrder())
  const operations = new Map<string, Operation>()

  const info = contractInfoOf({
    name,
    ...(options.doc === undefined ? {} : { doc: options.doc }),
    operations,
    types: table.types,
    locked: lock !== undefined,
    grpcService: options.grpc ?? defaultGrpcService(name),
    soapNamespace: options.soap?.namespace ?? `urn:${name}`,
  })

  const scope: Scope = { info, options, read: messageReader(table), restPrefix }

  for (const [key, declaration] of Object.entries(declarations)) {
    checkOperationName(name, key)
    operations.set(key, resolveOperation(scope, key, declaration))
  }

  lock?.finish()
  refuseConflicts(info)

  return info
}

/** Adds what follows from the rest: the package, and the digest on first use. */
export function contractInfoOf(parts: Omit<ContractInfo, 'digest' | 'grpcPackage'>): ContractInfo {
  let digest: string | undefined

  return {
    ...parts,
    grpcPackage: parts.grpcService.split('.').slice(0, -1).join('.'),
    get digest() {
      return (digest ??= digestOf(this))
    },
  }
}

function resolveOperation(scope: Scope, key: string, declaration: Declaration): Operation {
  switch (declaration?.kind) {
    case 'call':
      return resolveCall(scope, key, declaration)
    case 'event':
      return resolveEvent(scope, key, declaration)
    case 'task':
      return resolveTask(scope, key, declaration)
    case 'collection':
      return resolveCollection(scope, key, declaration)
    default:
      throw new ContractError(
        'contract_option',
        `contract '${scope.info.name}': '${key}' is no operation: declare it with call({…}), event({…}), task({…}) or collection({…})`,
      )
  }
}

function resolveCall(scope: Scope, key: string, declaration: CallDeclaration): CallOperation {
  const { info, read, restPrefix } = scope
  const id = `${info.name}/${key}`
  const written: CallDeclaration['options'] = declaration.options
  checkOptions(id, written, ['rest', 'scopes', 'idempotency', 'timeout', 'doc', 'deprecated', 'grpc', 'soap'])
  checkOptions(`${id}: soap`, written.soap ?? {}, ['action', 'element'])
  checkIdempotency(id, written.idempotency)

  const name = pascalCase(key)
  const input = read(declaration.input, `${name}Request`, `${id} input`)
  const output = read(declaration.output, `${name}Response`, `${id} output`)

  const faults: Record<string, FaultInfo> = {}
  for (const [fault, declared] of Object.entries(declaration.faults)) {
    faults[fault] = resolveFault(
      scope,
      `${id} fault ${fault}`,
      fault,
      `${name}${pascalCase(fault)}`,
      declared,
    )
  }

  const routed = { id, input, output, idempotency: written.idempotency }
  const grpc =
    written.grpc === undefined
      ? { service: info.grpcService, method: name }
      : parseGrpcMethod(id, written.grpc)
  const separator = /[/:#]$/.test(info.soapNamespace) ? '' : info.soapNamespace.startsWith('urn:') ? '#' : '/'

  return {
    kind: 'call',
    contract: info,
    name: key,
    id,
    ...commonOf(id, written),
    streaming: streamingOf(input?.stream === true, output?.stream === true),
    input,
    output,
    faults,
    rest:
      written.rest === undefined
        ? impliedRoute(routed, restPrefix)
        : resolveRoute(routed, written.rest, restPrefix),
    idempotency: written.idempotency,
    timeout: written.timeout === undefined ? undefined : parseDuration(written.timeout, `${id}: timeout`),
    grpc: `${grpc.service}/${grpc.method}`,
    soap: {
      action: written.soap?.action ?? `${info.soapNamespace}${separator}${key}`,
      element: written.soap?.element ?? key,
    },
  }
}

function resolveFault(
  scope: Scope,
  where: string,
  name: string,
  message: string,
  declared: Fault,
): FaultInfo {
  if (declared?.kind !== 'fault') {
    throw new ContractError('contract_option', `${where}: declare it with fault(code) or fault(code, schema)`)
  }

  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || name in Object.prototype) {
    throw new ContractError(
      'operation_name',
      `${where}: '${name}' cannot be a fault's name: write letters, digits and '_', such as outOfStock`,
    )
  }

  if (!isStatusCode(declared.code)) {
    throw new ContractError(
      'contract_option',
      `${where}: ${JSON.stringify(declared.code)} is no status code: write one of ${Object.keys(statusTable).join(', ')}`,
    )
  }

  const { http, doc } = declared.options
  checkOptions(where, declared.options, ['http', 'doc'])

  if (http !== undefined && (!Number.isInteger(http) || http < 400 || http > 599)) {
    throw new ContractError('contract_option', `${where}: http: ${http} is no error: write 400 to 599`)
  }

  const detail = scope.read(declared.detail, message, where)

  if (detail?.stream === true) {
    throw new ContractError(
      'contract_option',
      `${where}: a fault ends the call, so its detail cannot be a stream`,
    )
  }

  return { name, code: declared.code, detail, http, ...(doc === undefined ? {} : { doc }) }
}

function resolveEvent(scope: Scope, key: string, declaration: EventDeclaration): EventOperation {
  const id = `${scope.info.name}/${key}`
  checkOptions(id, declaration.options, ['orderBy', 'topic', 'scopes', 'doc', 'deprecated'])

  const payload = one(
    id,
    'payload',
    scope.read(declaration.payload, `${pascalCase(key)}Event`, `${id} payload`),
  )
  const { orderBy } = declaration.options

  if (orderBy !== undefined) {
    const root = payload.schema.root.type
    const named = root.kind === 'ref' ? payload.schema.types[root.to] : undefined
    const field = named?.kind === 'object' ? named.fields.find(({ name }) => name === orderBy) : undefined

    if (field === undefined || !isScalar(field, payload.schema.types)) {
      throw new ContractError(
        'contract_option',
        `${id}: orderBy: '${orderBy}' must be a field of the payload that is a string, number, boolean, date or enum`,
      )
    }
  }

  return {
    kind: 'event',
    contract: scope.info,
    name: key,
    id,
    ...commonOf(id, declaration.options),
    payload,
    orderBy,
    topic: topicOf(scope, key, declaration.options.topic),
  }
}

function resolveTask(scope: Scope, key: string, declaration: TaskDeclaration): TaskOperation {
  const id = `${scope.info.name}/${key}`
  checkOptions(id, declaration.options, ['topic', 'scopes', 'doc', 'deprecated'])

  const name = pascalCase(key)
  const input = scope.read(declaration.input, `${name}Task`, `${id} input`)
  const output = scope.read(declaration.output, `${name}Result`, `${id} output`)

  if (input?.stream === true || output?.stream === true) {
    throw new ContractError(
      'contract_option',
      `${id}: a task is one message, so it cannot take or give a stream; use a call`,
    )
  }

  return {
    kind: 'task',
    contract: scope.info,
    name: key,
    id,
    ...commonOf(id, declaration.options),
    input,
    output,
    topic: topicOf(scope, key, declaration.options.topic),
  }
}

function resolveCollection(
  scope: Scope,
  key: string,
  declaration: CollectionDeclaration,
): CollectionOperation {
  const id = `${scope.info.name}/${key}`
  checkOptions(id, declaration.options, ['topic', 'scopes', 'doc', 'deprecated'])

  const name = pascalCase(key)
  const keyMessage = one(id, 'key', scope.read(declaration.key, `${name}Key`, `${id} key`))
  const { root, types } = keyMessage.schema

  if (!isScalar(root, types) || root.nullable === true) {
    throw new ContractError(
      'contract_option',
      `${id}: a collection's key must be a string, number, boolean, date or enum`,
    )
  }

  return {
    kind: 'collection',
    contract: scope.info,
    name: key,
    id,
    ...commonOf(id, declaration.options),
    key: keyMessage,
    value: one(id, 'value', scope.read(declaration.value, `${name}Value`, `${id} value`)),
    topic: topicOf(scope, key, declaration.options.topic),
  }
}

function topicOf(scope: Scope, key: string, topic: string | undefined): string {
  const chosen = topic ?? `${scope.options.topic ?? scope.info.name}.${key}`
  checkTopic(`${scope.info.name}/${key}`, chosen)

  return chosen
}

/** A message that must be there and be one. */
function one(
  id: string,
  what: string,
  message: ReturnType<ReadMessage>,
): NonNullable<ReturnType<ReadMessage>> {
  if (message === undefined || message.stream) {
    throw new ContractError('contract_option', `${id}: ${what} must be a schema`)
  }

  return message
}

function checkIdempotency(id: string, idempotency: Idempotency | undefined): void {
  if (idempotency === undefined || ['safe', 'idempotent', 'keyed'].includes(idempotency)) return

  throw new ContractError(
    'contract_option',
    `${id}: idempotency: ${JSON.stringify(idempotency)}: write 'safe', 'idempotent' or 'keyed'`,
  )
}

export function streamingOf(input: boolean, output: boolean): Streaming {
  if (input) return output ? 'bidirectional' : 'client_streaming'
  return output ? 'server_streaming' : 'unary'
}
