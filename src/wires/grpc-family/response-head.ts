/**
 * HOT PATH. What a client reads of an answer's head. An engine hands out the same object for fields that come again,
 * which are then not read again. Guarded by `bench/scenarios/grpc`.
 */
import { Metadata } from '../../call/metadata.ts'
import type { HttpResponseHead } from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { MalformedBinary, readMetadata } from './call-metadata.ts'
import { type Compression, compressionNamed } from './compression.ts'
import { messageFormat } from './content-type.ts'
import { statusNumber } from './status.ts'

export interface ReadHead {
  readonly headers: HttpHeaders
  /** What it is instead of gRPC's: an HTTP status, a content type; `undefined` for an answer that is gRPC's. */
  readonly foreign: string | undefined
  readonly httpStatus: number
  /** The head is trailers at the same time: the status is in it. */
  readonly isTrailers: boolean
  /** `undefined`: one that is not understood. */
  readonly coding: Compression | 'identity' | undefined
  /** A copy for each call; none of a head that is trailers. */
  metadata(): Metadata | undefined
  readonly malformed: string | undefined
}

/** Reads heads of answers, of which it keeps the last. */
export class ResponseHeadReader {
  readonly #readHead: (head: HttpResponseHead) => ReadHead
  #read: ReadHead | undefined

  constructor(read: (head: HttpResponseHead) => ReadHead) {
    this.#readHead = read
    this.#read = undefined
  }

  read(head: HttpResponseHead): ReadHead {
    const last = this.#read
    if (last !== undefined && last.headers === head.headers && last.httpStatus === head.status) return last
    return (this.#read = this.#readHead(head))
  }
}

/** The head of an answer of gRPC's. */
export function readHead(head: HttpResponseHead): ReadHead {
  const { status, headers } = head
  const isOwn = status === 200 && messageFormat(headers.get('content-type')) !== undefined
  return readHeadOf(
    head,
    isOwn,
    statusNumber(headers) !== undefined,
    compressionNamed(headers.get('grpc-encoding')),
  )
}

/** The head of an answer. `isOwn`: the protocol's, by status and content type. */
export function readHeadOf(
  { status, headers }: HttpResponseHead,
  isOwn: boolean,
  isTrailers: boolean,
  coding: Compression | 'identity' | undefined,
  isNoise?: (name: string) => boolean,
): ReadHead {
  let foreign: string | undefined
  if (!isOwn && !isTrailers) {
    const contentType = headers.get('content-type')
    foreign = `HTTP ${status}${contentType === undefined ? '' : ` with content type '${contentType.slice(0, 100)}'`}`
  }

  let metadata: Metadata | undefined
  let malformed: string | undefined
  try {
    if (isOwn && !isTrailers) metadata = readMetadata(headers.list, undefined, isNoise)
  } catch (error) {
    if (!(error instanceof MalformedBinary)) throw error
    malformed = error.message
  }

  return {
    headers,
    foreign,
    httpStatus: status,
    isTrailers,
    coding,
    malformed,
    metadata: () => metadata && new Metadata(metadata),
  }
}
