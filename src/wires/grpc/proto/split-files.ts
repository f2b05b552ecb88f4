/**
 * Files in an order in which each stands behind those that it imports. Packages may need each other's types, files may not:
 * such packages are taken apart into a file for each type, or for each group of types that are recursive together. Pure.
 */
import { snakeCase } from '../../../schema/names.ts'
import { componentsOf } from './components.ts'
import type { EnumDescriptor, FileDescriptor, MessageDescriptor, ServiceDescriptor } from './descriptor.ts'
import { ProtoConflict } from './conflict.ts'
import { wellKnownPath } from './well-known.ts'

type Declared =
  | { readonly kind: 'messages'; readonly is: MessageDescriptor; readonly file: FileDescriptor }
  | { readonly kind: 'enums'; readonly is: EnumDescriptor; readonly file: FileDescriptor }
  | { readonly kind: 'services'; readonly is: ServiceDescriptor; readonly file: FileDescriptor }

/** Throws ProtoConflict when types of two packages are recursive together. */
export function filesInOrder(files: readonly FileDescriptor[]): readonly FileDescriptor[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const groups = componentsOf(byPath.keys(), (path) =>
    (byPath.get(path)?.imports ?? []).map((one) => one.path).filter((one) => byPath.has(one)),
  ).map((group) => group.map((path) => byPath.get(path) as FileDescriptor))

  if (groups.every((group) => group.length === 1)) return groups.flat()

  const split = groups.flatMap((group) => (group.length === 1 ? group : taken(group)))
  const pathOf = new Map(split.flatMap((file) => declaredIn(file).map(({ is }) => [is.name, file.path])))
  return split.map((file) => ({ ...file, imports: importsOf(file, pathOf) }))
}

function declaredIn(file: FileDescriptor): Declared[] {
  return [
    ...file.messages.map((is): Declared => ({ kind: 'messages', is, file })),
    ...file.enums.map((is): Declared => ({ kind: 'enums', is, file })),
    ...file.services.map((is): Declared => ({ kind: 'services', is, file })),
  ]
}

/** Full names of the types that a declaration uses. */
function usedBy(declared: Declared): string[] {
  if (declared.kind === 'enums') return []
  if (declared.kind === 'messages') return typesOf(declared.is)
  return declared.is.methods.flatMap(({ input, output }) => [input, output])
}

function typesOf({ fields, messages }: MessageDescriptor): string[] {
  const own = fields.flatMap(({ type }) => (type.kind === 'scalar' ? [] : [type.name]))
  return [...own, ...messages.flatMap(typesOf)]
}

/** The declaration of a file that a type is, or is nested in. */
function rootOf(name: string, isRoot: (name: string) => boolean): string | undefined {
  for (let outer = name; outer !== ''; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    if (isRoot(outer)) return outer
  }
  return undefined
}

/** Files of packages that need each other, taken apart. */
function taken(files: readonly FileDescriptor[]): FileDescriptor[] {
  const roots = new Map(files.flatMap(declaredIn).map((one) => [one.is.name, one]))
  const referencesOf = (name: string): string[] =>
    usedBy(roots.get(name) as Declared)
      .map((used) => rootOf(used, (one) => roots.has(one)))
      .filter((root) => root !== undefined)
  const used = new Set<string>()

  return componentsOf(roots.keys(), referencesOf).map((names) => {
    const members = names.map((name) => roots.get(name) as Declared)
    const [first] = members as [Declared]
    const { file } = first
    const other = members.find((one) => one.file !== file)
    if (other !== undefined) {
      throw new ProtoConflict(
        `${first.is.name} and ${other.is.name} are recursive together, and in two packages, which .proto files cannot be: ` +
          `give them ids in one package`,
      )
    }

    const ofKind = <K extends Declared['kind']>(kind: K) =>
      members.filter((one) => one.kind === kind).map((one) => one.is as Extract<Declared, { kind: K }>['is'])
    return {
      ...file,
      path: freePath(file.path, first, used),
      messages: ofKind('messages'),
      enums: ofKind('enums'),
      services: ofKind('services'),
    }
  })
}

/** A service keeps the path of its package; a type has one of its own beside it. */
function freePath(path: string, { kind, is }: Declared, used: Set<string>): string {
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const named = kind === 'services' && !used.has(path) ? path : `${folder}${snakeCase(is.local)}_types.proto`
  const free = used.has(named) ? named.replace('.proto', `${used.size}.proto`) : named
  used.add(free)
  return free
}

function importsOf(file: FileDescriptor, pathOf: ReadonlyMap<string, string>): FileDescriptor['imports'] {
  const paths = declaredIn(file)
    .flatMap(usedBy)
    .map((name) => wellKnownPath(name) ?? pathOf.get(rootOf(name, (one) => pathOf.has(one)) ?? ''))
    .filter((path) => path !== undefined && path !== file.path)
  const hasRules = file.services.some(({ methods }) => methods.some(({ http }) => http !== undefined))
  const all = new Set([...paths, ...(hasRules ? ['google/api/annotations.proto'] : [])])
  return [...all].toSorted().map((path) => ({ path: path as string, kind: 'plain' as const }))
}
