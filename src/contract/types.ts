/**
 * What a contract means to TypeScript: the members of a client, the handlers of a server, faults.
 *
 * Pure types. `client/` and `server/` use them and add what lives there; nothing else computes types from a contract.
 * The price is held by `instantiations.test.ts`: no step here may cost more than the mapping itself.
 */
import type { CallDeclaration } from './call.ts'
import type { CollectionDeclaration } from './collection.ts'
import type { Duration } from './duration.ts'
import type { EventDeclaration } from './event.ts'
import type { Fault, Faults } from './fault.ts'
import type { AnySchema, In, Out } from './standard.ts'
import type { StatusCode } from './status.ts'
import type { Stream } from './stream.ts'
import type { TaskDeclaration } from './task.ts'

// ── What a caller says and hears besides the message ──

/** Names and values to send with a call. Names that end in `-bin` carry bytes. */
export type MetadataRecord = Readonly<Record<string, string | Uint8Array | readonly (string | Uint8Array)[]>>

/** Metadata that was received; names are case-insensitive. */
export interface MetadataReader extends Iterable<[string, string | Uint8Array]> {
  get(name: string): string | Uint8Array | undefined
  getAll(name: string): readonly (string | Uint8Array)[]
  has(name: string): boolean
}

/** What a reply brings besides its message. */
export interface ReplyHead {
  readonly metadata: MetadataReader
  /** Resolves when the call is over. */
  readonly trailers: Promise<MetadataReader>
}

/** What can be said per call. */
export interface CallOptions {
  /** How long the call may take, in milliseconds or as `'500ms'`; the smaller of this and what a calling handler has left counts. */
  readonly timeout?: Duration
  /** Cancels the call when it aborts. */
  readonly signal?: AbortSignal
  readonly metadata?: MetadataRecord
  /** Two calls with the same key are one: for operations declared `idempotency: 'keyed'`. */
  readonly idempotencyKey?: string
  /** Called once when the head of the reply is there, before the result. */
  readonly onReply?: (head: ReplyHead) => void
}

/** What can be said per event. */
export interface PublishOptions {
  readonly metadata?: MetadataRecord
  /** Events with the same key are published once. */
  readonly idempotencyKey?: string
}

/** What can be said per task. */
export interface SendOptions {
  /** How long to wait before a worker may begin. */
  readonly delay?: Duration
  /** When a worker may begin. */
  readonly at?: Date
  /** Larger goes first. */
  readonly priority?: number
  readonly metadata?: MetadataRecord
  /** Tasks with the same key are one. */
  readonly idempotencyKey?: string
}

// ── One direction of an operation ──

/** What a sender gives. */
export type Send<S> = S extends Stream<infer T> ? AsyncIterable<In<T>> | Iterable<In<T>> : In<S>

/** What a receiver gets. */
export type Receive<S> =
  S extends Stream<infer T> ? AsyncIterable<Out<T>> : S extends undefined ? void : Out<S>

/** The input may be left out when there is none, or when every field of it may be. */
type Arguments<S, Options> = S extends undefined
  ? [options?: Options]
  : undefined extends Send<S>
    ? [input?: Send<S>, options?: Options]
    : {} extends Send<S>
      ? [input?: Send<S>, options?: Options]
      : [input: Send<S>, options?: Options]

// ── Client ──

/** The client's method of a call: a promise of the output, or an `AsyncIterable` when the output is a stream. */
export type CallMethod<I, O> =
  O extends Stream<infer T>
    ? (...args: Arguments<I, CallOptions>) => AsyncIterable<Out<T>>
    : (...args: Arguments<I, CallOptions>) => Promise<Receive<O>>

/** The client's member of an event. */
export interface Publisher<P> {
  /** Resolves when the engine has stored the event. */
  publish(payload: In<P>, options?: PublishOptions): Promise<void>
}

/** The client's member of a task. */
export interface Sender<I, O> {
  /** Resolves when the engine has stored the task. */
  send(...args: Arguments<I, SendOptions>): Promise<{ readonly id: string }>
  /** Waits for the result of a task that was sent. */
  result(id: string): Promise<Receive<O>>
}

/** A value of a collection and the version it has there. */
export interface Entry<V> {
  readonly value: V
  readonly version: bigint
}

/** The local copy of a collection: reads are local, writes go to everybody. */
export interface Replica<K, V> extends AsyncDisposable {
  readonly size: number
  get(key: Out<K>): Out<V> | undefined
  entries(): IterableIterator<[Out<K>, Out<V>]>
  put(key: In<K>, value: In<V>): Promise<Entry<Out<V>>>
  delete(key: In<K>): Promise<void>
}

/** The client's member of a collection. */
export interface CollectionMember<K, V> {
  /** Resolves when the local copy is in step. */
  open(): Promise<Replica<K, V>>
}

/** The client's member of one operation. */
export type Member<T> =
  T extends CallDeclaration<infer I, infer O, Faults>
    ? CallMethod<I, O>
    : T extends EventDeclaration<infer P>
      ? Publisher<P>
      : T extends TaskDeclaration<infer I, infer O>
        ? Sender<I, O>
        : T extends CollectionDeclaration<infer K, infer V>
          ? CollectionMember<K, V>
          : never

/** The client's members of all operations. Homomorphic, so that "go to definition" leads to the contract. */
export type Members<O> = { readonly [K in keyof O]: Member<O[K]> }

// ── Server ──

/**
 * A function from a call's faults to the context of its handler, as a type: contract/ does not know what a context is.
 *
 * ```ts
 * interface ServerContext extends ContextKind { readonly context: Context<this['faults']> }
 * type Handlers<C> = HandlersIn<C, ServerContext>
 * ```
 */
export interface ContextKind {
  readonly faults: unknown
  readonly context: unknown
}

type ContextIn<Kind extends ContextKind, F> = (Kind & { readonly faults: F })['context']

export type Awaitable<T> = T | Promise<T>

/** What a handler returns. */
export type Answer<O> =
  O extends Stream<infer T>
    ? AsyncIterable<In<T>> | Iterable<In<T>>
    : O extends undefined
      ? Awaitable<void>
      : Awaitable<In<O>>

/** The handler of one operation; `never` for one that has none (events, collections). */
export type HandlerIn<T, Kind extends ContextKind> =
  T extends CallDeclaration<infer I, infer O, infer F>
    ? (input: Receive<I>, ctx: ContextIn<Kind, F>) => Answer<O>
    : T extends TaskDeclaration<infer I, infer O>
      ? (input: Receive<I>, ctx: ContextIn<Kind, {}>) => Answer<O>
      : never

type CallHandlers<O, Kind extends ContextKind> = {
  readonly [K in keyof O as O[K] extends { readonly kind: 'call' } ? K : never]: HandlerIn<O[K], Kind>
}

type TaskHandlers<O, Kind extends ContextKind> = {
  readonly [K in keyof O as O[K] extends { readonly kind: 'task' } ? K : never]?: HandlerIn<O[K], Kind>
}

/** The handlers of all operations: every call must be there; tasks may be left out (a server need not be a worker). */
export type HandlersIn<O, Kind extends ContextKind> = CallHandlers<O, Kind> & TaskHandlers<O, Kind>

// ── Faults ──

/** `ctx.fault`: one function a declared fault; what it returns is to be thrown. */
export type FaultConstructors<F, E extends Error = Error> = {
  readonly [K in keyof F]: F[K] extends Fault<StatusCode, infer D>
    ? D extends AnySchema
      ? (detail: In<D>, message?: string) => E
      : (message?: string) => E
    : never
}

/** What is known of an error once `isFault(error, operation, name)` has said yes. Intersected with `CallError` there. */
export interface ThrownFault<Name extends string, Detail, C extends StatusCode> {
  readonly code: C
  readonly fault: { readonly name: Name; readonly detail: Detail }
}

/** `ThrownFault` of a declared call and the name of one of its faults. */
export type Thrown<T extends CallDeclaration, K extends keyof T['faults'] & string> =
  T['faults'][K] extends Fault<infer C, infer D> ? ThrownFault<K, Out<D>, C> : never
