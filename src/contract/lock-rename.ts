/** Renames in a lock: what was said to be the same under another name keeps its numbers. */
import { ContractError } from './contract-error.ts'
import type { Declared } from './lock-declared.ts'
import { nearest } from './nearest.ts'
import { type Group, type Groups, groups, noun, numberedOf } from './lock-state.ts'

/** Carries out one rename, of a type or of a member. Throws ContractError when it fits nothing. */
export function rename(state: Groups, declared: Declared, from: string, to: string, changes: string[]): void {
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

    if (members?.has(member) === true) {
      throw badRename(from, to, `${from} is still declared: give it its new name in the contract first`)
    }
    if (members?.has(target) !== true)
      throw badRename(
        from,
        to,
        `${type} declares no ${noun[group]} '${target}'${hint(target, members?.keys())}`,
      )
    if (numbered.numbers.has(target))
      throw badRename(
        from,
        to,
        `${type}.${target} has the number ${numbered.numbers.get(target)} of its own already; if it is the same as ` +
          `${from}, ${takeItBack}`,
      )

    const number = numbered.numbers.get(member) as number
    numbered.numbers.delete(member)
    numbered.reservedNames.delete(target)
    numbered.numbers.set(target, number)
    changes.push(`${type}.${member} is ${target} now, and keeps ${number}`)
    return
  }

  throw badRename(from, to, whatIsMissing(state, from))
}

function renameType(
  state: Groups,
  declared: Declared,
  group: Group,
  from: string,
  to: string,
  changes: string[],
): void {
  if (groups.some((any) => declared[any].has(from)))
    throw badRename(from, to, `${from} is still declared: give it its new name in the contract first`)
  if (!declared[group].has(to))
    throw badRename(from, to, `the contract declares no such type '${to}'${hint(to, declared[group].keys())}`)
  if (groups.some((any) => state[any].has(to)))
    throw badRename(from, to, `${to} is in the lock already; if it is the same as ${from}, ${takeItBack}`)

  state[group].set(to, numberedOf(state[group], from))
  state[group].delete(from)
  changes.push(`${from} is ${to} now, and keeps its numbers`)
}

const takeItBack = 'take the lock file of before both from version control, and run this again'

/** Why there is nothing in the lock to rename. */
function whatIsMissing(state: Groups, from: string): string {
  for (let dot = from.lastIndexOf('.'); dot > 0; dot = from.lastIndexOf('.', dot - 1)) {
    const type = from.slice(0, dot)
    const member = from.slice(dot + 1)
    const group = groups.find((candidate) => state[candidate].has(type))
    if (group === undefined) continue

    const { numbers, reservedNames } = numberedOf(state[group], type)
    return reservedNames.has(member)
      ? `${from} has gone already, without its number being kept; ${takeItBack}`
      : `the lock has no ${noun[group]} '${member}' in ${type}${hint(member, numbers.keys())}`
  }

  const types = groups.flatMap((group) => [...state[group].keys()])
  const type = from.includes('.') ? from.slice(0, from.lastIndexOf('.')) : from
  return `the lock has no type '${type}'${hint(type, types)}`
}

/** `; did you mean 'quantity'?`, or what there is. */
function hint(name: string, known: Iterable<string> = []): string {
  const names = [...known]
  const near = nearest(name, names)
  if (near !== undefined) return `; did you mean '${near}'?`
  return names.length === 0 ? '' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
}

function badRename(from: string, to: string, why: string): ContractError {
  return new ContractError('contract_lock', `lock: rename '${from}' to '${to}': ${why}`)
}
