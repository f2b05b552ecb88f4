/**
 * HOT PATH. What gRPC, gRPC-Web and Connect's streams say differently on a client: the head of a request, the head of an
 * answer, and its end. Everything between is the same. Guarded by `bench/scenarios/grpc`.
 */
import type { CallError } from '../../call/error.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { HttpResponseHead } from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { readMetadata } from './call-metadata.ts'
import { type Compression, acceptedEncodings } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import type { FaultCodecs } from './fault-codecs.ts'
import { type ReadHead, readHead } from './response-head.ts'
import { contentTypes } from './server-method.ts'
import { readStatus, statusNumber } from './status.ts'
import { formatTimeout } from './timeout.ts'

export interface ClientDialect {
  /** The header fields of every request. */
  fields(format: MessageFormat, compression: Compression | undefined): string[]
  /** The header field of a time in milliseconds, more than 0. */
  timeout(milliseconds: number): readonly [name: string, value: string]
  /** The header field that names the coding of messages. */
  readonly encodingField: string
  readHead(head: HttpResponseHead): ReadHead
  /** The bit in a message's first byte by which it is the end of the answer; 0 where HTTP trailers are that. */
  readonly lastFlag: number
  /** How the answer ended; `undefined` when it does not say. `last`: the message that is the end. */
  ending(head: ReadHead, trailers: HttpHeaders | undefined, last: Buffer | undefined): Ending | undefined
  /** What is missing then. */
  readonly missingEnd: string
}

/** How an answer ended. */
export interface Ending {
  readonly failed: boolean
  error(codecs: FaultCodecs): CallError
  /** Throws MalformedBinary. */
  trailers(into: Metadata | undefined): Metadata | undefined
}

class StatusEnding implements Ending {
  readonly failed: boolean
  readonly #status: number
  readonly #headers: HttpHeaders

  constructor(status: number, headers: HttpHeaders) {
    this.failed = status !== 0
    this.#status = status
    this.#headers = headers
  }

  error(codecs: FaultCodecs): CallError {
    return readStatus(this.#status, this.#headers, codecs)
  }

  trailers(into: Metadata | undefined): Metadata | undefined {
    return readMetadata(this.#headers.list, into)
  }
}

/** Mostly there is nothing to say. */
const succeeded: Ending = {
  failed: false,
  error: () => {
    throw new Error('a call that went well has no error')
  },
  trailers: (into) => into,
}

/** The end that a `grpc-status` tells of; `undefined` when there is none. */
export function endingOf(headers: HttpHeaders | undefined): Ending | undefined {
  const status = headers && statusNumber(headers)
  if (headers === undefined || status === undefined) return undefined
  return status === 0 && headers.list.length === 2 ? succeeded : new StatusEnding(status, headers)
}

/** gRPC's own. */
export const grpcClientDialect: ClientDialect = {
  fields(format, compression) {
    const fields = ['content-type', contentTypes[format], 'te', 'trailers', 'user-agent', 'grpc-trunkline']
    fields.push('grpc-accept-encoding', acceptedEncodings)
    if (compression !== undefined) fields.push('grpc-encoding', compression)
    return fields
  },
  timeout: (milliseconds) => ['grpc-timeout', formatTimeout(milliseconds)],
  encodingField: 'grpc-encoding',
  readHead,
  lastFlag: 0,
  ending: (head, trailers) => endingOf(trailers ?? (head.isTrailers ? head.headers : undefined)),
  missingEnd: 'grpc-status',
}
