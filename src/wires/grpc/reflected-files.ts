import type { ContractInfo } from '../../contract/operation.ts'
import { errorDetailFiles } from './error-details-file.ts'
import { type ReflectedFile, reflectedFiles } from './proto/index.ts'

/** Files by their paths and by what they declare; made when somebody asks for the first time. */
export class ReflectedFiles {
  readonly #byPath: ReadonlyMap<string, ReflectedFile>
  readonly #bySymbol: ReadonlyMap<string, ReflectedFile>

  /** Throws ProtoConflict when the contracts have no form in one set of files. */
  constructor(contracts: readonly ContractInfo[]) {
    const files = reflectedFiles(contracts)
    const described = new Set(files.flatMap(({ path, symbols }) => [path, ...symbols]))
    // What the contracts have of google.rpc themselves is theirs.
    const more = errorDetailFiles().filter(
      ({ path, symbols }) => ![path, ...symbols].some((each) => described.has(each)),
    )
    const all = [...files, ...more]
    this.#byPath = new Map(all.map((file) => [file.path, file]))
    this.#bySymbol = new Map(all.flatMap((file) => file.symbols.map((symbol) => [symbol, file])))
  }

  byPath(path: string): ReflectedFile | undefined {
    return this.#byPath.get(path)
  }

  bySymbol(symbol: string): ReflectedFile | undefined {
    return this.#bySymbol.get(symbol.startsWith('.') ? symbol.slice(1) : symbol)
  }

  /** A file and all that it imports, apart from those in `sent`, where they are noted. */
  withImports(file: ReflectedFile, sent: Set<string>): Uint8Array[] {
    const bytes = [file.bytes]
    sent.add(file.path)
    for (const path of file.imports) {
      const imported = sent.has(path) ? undefined : this.#byPath.get(path)
      if (imported !== undefined) bytes.push(...this.withImports(imported, sent))
    }
    return bytes
  }
}
