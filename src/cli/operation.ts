/** Which operation a command line means. Pure. */
import type { CallOperation, ContractInfo } from '../index.ts'
import { type Failure, failed, usage } from './failure.ts'
import { didYouMean } from '../contract/nearest.ts'

/**
 * `place`, `acme.orders.v1/place` or `acme.orders.v1.place`; by gRPC's names `acme.orders.v1.Orders/Place`, with a dot or without
 * the package, or `Place`. Throws `Failure` that names those there are.
 */
export function findOperation(contracts: readonly ContractInfo[], name: string): CallOperation {
  const calls = contracts.flatMap(({ operations }) =>
    [...operations.values()].filter((operation) => operation.kind === 'call'),
  )
  const found = calls.filter((call) => namesOf(call).includes(name))

  if (found.length === 1) return found[0] as CallOperation
  if (found.length > 1) {
    throw usage(`'${name}' is in several contracts: say which`, ...found.map(({ id }) => `  ${id}`))
  }

  throw notFound(contracts, calls, name)
}

function namesOf({ name, id, grpc }: CallOperation): readonly string[] {
  const method = grpc.slice(grpc.indexOf('/') + 1)
  const local = grpc.slice(grpc.lastIndexOf('.', grpc.indexOf('/')) + 1)
  return [name, method, ...[id, grpc, local].flatMap((each) => [each, each.replace('/', '.')])]
}

function notFound(
  contracts: readonly ContractInfo[],
  calls: readonly CallOperation[],
  name: string,
): Failure {
  if (contracts.length === 0) return failed('the server serves no contract')

  for (const { operations } of contracts) {
    const other = operations.get(name)
    if (other !== undefined) {
      return usage(
        `'${name}' is ${other.kind === 'event' ? 'an' : 'a'} ${other.kind}, and only calls can be called`,
      )
    }
  }

  const separators = /[./]/g
  const count = name.match(separators)?.length ?? 0
  const like = (each: string) =>
    (each.match(separators)?.length ?? 0) === count && each.includes('/') === name.includes('/')
  const names = calls.flatMap(namesOf).filter(like)
  return usage(
    `there is no operation '${name}'.${didYouMean(name, names)}`,
    ...contracts.map((contract) => {
      const own = calls.filter((call) => call.contract === contract).map((call) => call.name)
      return `${contract.name} has ${own.join(', ')}`
    }),
  )
}
