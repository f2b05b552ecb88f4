/** `trunkline export proto`: the files of contracts, into a folder or to stdout. */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ContractInfo } from '../index.ts'
import { type ProtoText, ProtoConflict, exportProto } from '../wires/index.ts'
import { failed, usage } from './failure.ts'
import { writeGiven } from './files.ts'

/** Writes the files below a folder, or the only one to stdout. Throws `Failure`. */
export function writeProto(contracts: readonly ContractInfo[], out: string | undefined): void {
  const files = protoOf(contracts)
  const own = files.filter(({ foreign }) => !foreign)

  if (out !== undefined && out !== '-') {
    for (const { path, text } of files) {
      const file = join(out, ...path.split('/'))
      try {
        mkdirSync(dirname(file), { recursive: true })
      } catch (error) {
        throw failed(`--out: the folder '${dirname(file)}' cannot be made: ${(error as Error).message}`)
      }
      writeGiven('--out', file, text, path)
      console.error(`wrote ${file}`)
    }
    return
  }

  const [only] = own
  if (only === undefined || own.length > 1) {
    throw usage(
      `these contracts are ${own.length} .proto files: ${own.map(({ path }) => path).join(', ')}`,
      'Name the folder to write them to: --out proto',
    )
  }
  process.stdout.write(only.text)
}

function protoOf(contracts: readonly ContractInfo[]): readonly ProtoText[] {
  try {
    return exportProto(contracts)
  } catch (error) {
    if (error instanceof ProtoConflict) throw failed(error.message)
    throw error
  }
}
