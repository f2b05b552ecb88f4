/** .proto files: contracts from them, and they from contracts. */
export { type ProtoText, exportProto } from './export.ts'
export { ProtoConflict } from './conflict.ts'
export { type ImportProtoOptions, type ProtoImport, importProto } from './import.ts'
export { ProtoError } from './error.ts'
export type { ProtoNote } from './to-contract.ts'
export { protoNameOf } from '../../grpc-family/full-names.ts'
export {
  type ReflectedFile,
  contractFromDescriptorSet,
  contractFromDescriptors,
  contractFromProto,
  reflectedFiles,
} from './reflection.ts'
