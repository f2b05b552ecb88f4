/**
 * What the types of a contract are called in protobuf.
 *
 * `Order` and `Order.Line` are in the contract's package, the second nested in the first; `google.rpc.Status` is in the
 * package `google.rpc`. A package is told by its small letters; where all letters are small, by there being no type of
 * that name.
 */
import type { ContractInfo } from '../../contract/operation.ts'

export interface FullName {
  readonly package: string
  /** `Order.Line` */
  readonly path: string
}

/** The package of a type and its name in there. `isType` says whether a contract has a type of a name. */
export function fullNameOf(name: string, ownPackage: string, isType: (name: string) => boolean): FullName {
  const parts = name.split('.')
  const capital = parts.findIndex((part) => /^[^a-z]/.test(part))
  if (capital === 0 || parts.length === 1) return { package: ownPackage, path: name }
  if (capital > 0) return { package: parts.slice(0, capital).join('.'), path: parts.slice(capital).join('.') }

  if (isType(parts[0] as string)) return { package: ownPackage, path: name }
  return { package: parts.slice(0, -1).join('.'), path: parts.at(-1) as string }
}

/** The full name of a message or enum of a contract: `acme.orders.v1.Order`, as in the type URL of an `Any`. */
export function protoNameOf(info: ContractInfo, name: string): string {
  const { package: owner, path } = fullNameOf(name, info.grpcPackage, (one) => Object.hasOwn(info.types, one))
  return owner === '' ? path : `${owner}.${path}`
}
