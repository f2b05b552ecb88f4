/** Heads and errors of unary answers. */
import type { CallError } from '../../call/error.ts'
import type { Metadata } from '../../call/metadata.ts'
import { statusTable } from '../../contract/status.ts'
import type { HttpExchange, HttpResponseHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { writeMetadata } from '../grpc-family/call-metadata.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import { corsFields } from '../grpc-family/cors.ts'
import type { FaultCodecs } from '../grpc-family/fault-codecs.ts'
import { unaryType } from './content-type.ts'
import { errorJson } from './error-json.ts'
import { acceptedCodings } from './request-headers.ts'

/** Trailers of a unary answer are header fields with this in front. */
export const trailerPrefix = 'trailer-'

/** What the answers to pages of one origin have in common. */
export class UnaryAnswers {
  readonly #cors: readonly string[]
  readonly #heads = new Map<MessageFormat, HttpResponseHead>()

  /** @param origin The origin whose pages may read them, or `*`. */
  constructor(origin: string | undefined) {
    this.#cors = corsFields(origin)
  }

  /** The head of an answer; one object for those that have nothing of their own, which engines encode once. */
  head(
    format: MessageFormat,
    metadata: Metadata | undefined,
    trailers: Metadata | undefined,
    coding: string | undefined,
  ): HttpResponseHead {
    const plain = this.#plainHead(format)
    if (coding === undefined && isEmpty(metadata) && isEmpty(trailers)) return plain

    const list = [...plain.headers.list]
    if (coding !== undefined) list.push('content-encoding', coding)
    writeMetadata(list, metadata)
    writeTrailers(list, trailers)
    return { status: 200, headers: new HttpHeaders(list) }
  }

  #plainHead(format: MessageFormat): HttpResponseHead {
    const known = this.#heads.get(format)
    if (known !== undefined) return known
    const list = ['content-type', unaryType(format), 'accept-encoding', acceptedCodings, ...this.#cors]
    const head = Object.freeze({ status: 200, headers: new HttpHeaders(list) })
    this.#heads.set(format, head)
    return head
  }

  /**
   * Answers with an error. Throws `Invalid`, having sent nothing, when the fault's detail does not fit its declaration.
   */
  fail(
    exchange: HttpExchange,
    error: CallError,
    codecs: FaultCodecs | undefined,
    status: number = statusTable[error.code].http,
  ): void {
    const body = JSON.stringify(errorJson(error, codecs))
    const list = ['content-type', 'application/json', 'accept-encoding', acceptedCodings, ...this.#cors]
    writeMetadata(list, error.metadata)
    exchange.respond({ status, headers: new HttpHeaders(list) }, body)
  }
}

function isEmpty(metadata: Metadata | undefined): boolean {
  return metadata === undefined || metadata.size === 0
}

function writeTrailers(list: string[], trailers: Metadata | undefined): void {
  const own: string[] = []
  writeMetadata(own, trailers)
  for (let i = 0; i < own.length; i += 2) list.push(trailerPrefix + own[i], own[i + 1] as string)
}
