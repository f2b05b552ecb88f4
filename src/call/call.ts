/**
 * HOT PATH. One object a call, on either side. Lists, signal and metadata come into being when somebody asks for them.
 * Guarded by `bench/scenarios/trunk`.
 */
import type { CallOperation } from '../contract/operation.ts'
import { type DeadlineWheel, type Expiring, deadlines } from './deadlines.ts'
import { CallError } from './error.ts'
import { Metadata } from './metadata.ts'
import type { Peer } from './peer.ts'
import type { Principal } from './principal.ts'

/** Where a server's call takes its input from: the wire that received it. */
export interface InputSource {
  /** Decodes on demand, once: a value, a Promise of one, or an AsyncIterable. Throws or rejects with a `CallError`. */
  input(call: Call): unknown
}

/** How a call ended, on either side. */
export interface Outcome {
  /** `undefined`: it succeeded. */
  readonly error: CallError | undefined
  /** Messages received and sent by this side. */
  readonly received: number
  readonly sent: number
}

type CancelListener = (why: CallError) => void
type EndListener = (outcome: Outcome) => void

const succeededUnary: Outcome = { error: undefined, received: 1, sent: 1 }

/** One call, at run time. A server's wire makes it from bytes, a client makes it from a method's arguments. */
export class Call implements Expiring {
  readonly operation: CallOperation
  /** Monotonic milliseconds (`performance.now()`); Infinity where there is none. Change it with `limit`. */
  deadline: number
  /** The other side. A client's call has none before the balancer chose. */
  peer: Peer | undefined
  /** 1 for the first try. */
  attempt = 1
  /** Who calls, once an authentication filter has found out. */
  principal: Principal | undefined
  /** Why it was cancelled; `undefined` while it runs, and after it ended by itself. */
  canceled: CallError | undefined
  /** How it ended; `undefined` while it runs. */
  outcome: Outcome | undefined

  wheelSlot = -1
  wheelNext: Expiring | undefined
  wheelPrevious: Expiring | undefined

  #metadata: Metadata | undefined
  readonly #source: InputSource | undefined
  #input: unknown
  #read = false
  /** Why there is no valid input: whoever asks again hears it again. */
  #unreadable: { readonly why: unknown } | undefined
  #onCancel: CancelListener | CancelListener[] | undefined
  #onEnd: EndListener | EndListener[] | undefined
  #abort: AbortController | undefined
  readonly #wheel: DeadlineWheel

  /**
   * @param source The wire on a server; `undefined` on a client, where `input` is the value itself.
   */
  constructor(
    operation: CallOperation,
    source: InputSource | undefined,
    input: unknown,
    metadata: Metadata | undefined,
    peer: Peer | undefined,
    wheel: DeadlineWheel = deadlines,
  ) {
    this.operation = operation
    this.#source = source
    this.#input = input
    this.#read = source === undefined
    this.#unreadable = undefined
    this.#metadata = metadata
    this.peer = peer
    this.principal = undefined
    this.canceled = undefined
    this.outcome = undefined
    this.deadline = Infinity
    this.wheelNext = undefined
    this.wheelPrevious = undefined
    this.#onCancel = undefined
    this.#onEnd = undefined
    this.#abort = undefined
    this.#wheel = wheel
  }

  /** What came with the call, or, on a client, what goes with it; may be changed until it is sent. */
  get metadata(): Metadata {
    return (this.#metadata ??= new Metadata())
  }

  /** For wires: the metadata if there is any, without making one. */
  get metadataIfAny(): Metadata | undefined {
    return this.#metadata
  }

  /**
   * The input: a value, a Promise of one, or, of a streamed input, an AsyncIterable. A server decodes it at the first
   * call of this, so that a filter which refuses costs no decoding. Throws a `CallError` when it is no valid input.
   */
  input(): unknown {
    if (this.#read) {
      if (this.#unreadable !== undefined) throw this.#unreadable.why
      return this.#input
    }
    this.#read = true
    try {
      return (this.#input = (this.#source as InputSource).input(this))
    } catch (error) {
      this.#unreadable = { why: error }
      throw error
    }
  }

  /** Ends the call at `deadline` (monotonic milliseconds) unless an earlier one is set already. */
  limit(deadline: number): void {
    // Said this way round, NaN changes nothing.
    if (!(deadline < this.deadline) || this.outcome !== undefined || this.canceled !== undefined) return
    if (this.wheelSlot >= 0) this.#wheel.remove(this)
    this.deadline = deadline
    this.#wheel.add(this)
  }

  /** The wheel's: the deadline has passed. */
  expire(): void {
    this.cancel(new CallError('deadline_exceeded', `${this.operation.id}: the deadline has passed`))
  }

  /** Gives the call up: handler, wire and every call made within it are told. Does nothing once it has ended. */
  cancel(why: CallError): void {
    if (this.canceled !== undefined || this.outcome !== undefined) return
    this.canceled = why
    if (this.wheelSlot >= 0) this.#wheel.remove(this)
    const listeners = this.#onCancel
    this.#onCancel = undefined
    if (listeners !== undefined) {
      if (typeof listeners === 'function') listeners(why)
      else for (const listener of listeners) listener(why)
    }
    this.#abort?.abort(why)
  }

  /** Calls `listener` when the call is given up, at once if it has been. Cheaper than `signal`. */
  onCancel(listener: CancelListener): void {
    if (this.canceled !== undefined) {
      listener(this.canceled)
      return
    }
    if (this.outcome !== undefined) return
    if (this.#onCancel === undefined) this.#onCancel = listener
    else if (typeof this.#onCancel === 'function') this.#onCancel = [this.#onCancel, listener]
    else this.#onCancel.push(listener)
  }

  /** Forgets a listener of `onCancel`. */
  offCancel(listener: CancelListener): void {
    if (this.#onCancel === listener) this.#onCancel = undefined
    else if (Array.isArray(this.#onCancel)) {
      const index = this.#onCancel.indexOf(listener)
      if (index >= 0) this.#onCancel.splice(index, 1)
    }
  }

  /** Aborted when the call is given up. Made at first use. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.canceled !== undefined) this.#abort.abort(this.canceled)
    }
    return this.#abort.signal
  }

  /**
   * Calls `listener` once, when both directions are over, on either side; at once if they are. Metrics, spans, limiters,
   * budgets and drain hang here. A listener must not throw.
   */
  onEnd(listener: EndListener): void {
    if (this.outcome !== undefined) {
      listener(this.outcome)
      return
    }
    if (this.#onEnd === undefined) this.#onEnd = listener
    else if (typeof this.#onEnd === 'function') this.#onEnd = [this.#onEnd, listener]
    else this.#onEnd.push(listener)
  }

  /** For wires: both directions are over. Only the first call of it counts. */
  end(error: CallError | undefined, received: number, sent: number): void {
    if (this.outcome !== undefined) return
    if (this.wheelSlot >= 0) this.#wheel.remove(this)
    const outcome =
      error === undefined && received === 1 && sent === 1 ? succeededUnary : { error, received, sent }
    this.outcome = outcome
    this.#onCancel = undefined
    const listeners = this.#onEnd
    if (listeners === undefined) return
    this.#onEnd = undefined
    if (typeof listeners === 'function') listeners(outcome)
    else for (const listener of listeners) listener(outcome)
  }
}
