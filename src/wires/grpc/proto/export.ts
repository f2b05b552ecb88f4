import type { ContractInfo } from '../../../contract/operation.ts'
import { contractsToFiles } from './from-contract.ts'
import { googleApiFiles } from './google-api.ts'
import { knownNames, printProto } from './print.ts'

/** A file that `exportProto` or `importProto` gives. */
export interface ProtoText {
  /** With slashes, as others import it: `acme/orders/v1/orders.proto`. */
  readonly path: string
  readonly text: string
  /** It is not the contract's own: a part of googleapis that others may have already. */
  readonly foreign: boolean
}

/**
 * Writes the .proto files of contracts: one a package, with all calls as methods and all messages as the codec has them
 * on the wire, the reserved numbers and names of the lock, and `google.api.http` from `rest:`. What a protobuf compiler
 * makes of them speaks to a Trunkline server over gRPC.
 *
 * The files are proto3; a contract with required fields (from an imported proto2 file) is written in edition 2023.
 *
 * @param infos what `contractInfo` gives; contracts of one package become one file, and share their types
 * @throws ProtoConflict when two contracts call different types by one name in one package
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import { exportProto } from 'trunkline/wires'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ input: z.object({ text: z.string() }) }) })
 * const [file] = exportProto([contractInfo(Ping)])
 * assert.equal(file?.path, 'acme/ping/v1/ping.proto')
 * assert.match(file.text, /rpc Ping\(PingRequest\) returns \(google\.protobuf\.Empty\);/)
 * ```
 */
export function exportProto(infos: readonly ContractInfo[]): readonly ProtoText[] {
  const files = contractsToFiles(infos)
  const known = knownNames(files)
  const own = files.map((file) => ({ path: file.path, text: printProto(file, known), foreign: false }))
  const needed = files.some(({ imports }) => imports.some(({ path }) => Object.hasOwn(googleApiFiles, path)))
  const foreign = Object.entries(needed ? googleApiFiles : {})
  return [...own, ...foreign.map(([path, text]) => ({ path, text, foreign: true }))]
}
