/**
 * Details of foreign errors as JSON: the messages of google/rpc/error_details.proto, and those of a contract.
 */
import type { ErrorDetail } from '../../call/error.ts'
import { jsonOf } from '../../codec/json/json-of.ts'
import { compileProtobuf } from '../../codec/protobuf/compile.ts'
import type { ContractInfo } from '../../contract/operation.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Field, Json, Schema, Types } from '../../schema/type.ts'
import { protoNameOf } from '../grpc-family/full-names.ts'
import { decodeApart } from '../grpc-family/rpc-messages.ts'
import { listField, textField } from './own-contract.ts'

const message = (...fields: Field[]): Types[string] => ({ kind: 'object', fields, unknown: 'strip' })
const texts = (...names: string[]): Types[string] =>
  message(...names.map((name, index) => textField(name, index + 1)))
const listOf = (name: string, to: string): Types[string] =>
  message(listField(name, 1, { type: { kind: 'ref', to } }))

/** Of google.rpc; what is not here is told by `CallError` itself: BadRequest, RetryInfo. */
const googleRpc: Types = {
  ErrorInfo: message(textField('reason', 1), textField('domain', 2), {
    name: 'metadata',
    number: 3,
    type: { kind: 'map', key: { kind: 'string' }, of: { type: { kind: 'string' } }, js: 'record' },
  }),
  DebugInfo: message(listField('stackEntries', 1, { type: { kind: 'string' } }), textField('detail', 2)),
  QuotaFailure: listOf('violations', 'QuotaViolation'),
  QuotaViolation: texts('subject', 'description'),
  PreconditionFailure: listOf('violations', 'PreconditionViolation'),
  PreconditionViolation: texts('type', 'subject', 'description'),
  RequestInfo: texts('requestId', 'servingData'),
  ResourceInfo: texts('resourceType', 'resourceName', 'owner', 'description'),
  Help: listOf('links', 'Link'),
  Link: texts('description', 'url'),
  LocalizedMessage: texts('locale', 'message'),
}

/**
 * What a detail of an error says, as JSON: a message of google.rpc, or a type of the contract.
 *
 * @param detail One of `CallError.details`.
 * @param info The contract of the operation that failed.
 * @returns `undefined` for a type that is not known here, and for bytes that are none of that type.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import { errorDetailJson } from 'trunkline/wires'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contractInfo(contract('acme.ping.v1', { ping: call({}) }))
 * const detail = { type: 'type.googleapis.com/google.rpc.RequestInfo', value: new TextEncoder().encode('\n\u0003r-7') }
 * assert.deepEqual(errorDetailJson(detail, Ping), { requestId: 'r-7', servingData: '' })
 * ```
 */
export function errorDetailJson({ type, value }: ErrorDetail, info: ContractInfo): Json | undefined {
  const schema = schemaOf(type.slice(type.lastIndexOf('/') + 1), info)
  if (schema === undefined) return undefined
  try {
    return jsonOf({ schema }).toJson(decodeApart(compileProtobuf(schema), value))
  } catch (error) {
    if (error instanceof Invalid) return undefined
    throw error
  }
}

function schemaOf(name: string, info: ContractInfo): Schema | undefined {
  const local = name.startsWith('google.rpc.') ? name.slice('google.rpc.'.length) : ''
  if (Object.hasOwn(googleRpc, local)) return { root: { type: { kind: 'ref', to: local } }, types: googleRpc }

  const own = Object.keys(info.types).find(
    (each) => info.types[each]?.kind === 'object' && protoNameOf(info, each) === name,
  )
  return own === undefined ? undefined : { root: { type: { kind: 'ref', to: own } }, types: info.types }
}
