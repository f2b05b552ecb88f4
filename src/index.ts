/** The public API. */
export { contract, contractInfo } from './contract/contract.ts'
export { call } from './contract/call.ts'
export { stream } from './contract/stream.ts'
export { event } from './contract/event.ts'
export { task } from './contract/task.ts'
export { collection } from './contract/collection.ts'
export { fault } from './contract/fault.ts'
export { parseDuration, type Duration } from './contract/duration.ts'
export { ContractError, type ContractErrorCode } from './contract/contract-error.ts'
export { describe, type ContractDescription } from './contract/describe.ts'
export { fromDescription } from './contract/from-description.ts'
export { diff, type Difference } from './contract/diff.ts'
export { updateLock, type LockOptions, type LockUpdate } from './contract/lock-update.ts'
export type { Lock } from './contract/lock.ts'
export type { In, Out } from './contract/standard.ts'
export type { Contract, ContractOptions } from './contract/contract.ts'
export type { CallDeclaration, CallSettings } from './contract/call.ts'
export type { Stream } from './contract/stream.ts'
export type { EventDeclaration } from './contract/event.ts'
export type { TaskDeclaration } from './contract/task.ts'
export type { CollectionDeclaration } from './contract/collection.ts'
export type { Fault, FaultOptions } from './contract/fault.ts'
export type { RestOptions } from './contract/rest-types.ts'
export type { ContractInfo, Operation } from './contract/operation.ts'
export type { CallOptions, MetadataReader, PublishOptions, ReplyHead, SendOptions } from './contract/types.ts'
export type { StatusCode } from './contract/status.ts'

export { implement, type Handlers, type Implementation, type ImplementOptions } from './server/implement.ts'
export { serve, type ServeOptions, type Server } from './server/serve.ts'
export type { Authenticate, AuthenticationRequest } from './server/authenticate.ts'
export {
  connect,
  disconnect,
  type Client,
  type ConnectOptions,
  type ConnectTarget,
} from './client/connect.ts'

export { CallError, type CallErrorOptions } from './call/error.ts'
export { isFault } from './call/fault.ts'
export { Metadata, type MetadataInit, type MetadataValue } from './call/metadata.ts'
export type { Context } from './call/context.ts'
export type { Filter, Handler, Reply } from './call/handler.ts'
export { currentCall } from './call/current.ts'
export type { Principal } from './call/principal.ts'
export type { Peer } from './call/peer.ts'
export type { Limits } from './call/limits.ts'
export type { Logger } from './call/logger.ts'

export { accessLog } from './telemetry/access-log.ts'
