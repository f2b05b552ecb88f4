/**
 * What a contract is at run time: names decided, schemas in the Type model, numbers taken from the lock.
 * Wires, engines and documents read these and nothing else of a contract.
 */
import type { Schema, Types } from '../schema/type.ts'
import type { StatusCode } from './status.ts'

/** The four kinds of gRPC calls, for whoever wants a word instead of two booleans. */
export type Streaming = 'unary' | 'server_streaming' | 'client_streaming' | 'bidirectional'

/** What a declared contract resolves to. */
export interface ContractInfo {
  /** `acme.orders.v1` */
  readonly name: string
  readonly doc?: string
  readonly operations: ReadonlyMap<string, Operation>
  /** All named types of all operations; every `Schema.types` of this contract is this object. */
  readonly types: Types
  /** Whether field numbers came from a lock. Without one, production refuses the wires that need numbers. */
  readonly locked: boolean
  /** The fully qualified gRPC service: `acme.orders.v1.Orders`. */
  readonly grpcService: string
  /** The protobuf package: `acme.orders.v1`. */
  readonly grpcPackage: string
  /** The XML namespace of SOAP documents. */
  readonly soapNamespace: string
  /** A hash of all that two peers must agree on: 16 hexadecimal digits. Computed on first use. */
  readonly digest: string
}

/** A resolved operation of any kind. */
export type Operation = CallOperation | EventOperation | TaskOperation | CollectionOperation

interface Common {
  readonly contract: ContractInfo
  /** The key in the contract: `place`. */
  readonly name: string
  /** `acme.orders.v1/place` */
  readonly id: string
  readonly doc?: string
  readonly deprecated?: true
  readonly scopes: readonly string[]
}

/** A resolved call: its messages, its faults, and its names on the wires. */
export interface CallOperation extends Common {
  readonly kind: 'call'
  readonly streaming: Streaming
  /** `undefined`: nothing is sent, or, for the output, nothing is answered. */
  readonly input: Message | undefined
  readonly output: Message | undefined
  readonly faults: Readonly<Record<string, FaultInfo>>
  readonly rest: RestRoute
  readonly idempotency: Idempotency | undefined
  /** The default time a call may take, in milliseconds; `undefined` leaves it to server and client. */
  readonly timeout: number | undefined
  /** `acme.orders.v1.Orders/Place`, without the leading slash. */
  readonly grpc: string
  readonly soap: { readonly action: string; readonly element: string }
}

export interface EventOperation extends Common {
  readonly kind: 'event'
  readonly payload: Message
  /** The field whose value keeps messages in order. */
  readonly orderBy: string | undefined
  readonly topic: string
}

export interface TaskOperation extends Common {
  readonly kind: 'task'
  readonly input: Message | undefined
  readonly output: Message | undefined
  readonly topic: string
}

export interface CollectionOperation extends Common {
  readonly kind: 'collection'
  readonly key: Message
  readonly value: Message
  readonly topic: string
}

/** One direction of an operation: a value, or a stream of them. */
export interface Message {
  readonly stream: boolean
  readonly schema: Schema
  /** The message's name in documents: `PlaceRequest`, or the root's own name when it is a named object. */
  readonly name: string
  /**
   * What only the schema library can check (`refine`) or change (`trim`): run on a decoded value, returns the value to
   * use. Throws `Invalid`. A Promise only when a refinement is asynchronous. `undefined` when there is nothing to run.
   */
  readonly refine: ((value: unknown) => unknown) | undefined
}

/** A resolved fault: an error that the contract declares. */
export interface FaultInfo {
  readonly name: string
  readonly code: StatusCode
  readonly detail: Message | undefined
  /** The HTTP status when it is not the code's own. */
  readonly http: number | undefined
  readonly doc?: string
}

/** `safe` changes nothing (retry, cache, GET); `idempotent` may be repeated; `keyed` may be repeated with its key. */
export type Idempotency = 'safe' | 'idempotent' | 'keyed'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'

/** Where an operation lives in REST, and where each field of its input travels. */
export interface RestRoute {
  readonly method: HttpMethod
  /** `/orders/{id}`; always begins with a slash. */
  readonly path: string
  /** `true` when nobody declared it: `POST /acme.orders.v1/place`. */
  readonly implied: boolean
  /** The status of a successful answer: 200; 204 without output; 201 where declared. */
  readonly status: number
  /** The Location header's template, filled from the output: `/orders/{id}`. */
  readonly location: string | undefined
  /** Fields of the input in headers: field name → header name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Fields of the input in the query string, by name. With GET, HEAD, DELETE and OPTIONS that is all the rest. */
  readonly query: readonly string[]
  /** Fields in the path, in order. */
  readonly parameters: readonly string[]
  /** The one field that is the whole body; `undefined`: the body is the object of all fields left over. */
  readonly body: string | undefined
}
