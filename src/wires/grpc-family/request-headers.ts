/**
 * HOT PATH. What a server reads of a request's header fields. An engine hands out the same object for fields that come
 * again, which are then not read again. Guarded by `bench/scenarios/grpc`.
 */
import type { Metadata } from '../../call/metadata.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { MalformedBinary, readMetadata } from './call-metadata.ts'
import { type Compression, compressionNamed } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import { parseTimeout } from './timeout.ts'

export interface RequestHeaders {
  /** `undefined`: the request is not gRPC's. */
  readonly format: MessageFormat | 'unknown' | undefined
  /** Milliseconds; `undefined` without the header; NaN when it is malformed. */
  readonly timeout: number | undefined
  /** `undefined`: one that is not understood. */
  readonly coding: Compression | 'identity' | undefined
  readonly acceptEncoding: string | undefined
  /** Of its own for each call, which may change it. */
  metadata(): Metadata | undefined
  /** What a `-bin` field has wrong. */
  readonly malformed: string | undefined
}

export type FormatOf = (contentType: string | undefined) => MessageFormat | 'unknown' | undefined

/** Reads header fields, of which it keeps those of the last request. */
export class RequestHeaderReader {
  readonly #formatOf: FormatOf
  readonly #isNoise: ((name: string) => boolean) | undefined
  #last: HttpHeaders | undefined
  #read: RequestHeaders | undefined

  /**
   * @param formatOf Which requests are the wire's, by their content type.
   * @param isNoise Fields that are no metadata.
   */
  constructor(formatOf: FormatOf, isNoise?: (name: string) => boolean) {
    this.#formatOf = formatOf
    this.#isNoise = isNoise
    this.#last = undefined
    this.#read = undefined
  }

  read(headers: HttpHeaders): RequestHeaders {
    if (headers === this.#last) return this.#read as RequestHeaders
    const read = readRequestHeaders(headers, this.#formatOf, this.#isNoise)
    this.#last = headers
    this.#read = read
    return read
  }
}

function readRequestHeaders(
  { list }: HttpHeaders,
  formatOf: FormatOf,
  isNoise?: (name: string) => boolean,
): RequestHeaders {
  let contentType: string | undefined
  let timeout: number | undefined
  let encoding: string | undefined
  let acceptEncoding: string | undefined

  for (let i = 0; i < list.length; i += 2) {
    const value = list[i + 1] as string
    switch (list[i]) {
      case 'content-type':
        contentType = value
        break
      case 'grpc-timeout':
        timeout = parseTimeout(value)
        break
      case 'grpc-encoding':
        encoding = value
        break
      case 'grpc-accept-encoding':
        acceptEncoding = acceptEncoding === undefined ? value : `${acceptEncoding},${value}`
    }
  }

  const format = formatOf(contentType)
  let metadata: Metadata | undefined
  let taken = false
  let malformed: string | undefined
  try {
    if (format !== undefined) metadata = readMetadata(list, undefined, isNoise)
  } catch (error) {
    if (!(error instanceof MalformedBinary)) throw error
    malformed = error.message
  }

  return {
    format,
    timeout,
    coding: compressionNamed(encoding),
    acceptEncoding,
    malformed,
    metadata() {
      // Most fields with metadata come once: the first call has what was read, and only others read again.
      const read = taken ? readMetadata(list, undefined, isNoise) : metadata
      taken = true
      metadata = undefined
      return read
    },
  }
}
