/** HOT PATH. A client's method of one call: from arguments to a `Call`, and from its `Reply` to a value or an iterable. */
import { Call } from '../call/call.ts'
import type { Clock } from '../call/clock.ts'
import { currentCall } from '../call/current.ts'
import { CallError, asDownstream } from '../call/error.ts'
import type { Handler, Reply } from '../call/handler.ts'
import { Metadata, type MetadataValue } from '../call/metadata.ts'
import { checkCallOptions } from './call-options.ts'
import { parseDuration } from '../contract/duration.ts'
import type { CallOperation } from '../contract/operation.ts'
import type { CallOptions } from '../contract/types.ts'
import type { ReplySink } from '../wires/wire.ts'
import { type Way, along } from './route.ts'

export interface MethodSettings {
  readonly way: Way
  readonly clock: Clock
  /** Milliseconds for unary calls that say nothing. */
  readonly timeout: number
  /** Goes with every call. */
  readonly metadata: Metadata | undefined
}

/** What a handler's call hands on to the calls made within it. */
const traceNames = ['traceparent', 'tracestate']

/** The method of a call whose output is one value. */
export function unaryMethod(
  operation: CallOperation,
  settings: MethodSettings,
): (input?: unknown, options?: CallOptions) => Promise<unknown> {
  const inputless = operation.input === undefined
  const start = (input: unknown, options: CallOptions | undefined) => {
    const { way } = settings
    if (options !== undefined) checkCallOptions(operation, options)
    const call = beginCall(operation, input, options, settings)
    if (way.send !== undefined && call.canceled === undefined && options?.onReply === undefined) {
      const answer = new UnaryAnswer(call, way)
      if (answer.send()) return answer.output
    }
    let reply: Reply | Promise<Reply>

    try {
      if (call.canceled !== undefined) throw call.canceled
      reply = way.first(call)
    } catch (error) {
      return again(call, error, way, options)
    }

    if (!(reply instanceof Promise)) {
      const answered = reply
      return new Promise((resolve) => resolve(finish(call, answered, options)))
    }
    return reply.then(
      (value) => finish(call, value, options),
      (error: unknown) => again(call, error, way, options),
    )
  }

  return inputless
    ? (first, second) => start(undefined, second ?? (first as CallOptions | undefined))
    : (input, options) => start(input === undefined ? emptyInput(operation) : input, options)
}

/** The method of a call whose output is a stream. Nothing is sent before it is iterated. */
export function streamingMethod(
  operation: CallOperation,
  settings: MethodSettings,
): (input?: unknown, options?: CallOptions) => AsyncIterable<unknown> {
  const inputless = operation.input === undefined
  const handler = along(settings.way)

  return (first, second) => {
    const options = inputless ? (second ?? (first as CallOptions | undefined)) : second
    const input = inputless ? undefined : first === undefined ? emptyInput(operation) : first
    if (options !== undefined) checkCallOptions(operation, options)
    const parent = currentCall()
    let started = false

    return {
      [Symbol.asyncIterator]() {
        if (started) {
          throw new TypeError(
            `${operation.id}: the answer of one call can be read once; call again for another`,
          )
        }
        started = true
        return readReply(beginCall(operation, input, options, settings, parent), handler, options)
      },
    }
  }
}

/** What a left-out input means: an object of which nothing is given. */
function emptyInput({ input }: CallOperation): unknown {
  if (input === undefined || input.stream) return undefined
  const { type } = input.schema.root
  return type.kind === 'ref' && input.schema.types[type.to]?.kind === 'object' ? {} : undefined
}

// A promise's functions are caught by one function for all: a closure for every call would be garbage.
let caughtResolve: (output: unknown) => void
function capture(resolve: (output: unknown) => void): void {
  caughtResolve = resolve
}

/** The answer to a call that nobody but the caller waits for: one promise, and no step between it and the wire. */
class UnaryAnswer implements ReplySink {
  readonly output: Promise<unknown>
  readonly #call: Call
  readonly #way: Way
  readonly #resolve: (output: unknown) => void

  constructor(call: Call, way: Way) {
    this.#call = call
    this.#way = way
    this.output = new Promise(capture)
    this.#resolve = caughtResolve
  }

  /** Makes the first try; false when that cannot be done by callback now. */
  send(): boolean {
    try {
      return (this.#way.send as NonNullable<Way['send']>)(this.#call, this)
    } catch (error) {
      this.failed(error)
      return true
    }
  }

  answered(reply: Reply): void {
    this.#resolve(reply.output)
  }

  /** The wire may be in the middle of something: more tries begin when it has come to its end. */
  failed(error: unknown): void {
    queueMicrotask(() => this.#resolve(again(this.#call, error, this.#way, undefined)))
  }
}

/** After a first try that failed: what more tries come to. */
async function again(call: Call, why: unknown, way: Way, options: CallOptions | undefined): Promise<unknown> {
  let reply: Reply

  try {
    reply = await way.again(call, why)
  } catch (error) {
    throw failed(call, error)
  }

  return finish(call, reply, options)
}

function finish(call: Call, reply: Reply, options: CallOptions | undefined): unknown {
  if (options !== undefined) announce(call, reply, options)
  // A filter answered by itself: no channel has ended the call.
  if (call.outcome === undefined) call.end(undefined, 1, 1)
  return reply.output
}

function announce(call: Call, reply: Reply, options: CallOptions | undefined): void {
  if (options?.onReply === undefined) return
  const trailers = new Promise<Metadata>((resolve) => {
    call.onEnd(() => resolve(reply.trailers ?? new Metadata()))
  })
  try {
    options.onReply({ metadata: reply.metadata ?? new Metadata(), trailers })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const why = new CallError('internal', `${call.operation.id}: onReply threw: ${message}`, {
      origin: 'downstream',
      cause: error,
    })
    throw failed(call, why)
  }
}

function failed(call: Call, error: unknown): CallError {
  const known = CallError.is(error)
    ? asDownstream(error)
    : new CallError(
        'internal',
        `${call.operation.id}: ${error instanceof Error ? error.message : String(error)}`,
        {
          origin: 'downstream',
          cause: error,
        },
      )
  // A filter that failed beside a call which is still open gives it up: nobody waits for the answer.
  call.cancel(known)
  call.end(known, 0, 0)
  return known
}

async function* readReply(
  call: Call,
  handler: Handler,
  options: CallOptions | undefined,
): AsyncGenerator<unknown, void, undefined> {
  let over = false
  try {
    if (call.canceled !== undefined) throw call.canceled
    const reply = await handler(call)
    announce(call, reply, options)
    for await (const message of reply.output as AsyncIterable<unknown>) yield message
    over = true
    if (call.outcome === undefined) call.end(undefined, 1, 1)
  } catch (error) {
    over = true
    throw failed(call, error)
  } finally {
    if (!over) call.cancel(new CallError('canceled', 'the reader stopped', { origin: 'downstream' }))
  }
}

/** Makes the call: deadline, metadata, and what the handler that makes it hands on. */
function beginCall(
  operation: CallOperation,
  input: unknown,
  options: CallOptions | undefined,
  { clock, timeout, metadata }: MethodSettings,
  parent: Call | undefined = currentCall(),
): Call {
  const call = new Call(operation, undefined, input, metadata && new Metadata(metadata), undefined)
  const usual = operation.timeout ?? (operation.streaming === 'unary' ? timeout : Infinity)
  const given =
    options?.timeout === undefined ? usual : parseDuration(options.timeout, `timeout of ${operation.id}`)
  if (given !== Infinity) call.limit(clock.read() + given)
  if (options !== undefined) applyOptions(call, options)
  if (parent !== undefined) inherit(call, parent)
  return call
}

function applyOptions(call: Call, { metadata, idempotencyKey, signal }: CallOptions): void {
  if (metadata !== undefined) {
    // The constructor has checked them.
    const { flat } = new Metadata(metadata)
    for (let i = 0; i < flat.length; i += 2) {
      call.metadata.received(flat[i] as string, flat[i + 1] as MetadataValue)
    }
  }
  if (idempotencyKey !== undefined) call.metadata.set('idempotency-key', idempotencyKey)
  if (signal === undefined) return

  const abort = () => {
    const message = signal.reason instanceof Error ? signal.reason.message : 'the call was canceled'
    call.cancel(new CallError('canceled', message, { origin: 'downstream', cause: signal.reason }))
  }
  if (signal.aborted) {
    abort()
    return
  }
  signal.addEventListener('abort', abort, { once: true })
  call.onEnd(() => signal.removeEventListener('abort', abort))
}

/** Deadline, trace and cancellation of the call whose handler makes this one. */
function inherit(call: Call, parent: Call): void {
  if (parent.deadline !== Infinity) call.limit(parent.deadline)

  const theirs = parent.metadataIfAny
  if (theirs !== undefined) {
    for (const name of traceNames) {
      const value = theirs.get(name)
      if (value !== undefined && !call.metadata.has(name)) call.metadata.append(name, value)
    }
  }

  const cancel = (why: CallError) => call.cancel(why)
  parent.onCancel(cancel)
  call.onEnd(() => parent.offCancel(cancel))
}
