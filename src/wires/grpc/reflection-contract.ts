/**
 * `grpc.reflection.v1.ServerReflection`, and `v1alpha`, which differs in its package only.
 *
 *     ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse)
 *
 * Follows grpc/reflection/v1/reflection.proto.
 */
import type { ContractInfo } from '../../contract/operation.ts'
import type { Field, Types } from '../../schema/type.ts'
import { listField, memberField, ownContract, textField } from './own-contract.ts'

/** What is asked: one of these, behind the host that nobody looks at. */
export interface ReflectionRequest {
  readonly host: string
  readonly fileByFilename?: string
  readonly fileContainingSymbol?: string
  readonly fileContainingExtension?: { readonly containingType: string; readonly extensionNumber: number }
  readonly allExtensionNumbersOfType?: string
  readonly listServices?: string
}

/** One of these besides the question. */
export interface ReflectionResponse {
  readonly validHost: string
  readonly originalRequest?: ReflectionRequest
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] }
  readonly allExtensionNumbersResponse?: {
    readonly baseTypeName: string
    readonly extensionNumber: readonly number[]
  }
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] }
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string }
}

const int32 = { kind: 'int', bits: 32, signed: true, js: 'number' } as const
const asked = (name: string, number: number, to?: string): Field =>
  memberField('messageRequest', name, number, to)
const answered = (name: string, number: number, to: string): Field =>
  memberField('messageResponse', name, number, to)
const message = (...fields: Field[]): Types[string] => ({ kind: 'object', fields, unknown: 'strip' })

const types: Types = {
  ServerReflectionRequest: message(
    textField('host', 1),
    asked('fileByFilename', 3),
    asked('fileContainingSymbol', 4),
    asked('fileContainingExtension', 5, 'ExtensionRequest'),
    asked('allExtensionNumbersOfType', 6),
    asked('listServices', 7),
  ),
  ExtensionRequest: message(textField('containingType', 1), {
    name: 'extensionNumber',
    number: 2,
    type: int32,
    default: 0,
  }),
  ServerReflectionResponse: message(
    textField('validHost', 1),
    {
      name: 'originalRequest',
      number: 2,
      type: { kind: 'ref', to: 'ServerReflectionRequest' },
      optional: true,
    },
    answered('fileDescriptorResponse', 4, 'FileDescriptorResponse'),
    answered('allExtensionNumbersResponse', 5, 'ExtensionNumberResponse'),
    answered('listServicesResponse', 6, 'ListServiceResponse'),
    answered('errorResponse', 7, 'ErrorResponse'),
  ),
  FileDescriptorResponse: message(listField('fileDescriptorProto', 1, { type: { kind: 'bytes' } })),
  ExtensionNumberResponse: message(
    textField('baseTypeName', 1),
    listField('extensionNumber', 2, { type: int32 }),
  ),
  ListServiceResponse: message(listField('service', 1, { type: { kind: 'ref', to: 'ServiceResponse' } })),
  ServiceResponse: message(textField('name', 1)),
  ErrorResponse: message(
    { name: 'errorCode', number: 1, type: int32, default: 0 },
    textField('errorMessage', 2),
  ),
}

function reflectionContract(name: string, service: string): ContractInfo {
  return ownContract(name, service, types, {
    serverReflectionInfo: {
      method: 'ServerReflectionInfo',
      input: { type: 'ServerReflectionRequest', stream: true },
      output: { type: 'ServerReflectionResponse', stream: true },
    },
  })
}

export const reflectionV1 = reflectionContract('grpc.reflection.v1', 'grpc.reflection.v1.ServerReflection')
export const reflectionV1Alpha = reflectionContract(
  'grpc.reflection.alpha',
  'grpc.reflection.v1alpha.ServerReflection',
)
