/** HOT PATH. What the client half keeps of each operation: request heads, and codecs compiled when first called. */
import type { Call } from '../../call/call.ts'
import type { Limits } from '../../call/limits.ts'
import { type JsonCodec, compileJson } from '../../codec/json/compile.ts'
import type { CallOperation, Message } from '../../contract/operation.ts'
import { parsePath } from '../../contract/route.ts'
import type { HttpRequestHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { formatTimeout, writeMetadata } from './call-metadata.ts'
import { type InputCodec, type WrittenInput, compileInput } from './input.ts'
import { ndjsonTypes } from './ndjson.ts'
import { type FaultCodecs, faultCodecs, problemType } from './problem.ts'
import { sseType } from './sse.ts'

export interface ClientOperationOptions {
  /** What stands before every path: `/api/v2`, or nothing. */
  readonly prefix: string
  /** The Host header. */
  readonly authority: string
  readonly compression: boolean
  readonly limits: Limits
}

export class ClientOperation {
  readonly operation: CallOperation
  readonly streamsIn: boolean
  readonly streamsOut: boolean
  readonly faults: FaultCodecs
  readonly #options: ClientOperationOptions
  /** The path's pieces before, between and behind its fields. */
  readonly #pieces: readonly string[]
  readonly #headers: readonly string[]
  #input: InputCodec | undefined
  #element: JsonCodec | undefined
  #output: JsonCodec | undefined
  /** The head of calls without parameters and metadata; most have the same time left. */
  #head: HttpRequestHead | undefined
  #headTimeout = Number.NaN

  constructor(operation: CallOperation, options: ClientOperationOptions) {
    const { input, output, rest } = operation
    this.operation = operation
    this.streamsIn = input?.stream === true
    this.streamsOut = output?.stream === true
    this.faults = faultCodecs(operation, options.limits.depth)
    this.#options = options
    this.#pieces = piecesOf(options.prefix, rest.path)
    this.#headers = this.#fixedHeaders()
  }

  #fixedHeaders(): string[] {
    const accept = this.streamsOut
      ? `${ndjsonTypes[0]}, ${sseType};q=0.5, ${problemType}`
      : `application/json, ${problemType}`
    const list = ['accept', accept, 'user-agent', 'trunkline']

    if (this.streamsOut) list.push('te', 'trailers')
    if (this.#options.compression) list.push('accept-encoding', 'zstd, br, gzip')
    return list
  }

  get input(): InputCodec {
    return (this.#input ??= compileInput(this.operation, this.#options.limits.depth))
  }

  get element(): JsonCodec {
    return (this.#element ??= this.#codec(this.operation.input as Message))
  }

  get output(): JsonCodec {
    return (this.#output ??= this.#codec(this.operation.output as Message))
  }

  #codec(message: Message): JsonCodec {
    return compileJson(message.schema, 'trunkline', { depth: this.#options.limits.depth })
  }

  /** The head of a call; `timeout` is the time left in milliseconds. */
  head(call: Call, { parameters, body }: WrittenInput, timeout: number): HttpRequestHead {
    const metadata = call.metadataIfAny
    if (parameters !== undefined || (metadata !== undefined && metadata.size > 0)) {
      return this.#makeHead(call, parameters?.path, parameters, body, timeout)
    }
    if (this.#head === undefined || timeout !== this.#headTimeout) {
      this.#head = this.#makeHead(call, undefined, undefined, body, timeout)
      this.#headTimeout = timeout
    }
    return this.#head
  }

  #makeHead(
    call: Call,
    path: readonly string[] | undefined,
    parameters: WrittenInput['parameters'],
    body: WrittenInput['body'],
    timeout: number,
  ): HttpRequestHead {
    const list = [...this.#headers]
    if (this.streamsIn) list.push('content-type', ndjsonTypes[0])
    else if (body !== undefined) list.push('content-type', 'application/json')
    if (timeout !== Infinity) list.push('trunkline-timeout', formatTimeout(timeout))
    if (parameters !== undefined) list.push(...parameters.headers)
    writeMetadata(list, call.metadataIfAny)

    let target = this.#pieces[0] as string
    for (let i = 1; i < this.#pieces.length; i++)
      target += (path?.[i - 1] ?? '') + (this.#pieces[i] as string)
    if (parameters !== undefined && parameters.query !== '') target += `?${parameters.query}`

    const { authority } = this.#options
    return { method: this.operation.rest.method, target, authority, headers: new HttpHeaders(list) }
  }
}

/** `/orders/{id}:cancel` → `/orders/`, `:cancel` */
function piecesOf(prefix: string, path: string): readonly string[] {
  const segments = parsePath(path, path)
  const pieces = [prefix]
  for (const segment of segments) {
    const last = pieces.length - 1
    if ('literal' in segment) pieces[last] += `/${segment.literal}`
    else {
      pieces[last] += '/'
      pieces.push(segment.verb)
    }
  }
  if (pieces.length === 1 && pieces[0] === '') return ['/']
  return pieces
}
