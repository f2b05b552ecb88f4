/** Contracts from descriptors, and descriptors of contracts: both sides of server reflection. */
import type { ContractInfo } from '../../../contract/operation.ts'
import type { FileNode } from './ast.ts'
import { decodeFile, decodeFileSet } from './decode-descriptor.ts'
import type { FileDescriptor, MessageDescriptor } from './descriptor.ts'
import { encodeFile } from './encode-descriptor.ts'
import { ProtoError } from './error.ts'
import { contractsToFiles } from './from-contract.ts'
import { createLoader, declarationsOf, loaderOf } from './load.ts'
import { parseProtoFile } from './parse.ts'
import { serviceToContract } from './to-contract.ts'
import { wellKnownFile } from './well-known.ts'

/** A file as server reflection has it. */
export interface ReflectedFile {
  readonly path: string
  /** Its FileDescriptorProto. */
  readonly bytes: Uint8Array
  /** The paths of the files that it imports. */
  readonly imports: readonly string[]
  /** Full names of what it declares: messages, enums, services, methods. */
  readonly symbols: readonly string[]
}

/**
 * The files that describe contracts to a reflection client, those of google/protobuf that they import among them.
 *
 * @throws ProtoConflict when two contracts call different types by one name in one package
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import { reflectedFiles } from 'trunkline/wires'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contract('acme.ping.v1', { ping: call() })
 * const files = reflectedFiles([contractInfo(Ping)])
 * assert.deepEqual(
 *   files.map(({ path }) => path),
 *   ['google/protobuf/empty.proto', 'acme/ping/v1/ping.proto'],
 * )
 * assert.deepEqual(files[1]?.symbols, ['acme.ping.v1.Ping', 'acme.ping.v1.Ping.Ping'])
 * ```
 */
export function reflectedFiles(infos: readonly ContractInfo[]): readonly ReflectedFile[] {
  const own = contractsToFiles(infos)
  const known = new Set(own.flatMap(({ imports }) => imports.map(({ path }) => path)))
  const loader = createLoader(() => undefined)
  const loaded = [...known]
    .filter((path) => wellKnownFile(path) !== undefined)
    .flatMap((path) => [...loader.load([path]).files.values()])
  const wellKnown = new Map(loaded.map((file) => [file.path, file]))
  return [...wellKnown.values(), ...own].map(reflectedFile)
}

/** A file as reflection clients get it. */
export function reflectedFile(file: FileDescriptor): ReflectedFile {
  return {
    path: file.path,
    bytes: encodeFile(file),
    imports: file.imports.map(({ path }) => path).filter((path) => !path.startsWith('google/api/')),
    symbols: [
      ...file.messages.flatMap(symbolsOf),
      ...file.enums.map(({ name }) => name),
      ...file.services.flatMap(({ name, methods }) => [name, ...methods.map((one) => `${name}.${one.name}`)]),
    ],
  }
}

function symbolsOf({ name, messages, enums }: MessageDescriptor): string[] {
  return [name, ...messages.flatMap(symbolsOf), ...enums.map((one) => one.name)]
}

/**
 * Makes a contract of a service from its descriptors, as server reflection or `protoc --descriptor_set_out` gives them.
 * Numbers may be NaN and infinite in it, as protobuf allows, and nothing is said of `google.api.http`.
 *
 * @param files FileDescriptorProtos in any order: the service's own and all that it imports; those of google/protobuf may
 *   be left out
 * @param service its full name: `acme.orders.v1.Orders`
 * @throws ProtoError when the bytes are none, or something is missing
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import { contractFromDescriptors, reflectedFiles } from 'trunkline/wires'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contractInfo(contract('acme.ping.v1', { ping: call({ input: z.object({ text: z.string() }) }) }))
 * const files = reflectedFiles([Ping]).map(({ bytes }) => bytes)
 * const again = contractFromDescriptors(files, 'acme.ping.v1.Ping')
 * assert.deepEqual([...again.operations.keys()], ['ping'])
 * ```
 */
export function contractFromDescriptors(files: readonly Uint8Array[], service: string): ContractInfo {
  return contractOf(files.map(decodeFile), service)
}

/** The same from one FileDescriptorSet. Throws ProtoError. */
export function contractFromDescriptorSet(set: Uint8Array, service: string): ContractInfo {
  return contractOf(decodeFileSet(set), service)
}

/**
 * Makes a contract of a service from its .proto file, as `contractFromDescriptors` does from descriptors.
 *
 * @param path the file, as `read` knows it
 * @param service its full name: `acme.orders.v1.Orders`
 * @param read gives the text of a file by the path that stands in `import`; `undefined` when there is none
 * @throws ProtoError with file, line and column
 *
 * @example
 * ```ts
 * import { contractFromProto } from 'trunkline/wires'
 * import assert from 'node:assert/strict'
 *
 * const text = `
 *   syntax = "proto3";
 *   package acme.ping.v1;
 *   service Ping { rpc Ping(PingRequest) returns (PingRequest); }
 *   message PingRequest { string text = 3; }`
 * const info = contractFromProto('ping.proto', 'acme.ping.v1.Ping', () => text)
 * assert.deepEqual([...info.operations.keys()], ['ping'])
 * ```
 */
export function contractFromProto(
  path: string,
  service: string,
  read: (path: string) => string | undefined,
): ContractInfo {
  const { files } = createLoader(read).load([path])
  return pick(files.values(), service, path)
}

/**
 * The same of all services in a .proto file.
 *
 * @throws ProtoError with file, line and column, also when there is no service
 *
 * @example
 * ```ts
 * import { contractsFromProto } from 'trunkline/wires'
 * import assert from 'node:assert/strict'
 *
 * const text = 'syntax = "proto3"; package acme.v1; message M {} service One {} service Two { rpc X(M) returns (M); }'
 * const contracts = contractsFromProto('a.proto', () => text)
 * assert.deepEqual(
 *   contracts.map(({ grpcService }) => grpcService),
 *   ['acme.v1.One', 'acme.v1.Two'],
 * )
 * ```
 */
export function contractsFromProto(
  path: string,
  read: (path: string) => string | undefined,
): readonly ContractInfo[] {
  const { files } = createLoader(read).load([path])
  const services = files.get(path)?.services ?? []
  if (services.length === 0) {
    const hint = 'name the file that declares it'
    throw new ProtoError(path, { line: 1, column: 1 }, 'there is no service in this file', hint)
  }
  return services.map(({ name }) => pick(files.values(), name, path))
}

function contractOf(nodes: readonly FileNode[], service: string): ContractInfo {
  const byPath = new Map(nodes.map((node) => [node.path, node]))
  const together = [...byPath.keys()]
  const loader = loaderOf((path) => {
    const text = byPath.has(path) ? undefined : wellKnownFile(path)
    return text === undefined ? byPath.get(path) : parseProtoFile(path, text)
  }, together)
  const owner = nodes.find((node) =>
    node.services.some(({ name }) => (node.package === '' ? name : `${node.package}.${name}`) === service),
  )
  if (owner === undefined) throw unknownService('descriptor', service)
  return pick(loader.load([owner.path, ...together]).files.values(), service, owner.path)
}

function pick(files: Iterable<FileDescriptor>, name: string, path: string): ContractInfo {
  const declarations = declarationsOf(files)
  const service = declarations.services.get(name)
  if (service === undefined) throw unknownService(path, name)
  return serviceToContract(declarations, service, { nonFinite: true, routes: false }).info
}

function unknownService(file: string, service: string): ProtoError {
  return new ProtoError(file, { line: 1, column: 1 }, `there is no service ${service}`)
}
