/** From declared events, tasks and collections, which an engine stores, to their operations. */
import { pascalCase } from '../schema/names.ts'
import type { CollectionDeclaration } from './collection.ts'
import { ContractError } from './contract-error.ts'
import type { EventDeclaration } from './event.ts'
import type { ReadMessage } from './message.ts'
import { checkTopic } from './names.ts'
import type { CollectionOperation, EventOperation, TaskOperation } from './operation.ts'
import { checkOptions, commonOf } from './options.ts'
import { isScalar } from './rest-fields.ts'
import type { Scope } from './scope.ts'
import type { TaskDeclaration } from './task.ts'

export function resolveEvent(scope: Scope, key: string, declaration: EventDeclaration): EventOperation {
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

export function resolveTask(scope: Scope, key: string, declaration: TaskDeclaration): TaskOperation {
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

export function resolveCollection(
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
