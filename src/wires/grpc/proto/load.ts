/**
 * Reads .proto files with all that they import, each once. Where files come from is passed in.
 */
import type { FileNode } from './ast.ts'
import type { EnumDescriptor, FileDescriptor, MessageDescriptor, ServiceDescriptor } from './descriptor.ts'
import { ProtoError } from './error.ts'
import { linkFile } from './link.ts'
import { createSymbols } from './names.ts'
import { parseProtoFile } from './parse.ts'
import { wellKnownFile } from './well-known.ts'

/** Descriptors of files and of all that they import. */
export interface ProtoSet {
  readonly files: ReadonlyMap<string, FileDescriptor>
  /** Imports that were not found and not needed either, such as those of options: `file → path`. */
  readonly missing: readonly { readonly file: string; readonly path: string }[]
}

/** Reads a file by the path in `import`; `undefined` when there is none. */
export type ReadProto = (path: string) => string | undefined

/** Files that were read once, for several calls of `loadProtos`. */
export interface ProtoLoader {
  load(paths: readonly string[]): ProtoSet
}

/** Reads and links files. An import that cannot be found is an error as soon as a name of it is needed. */
export function createLoader(read: ReadProto): ProtoLoader {
  return loaderOf((path) => {
    const text = read(path) ?? wellKnownFile(path)
    return text === undefined ? undefined : parseProtoFile(path, text)
  })
}

/**
 * The same for files that are parsed already. `together`: paths of files that see each other without an import, as those see
 * each other that grpc-node's server reflection gives.
 */
export function loaderOf(
  parse: (path: string) => FileNode | undefined,
  together: readonly string[] = [],
): ProtoLoader {
  const nodes = new Map<string, FileNode | undefined>()
  const linked = new Map<string, FileDescriptor>()
  const symbols = createSymbols()
  const enums = new Map<string, readonly { readonly name: string; readonly number: number }[]>()

  function nodeOf(path: string): FileNode | undefined {
    if (!nodes.has(path)) {
      const node = parse(path)
      nodes.set(path, node)
      if (node !== undefined) {
        symbols.declare(node)
        collectEnums(node, enums)
      }
    }
    return nodes.get(path)
  }

  /** Reads a file and what it imports, deepest first; a list of its own instead of the stack. */
  function gather(path: string): FileNode[] {
    const order: FileNode[] = []
    const state = new Map<string, 'open' | 'done'>()
    const work: { readonly path: string; readonly leave: boolean; readonly from: FileNode | undefined }[] = [
      { path, leave: false, from: undefined },
    ]

    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const node = nodeOf(next.path)
      if (next.leave) {
        state.set(next.path, 'done')
        if (node !== undefined) order.push(node)
        continue
      }
      if (state.get(next.path) === 'done' || node === undefined) continue
      if (state.get(next.path) === 'open') {
        const at = next.from?.imports.find((one) => one.path === next.path)?.at ?? { line: 1, column: 1 }
        const hint = 'move what both need into a third file'
        throw new ProtoError(next.from?.path ?? path, at, `${next.path} imports this file in turn`, hint)
      }

      state.set(next.path, 'open')
      work.push({ path: next.path, leave: true, from: node })
      for (const one of node.imports.toReversed()) work.push({ path: one.path, leave: false, from: node })
    }
    return order
  }

  /** The files whose names a file may use: what it imports, and what that imports publicly. */
  function visibleTo(node: FileNode): Set<string> {
    const visible = new Set([node.path])
    const waiting = node.imports.map(({ path }) => path)

    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (visible.has(path)) continue
      visible.add(path)
      for (const one of nodes.get(path)?.imports ?? []) if (one.kind === 'public') waiting.push(one.path)
    }
    for (const path of together) visible.add(path)
    return visible
  }

  for (const path of together) nodeOf(path)

  return {
    load(paths) {
      const files = new Map<string, FileDescriptor>()
      const missing: { file: string; path: string }[] = []

      for (const path of paths) {
        if (nodeOf(path) === undefined)
          throw new ProtoError(path, { line: 1, column: 1 }, 'there is no such file')

        for (const node of gather(path)) {
          if (files.has(node.path)) continue
          const absent = node.imports.map((one) => one.path).filter((one) => nodes.get(one) === undefined)
          for (const one of absent) {
            if (!one.startsWith('google/protobuf/')) missing.push({ file: node.path, path: one })
          }

          const before = linked.get(node.path)
          const made =
            before ??
            linkFile(node, {
              symbols,
              visible: visibleTo(node),
              missing: absent,
              enumValues: (name) => enums.get(name) ?? [],
            })
          linked.set(node.path, made)
          files.set(node.path, made)
        }
      }
      return { files, missing }
    },
  }
}

function collectEnums(
  file: FileNode,
  into: Map<string, readonly { readonly name: string; readonly number: number }[]>,
): void {
  const add = (holder: Pick<FileNode, 'messages' | 'enums'>, scope: string): void => {
    for (const one of holder.enums) into.set(`${scope}${one.name}`, one.values)
    for (const message of holder.messages) add(message, `${scope}${message.name}.`)
  }
  add(file, file.package === '' ? '' : `${file.package}.`)
}

/** What a set of files declares, by full name. */
export interface Declarations {
  readonly messages: ReadonlyMap<string, MessageDescriptor>
  readonly enums: ReadonlyMap<string, EnumDescriptor>
  readonly services: ReadonlyMap<string, ServiceDescriptor>
  /** The package of a type. */
  packageOf(type: MessageDescriptor | EnumDescriptor | ServiceDescriptor): string
}

/** All messages, enums and services of some files. */
export function declarationsOf(files: Iterable<FileDescriptor>): Declarations {
  const messages = new Map<string, MessageDescriptor>()
  const enums = new Map<string, EnumDescriptor>()
  const services = new Map<string, ServiceDescriptor>()
  const packages = new Map<string, string>()

  const add = (message: MessageDescriptor): void => {
    messages.set(message.name, message)
    for (const one of message.enums) enums.set(one.name, one)
    for (const nested of message.messages) add(nested)
  }

  for (const file of files) {
    packages.set(file.path, file.package)
    for (const message of file.messages) add(message)
    for (const one of file.enums) enums.set(one.name, one)
    for (const service of file.services) services.set(service.name, service)
  }
  return { messages, enums, services, packageOf: ({ file }) => packages.get(file) ?? '' }
}
