/** Every service of a folder of .proto files: imported, exported, read again, and compared. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceDescriptor } from '../../src/wires/grpc/proto/descriptor.ts'
import { contractsToFiles } from '../../src/wires/grpc/proto/from-contract.ts'
import {
  type Declarations,
  type ProtoLoader,
  createLoader,
  declarationsOf,
} from '../../src/wires/grpc/proto/load.ts'
import { knownNames, printProto } from '../../src/wires/grpc/proto/print.ts'
import { type ImportedService, serviceToContract } from '../../src/wires/grpc/proto/to-contract.ts'
import { type Difference, wireDifferences } from './compare.ts'

export interface Corpus {
  readonly loader: ProtoLoader
  readonly read: (path: string) => string | undefined
  /** The files with services. */
  readonly paths: readonly string[]
  /** All files. */
  readonly all: readonly string[]
}

/** The files of a folder, read when they are needed. */
export function corpusOf(folder: string): Corpus {
  const all = globSync('**/*.proto', { cwd: folder, exclude: ['node_modules/**'] }).toSorted()
  const read = (path: string): string | undefined => {
    const file = join(folder, path)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  const paths = all.filter((path) => /^service\s/m.test(read(path) ?? ''))
  return { loader: createLoader(read), read, paths, all }
}

/** The services of one file, with all that they refer to. */
export function servicesOf(
  { loader }: Pick<Corpus, 'loader'>,
  path: string,
): { declarations: Declarations; services: readonly ServiceDescriptor[] } {
  const { files } = loader.load([path])
  return { declarations: declarationsOf(files.values()), services: files.get(path)?.services ?? [] }
}

export interface RoundTrip {
  readonly differences: readonly Difference[]
  /** Whether the second import of what was exported is the same contract. */
  readonly sameDigest: boolean
}

/** From a service's contract to .proto, and back. */
export function roundTrip(
  declarations: Declarations,
  service: ServiceDescriptor,
  imported: ImportedService,
): RoundTrip {
  const files = contractsToFiles([imported.info])
  const known = knownNames(files)
  const texts = new Map(files.map((file) => [file.path, printProto(file, known)]))

  const reread = createLoader((path) => texts.get(path)).load([...texts.keys()])
  const again = declarationsOf(reread.files.values())
  const after = again.services.get(service.name)
  if (after === undefined) throw new Error(`${service.name} is not in what was exported`)

  return {
    differences: wireDifferences({ service, declarations }, { service: after, declarations: again }),
    sameDigest: serviceToContract(again, after).info.digest === imported.info.digest,
  }
}
