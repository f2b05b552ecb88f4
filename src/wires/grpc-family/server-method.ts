/** What the server half keeps of each operation: codecs, made when it is first called, and heads of answers. */
import type { Handler } from '../../call/handler.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { HttpResponseHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { Compression } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import { type FaultCodecs, faultCodecs } from './fault-codecs.ts'
import { type MessageCodec, messageCodec } from './message-codec.ts'

export const contentTypes: Readonly<Record<MessageFormat, string>> = {
  proto: 'application/grpc',
  json: 'application/grpc+json',
}

/** An operation in one format. */
export interface MethodCodecs {
  readonly input: MessageCodec
  readonly output: MessageCodec
}

export class ServerMethod {
  readonly operation: CallOperation
  /** What answers instead of the server's handlers: of services that the wire has itself. */
  readonly handler: Handler | undefined
  readonly streamsIn: boolean
  readonly streamsOut: boolean
  readonly #depth: number
  #proto: MethodCodecs | undefined
  #json: MethodCodecs | undefined
  #faults: FaultCodecs | undefined

  constructor(operation: CallOperation, depth: number, handler?: Handler) {
    this.operation = operation
    this.handler = handler
    this.streamsIn = operation.input?.stream === true
    this.streamsOut = operation.output?.stream === true
    this.#depth = depth
    this.#proto = undefined
    this.#json = undefined
    this.#faults = undefined
  }

  codecs(format: MessageFormat): MethodCodecs {
    if (format === 'json') return (this.#json ??= this.#make('json'))
    return (this.#proto ??= this.#make('proto'))
  }

  #make(format: MessageFormat): MethodCodecs {
    const { input, output } = this.operation
    return {
      input: messageCodec(input, format, this.#depth),
      output: messageCodec(output, format, this.#depth),
    }
  }

  get faults(): FaultCodecs {
    return (this.#faults ??= faultCodecs(this.operation, this.#depth))
  }
}

const heads: Record<MessageFormat, Map<Compression | undefined, HttpResponseHead>> = {
  proto: new Map(),
  json: new Map(),
}

/** The head of an answer without metadata: one object for each kind, which engines encode once. */
export function answerHead(format: MessageFormat, coding: Compression | undefined): HttpResponseHead {
  const known = heads[format].get(coding)
  if (known !== undefined) return known
  const list = ['content-type', contentTypes[format]]
  if (coding !== undefined) list.push('grpc-encoding', coding)
  const head = Object.freeze({ status: 200, headers: new HttpHeaders(list) })
  heads[format].set(coding, head)
  return head
}
