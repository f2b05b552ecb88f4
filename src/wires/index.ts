/** What `trunkline/wires` has: the wires, and what they read and write beside calls. */
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
import { defaultWires } from './default.ts'
import { trunk } from './trunk/index.ts'
import type { Wire } from './wire.ts'

export {
  ProtoConflict,
  ProtoError,
  connectRpc,
  contractFromDescriptors,
  contractFromProto,
  contractsFromProto,
  defaultWires,
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
