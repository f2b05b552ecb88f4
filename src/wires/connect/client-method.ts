/** What the client half keeps of each unary operation: heads of requests, and codecs made when first called. */
import type { Call } from '../../call/call.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { Limits } from '../../call/limits.ts'
import type { HttpRequestHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { writeMetadata } from '../grpc-family/call-metadata.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import { type FaultCodecs, faultCodecs } from '../grpc-family/fault-codecs.ts'
import { type MessageCodec, messageCodec } from '../grpc-family/message-codec.ts'
import { userAgent } from './client-dialect.ts'
import { unaryType } from './content-type.ts'
import { formatQuery } from './query.ts'
import { acceptedCodings } from './request-headers.ts'
import type { ConnectCompression } from './server.ts'
import { formatTimeout } from './timeout.ts'

/** Longer targets are refused by many servers and proxies. */
const longestTarget = 4096

export interface UnaryMethodOptions {
  /** What stands before every path; mostly nothing. */
  readonly prefix: string
  readonly authority: string
  readonly format: MessageFormat
  readonly compression: ConnectCompression | undefined
  /** Whether operations that change nothing are asked for by GET. */
  readonly get: boolean
  readonly limits: Limits
}

export class UnaryMethod {
  readonly operation: CallOperation
  readonly input: MessageCodec
  readonly output: MessageCodec
  readonly format: MessageFormat
  readonly compression: ConnectCompression | undefined
  /** Whether GET is tried. */
  readonly get: boolean
  readonly #target: string
  readonly #authority: string
  readonly #depth: number
  readonly #fields: HttpHeaders
  readonly #getFields: HttpHeaders
  #faults: FaultCodecs | undefined

  constructor(operation: CallOperation, options: UnaryMethodOptions) {
    const { prefix, authority, format, compression, limits } = options
    const { depth } = limits
    this.operation = operation
    this.input = messageCodec(operation.input, format, depth)
    this.output = messageCodec(operation.output, format, depth)
    this.format = format
    this.compression = compression
    this.get = options.get && operation.idempotency === 'safe'
    this.#target = `${prefix}/${operation.grpc}`
    this.#authority = authority
    this.#depth = depth
    this.#faults = undefined

    const common = ['user-agent', userAgent, 'accept-encoding', acceptedCodings]
    this.#getFields = Object.freeze(new HttpHeaders(common))
    this.#fields = Object.freeze(
      new HttpHeaders(['content-type', unaryType(format), 'connect-protocol-version', '1', ...common]),
    )
  }

  get faults(): FaultCodecs {
    return (this.#faults ??= faultCodecs(this.operation, this.#depth))
  }

  /** The head of a call. `timeout` is the time left in milliseconds, more than 0. */
  post(call: Call, timeout: number, coding: string | undefined): HttpRequestHead {
    const more = moreFields(call, timeout)
    if (coding !== undefined) more.push('content-encoding', coding)
    return this.#head('POST', this.#target, this.#fields, more)
  }

  /** The head of a call with its message in the query; `undefined` when that would be too long. */
  query(call: Call, timeout: number, message: Buffer): HttpRequestHead | undefined {
    if (message.length > longestTarget) return undefined
    const target = `${this.#target}?${formatQuery(this.format, message)}`
    if (target.length > longestTarget) return undefined
    return this.#head('GET', target, this.#getFields, moreFields(call, timeout))
  }

  #head(method: string, target: string, headers: HttpHeaders, more: string[]): HttpRequestHead {
    const authority = this.#authority
    if (more.length === 0) return { method, target, authority, headers }
    return { method, target, authority, headers, more: new HttpHeaders(more) }
  }
}

function moreFields(call: Call, timeout: number): string[] {
  const list = timeout === Infinity ? [] : ['connect-timeout-ms', formatTimeout(timeout)]
  writeMetadata(list, call.metadataIfAny)
  return list
}
