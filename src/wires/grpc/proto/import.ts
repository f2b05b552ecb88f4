import type { Lock } from '../../../contract/lock.ts'
import type { ServiceDescriptor } from './descriptor.ts'
import { ProtoError } from './error.ts'
import { type ReadProto, createLoader, declarationsOf } from './load.ts'
import { lockWith } from './lock-of.ts'
import { type ProtoNote, servicesToContracts } from './to-contract.ts'
import { moduleText } from './typescript/module.ts'

/** What `importProto` needs besides the file's path. */
export interface ImportProtoOptions {
  /** Gives the text of a file by the path that stands in `import`; `undefined` when there is none. */
  readonly read: ReadProto
  /** The services to import, by name or full name; all of the file when left out. */
  readonly services?: readonly string[]
  /** The content of the lock file that is there already; other contracts in it are kept. */
  readonly lock?: unknown
  /** How the module imports its lock. */
  readonly lockFile?: string
}

/** What `importProto` gives. */
export interface ProtoImport {
  /** The module: TypeScript that declares a contract for each service, with zod. */
  readonly module: string
  /** The content of the lock file beside it. */
  readonly lock: Lock
  /** The full names of the services. */
  readonly services: readonly string[]
  /** What the contracts do not say, in the order of the file. */
  readonly notes: readonly ProtoNote[]
  /** Imports that were not found, and not needed either. */
  readonly missing: readonly { readonly file: string; readonly path: string }[]
}

/**
 * Makes contracts of the services in a .proto file (proto2, proto3, editions 2023 and 2024), with its names and numbers.
 *
 * @param path the file, as `options.read` knows it
 * @throws ProtoError with file, line and column when the file is wrong, or has no such service
 *
 * @example
 * ```ts
 * import { importProto } from 'trunkline/wires'
 * import assert from 'node:assert/strict'
 *
 * const text = `
 *   syntax = "proto3";
 *   package acme.ping.v1;
 *   service Ping { rpc Ping(PingRequest) returns (PingRequest); }
 *   message PingRequest { string text = 3; }`
 * const { module, lock } = importProto('ping.proto', { read: (path) => (path === 'ping.proto' ? text : undefined) })
 * assert.match(module, /export const PingRequest = z/)
 * assert.deepEqual(lock.contracts['acme.ping.v1']?.messages['PingRequest'], { fields: { text: 3 } })
 * ```
 */
export function importProto(path: string, options: ImportProtoOptions): ProtoImport {
  const { files, missing } = createLoader(options.read).load([path])
  const file = files.get(path)
  const declarations = declarationsOf(files.values())
  const services = chosen(path, file?.services ?? [], options.services)
  const made = servicesToContracts(declarations, services)

  const seen = new Set<string>()
  const notes = made
    .flatMap((one) => one.notes)
    .filter((note) => {
      const line = `${note.about} ${note.what}`
      return !seen.has(line) && seen.add(line) !== undefined
    })

  return {
    module: moduleText(made, path, options.lockFile ?? './trunkline.lock.json'),
    lock: lockWith(
      made.map(({ info }) => info),
      options.lock,
    ),
    services: services.map(({ name }) => name),
    notes: inOrder(notes),
    missing,
  }
}

function chosen(
  path: string,
  services: readonly ServiceDescriptor[],
  wanted: readonly string[] | undefined,
): readonly ServiceDescriptor[] {
  const start = { line: 1, column: 1 }
  const names = services.map(({ local }) => local).join(', ')

  if (services.length === 0)
    throw new ProtoError(path, start, 'there is no service in this file', 'name the file that declares it')
  if (wanted === undefined || wanted.length === 0) return services

  const unknown = wanted.find((name) => !services.some((one) => one.name === name || one.local === name))
  if (unknown !== undefined)
    throw new ProtoError(path, start, `there is no service ${unknown} in this file`, `there are ${names}`)
  return services.filter((one) => wanted.includes(one.name) || wanted.includes(one.local))
}

function inOrder(notes: readonly ProtoNote[]): ProtoNote[] {
  return notes.toSorted(
    (one, other) =>
      (one.file < other.file ? -1 : one.file > other.file ? 1 : 0) ||
      one.at.line - other.at.line ||
      one.at.column - other.at.column,
  )
}
