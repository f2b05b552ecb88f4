/** What a contract declares that has a number, as the lock sees it. */
import type { EnumType, ObjectType, UnionType } from '../schema/type.ts'
import type { Group } from './lock-state.ts'
import type { ContractInfo } from './operation.ts'

/** Names of members by type; the value is the number that the declaration itself demands, if it does. */
export type Declared = Readonly<Record<Group, Map<string, Map<string, number | undefined>>>>

/** The members of all types of a contract. */
export function declaredOf(info: ContractInfo): Declared {
  const declared: Declared = { messages: new Map(), enums: new Map(), unions: new Map() }

  for (const [name, type] of Object.entries(info.types)) {
    switch (type.kind) {
      case 'object':
        declared.messages.set(name, membersOfObject(info, type))
        break
      case 'enum':
        declared.enums.set(name, membersOfEnum(info, type))
        break
      case 'union':
        declared.unions.set(name, membersOfUnion(info, type))
        break
    }
  }

  return declared
}

// A contract that is locked has its numbers from some lock: they must be those of this one. One that is not has them from
// the order of declaration, which says nothing.

function membersOfObject(info: ContractInfo, { fields }: ObjectType): Map<string, number | undefined> {
  return new Map(fields.map(({ name, number }) => [name, info.locked ? number : undefined]))
}

function membersOfEnum(info: ContractInfo, { values }: EnumType): Map<string, number | undefined> {
  return new Map(
    values.map(({ name, value, number }) => [
      name,
      info.locked || typeof value === 'number' ? number : undefined,
    ]),
  )
}

function membersOfUnion(info: ContractInfo, { variants }: UnionType): Map<string, number | undefined> {
  return new Map(variants.map(({ tag, number }) => [String(tag), info.locked ? number : undefined]))
}
