import type { Call, InputSource } from '../../call/call.ts'
import { CallError, type CallErrorOptions } from '../../call/error.ts'
import { invalidInput, invalidOutput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import { Metadata } from '../../call/metadata.ts'
import type { Message } from '../../contract/operation.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Channel, ChannelOptions, Host } from '../wire.ts'
import { type Copy, copier } from './copy.ts'

/** The server's call, as the client's call sees it: its input is the client's value, copied. */
class Source implements InputSource {
  readonly #from: Call
  received = 0

  constructor(from: Call) {
    this.#from = from
  }

  input(): unknown {
    const { input: message } = this.#from.operation
    if (message === undefined) return undefined
    const copy = copier(message)

    try {
      if (message.stream) return this.#stream(this.#from.input() as AsyncIterable<unknown>, copy)
      this.received = 1
      return copy(this.#from.input())
    } catch (error) {
      throw error instanceof Invalid ? invalidInput(error) : error
    }
  }

  async *#stream(values: AsyncIterable<unknown> | Iterable<unknown>, copy: Copy): AsyncIterable<unknown> {
    for await (const value of values) {
      try {
        this.received++
        yield await copy(value)
      } catch (error) {
        throw error instanceof Invalid ? invalidInput(error) : error
      }
    }
  }
}

export class InProcessChannel implements Channel {
  readonly #host: Host
  readonly #options: ChannelOptions
  #state: Channel['state'] = 'ready'
  #active = 0
  #onIdle: (() => void) | undefined
  #onState: ((why: CallError | undefined) => void) | undefined
  readonly #open = new Set<Call>()

  constructor(host: Host, options: ChannelOptions) {
    this.#host = host
    this.#options = options
  }

  get state(): Channel['state'] {
    return this.#state
  }

  get active(): number {
    return this.#active
  }

  onState(listener: (why: CallError | undefined) => void): void {
    this.#onState = listener
  }

  async call(call: Call): Promise<Reply> {
    if (this.#host.draining || this.#state !== 'ready') {
      throw new CallError('unavailable', 'the server is being shut down', { processed: 'no' })
    }

    const operation = this.#host.operations.get(call.operation.id)
    if (operation === undefined) {
      throw new CallError('unimplemented', `${call.operation.id} is not served here`)
    }

    const source = new Source(call)
    const { clock } = this.#options
    const remaining = call.deadline === Infinity ? undefined : call.deadline - clock.now()
    const metadata = call.metadataIfAny && new Metadata(call.metadataIfAny)
    const served = this.#host.open(operation, source, metadata, remaining, {
      address: 'in-process',
      wire: 'in-process',
      secure: true,
    })

    this.#enter(call)
    call.onCancel((why) => served.cancel(new CallError('canceled', why.message)))
    const { promise: given, reject: give } = Promise.withResolvers<never>()
    given.catch(() => undefined)
    call.onCancel(give)
    served.onCancel((why) => give(call.canceled ?? why))

    try {
      const reply = await Promise.race([this.#host.handle(served), given])
      return this.#reply(call, served, source, reply, given)
    } catch (error) {
      throw this.#fail(call, served, error)
    }
  }

  async #reply(
    call: Call,
    served: Call,
    source: Source,
    reply: Reply,
    given: Promise<never>,
  ): Promise<Reply> {
    const { output: message } = served.operation
    if (message === undefined || !message.stream) {
      const output = message === undefined ? undefined : await this.#output(served, message, reply.output)
      served.end(undefined, source.received, 1)
      call.end(undefined, 1, 1)
      return { ...reply, output }
    }
    const iterable = reply.output as AsyncIterable<unknown> & Iterable<unknown>
    const iterator = (iterable[Symbol.asyncIterator]?.() ??
      iterable[Symbol.iterator]()) as AsyncIterator<unknown>
    const first = Promise.resolve(iterator.next())
    await Promise.race([first.catch(() => undefined), turn()])
    return { ...reply, output: this.#streamed(call, served, message, iterator, first, given) }
  }

  async *#streamed(
    call: Call,
    served: Call,
    message: Message,
    iterator: AsyncIterator<unknown>,
    first: Promise<IteratorResult<unknown>>,
    given: Promise<never>,
  ): AsyncGenerator<unknown, void, undefined> {
    let next = first
    let sent = 0
    let ended = false

    try {
      while (true) {
        const step = await Promise.race([next, given])
        if (step.done) break
        sent++
        yield await this.#output(served, message, step.value)
        next = Promise.resolve(iterator.next())
      }
      ended = true
      served.end(undefined, 1, sent)
      call.end(undefined, sent, 1)
    } catch (error) {
      ended = true
      void iterator.return?.()
      throw this.#fail(call, served, error)
    } finally {
      if (!ended) {
        const why = new CallError('canceled', 'the reader stopped')
        served.cancel(why)
        void iterator.return?.()
        served.end(why, 1, sent)
        call.end(why, sent, 1)
      }
    }
  }

  async #output(served: Call, message: Message, value: unknown): Promise<unknown> {
    try {
      return await copier(message)(value)
    } catch (error) {
      throw error instanceof Invalid ? invalidOutput(served, error, this.#host.log) : error
    }
  }

  /** Both calls end with what the caller may know. */
  #fail(call: Call, served: Call, error: unknown): CallError {
    let known = call.canceled ?? this.#host.failure(served, error)
    let theirs: CallError
    try {
      theirs = withCopiedFault(call, known)
    } catch (wrong) {
      if (!(wrong instanceof Invalid)) throw wrong
      known = invalidOutput(served, wrong, this.#host.log)
      theirs = withCopiedFault(call, known)
    }
    served.cancel(known)
    served.end(known, 1, 0)
    call.end(theirs, 0, 1)
    return theirs
  }

  #enter(call: Call): void {
    this.#active++
    this.#open.add(call)
    call.onEnd(() => {
      this.#active--
      this.#open.delete(call)
      if (this.#active === 0) this.#onIdle?.()
    })
  }

  async close(grace: number): Promise<void> {
    this.#state = 'draining'
    this.#onState?.(undefined)
    if (this.#active > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const why = new CallError('unavailable', 'the client was closed')
    for (const call of this.#open) call.cancel(why)
    this.#state = 'closed'
    this.#onState?.(undefined)
  }
}

/** The error as it arrives: without its cause, the fault's detail a copy; an undeclared fault is only its code. */
function withCopiedFault(call: Call, error: CallError): CallError {
  const { code, message, metadata, retryAfter, issues, details, processed, http } = error
  const options: CallErrorOptions = { metadata, issues, details, processed, http, origin: 'downstream' }
  const name = error.fault?.name
  const declared = name === undefined ? undefined : call.operation.faults[name]
  if (declared === undefined || name === undefined)
    return new CallError(code, message, { ...options, retryAfter })
  const detail = declared.detail && copier(declared.detail)(error.fault?.detail)
  return new CallError(code, message, { ...options, retryAfter, fault: { name, detail } })
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
