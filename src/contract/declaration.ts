import type { CallDeclaration } from './call.ts'
import type { CollectionDeclaration } from './collection.ts'
import type { EventDeclaration } from './event.ts'
import type { TaskDeclaration } from './task.ts'

/** A declared operation of any kind. */
export type Declaration = CallDeclaration | EventDeclaration | TaskDeclaration | CollectionDeclaration

/** What a contract can say besides its operations. */
export interface ContractOptions {
  /** The field numbers: `trunkline.lock.json`, imported `with { type: 'json' }`. Written by `trunkline lock`. */
  readonly lock?: unknown
  /** The full name of the gRPC service when a foreign peer has chosen it: `shop.Orders`. */
  readonly grpc?: string
  /** The XML namespace of SOAP messages. */
  readonly soap?: { readonly namespace?: string }
  /** What every route of the contract begins with: `/api/v2`. */
  readonly rest?: { readonly prefix?: string }
  /** What every topic of the contract begins with, when it is not the contract's name. */
  readonly topic?: string
  readonly doc?: string
}
