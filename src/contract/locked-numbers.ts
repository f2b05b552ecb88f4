/** The numbers that a lock (lock.ts) gives to a contract while it is declared. */
import type { Numbers } from '../schema/numbers.ts'
import { ContractError } from './contract-error.ts'
import { largestField, readLock } from './lock.ts'

/**
 * Whether `trunkline lock` is loading contracts: it must be able to load those whose lock is out of date, which
 * `contract()` otherwise refuses.
 */
export function isLocking(): boolean {
  return process.env['TRUNKLINE_LOCK'] === 'update'
}

/** The numbers that a lock gives to one contract, and the check that it had all of them. */
export interface LockedNumbers {
  readonly numbers: Numbers
  /** Throws ContractError when the contract has declared what is not in its lock. */
  finish(): void
}

const shownAtMost = 8

/** Reads the numbers of one contract. Throws ContractError when the lock is none, or does not hold the contract. */
export function lockedNumbers(content: unknown, contract: string): LockedNumbers {
  const lock = readLock(content).contracts[contract]

  if (lock === undefined) {
    throw new ContractError(
      'contract_lock',
      `contract '${contract}' is not in its lock: run 'trunkline lock'`,
    )
  }

  const { messages, enums, unions } = lock
  const missing = new Map<string, number>()

  /** A number that no lock has, so that reading goes on and all that is missing is told at once. */
  function missed(what: string): number {
    const before = missing.get(what)
    if (before !== undefined) return before

    const placeholder = largestField + 1 + missing.size
    missing.set(what, placeholder)
    return placeholder
  }

  return {
    numbers: {
      field: (type, field) => own(own(messages, type)?.fields, field) ?? missed(`${type}.${field}`),
      enumValue: (type, name) => own(own(enums, type)?.values, name) ?? missed(`${type}.${name}`),
      variant: (type, tag) => own(own(unions, type)?.variants, tag) ?? missed(`${type}.${tag}`),
      reserved: (type) => (own(messages, type) ?? own(unions, type) ?? own(enums, type))?.reserved,
    },

    finish() {
      if (missing.size === 0) return

      const names = [...missing.keys()]
      const more = names.length > shownAtMost ? ` and ${names.length - shownAtMost} more` : ''

      throw new ContractError(
        'contract_lock',
        `contract '${contract}': the lock has no number for ${names.slice(0, shownAtMost).join(', ')}${more}: run 'trunkline lock' and commit the file` +
          ` (if a field was renamed, run 'trunkline lock --rename Type.old=new', so that it keeps its number)`,
      )
    },
  }
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}
