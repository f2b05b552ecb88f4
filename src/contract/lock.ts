/**
 * The lock: the protobuf numbers of fields, enum values and union variants, which never change.
 *
 * `trunkline.lock.json` holds those of one or several contracts. `trunkline lock` writes it (lock-update.ts); a contract
 * reads it: `contract(name, operations, { lock })`.
 *
 *     {
 *       "version": 1,
 *       "contracts": {
 *         "acme.orders.v1": {
 *           "messages": { "Order": { "fields": { "id": 1, "note": 3 }, "reserved": { "numbers": [2], "names": ["qty"] } } },
 *           "enums": { "Status": { "values": { "OPEN": 1, "PAID": 2 } } },
 *           "unions": { "Payment": { "variants": { "card": 1, "cash": 2 } } }
 *         }
 *       }
 *     }
 *
 * Types by their names in the contract's table, fields by their names in TypeScript, enum values by their names in
 * documents, variants by their tags. `reserved` holds what was used once: its numbers never come back.
 * Numbers: fields and variants 1 to 536,870,911 without 19,000 to 19,999, which protobuf keeps for itself; enum values
 * are signed 32-bit.
 */
import { ContractError } from './contract-error.ts'

/** The content of `trunkline.lock.json`. */
export interface Lock {
  readonly version: 1
  readonly contracts: Readonly<Record<string, ContractLock>>
}

export interface ContractLock {
  readonly messages: Readonly<Record<string, LockedMessage>>
  readonly enums: Readonly<Record<string, LockedEnum>>
  readonly unions: Readonly<Record<string, LockedUnion>>
}

export interface Reserved {
  readonly numbers: readonly number[]
  readonly names: readonly string[]
}

export interface LockedMessage {
  readonly fields: Readonly<Record<string, number>>
  readonly reserved?: Reserved
}

export interface LockedEnum {
  readonly values: Readonly<Record<string, number>>
  readonly reserved?: Reserved
}

export interface LockedUnion {
  readonly variants: Readonly<Record<string, number>>
  readonly reserved?: Reserved
}

/** protobuf's largest field number: 2^29 − 1. */
export const largestField = 536_870_911

/** Whether protobuf allows it as the number of a field. */
export function isFieldNumber(number: unknown): number is number {
  if (!Number.isInteger(number)) return false
  const value = number as number
  return value >= 1 && value <= largestField && !(value >= 19_000 && value <= 19_999)
}

function isEnumNumber(number: unknown): number is number {
  return typeof number === 'number' && (number | 0) === number
}

/** Checks the content of a lock file. Throws ContractError with the path of what is wrong. */
export function readLock(content: unknown): Lock {
  const lock = record(content, 'the lock')

  // A file that was only just made, so that it can be imported before the first `trunkline lock`.
  if (Object.keys(lock).length === 0) return { version: 1, contracts: {} }

  if (lock['version'] !== 1) {
    throw wrong(
      'version',
      `must be 1, is ${JSON.stringify(lock['version'])}; import trunkline.lock.json, or run 'trunkline lock'`,
    )
  }

  const contracts: Record<string, ContractLock> = {}

  for (const [name, part] of Object.entries(record(lock['contracts'] ?? {}, 'contracts'))) {
    contracts[name] = readContractLock(part, `contracts["${name}"]`)
  }

  return { version: 1, contracts }
}

function readContractLock(content: unknown, path: string): ContractLock {
  const lock = record(content, path)

  return {
    messages: readTypes(
      lock['messages'],
      `${path}.messages`,
      'fields',
      isFieldNumber,
    ) as ContractLock['messages'],
    enums: readTypes(lock['enums'], `${path}.enums`, 'values', isEnumNumber) as ContractLock['enums'],
    unions: readTypes(lock['unions'], `${path}.unions`, 'variants', isFieldNumber) as ContractLock['unions'],
  }
}

function readTypes(
  content: unknown,
  path: string,
  members: 'fields' | 'values' | 'variants',
  isNumber: (number: unknown) => boolean,
): Record<string, object> {
  const types: Record<string, object> = {}

  for (const [name, part] of Object.entries(record(content ?? {}, path))) {
    const type = record(part, `${path}.${name}`)
    const numbers = record(type[members] ?? {}, `${path}.${name}.${members}`)
    const reserved = readReserved(type['reserved'], `${path}.${name}.reserved`)
    const taken = new Map<unknown, string>(reserved?.numbers.map((number) => [number, 'reserved']))

    for (const [member, number] of Object.entries(numbers)) {
      const here = `${path}.${name}.${members}.${member}`
      const before = taken.get(number)

      if (!isNumber(number))
        throw wrong(here, `${JSON.stringify(number)} is no number that protobuf allows there`)
      if (before !== undefined)
        throw wrong(
          here,
          `the number ${String(number)} is ${before === 'reserved' ? before : `that of '${before}'`} already`,
        )

      taken.set(number, member)
    }

    types[name] = { [members]: numbers, ...(reserved === undefined ? {} : { reserved }) }
  }

  return types
}

function readReserved(content: unknown, path: string): Reserved | undefined {
  if (content === undefined) return undefined

  const { numbers = [], names = [] } = record(content, path)

  if (!Array.isArray(numbers) || !numbers.every(isEnumNumber))
    throw wrong(`${path}.numbers`, 'must be a list of integers')
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw wrong(`${path}.names`, 'must be a list of strings')

  return { numbers, names }
}

function record(content: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
    return content as Readonly<Record<string, unknown>>
  }

  throw wrong(
    path,
    "must be an object; import trunkline.lock.json with { type: 'json' }, or run 'trunkline lock'",
  )
}

function wrong(path: string, message: string): ContractError {
  return new ContractError('contract_lock', `lock: ${path}: ${message}`)
}
