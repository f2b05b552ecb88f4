/**
 * Looks names up as protobuf does: from the innermost scope outwards, the first part of a name decides where.
 *
 *   https://protobuf.dev/programming-guides/proto3/#name-resolution
 */
import type { FileNode, MessageNode } from './ast.ts'
import { ProtoError, type Position } from './error.ts'

export type SymbolKind = 'message' | 'enum' | 'service' | 'value' | 'package'

interface Declared {
  readonly kind: SymbolKind
  readonly file: string
}

/** All names of all files that were read, by full name; files that do not see each other may declare the same. */
export interface Symbols {
  declare(file: FileNode): void
  /** The full name and kind of a type that a file sees. Throws ProtoError. */
  resolve(wanted: Wanted): { readonly name: string; readonly kind: 'message' | 'enum' }
}

export interface Wanted {
  readonly file: string
  readonly visible: ReadonlySet<string>
  /** Imports that could not be read. */
  readonly missing: readonly string[]
  /** `acme.orders.v1.Order` */
  readonly scope: string
  readonly name: string
  readonly at: Position
}

export function createSymbols(): Symbols {
  const symbols = new Map<string, Declared[]>()

  function add(name: string, kind: SymbolKind, file: string): void {
    const before = symbols.get(name)
    if (before === undefined) symbols.set(name, [{ kind, file }])
    else before.push({ kind, file })
  }

  function addMessage(message: MessageNode, scope: string, file: string): void {
    const name = `${scope}${message.name}`
    add(name, 'message', file)
    for (const nested of message.messages) addMessage(nested, `${name}.`, file)
    for (const nested of message.enums) add(`${name}.${nested.name}`, 'enum', file)
  }

  function find(name: string, { visible }: Wanted): Declared | undefined {
    return symbols.get(name)?.find(({ file }) => visible.has(file))
  }

  return {
    declare(file) {
      const parts = file.package === '' ? [] : file.package.split('.')
      for (const index of parts.keys()) add(parts.slice(0, index + 1).join('.'), 'package', file.path)

      const scope = file.package === '' ? '' : `${file.package}.`
      for (const message of file.messages) addMessage(message, scope, file.path)
      for (const one of file.enums) add(`${scope}${one.name}`, 'enum', file.path)
      for (const service of file.services) add(`${scope}${service.name}`, 'service', file.path)
    },

    resolve(wanted) {
      const { name } = wanted
      if (name.startsWith('.')) return asType(name.slice(1), find(name.slice(1), wanted), wanted)

      const [first = '', ...rest] = name.split('.')
      for (let scope = wanted.scope; ; scope = scope.slice(0, Math.max(0, scope.lastIndexOf('.')))) {
        const candidate = scope === '' ? first : `${scope}.${first}`
        const found = find(candidate, wanted)
        const isType = found?.kind === 'message' || found?.kind === 'enum'

        if (rest.length === 0 && isType) return asType(candidate, found, wanted)
        if (rest.length > 0 && (found?.kind === 'message' || found?.kind === 'package')) {
          const whole = scope === '' ? name : `${scope}.${name}`
          const inner = find(whole, wanted)
          // Packages are open: another file may have more of one, further out.
          if (inner !== undefined || found.kind === 'message') return asType(whole, inner, wanted)
        }
        if (scope === '') return asType(name, undefined, wanted)
      }
    },
  }

  function asType(
    name: string,
    found: Declared | undefined,
    wanted: Wanted,
  ): { name: string; kind: 'message' | 'enum' } {
    if (found?.kind === 'message' || found?.kind === 'enum') return { name, kind: found.kind }

    const { file, at } = wanted
    if (found !== undefined) throw new ProtoError(file, at, `${name} is a ${found.kind}, and no type`)

    const elsewhere = symbols.get(name)?.[0] ?? similar(wanted)
    if (elsewhere !== undefined && elsewhere.file !== file)
      throw new ProtoError(
        file,
        at,
        `there is no type ${wanted.name}`,
        `import ${JSON.stringify(elsewhere.file)}`,
      )

    const missing = wanted.missing.map((path) => JSON.stringify(path)).join(', ')
    throw new ProtoError(
      file,
      at,
      `there is no type ${wanted.name}`,
      missing === ''
        ? 'declare it, or import the file that does'
        : `it may be in ${missing}, which could not be found: name its folder with -I`,
    )
  }

  /** Of the same package, in a file that is not imported. */
  function similar({ scope, name }: Wanted): Declared | undefined {
    for (let around = scope; around !== ''; around = around.slice(0, Math.max(0, around.lastIndexOf('.')))) {
      const found = symbols.get(`${around}.${name}`)?.[0]
      if (found !== undefined) return found
    }
    return undefined
  }
}
