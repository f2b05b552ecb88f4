/** A lock (lock.ts) while it is updated: the three kinds of types are alike here. */
import type { ContractLock, LockedEnum, LockedMessage, LockedUnion, Reserved } from './lock.ts'

/** The numbers of one type while they are updated; the three kinds are alike. */
export interface Numbered {
  readonly numbers: Map<string, number>
  readonly reservedNumbers: Set<number>
  readonly reservedNames: Set<string>
}

/** Where a type stands in the lock. */
export type Group = 'messages' | 'enums' | 'unions'

/** Types by name. */
export type Groups = Readonly<Record<Group, Map<string, Numbered>>>

export const groups: readonly Group[] = ['messages', 'enums', 'unions']

const memberKey = { messages: 'fields', enums: 'values', unions: 'variants' } as const

export const noun = { messages: 'field', enums: 'enum value', unions: 'variant' } as const

/** The numbers of a type, which is new when it is not there. */
export function numberedOf(types: Map<string, Numbered>, name: string): Numbered {
  let numbered = types.get(name)

  if (numbered === undefined) {
    numbered = { numbers: new Map(), reservedNumbers: new Set(), reservedNames: new Set() }
    types.set(name, numbered)
  }

  return numbered
}

export function openLock(lock: ContractLock | undefined): Groups {
  const open = (types: Readonly<Record<string, LockedMessage | LockedEnum | LockedUnion>>, key: string) =>
    new Map(
      Object.entries(types).map(([name, type]): [string, Numbered] => [
        name,
        {
          numbers: new Map(
            Object.entries((type as unknown as Record<string, Record<string, number>>)[key] ?? {}),
          ),
          reservedNumbers: new Set(type.reserved?.numbers),
          reservedNames: new Set(type.reserved?.names),
        },
      ]),
    )

  return {
    messages: open(lock?.messages ?? {}, memberKey.messages),
    enums: open(lock?.enums ?? {}, memberKey.enums),
    unions: open(lock?.unions ?? {}, memberKey.unions),
  }
}

export function closeLock(state: Groups): ContractLock {
  const close = (group: Group): Record<string, unknown> =>
    Object.fromEntries(
      [...state[group]]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, numbered]) => [
          name,
          {
            [memberKey[group]]: Object.fromEntries(
              [...numbered.numbers].toSorted(([, one], [, other]) => one - other),
            ),
            ...reservedPart(numbered),
          },
        ]),
    )

  return {
    messages: close('messages') as ContractLock['messages'],
    enums: close('enums') as ContractLock['enums'],
    unions: close('unions') as ContractLock['unions'],
  }
}

function reservedPart({ reservedNumbers, reservedNames }: Numbered): { readonly reserved?: Reserved } {
  if (reservedNumbers.size === 0 && reservedNames.size === 0) return {}

  return {
    reserved: {
      numbers: [...reservedNumbers].toSorted((one, other) => one - other),
      names: [...reservedNames].toSorted(),
    },
  }
}
