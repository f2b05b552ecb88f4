import { type StatusCode, statusTable } from '../contract/status.ts'
import type { Issue } from '../schema/invalid.ts'
import { Metadata } from './metadata.ts'

const brand = Symbol.for('trunkline.CallError')

/** A declared fault as it travels: its name in the contract and its typed detail. */
export interface RaisedFault<Name extends string = string, Detail = unknown> {
  readonly name: Name
  readonly detail: Detail
}

/** A foreign `google.protobuf.Any` that no declared fault names, kept as it came. */
export interface ErrorDetail {
  readonly type: string
  readonly value: Uint8Array
}

/** What a `CallError` can carry besides its code and message. */
export interface CallErrorOptions<Name extends string = string, Detail = unknown> {
  readonly fault?: RaisedFault<Name, Detail>
  /** Sent with the error, as trailers. */
  readonly metadata?: Metadata
  /** How long a caller should wait before it tries again, in milliseconds. */
  readonly retryAfter?: number
  /** What was wrong with the input, field by field. */
  readonly issues?: readonly Issue[]
  readonly details?: readonly ErrorDetail[]
  /** Whether a handler can have seen the call. `no`: it never left or was refused unseen, so it may be repeated. */
  readonly processed?: 'no' | 'maybe'
  /** Where it was raised: by this process, or by (or on the way to) a server that this process called. */
  readonly origin?: 'local' | 'downstream'
  /** The reason within this process; never leaves it. */
  readonly cause?: unknown
  /** The HTTP status that stands for it, when it is not the code's own. */
  readonly http?: number
}

/**
 * The one error of all calls on all wires: a status code, a message for people, and the declared fault if it is one.
 *
 * Throw it in a handler to answer with that code. What a handler throws that is no `CallError` reaches the caller as
 * `internal` with an id to look up in the server's log, and nothing of its text. Test with `CallError.is`, which also
 * recognises errors of another copy of this library.
 *
 * @example
 * ```ts
 * import { CallError } from 'trunkline'
 *
 * const error = new CallError('resource_exhausted', 'ten orders a minute', { retryAfter: 6_000 })
 * if (CallError.is(error)) console.log(error.code, error.retryAfter) // resource_exhausted 6000
 * ```
 */
export class CallError<
  Name extends string = string,
  Detail = unknown,
  Code extends StatusCode = StatusCode,
> extends Error {
  override readonly name = 'CallError'
  readonly code: Code
  readonly fault: RaisedFault<Name, Detail> | undefined
  readonly issues: readonly Issue[]
  readonly details: readonly ErrorDetail[]
  readonly metadata: Metadata
  readonly retryAfter: number | undefined
  readonly processed: 'no' | 'maybe'
  readonly origin: 'local' | 'downstream'
  readonly http: number | undefined

  /**
   * @param code One of gRPC's codes in snake_case.
   * @param message For people; it goes to the caller.
   * @param options Fault, metadata, and what else travels with it.
   */
  constructor(code: Code, message: string, options: CallErrorOptions<Name, Detail> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fault = options.fault
    this.issues = options.issues ?? []
    this.details = options.details ?? []
    this.metadata = options.metadata ?? new Metadata()
    this.retryAfter = options.retryAfter
    this.processed = options.processed ?? 'maybe'
    this.origin = options.origin ?? 'local'
    this.http = options.http
  }

  get [brand](): true {
    return true
  }

  /** Whether a value is a `CallError`, of this copy of the library or of another. */
  static is(value: unknown): value is CallError {
    if (typeof value !== 'object' || value === null) return false
    try {
      return (value as { [brand]?: unknown })[brand] === true
    } catch {
      // Whatever was thrown, such as a Proxy that has been revoked, it is not ours.
      return false
    }
  }

  /** The HTTP status of this error: the fault's own, or the code's. */
  get httpStatus(): number {
    return this.http ?? statusTable[this.code].http
  }
}

/** The same error, marked as one that came from a server which this process called. */
export function asDownstream(error: CallError): CallError {
  if (error.origin === 'downstream') return error
  return new CallError(error.code, error.message, {
    fault: error.fault,
    metadata: error.metadata,
    retryAfter: error.retryAfter,
    issues: error.issues,
    details: error.details,
    processed: error.processed,
    http: error.http,
    origin: 'downstream',
    cause: error.cause,
  } as CallErrorOptions)
}
