/** What a module exports that commands can use. */
import {
  type ContractInfo,
  type Implementation,
  contractInfo,
  isContract,
  isImplementation,
} from '../index.ts'
import { type Failure, failed } from './failure.ts'
import type { LoadedModule } from './load-module.ts'

/** Every implementation a module exports, each once. Throws `Failure` when there is none. */
export function implementationsOf(module: LoadedModule): readonly Implementation[] {
  const found = [...new Set(Object.values(module.exports).filter(isImplementation))]
  if (found.length > 0) return found
  throw nothingToServe(module)
}

/** Every contract that a module exports, itself or with an implementation, each name once. Throws `Failure` when there is none. */
export function contractsOf(module: LoadedModule): readonly ContractInfo[] {
  const byName = new Map<string, ContractInfo>()

  for (const value of Object.values(module.exports)) {
    const info = isImplementation(value) ? value.info : isContract(value) ? contractInfo(value) : undefined
    if (info === undefined) continue

    const other = byName.get(info.name)
    if (other !== undefined && other !== info) {
      throw failed(`${module.shown} exports two contracts that are both named '${info.name}'`)
    }
    byName.set(info.name, info)
  }

  if (byName.size > 0) return [...byName.values()]
  throw failed(
    `${module.shown} exports no contract${namesOf(module)}`,
    "Export what contract() returned: export const Orders = contract('acme.orders.v1', { … })",
  )
}

function nothingToServe(module: LoadedModule): Failure {
  const values = Object.values(module.exports)
  const what = `${module.shown} exports nothing to serve${namesOf(module)}`

  if (values.some(isImplementationElsewhere)) {
    return failed(
      `${module.shown} was made with another copy of trunkline than this command`,
      'Run the one that the project has installed: npx trunkline serve …',
    )
  }

  const contract = values.find(isContract)
  if (contract !== undefined) {
    return failed(
      `${what}: ${contractInfo(contract).name} is a contract, and nobody answers its calls`,
      'Export what implement() returned: export default implement(Orders, { … })',
    )
  }

  return failed(what, 'Export what implement() returned: export default implement(Orders, { … })')
}

/** How many exports an error names. */
const shownAtMost = 12

function namesOf({ exports }: LoadedModule): string {
  const names = Object.keys(exports)
  if (names.length === 0) return ', it exports nothing at all'

  const more = names.length > shownAtMost ? `, and ${names.length - shownAtMost} more` : ''
  return ` (its exports: ${names.slice(0, shownAtMost).join(', ')}${more})`
}

function isImplementationElsewhere(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.getOwnPropertySymbols(value).some(({ description }) => description === 'trunkline.handlers')
}
