/**
 * A contract as plain JSON: all that a peer, a tool or a gateway needs to know of it. `fromDescription` (from-description.ts)
 * makes a `ContractInfo` of it again.
 */
import type { Slot, Types } from '../schema/type.ts'
import type { ContractInfo, FaultInfo, Idempotency, Message, Operation, RestRoute } from './operation.ts'
import type { StatusCode } from './status.ts'

/** A contract as plain JSON, as `describe` gives it. */
export interface ContractDescription {
  /** The version of this format. */
  readonly trunkline: 1
  readonly name: string
  readonly doc?: string
  readonly locked: boolean
  readonly grpcService: string
  readonly soapNamespace: string
  readonly types: Types
  readonly operations: Readonly<Record<string, OperationDescription>>
}

export type OperationDescription =
  | CallDescription
  | EventDescription
  | TaskDescription
  | CollectionDescription

interface CommonDescription {
  readonly doc?: string
  readonly deprecated?: true
  readonly scopes?: readonly string[]
}

export interface CallDescription extends CommonDescription {
  readonly kind: 'call'
  readonly input?: MessageDescription
  readonly output?: MessageDescription
  readonly faults?: Readonly<Record<string, FaultDescription>>
  readonly rest: RestDescription
  readonly idempotency?: Idempotency
  /** Milliseconds. */
  readonly timeout?: number
  readonly grpc: string
  readonly soap: { readonly action: string; readonly element: string }
}

export interface EventDescription extends CommonDescription {
  readonly kind: 'event'
  readonly payload: MessageDescription
  readonly orderBy?: string
  readonly topic: string
}

export interface TaskDescription extends CommonDescription {
  readonly kind: 'task'
  readonly input?: MessageDescription
  readonly output?: MessageDescription
  readonly topic: string
}

export interface CollectionDescription extends CommonDescription {
  readonly kind: 'collection'
  readonly key: MessageDescription
  readonly value: MessageDescription
  readonly topic: string
}

export interface MessageDescription {
  readonly name: string
  readonly root: Slot
  readonly stream?: true
}

export interface FaultDescription {
  readonly code: StatusCode
  readonly detail?: MessageDescription
  readonly http?: number
  readonly doc?: string
}

/** As `RestRoute`, without what is empty. */
export interface RestDescription {
  /** `POST /orders` */
  readonly route: string
  readonly implied?: true
  readonly status: number
  readonly location?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: readonly string[]
  readonly body?: string
}

/**
 * Describes a contract as plain JSON.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, describe } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ rest: 'GET /ping' }) })
 * assert.equal(describe(contractInfo(Ping)).operations['ping']?.kind, 'call')
 * ```
 */
export function describe(info: ContractInfo): ContractDescription {
  const operations: Record<string, OperationDescription> = {}
  for (const [name, operation] of info.operations) operations[name] = describeOperation(operation)

  return present({
    trunkline: 1,
    name: info.name,
    doc: info.doc,
    locked: info.locked,
    grpcService: info.grpcService,
    soapNamespace: info.soapNamespace,
    types: info.types,
    operations,
  })
}

function describeOperation(operation: Operation): OperationDescription {
  const common = {
    doc: operation.doc,
    deprecated: operation.deprecated,
    scopes: operation.scopes.length === 0 ? undefined : operation.scopes,
  }

  switch (operation.kind) {
    case 'call': {
      const faults = Object.values(operation.faults)

      return present({
        kind: 'call',
        ...common,
        input: describeMessage(operation.input),
        output: describeMessage(operation.output),
        faults:
          faults.length === 0
            ? undefined
            : Object.fromEntries(faults.map((fault) => [fault.name, describeFault(fault)])),
        rest: describeRoute(operation.rest),
        idempotency: operation.idempotency,
        timeout: operation.timeout,
        grpc: operation.grpc,
        soap: operation.soap,
      })
    }
    case 'event':
      return present({
        kind: 'event',
        ...common,
        payload: describeMessage(operation.payload),
        orderBy: operation.orderBy,
        topic: operation.topic,
      })
    case 'task':
      return present({
        kind: 'task',
        ...common,
        input: describeMessage(operation.input),
        output: describeMessage(operation.output),
        topic: operation.topic,
      })
    case 'collection':
      return present({
        kind: 'collection',
        ...common,
        key: describeMessage(operation.key),
        value: describeMessage(operation.value),
        topic: operation.topic,
      })
  }
}

function describeMessage(message: Message): MessageDescription
function describeMessage(message: Message | undefined): MessageDescription | undefined
function describeMessage(message: Message | undefined): MessageDescription | undefined {
  if (message === undefined) return undefined

  return present<MessageDescription>({
    name: message.name,
    root: message.schema.root,
    stream: message.stream ? true : undefined,
  })
}

function describeFault({ code, detail, http, doc }: FaultInfo): FaultDescription {
  return present<FaultDescription>({ code, detail: describeMessage(detail), http, doc })
}

function describeRoute(rest: RestRoute): RestDescription {
  return present<RestDescription>({
    route: `${rest.method} ${rest.path}`,
    implied: rest.implied ? true : undefined,
    status: rest.status,
    location: rest.location,
    headers: Object.keys(rest.headers).length === 0 ? undefined : rest.headers,
    query: rest.query.length === 0 ? undefined : rest.query,
    body: rest.body,
  })
}

/** Without the keys that are `undefined`, which JSON has not. */
function present<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
