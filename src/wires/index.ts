/** The wires there are. A new one is a folder beside this file and a line here. */
import { type ConnectRpcOptions, connectRpc } from './connect/index.ts'
import { type GrpcOptions, grpc } from './grpc/index.ts'
import { type GrpcWebOptions, grpcWeb } from './grpc-web/index.ts'
import {
  type ImportProtoOptions,
  type ProtoImport,
  type ProtoNote,
  type ProtoText,
  type ReflectedFile,
  ProtoConflict,
  ProtoError,
  contractFromDescriptors,
  contractFromProto,
  exportProto,
  importProto,
  reflectedFiles,
} from './grpc/proto/index.ts'
import { contractsFromProto } from './grpc/proto/reflection.ts'
import { errorDetailJson } from './grpc/error-detail-json.ts'
import {
  type OpenApiDocument,
  type OpenApiOptions,
  type RestOptions,
  exportOpenApi,
  rest,
} from './rest/index.ts'
import { trunk } from './trunk/index.ts'
import type { Wire } from './wire.ts'

/**
 * What `serve` and `connect` use when nobody says otherwise.
 *
 * @example
 * ```ts
 * import { defaultWires } from 'trunkline/wires'
 *
 * console.log(defaultWires().map(({ name }) => name)) // [ 'trunk', 'grpc', 'grpc-web', 'connect', 'rest' ]
 * ```
 */
export function defaultWires(): readonly Wire[] {
  return [trunk(), grpc(), grpcWeb(), connectRpc(), rest()]
}

export {
  ProtoConflict,
  ProtoError,
  connectRpc,
  contractFromDescriptors,
  contractFromProto,
  contractsFromProto,
  errorDetailJson,
  exportOpenApi,
  exportProto,
  grpc,
  grpcWeb,
  importProto,
  reflectedFiles,
  rest,
  trunk,
}
export type {
  ConnectRpcOptions,
  GrpcOptions,
  GrpcWebOptions,
  ImportProtoOptions,
  OpenApiDocument,
  OpenApiOptions,
  ProtoImport,
  ProtoNote,
  ProtoText,
  ReflectedFile,
  RestOptions,
  Wire,
}
