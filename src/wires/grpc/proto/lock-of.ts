/** The numbers of an imported contract as a lock. */
import { type ContractLock, type Lock, type Reserved, readLock } from '../../../contract/lock.ts'
import type { ContractInfo } from '../../../contract/operation.ts'

/** The lock with these contracts in it, in the place of what it said of them before. Throws ContractError. */
export function lockWith(infos: readonly ContractInfo[], previous: unknown): Lock {
  const before = previous === undefined ? {} : readLock(previous).contracts
  const own = Object.fromEntries(infos.map((info) => [info.name, contractLockOf(info)]))
  return { version: 1, contracts: { ...before, ...own } }
}

function contractLockOf({ types }: ContractInfo): ContractLock {
  const messages: Record<string, ContractLock['messages'][string]> = {}
  const enums: Record<string, ContractLock['enums'][string]> = {}

  for (const name of Object.keys(types).toSorted()) {
    const type = types[name]
    if (type?.kind === 'object') {
      const fields = byNumber(type.fields.map((field): [string, number] => [field.name, field.number]))
      messages[name] = { fields: Object.fromEntries(fields), ...reservedPart(type.reserved) }
    } else if (type?.kind === 'enum') {
      const values = byNumber(type.values.map((value): [string, number] => [value.name, value.number]))
      enums[name] = { values: Object.fromEntries(values), ...reservedPart(type.reserved) }
    }
  }
  return { messages, enums, unions: {} }
}

function byNumber(members: readonly [string, number][]): readonly [string, number][] {
  return members.toSorted(([, one], [, other]) => one - other)
}

function reservedPart(reserved: Reserved | undefined): { readonly reserved?: Reserved } {
  return reserved === undefined ? {} : { reserved }
}
