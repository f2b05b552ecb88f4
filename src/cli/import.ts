import { existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ContractError } from '../index.ts'
import { type ProtoImport, ProtoError, importProto } from '../wires/index.ts'
import { type Command, type Given, isOn, valueOf, valuesOf } from './command.ts'
import { failed, usage } from './failure.ts'
import { readGiven, writeGiven } from './files.ts'
import { protoPathOption, protoSources } from './proto-files.ts'
import { didYouMean } from '../contract/nearest.ts'

const formats = ['proto']
const lockName = 'trunkline.lock.json'

export const command: Command = {
  name: 'import',
  summary: 'Writes the contract of a foreign document: .proto (proto2, proto3, editions 2023 and 2024).',
  more: [
    'The contract is a TypeScript module that declares every service with zod, under its own names; the numbers go into ' +
      `${lockName} beside it. What a contract cannot say is listed on stderr, line by line. Run it again when the ` +
      'document changes: a module that was written by this command is replaced, others are not.',
  ],
  arguments: [
    { name: 'format', doc: formats.join(', ') },
    { name: 'file', doc: 'The document.' },
  ],
  options: {
    out: {
      short: 'o',
      value: 'dir',
      doc: 'Where to write the module and its lock.',
      default: 'the working directory',
    },
    'proto-path': protoPathOption,
    service: { value: 'name', doc: 'The service to import.', default: 'all of the file', multiple: true },
    force: { doc: 'Replaces a module that was written by hand.' },
  },
  examples: [
    {
      line: 'trunkline import proto orders.proto --out src/orders',
      doc: `Writes src/orders/orders.contract.ts and src/orders/${lockName}.`,
    },
    {
      line: 'trunkline import proto google/pubsub/v1/pubsub.proto -I googleapis --service Publisher',
      doc: 'One service of a file that imports others.',
    },
  ],
  run,
}

function run(given: Given): Promise<void> {
  const [format, file] = given.arguments as [string, string]
  if (!formats.includes(format)) {
    throw usage(
      `there is no format '${format}'.${didYouMean(format, formats)}`,
      `The formats are ${formats.join(', ')}.`,
    )
  }

  const out = valueOf(given, 'out') ?? '.'
  const target = join(out, `${basename(file).replace(/\.proto$/, '')}.contract.ts`)
  const lockFile = join(out, lockName)
  refuseForeign(target, isOn(given, 'force'))

  const { path, read } = protoSources(file, valuesOf(given, 'proto-path'))
  const made = importAs(path, {
    read,
    services: valuesOf(given, 'service'),
    lock: existsSync(lockFile) ? jsonOf(lockFile) : undefined,
  })

  try {
    mkdirSync(out, { recursive: true })
  } catch (error) {
    throw failed(`--out: the folder '${out}' cannot be made: ${(error as Error).message}`)
  }
  writeGiven('--out', target, made.module, basename(target))
  writeGiven('--out', lockFile, `${JSON.stringify(made.lock, undefined, 2)}\n`, lockName)

  for (const { file: from, path: absent } of made.missing)
    console.error(`${from}: the import ${absent} was not found, and not needed`)
  for (const note of made.notes)
    console.error(`${note.file}:${note.at.line}:${note.at.column}: ${note.about}: ${note.what}`)
  console.log(`wrote ${target} with ${made.services.join(', ')}`)
  console.log(`wrote ${lockFile}`)
  return Promise.resolve()
}

/** A module that somebody wrote is theirs. */
function refuseForeign(target: string, force: boolean): void {
  if (
    force ||
    !existsSync(target) ||
    readGiven('--out', target).toString().startsWith('// Written by `trunkline import proto`')
  )
    return
  throw failed(`${target} is there already, and was not written by this command`, 'Replace it: --force')
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readGiven('--out', file).toString())
  } catch (error) {
    if (error instanceof SyntaxError) throw failed(`${file} is no JSON: ${error.message}`)
    throw error
  }
}

function importAs(path: string, options: Parameters<typeof importProto>[1]): ProtoImport {
  try {
    return importProto(path, options)
  } catch (error) {
    if (error instanceof ProtoError || error instanceof ContractError) throw failed(error.message)
    throw error
  }
}
