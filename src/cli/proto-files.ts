/** .proto files that a command line names, and where their imports are. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { ContractError, type ContractInfo } from '../index.ts'
import { ProtoError, contractsFromProto } from '../wires/index.ts'
import type { Option } from './command.ts'
import { failed, usage } from './failure.ts'
import { readGiven } from './files.ts'

/** Where imports are looked for: the same wherever a command takes a .proto file. */
export const protoPathOption: Option = {
  short: 'I',
  value: 'dir',
  doc: 'Where imports are looked for.',
  default: "the file's package root, its folder and the working directory",
  multiple: true,
}

/** The contracts of all services of a file. Throws `Failure`. */
export function contractsOfProto(file: string, folders: readonly string[]): readonly ContractInfo[] {
  const { path, read } = protoSources(file, folders, '--proto')
  try {
    return contractsFromProto(path, read)
  } catch (error) {
    if (error instanceof ProtoError || error instanceof ContractError) throw failed(error.message)
    throw error
  }
}

/** The file by the path under which others import it, and a reader of those that it imports. Throws `Failure`. */
export function protoSources(
  file: string,
  given: readonly string[],
  what = 'file',
): { path: string; read: (path: string) => string | undefined } {
  const text = readGiven(what, file).toString()
  for (const folder of given) {
    if (!existsSync(folder) || !statSync(folder).isDirectory())
      throw usage(`--proto-path: there is no folder '${folder}'`)
  }

  const whole = resolve(file)
  const guessed = given.length > 0 ? [] : [packageRoot(whole, text), dirname(whole), process.cwd()]
  const roots = [...given.map((folder) => resolve(folder)), ...guessed]
  const root = roots.find((one) => isBelow(whole, one)) ?? dirname(whole)
  const path = relative(root, whole).split(sep).join('/')

  return {
    path,
    read(wanted) {
      if (wanted === path) return text
      const found = roots.map((one) => join(one, ...wanted.split('/'))).find((one) => existsSync(one))
      return found === undefined ? undefined : readFileSync(found, 'utf8')
    },
  }
}

function isBelow(file: string, folder: string): boolean {
  const path = relative(folder, file)
  return !path.startsWith('..') && !isAbsolute(path)
}

/** `protos` of `protos/acme/orders/v1/orders.proto`, whose package is acme.orders.v1. */
function packageRoot(file: string, text: string): string {
  const name = /^\s*package\s+([\w.]+)\s*;/m.exec(text)?.[1] ?? ''
  const folder = dirname(file)
  const suffix = `${sep}${name.split('.').join(sep)}`
  return name !== '' && folder.endsWith(suffix) ? folder.slice(0, -suffix.length) : folder
}
