/**
 * `trunkline lock`: the lock of a contract as it is declared now, from the lock as it was (format: lock.ts).
 *
 * Numbers that are held are kept. What is new gets the next number above all that were ever used. What is gone becomes
 * reserved, whole types too. What comes back under a reserved name gets a new number. Pure: reads and writes no file.
 */
import { ContractError } from './contract-error.ts'
import { type Lock, largestField, readLock } from './lock.ts'
import { declaredOf } from './lock-declared.ts'
import { rename } from './lock-rename.ts'
import { type Group, type Groups, closeLock, groups, noun, numberedOf, openLock } from './lock-state.ts'
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
