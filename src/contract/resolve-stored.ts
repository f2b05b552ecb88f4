/** From declared events, tasks and collections, which an engine stores, to their operations. */
import { pascalCase } from '../schema/names.ts'
import type { CollectionDeclaration } from './collection.ts'
import { ContractError } from './contract-error.ts'
import type { EventDeclaration } from './event.ts'
import type { ReadMessage } from './message.ts'
import { checkTopic } from './names.ts'
import { nearest } from './nearest.ts'
import type { CollectionOperation, EventOperation, Message, TaskOperation } from './operation.ts'
import { checkOptions, commonOf } from './options.ts'
import { fieldsOf, isScalar } from './rest-fields.ts'
import type { Scope } from './scope.ts'
import type { TaskDeclaration } from './task.ts'

export function resolveEvent(scope: Scope, key: string, declaration: EventDeclaration): EventOperation {
  const stored = storedOf(scope, key, declaration, ['payload', 'orderBy'])
  const { id } = stored
  const { orderBy } = declaration.options
  const payload = one(
    id,
    'payload',
    scope.read(declaration.payload, `${pascalCase(key)}Event`, `${id} payload`),
    'event({ payload: z.object({ … }) })',
  )
  if (orderBy !== undefined) checkOrder(id, orderBy, payload)

  return { kind: 'event', ...stored, payload, orderBy }
}

export function resolveTask(scope: Scope, key: string, declaration: TaskDeclaration): TaskOperation {
  const stored = storedOf(scope, key, declaration, ['input', 'output'])
  const { id } = stored
  const name = pascalCase(key)
  const input = scope.read(declaration.input, `${name}Task`, `${id} input`)
  const output = scope.read(declaration.output, `${name}Result`, `${id} output`)

  if (input?.stream === true || output?.stream === true) {
    throw new ContractError(
      'contract_option',
      `${id}: a task is one message, so it cannot take or give a stream; use a call`,
    )
  }

  return { kind: 'task', ...stored, input, output }
}

export function resolveCollection(
  scope: Scope,
  key: string,
  declaration: CollectionDeclaration,
): CollectionOperation {
  const stored = storedOf(scope, key, declaration, ['key', 'value'])
  const { id } = stored
  const name = pascalCase(key)
  const example = 'collection({ key: z.string(), value: z.object({ … }) })'
  const keyMessage = one(id, 'key', scope.read(declaration.key, `${name}Key`, `${id} key`), example)
  const { root, types } = keyMessage.schema

  if (!isScalar(root, types) || root.nullable === true) {
    throw new ContractError(
      'contract_option',
      `${id}: a collection's key must be a string, number, boolean, date or enum`,
    )
  }

  const value = one(id, 'value', scope.read(declaration.value, `${name}Value`, `${id} value`), example)
  return { kind: 'collection', ...stored, key: keyMessage, value }
}

/** What all three kinds have. `own` are the settings that only this kind knows. */
function storedOf(
  scope: Scope,
  key: string,
  { options }: EventDeclaration | TaskDeclaration | CollectionDeclaration,
  own: readonly string[],
) {
  const id = `${scope.info.name}/${key}`
  checkOptions(id, options, [...own, 'topic', 'scopes', 'doc', 'deprecated'])
  const topic = options.topic ?? `${scope.options.topic ?? scope.info.name}.${key}`
  checkTopic(id, topic)

  return { contract: scope.info, name: key, id, ...commonOf(id, options), topic }
}

function checkOrder(id: string, orderBy: string, payload: Message): void {
  const fields = fieldsOf(payload) ?? []
  const field = fields.find(({ name }) => name === orderBy)
  if (field !== undefined && isScalar(field, payload.schema.types)) return

  const near =
    field === undefined && typeof orderBy === 'string'
      ? nearest(
          orderBy,
          fields.map(({ name }) => name),
        )
      : undefined
  throw new ContractError(
    'contract_option',
    `${id}: orderBy: '${orderBy}' must be a field of the payload that is a string, number, boolean, date or enum` +
      (near === undefined ? '' : `; did you mean '${near}'?`),
  )
}

/** A message that must be there and be one. */
function one(
  id: string,
  what: string,
  message: ReturnType<ReadMessage>,
  example: string,
): NonNullable<ReturnType<ReadMessage>> {
  if (message !== undefined && !message.stream) return message

  const wrong = message === undefined ? `${what} is missing` : `${what} is one message and no stream`
  throw new ContractError('contract_option', `${id}: ${wrong}; write ${example}`)
}
