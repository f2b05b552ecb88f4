/** Refuses operations, routes and messages that would be the same on some wire. */
import { ContractError } from './contract-error.ts'
import type { CallOperation, ContractInfo, Message, Operation } from './operation.ts'
import { type Route, conflict, parseRoute } from './route.ts'

/** Throws ContractError for the first conflict. */
export function refuseConflicts(info: ContractInfo): void {
  const operations = [...info.operations.values()]
  const calls = operations.filter((operation) => operation.kind === 'call')

  refuseSame(calls, (call) => `the gRPC method ${call.grpc}`, 'grpc:')
  refuseSame(calls, (call) => `the SOAP action ${call.soap.action}`, 'soap: { action }')
  refuseSame(calls, (call) => `the SOAP element ${call.soap.element}`, 'soap: { element }')

  refuseSame(
    operations.filter((operation) => operation.kind !== 'call'),
    (operation) => `the topic ${operation.topic}`,
    'topic:',
  )

  refuseRoutes(info, calls)
  refuseMessages(info, operations)
}

function refuseSame<O extends Operation>(
  operations: readonly O[],
  nameOf: (operation: O) => string,
  option: string,
): void {
  const taken = new Map<string, O>()

  for (const operation of operations) {
    const name = nameOf(operation)
    const before = taken.get(name)

    if (before !== undefined) {
      throw new ContractError(
        'name_conflict',
        `contract '${operation.contract.name}': '${before.name}' and '${operation.name}' are both ${name}; rename one, or give it another name by ${option}`,
      )
    }

    taken.set(name, operation)
  }
}

function refuseRoutes(info: ContractInfo, calls: readonly CallOperation[]): void {
  const routes = calls.map((call) => ({
    call,
    route: parseRoute(call.id, `${call.rest.method} ${call.rest.path}`),
  }))

  // Only routes of one method and length can meet.
  const groups = Map.groupBy(routes, ({ route }) => `${route.method} ${route.segments.length}`)

  for (const group of groups.values()) {
    group.forEach((one, index) => {
      for (let before = 0; before < index; before++) {
        const other = group[before] as typeof one
        const how = conflict(other.route, one.route)
        if (how !== undefined) throw routeConflict(info, how, other, one)
      }
    })
  }
}

interface Routed {
  readonly call: CallOperation
  readonly route: Route
}

function routeConflict(
  info: ContractInfo,
  how: 'duplicate' | 'ambiguous',
  one: Routed,
  other: Routed,
): ContractError {
  const [first, second] = [one, other].map(
    ({ call, route }) => `'${call.name}' (${route.method} ${route.path})`,
  )

  return new ContractError(
    'rest_conflict',
    how === 'duplicate'
      ? `contract '${info.name}': ${first} and ${second} are the same route; change the path or the method of one`
      : `contract '${info.name}': ${first} and ${second} both match some paths, and neither is the more specific; change one of them`,
  )
}

/** A message that is no object gets a wrapper of its own name in documents: nothing else may be called that. */
function refuseMessages(info: ContractInfo, operations: readonly Operation[]): void {
  const wrappers = new Map<string, string>()

  for (const operation of operations) {
    for (const message of messagesOf(operation)) {
      const { root } = message.schema
      const isItself = root.type.kind === 'ref' && root.type.to === message.name && root.nullable !== true
      if (isItself) continue

      const before = wrappers.get(message.name)
      const isType = Object.hasOwn(info.types, message.name)

      if (isType || before !== undefined) {
        throw new ContractError(
          'name_conflict',
          `contract '${info.name}': the message ${message.name} of '${operation.name}' has the name of ${isType ? 'a type' : `a message of '${before}'`}; rename one of them, with .meta({ id: '…' }) if it is a type`,
        )
      }

      wrappers.set(message.name, operation.name)
    }
  }
}

/** All messages of an operation. */
export function messagesOf(operation: Operation): readonly Message[] {
  const messages =
    operation.kind === 'call'
      ? [operation.input, operation.output, ...Object.values(operation.faults).map(({ detail }) => detail)]
      : operation.kind === 'event'
        ? [operation.payload]
        : operation.kind === 'task'
          ? [operation.input, operation.output]
          : [operation.key, operation.value]

  return messages.filter((message) => message !== undefined)
}
