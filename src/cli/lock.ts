import { existsSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { didYouMean } from '../contract/nearest.ts'
import { ContractError, type ContractInfo, updateLock } from '../index.ts'
import { type Command, type Given, isOn, valueOf, valuesOf } from './command.ts'
import { contractsOf } from './exported.ts'
import { exitCode, failed, usage } from './failure.ts'
import { readGiven, writeGiven } from './files.ts'
import { findModule, loadModule } from './load-module.ts'

const usualName = 'trunkline.lock.json'

export const command: Command = {
  name: 'lock',
  summary: 'Writes the protobuf numbers of fields, enum values and variants into trunkline.lock.json.',
  more: [
    'The file lies beside the module and belongs into version control. Numbers in it never change: what is new gets the ' +
      'next number, what is gone stays reserved. The contract reads it: ' +
      "import lock from './trunkline.lock.json' with { type: 'json' }, then contract(name, operations, { lock }).",
  ],
  arguments: [{ name: 'module', doc: 'A module that exports contracts.' }],
  options: {
    check: { doc: 'Writes nothing; exit code 1 when the file is not up to date.' },
    rename: {
      value: 'Type.old=new',
      multiple: true,
      doc: 'What was renamed keeps its number: a field, enum value or variant; Old=New for a type.',
    },
    file: { value: 'path', doc: 'The lock file.', default: `${usualName} beside the module` },
  },
  examples: [
    { line: 'trunkline lock contract.ts', doc: 'After every change of the contract.' },
    { line: 'trunkline lock contract.ts --rename Order.qty=quantity', doc: 'A field has a new name.' },
    { line: 'trunkline lock contract.ts --check', doc: 'In continuous integration.' },
  ],
  run,
}

async function run(given: Given): Promise<number> {
  const reference = given.arguments[0] as string
  const check = isOn(given, 'check')
  const renames = renamesOf(given)
  const file = valueOf(given, 'file') ?? join(dirname(findModule(reference)), usualName)
  const shown = relative(process.cwd(), file) || file
  const isNew = !existsSync(file)

  if (isNew && check) throw failed(`${shown} does not exist`, `Write it: trunkline lock ${reference}`)

  const what = valueOf(given, 'file') === undefined ? 'the lock' : '--file'
  const write = (text: string) => writeGiven(what, file, text, usualName)
  const before = isNew ? '' : readGiven(what, file).toString('utf8')
  const contracts = await loadUnlocked(reference, isNew ? { file, write } : undefined)
  const { text, changes } = update(contracts, before, shown, renames)

  for (const change of changes) console.log(change)
  if (text === before) {
    console.log(`${shown} is up to date`)
    return exitCode.done
  }
  if (check) throw failed(`${shown} is not up to date`, `Bring it up to date: trunkline lock ${reference}`)

  write(text)
  console.log(`wrote ${shown}`)
  if (isNew) {
    console.error(
      `Commit it, and pass it to the contract:\n  import lock from './${usualName}' with { type: 'json' }\n  contract(name, operations, { lock })`,
    )
  }
  return exitCode.done
}

/**
 * Loads contracts whose lock may be out of date, or not there yet although the module imports it: `contract()` reads no
 * lock while TRUNKLINE_LOCK says so, and an empty file stands in for the missing one.
 */
async function loadUnlocked(
  reference: string,
  missing: { readonly file: string; readonly write: (text: string) => void } | undefined,
): Promise<readonly ContractInfo[]> {
  const before = process.env['TRUNKLINE_LOCK']
  process.env['TRUNKLINE_LOCK'] = 'update'
  missing?.write('{}\n')

  try {
    return contractsOf(await loadModule(reference))
  } finally {
    if (missing !== undefined) rmSync(missing.file)
    if (before === undefined) delete process.env['TRUNKLINE_LOCK']
    else process.env['TRUNKLINE_LOCK'] = before
  }
}

function update(
  contracts: readonly ContractInfo[],
  before: string,
  shown: string,
  renames: Readonly<Record<string, string>>,
): { readonly text: string; readonly changes: readonly string[] } {
  const content = parse(before, shown)
  const isEmpty = typeof content === 'object' && content !== null && Object.keys(content).length === 0
  let lock: unknown = isEmpty ? undefined : content
  const changes: string[] = []
  refuseStrangers(contracts, renames)

  for (const info of contracts) {
    const updated = updateOne(info, lock, renamesFor(info, contracts, renames))
    lock = updated.lock
    changes.push(
      ...updated.changes.map((change) => (contracts.length > 1 ? `${info.name}: ${change}` : change)),
    )
  }

  return { text: `${JSON.stringify(lock, undefined, 2)}\n`, changes }
}

function updateOne(info: ContractInfo, lock: unknown, renames: Readonly<Record<string, string>>) {
  try {
    return updateLock(info, lock, { renames })
  } catch (error) {
    if (!(error instanceof ContractError)) throw error
    throw failed(error.message.replace(/^lock: rename '(.*?)' to '(.*?)': /, '--rename $1=$2: '))
  }
}

/** With several contracts in a module, a rename that is for none of them would be without effect. */
function refuseStrangers(
  contracts: readonly ContractInfo[],
  renames: Readonly<Record<string, string>>,
): void {
  for (const [from, to] of Object.entries(renames)) {
    const isFor = (info: ContractInfo) => Object.keys(renamesFor(info, contracts, { [from]: to })).length > 0
    if (contracts.some(isFor)) continue

    const type = from.includes('.') ? from.slice(0, from.lastIndexOf('.')) : to
    const types = contracts.flatMap((info) => Object.keys(info.types))
    throw usage(
      `--rename ${from}=${to}: no contract of the module declares a type '${type}'.${didYouMean(type, types)}`,
    )
  }
}

/** With several contracts in a module, a rename is for those that declare its type. */
function renamesFor(
  info: ContractInfo,
  contracts: readonly ContractInfo[],
  renames: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (contracts.length === 1) return renames
  return Object.fromEntries(
    Object.entries(renames).filter(([from, to]) => {
      const type = from.includes('.') ? from.slice(0, from.lastIndexOf('.')) : to
      return Object.hasOwn(info.types, type)
    }),
  )
}

function parse(text: string, shown: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw failed(
      `${shown} is not JSON: ${(error as Error).message}`,
      'Take the last good version of it from version control: the numbers in it must not be lost.',
    )
  }
}

function renamesOf(given: Given): Readonly<Record<string, string>> {
  const renames: Record<string, string> = {}

  for (const text of valuesOf(given, 'rename')) {
    const [from = '', to = '', ...rest] = text.split('=').map((part) => part.trim())
    if (from === '' || to === '' || rest.length > 0) {
      throw usage(`--rename: expected Type.old=new, such as Order.qty=quantity, got '${text}'`)
    }
    renames[from] = to
  }

  return renames
}
