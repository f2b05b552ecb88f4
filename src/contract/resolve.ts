/** From declarations to `ContractInfo`: names decided, schemas read, numbers taken, conflicts refused. */
import { tableBuilder } from '../schema/from-standard.ts'
import { declarationOrder } from '../schema/numbers.ts'
import { refuseConflicts } from './conflicts.ts'
import { ContractError } from './contract-error.ts'
import type { ContractOptions, Declaration } from './declaration.ts'
import { contractInfoOf } from './info.ts'
import { isLocking, lockedNumbers } from './locked-numbers.ts'
import { messageReader } from './message.ts'
import {
  checkContractName,
  checkOperationName,
  checkProtoName,
  checkTopic,
  defaultGrpcService,
} from './names.ts'
import type { ContractInfo, Operation } from './operation.ts'
import { checkOptions, checkText } from './options.ts'
import { resolveCall } from './resolve-call.ts'
import { resolveCollection, resolveEvent, resolveTask } from './resolve-stored.ts'
import { checkPrefix } from './rest.ts'
import type { Scope } from './scope.ts'

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
  checkText(`${where}: doc`, options.doc)
  checkText(`${where}: soap: namespace`, options.soap?.namespace)
  checkText(`${where}: rest: prefix`, options.rest?.prefix)

  if (typeof declarations !== 'object' || declarations === null || Array.isArray(declarations)) {
    throw new ContractError(
      'contract_option',
      `${where}: the second argument is the operations: { place: call({ … }) }`,
    )
  }

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
