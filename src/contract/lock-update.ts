/**
 * `trunkline lock`: the lock of a contract as it is declared now, from the lock as it was (format: lock.ts).
 *
 * Numbers that are held are kept. What is new gets the next number above all that were ever used. What is gone becomes
 * reserved, whole types too. What comes back under a reserved name gets a new number. Pure: reads and writes no file.
 */
import type { EnumType, ObjectType, UnionType } from '../schema/type.ts'
import { ContractError } from './contract-error.ts'
import {
  type ContractLock,
  type Lock,
  type LockedEnum,
  type LockedMessage,
  type LockedUnion,
  type Reserved,
  largestField,
  readLock,
} from './lock.ts'
import type { ContractInfo } from './operation.ts'

/** What `updateLock` gives. */
export interface LockUpdate {
  readonly lock: Lock
  /** One sentence a change, for people; empty when the lock was up to date. */
  readonly changes: readonly string[]
}

/** What `updateLock` takes. */
export interface LockOptions {
  /** Old name → new name: `{ 'Order.qty': 'quantity', 'Filter': 'OrderQuery' }` (fields, enum values, variants; types). */
  readonly renames?: Readonly<Record<string, string>>
}

/** The numbers of one type while they are updated; the three kinds are alike. */
interface Numbered {
  readonly numbers: Map<string, number>
  readonly reservedNumbers: Set<number>
  readonly reservedNames: Set<string>
}

type Group = 'messages' | 'enums' | 'unions'

type Groups = Readonly<Record<Group, Map<string, Numbered>>>

const groups: readonly Group[] = ['messages', 'enums', 'unions']

const memberKey = { messages: 'fields', enums: 'values', unions: 'variants' } as const

const noun = { messages: 'field', enums: 'enum value', unions: 'variant' } as const

/**
 * The new lock of a contract.
 *
 * @param info the contract as declared; load it with `TRUNKLINE_LOCK=update` in the environment when its lock may be out
 *   of date, since `contract()` refuses that otherwise
 * @param previous the content of the lock file, or `undefined` when there is none yet; other contracts in it are kept
 * @throws ContractError when the lock is none, a rename fits nothing, or a number would have to change
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, updateLock } from 'trunkline'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const Bills = contract('acme.bills.v1', { pay: call({ input: z.object({ total: z.int32() }) }) })
 * const { lock, changes } = updateLock(contractInfo(Bills), undefined)
 * assert.deepEqual(changes, ['PayRequest.total is new: field 1'])
 * assert.deepEqual(lock.contracts['acme.bills.v1']?.messages, { PayRequest: { fields: { total: 1 } } })
 * ```
 */
export function updateLock(info: ContractInfo, previous: unknown, options: LockOptions = {}): LockUpdate {
  const before: Lock = previous === undefined ? { version: 1, contracts: {} } : readLock(previous)
  const old = Object.hasOwn(before.contracts, info.name) ? before.contracts[info.name] : undefined
  const state = openLock(old)
  const changes: string[] = []
  const declared = declaredOf(info)

  for (const [from, to] of Object.entries(options.renames ?? {})) rename(state, declared, from, to, changes)

  for (const group of groups) {
    for (const [type, members] of declared[group]) addMembers(info, state, group, type, members, changes)
  }

  for (const group of groups) {
    for (const [type, numbered] of state[group]) {
      const members = declared[group].get(type)

      for (const [name, number] of numbered.numbers) {
        if (members?.has(name) === true) continue

        numbered.numbers.delete(name)
        numbered.reservedNumbers.add(number)
        numbered.reservedNames.add(name)
        changes.push(`${type}.${name} is gone: ${number} stays reserved`)
      }
    }
  }

  return {
    lock: { version: 1, contracts: { ...before.contracts, [info.name]: closeLock(state) } },
    changes,
  }
}

/** Names of members by type; the value is the number that the declaration itself demands, if it does. */
type Declared = Readonly<Record<Group, Map<string, Map<string, number | undefined>>>>

function declaredOf(info: ContractInfo): Declared {
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

function addMembers(
  info: ContractInfo,
  state: Groups,
  group: Group,
  type: string,
  members: ReadonlyMap<string, number | undefined>,
  changes: string[],
): void {
  const numbered = numberedOf(state[group], type)

  for (const [name, demanded] of members) {
    const held = numbered.numbers.get(name)

    if (held !== undefined) {
      if (demanded !== undefined && demanded !== held) {
        throw new ContractError(
          'contract_lock',
          `contract '${info.name}': ${type}.${name} has the number ${held} in the lock, but ${demanded} is declared: numbers never change, ` +
            `since peers and stored messages know them; give the new meaning another name`,
        )
      }

      continue
    }

    const number = demanded ?? nextNumber(state, group, type)

    if (numbered.reservedNumbers.has(number) || [...numbered.numbers.values()].includes(number)) {
      throw new ContractError(
        'contract_lock',
        `contract '${info.name}': ${type}.${name} is declared with the number ${number}, which was used before: choose another, ` +
          `or run 'trunkline lock --rename ${type}.old=${name}' if it is the same under a new name`,
      )
    }

    const returned = numbered.reservedNames.delete(name)
    numbered.numbers.set(name, number)
    changes.push(
      returned
        ? `${type}.${name} is back, with the new number ${number}`
        : `${type}.${name} is new: ${noun[group]} ${number}`,
    )
  }
}

/** Above all that a type of this name ever used, as a message or as a union: both are messages in protobuf. */
function nextNumber(state: Groups, group: Group, type: string): number {
  const alike = group === 'enums' ? [state.enums] : [state.messages, state.unions]
  let largest = 0

  for (const types of alike) {
    const numbered = types.get(type)
    if (numbered === undefined) continue
    for (const number of numbered.numbers.values()) largest = Math.max(largest, number)
    for (const number of numbered.reservedNumbers) largest = Math.max(largest, number)
  }

  const next = largest + 1
  const free = group !== 'enums' && next >= 19_000 && next <= 19_999 ? 20_000 : next
  const last = group === 'enums' ? 2_147_483_647 : largestField

  if (free > last) {
    throw new ContractError(
      'contract_lock',
      `lock: ${type} has used the last number that protobuf allows, ${last}; begin a new type`,
    )
  }

  return free
}

function rename(state: Groups, declared: Declared, from: string, to: string, changes: string[]): void {
  const asType = groups.find((group) => state[group].has(from))
  if (asType !== undefined) return renameType(state, declared, asType, from, to, changes)

  // Types may have dots in their names: the member is what comes after one of them.
  for (let dot = from.lastIndexOf('.'); dot > 0; dot = from.lastIndexOf('.', dot - 1)) {
    const type = from.slice(0, dot)
    const member = from.slice(dot + 1)
    const group = groups.find((candidate) => state[candidate].get(type)?.numbers.has(member) === true)
    if (group === undefined) continue

    const target = to.startsWith(`${type}.`) ? to.slice(type.length + 1) : to
    const numbered = numberedOf(state[group], type)
    const members = declared[group].get(type)

    if (members?.has(member) === true) throw badRename(from, to, `${from} is still declared`)
    if (members?.has(target) !== true)
      throw badRename(from, to, `${type} declares no ${noun[group]} '${target}'`)
    if (numbered.numbers.has(target))
      throw badRename(from, to, `${type}.${target} has a number of its own already`)

    const number = numbered.numbers.get(member) as number
    numbered.numbers.delete(member)
    numbered.reservedNames.delete(target)
    numbered.numbers.set(target, number)
    changes.push(`${type}.${member} is ${target} now, and keeps ${number}`)
    return
  }

  throw badRename(from, to, `the lock has no '${from}'`)
}

function renameType(
  state: Groups,
  declared: Declared,
  group: Group,
  from: string,
  to: string,
  changes: string[],
): void {
  if (groups.some((any) => declared[any].has(from))) throw badRename(from, to, `${from} is still declared`)
  if (!declared[group].has(to)) throw badRename(from, to, `the contract declares no such type '${to}'`)
  if (groups.some((any) => state[any].has(to))) throw badRename(from, to, `${to} is in the lock already`)

  state[group].set(to, numberedOf(state[group], from))
  state[group].delete(from)
  changes.push(`${from} is ${to} now, and keeps its numbers`)
}

function badRename(from: string, to: string, why: string): ContractError {
  return new ContractError('contract_lock', `lock: rename '${from}' to '${to}': ${why}`)
}

function numberedOf(types: Map<string, Numbered>, name: string): Numbered {
  let numbered = types.get(name)

  if (numbered === undefined) {
    numbered = { numbers: new Map(), reservedNumbers: new Set(), reservedNames: new Set() }
    types.set(name, numbered)
  }

  return numbered
}

function openLock(lock: ContractLock | undefined): Groups {
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

function closeLock(state: Groups): ContractLock {
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
