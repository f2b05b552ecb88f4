/** HOT PATH. What the client half keeps of each operation: heads of requests, and codecs made when first called. */
import type { Call } from '../../call/call.ts'
import type { Limits } from '../../call/limits.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { HttpRequestHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { writeMetadata } from './call-metadata.ts'
import type { ClientDialect } from './client-dialect.ts'
import type { Compression } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import { type FaultCodecs, faultCodecs } from './fault-codecs.ts'
import { type MessageCodec, messageCodec } from './message-codec.ts'

export interface ClientMethodOptions {
  readonly dialect: ClientDialect
  /** What stands before every path; mostly nothing. */
  readonly prefix: string
  readonly authority: string
  readonly format: MessageFormat
  readonly compression: Compression | undefined
  readonly limits: Limits
}

export class ClientMethod {
  readonly operation: CallOperation
  readonly streamsIn: boolean
  readonly streamsOut: boolean
  readonly input: MessageCodec
  readonly output: MessageCodec
  readonly compression: Compression | undefined
  readonly dialect: ClientDialect
  readonly #depth: number
  #faults: FaultCodecs | undefined
  /** The head of calls that have the usual time, and of those that have all the time in the world. */
  readonly #usual: number
  readonly #usualHead: HttpRequestHead
  readonly #plainHead: HttpRequestHead
  /** The head of the last call that had another time. */
  #lastTimeout = Number.NaN
  #lastHead: HttpRequestHead

  constructor(operation: CallOperation, options: ClientMethodOptions) {
    const { dialect, prefix, authority, format, compression, limits } = options
    const { input, output, streaming } = operation
    this.operation = operation
    this.streamsIn = input?.stream === true
    this.streamsOut = output?.stream === true
    this.input = messageCodec(input, format, limits.depth)
    this.output = messageCodec(output, format, limits.depth)
    this.compression = compression
    this.dialect = dialect
    this.#depth = limits.depth
    this.#faults = undefined

    const fields = dialect.fields(format, compression)
    const head = (list: string[]): HttpRequestHead => ({
      method: 'POST',
      target: `${prefix}/${operation.grpc}`,
      authority,
      headers: Object.freeze(new HttpHeaders(list)),
    })
    this.#usual = operation.timeout ?? (streaming === 'unary' ? limits.callTimeout : Infinity)
    this.#plainHead = head(fields)
    this.#usualHead =
      this.#usual === Infinity ? this.#plainHead : head([...dialect.timeout(this.#usual), ...fields])
    this.#lastHead = this.#plainHead
  }

  get faults(): FaultCodecs {
    return (this.#faults ??= faultCodecs(this.operation, this.#depth))
  }

  /** The head of a call. `timeout` is the time left in milliseconds, more than 0. */
  head(call: Call, timeout: number): HttpRequestHead {
    const metadata = call.metadataIfAny
    if (metadata === undefined || metadata.size === 0) {
      if (timeout === this.#usual) return this.#usualHead
      if (timeout === Infinity) return this.#plainHead
      if (timeout !== this.#lastTimeout) {
        this.#lastTimeout = timeout
        this.#lastHead = withMore(this.#plainHead, [...this.dialect.timeout(timeout)])
      }
      return this.#lastHead
    }

    const usual = timeout === this.#usual
    const list = usual || timeout === Infinity ? [] : [...this.dialect.timeout(timeout)]
    writeMetadata(list, metadata)
    return withMore(usual ? this.#usualHead : this.#plainHead, list)
  }
}

function withMore({ method, target, authority, headers }: HttpRequestHead, list: string[]): HttpRequestHead {
  return { method, target, authority, headers, more: new HttpHeaders(list) }
}
