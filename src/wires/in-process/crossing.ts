/**
 * One call from one side of the process to the other: the client's `Call`, the server's, and what goes between them. A
 * state machine: whatever ends it first, a reply, an error of either side or a cancellation, ends both calls, once.
 */
import type { Call, InputSource } from '../../call/call.ts'
import { CallError, type CallErrorOptions, asDownstream } from '../../call/error.ts'
import { checkReplyHead, invalidFault, invalidInput, invalidOutput } from '../../call/failure.ts'
import type { Reply } from '../../call/handler.ts'
import { Metadata } from '../../call/metadata.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { Invalid } from '../../schema/invalid.ts'
import type { Host } from '../wire.ts'
import { Conduit, Unsendable, iteratorOf } from './conduit.ts'
import { type Passage, type PassageOptions, passage } from './copy.ts'

/** An operation as both sides have it. */
export interface Line {
  /** The server's. */
  readonly operation: CallOperation
  readonly input: Passage | undefined
  readonly output: Passage | undefined
  /** From the server's fault to the client's; `undefined` where either has no detail. */
  fault(name: string): Passage | undefined
}

/** Joins a client's operation to the server's. Throws `unimplemented` where one streams and the other does not. */
export function lineOf(client: CallOperation, server: CallOperation, options: PassageOptions): Line {
  if (client.streaming !== server.streaming) {
    throw new CallError(
      'unimplemented',
      `${client.id} is ${server.streaming} at the server, and ${client.streaming} here`,
      { processed: 'no', origin: 'downstream' },
    )
  }

  const faults = new Map<string, Passage | undefined>()
  const between = (from: CallOperation['input'], to: CallOperation['input']) =>
    from && to && passage(from, to, options)
  return {
    operation: server,
    input: between(client.input, server.input),
    output: between(server.output, client.output),
    fault(name) {
      if (!faults.has(name))
        faults.set(name, between(server.faults[name]?.detail, client.faults[name]?.detail))
      return faults.get(name)
    },
  }
}

export class Crossing implements InputSource {
  readonly #call: Call
  readonly #line: Line
  readonly #host: Host
  readonly #reply: PromiseWithResolvers<Reply> = Promise.withResolvers()
  #served: Call | undefined
  /** A unary input, packed. */
  #packed: Buffer | undefined
  #input: Conduit | undefined
  #output: Conduit | undefined
  #metadata: Metadata | undefined
  #trailers: Metadata | undefined
  #answered = false
  #over = false

  constructor(call: Call, line: Line, host: Host) {
    this.#call = call
    this.#line = line
    this.#host = host
  }

  /** Makes the server's call and runs it. Throws a CallError, and nobody has seen the call, for an input that is invalid. */
  start(timeout: number | undefined): Promise<Reply> {
    const { input: message } = this.#call.operation
    const { input, operation } = this.#line
    if (message?.stream === true) this.#sendStream()
    else if (input !== undefined) this.#packed = packInput(input, this.#call.input())

    const metadata = this.#call.metadataIfAny && new Metadata(this.#call.metadataIfAny)
    const served = this.#host.open(operation, this, metadata, timeout, {
      address: 'in-process',
      wire: 'in-process',
      secure: true,
    })
    this.#served = served
    this.#call.onCancel((why) => this.#canceled(why))
    served.onCancel((why) => this.#end(why, true))
    if (!this.#over) this.#run(served)
    return this.#reply.promise
  }

  #run(served: Call): void {
    let reply: Reply | Promise<Reply>
    try {
      reply = this.#host.handle(served)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (reply instanceof Promise)
      reply.then(
        (given) => this.#answer(given),
        (error) => this.#fail(error),
      )
    else this.#answer(reply)
  }

  // ── input ──

  input(): unknown {
    const { input, operation } = this.#line
    if (operation.input === undefined) return undefined
    if (this.#input !== undefined) return this.#input
    if (input === undefined) throw new CallError('invalid_argument', `${operation.id}: the input is missing`)
    return asValidInput(() => input.unpack(this.#packed as Buffer))
  }

  #sendStream(): void {
    const { input } = this.#line
    const { id } = this.#line.operation
    const conduit = new Conduit(iteratorOf(this.#call.input()), {
      carry(message) {
        const packed = packMessage(() => (input as Passage).pack(message))
        return asValidInput(() => (input as Passage).unpack(packed))
      },
      ended: () => conduit.end(),
      failed: (error) => {
        // The sender's own iteration failed: the call is given up, as on any other wire.
        const why = error instanceof Invalid ? invalidInput(error) : error
        this.#call.cancel(
          CallError.is(why)
            ? asDownstream(why)
            : new CallError('canceled', `${id}: the input stream failed`, {
                cause: error,
                origin: 'downstream',
              }),
        )
      },
      abandoned: () => undefined,
    })
    this.#input = conduit
  }

  // ── output ──

  #answer(reply: Reply): void {
    if (this.#line.operation.output?.stream === true) this.#answerStream(reply)
    else if (!this.#over) this.#answerUnary(reply)
  }

  #answerUnary({ output: value, metadata, trailers }: Reply): void {
    const { output } = this.#line
    let packed: Buffer | undefined
    try {
      packed = output?.pack(value)
      this.#checkHead(metadata)
      this.#checkHead(trailers)
    } catch (error) {
      this.#fail(error)
      return
    }

    this.#metadata = copied(metadata)
    this.#trailers = copied(trailers)
    try {
      const received = packed === undefined ? this.#noOutput() : output?.unpack(packed)
      if (received instanceof Promise) received.then(this.#succeed, this.#refuse)
      else this.#succeed(received)
    } catch (error) {
      this.#refuse(error)
    }
  }

  #checkHead(metadata: Metadata | undefined): void {
    checkReplyHead(this.#served as Call, metadata, this.#host.limits.headerSize)
  }

  #noOutput(): undefined {
    if (this.#call.operation.output !== undefined) throw new Error('it lacks its output')
  }

  readonly #succeed = (output: unknown): void => {
    if (this.#over) return
    this.#leave()
    this.#answered = true
    this.#served?.end(undefined, this.#inputs, 1)
    this.#call.end(undefined, 1, this.#inputs)
    this.#reply.resolve({ output, metadata: this.#metadata, trailers: this.#trailers })
  }

  /** The server has answered, and the client cannot take it. */
  readonly #refuse = (error: unknown): void => {
    if (this.#over) return
    this.#leave()
    this.#served?.end(undefined, this.#inputs, 1)
    this.#settle(this.#unfit(error))
  }

  #answerStream(reply: Reply): void {
    let iterator
    try {
      iterator = iteratorOf(reply.output)
    } catch (error) {
      this.#fail(error)
      return
    }

    const conduit = new Conduit(iterator, {
      carry: (message) => {
        const packed = packMessage(() => {
          this.#checkHead(reply.metadata)
          return (this.#line.output as Passage).pack(message)
        })
        this.#begin(reply)
        return this.#received(packed)
      },
      ended: () => this.#complete(reply),
      failed: (error) => this.#fail(error),
      abandoned: () =>
        this.#call.cancel(new CallError('canceled', 'the reader stopped', { origin: 'downstream' })),
    })
    this.#output = conduit
    if (this.#over) conduit.end()
    // What the handler says of the answer as a whole is known with its first message.
    else conduit.begin()
  }

  /** The first message, or the end: the client gets its reply. A generator has filled in its metadata by now. */
  #begin(reply: Reply): void {
    if (this.#answered) return
    this.#answered = true
    this.#metadata = copied(reply.metadata)
    this.#trailers = new Metadata()
    this.#reply.resolve({ output: this.#output, metadata: this.#metadata, trailers: this.#trailers })
  }

  #received(packed: Buffer): unknown {
    const { output } = this.#line
    const refuse = (error: unknown): never => {
      const wrong = this.#unfit(error)
      this.#call.cancel(wrong)
      throw wrong
    }
    try {
      const value = (output as Passage).unpack(packed)
      return value instanceof Promise ? value.catch(refuse) : value
    } catch (error) {
      return refuse(error)
    }
  }

  #complete(reply: Reply): void {
    try {
      if (!this.#answered) this.#checkHead(reply.metadata)
      this.#checkHead(reply.trailers)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#begin(reply)
    for (const [name, value] of reply.trailers ?? []) this.#trailers?.received(name, value)
    const sent = this.#output?.passed ?? 0
    this.#over = true
    this.#input?.end()
    this.#served?.end(undefined, this.#inputs, sent)
    this.#call.end(undefined, sent, this.#inputs)
    this.#output?.end()
  }

  /** The answer does not fit the client's contract. */
  #unfit(error: unknown): CallError {
    const { id } = this.#line.operation
    const text = error instanceof Error ? error.message : String(error)
    return new CallError('internal', `${id}: the answer does not fit the contract: ${text}`, {
      origin: 'downstream',
      cause: error,
    })
  }

  // ── the end ──

  /** The server is closed. */
  close(why: CallError): void {
    this.#served?.cancel(why)
  }

  get #inputs(): number {
    if (this.#input !== undefined) return this.#input.passed
    return this.#line.input === undefined ? 0 : 1
  }

  /** The server's side failed. */
  #fail(error: unknown): void {
    if (this.#over) return
    const served = this.#served as Call
    if (error instanceof Invalid) this.#end(invalidOutput(served, error, this.#host.log), false)
    else this.#end(this.#host.failure(served, error), false)
  }

  /** The server's side ends both calls. */
  #end(known: CallError, canceled: boolean): void {
    if (this.#over) return
    this.#over = true
    const { sent, theirs } = this.#errors(known)
    this.#leave(canceled ? known : undefined)
    this.#served?.end(sent, this.#inputs, this.#output?.passed ?? 0)
    this.#output?.end({ why: theirs })
    this.#settle(theirs)
  }

  /** The client gave the call up. */
  #canceled(why: CallError): void {
    if (this.#over) return
    this.#over = true
    const served = this.#served as Call
    const error = asDownstream(why)
    const told = new CallError(why.code, why.message)
    served.cancel(told)
    this.#leave(told)
    served.end(told, this.#inputs, this.#output?.passed ?? 0)
    this.#output?.cut({ why: error })
    this.#settle(error)
  }

  #settle(error: CallError): void {
    if (!this.#answered) this.#reply.reject(error)
    this.#answered = true
    this.#call.end(error, this.#output?.passed ?? 0, this.#inputs)
  }

  #leave(why?: CallError): void {
    this.#over = true
    this.#packed = undefined
    if (why === undefined) this.#input?.end()
    else this.#input?.cut({ why })
  }

  /** The error as the server sends it, and as the client gets it: without its cause, the fault's detail a copy. */
  #errors(known: CallError): { readonly sent: CallError; readonly theirs: CallError } {
    const name = known.fault?.name
    const faults = { server: this.#line.operation.faults, client: this.#call.operation.faults }
    const declared = name !== undefined && Object.hasOwn(faults.server, name)
    if (!declared || !Object.hasOwn(faults.client, name)) return { sent: known, theirs: received(known) }

    const across = this.#line.fault(name)
    if (across === undefined) return { sent: known, theirs: received(known, { name, detail: undefined }) }

    let packed: Buffer
    try {
      packed = across.pack(known.fault?.detail)
    } catch (error) {
      const sent = invalidFault(this.#served as Call, name, error, this.#host.log)
      return { sent, theirs: received(sent) }
    }

    try {
      return { sent: known, theirs: received(known, { name, detail: across.unpack(packed) }) }
    } catch {
      return { sent: known, theirs: received(known) }
    }
  }
}

function received(error: CallError, fault?: CallErrorOptions['fault']): CallError {
  const { code, message, metadata, retryAfter, issues, details, processed, http } = error
  return new CallError(code, message, {
    metadata: new Metadata(metadata),
    issues,
    details: details.map(({ type, value }) => ({ type, value: value.slice() })),
    processed,
    origin: 'downstream',
    ...(http === undefined ? {} : { http }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(fault === undefined ? {} : { fault }),
  })
}

function copied(metadata: Metadata | undefined): Metadata | undefined {
  return metadata && new Metadata(metadata)
}

/** The client's input, which nobody has seen when it is invalid. */
function packInput(input: Passage, value: unknown): Buffer {
  try {
    return input.pack(value)
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    const { message, issues } = error
    throw new CallError('invalid_argument', message, { issues, processed: 'no', origin: 'downstream' })
  }
}

function packMessage(pack: () => Buffer): Buffer {
  try {
    return pack()
  } catch (error) {
    throw new Unsendable('the sender made no valid message', { cause: error })
  }
}

/** What the receiver's contract refuses, refinements included, is the caller's mistake. */
function asValidInput(unpack: () => unknown): unknown {
  const refuse = (error: unknown): never => {
    throw error instanceof Invalid ? invalidInput(error) : error
  }
  try {
    const value = unpack()
    return value instanceof Promise ? value.catch(refuse) : value
  } catch (error) {
    return refuse(error)
  }
}
