/**
 * HOT PATH. What gRPC, gRPC-Web and Connect's streams say differently on a server: the head of an answer, and its end.
 * Everything between, the messages with their prefixes, is the same. Guarded by `bench/scenarios/grpc`.
 */
import type { CallError } from '../../call/error.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { HttpExchange, HttpResponseHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { writeMetadata } from './call-metadata.ts'
import type { Compression } from './compression.ts'
import type { MessageFormat } from './content-type.ts'
import type { FaultCodecs } from './fault-codecs.ts'
import { answerHead, contentTypes } from './server-method.ts'
import { errorTrailers } from './status.ts'

export interface ServerDialect {
  /** The head of an answer without metadata. */
  head(format: MessageFormat, coding: Compression | undefined): HttpResponseHead
  /** Ends an answer of which all messages were sent. */
  succeed(exchange: HttpExchange, trailers: Metadata | undefined): void
  /**
   * Ends an answer with an error, whether it was begun or not. Throws `Invalid`, having sent nothing, when the fault's
   * detail does not fit its declaration; without `faults` there is no fault to send.
   */
  fail(
    exchange: HttpExchange,
    format: MessageFormat,
    error: CallError,
    faults: FaultCodecs | undefined,
    onLeftOut: () => void,
  ): void
}

const succeeded = Object.freeze(new HttpHeaders(['grpc-status', '0']))

/** The trailers of a call that went well. */
export function successTrailers(trailers: Metadata | undefined): HttpHeaders {
  if (trailers === undefined || trailers.size === 0) return succeeded
  const list = ['grpc-status', '0']
  writeMetadata(list, trailers)
  return new HttpHeaders(list)
}

/** gRPC's own: the end is HTTP trailers, or, when nothing was sent, a head that is trailers at the same time. */
export const grpcServerDialect: ServerDialect = {
  head: answerHead,
  succeed: (exchange, trailers) => exchange.end(successTrailers(trailers)),
  fail: (exchange, format, error, faults, onLeftOut) =>
    failExchange(exchange, format, errorTrailers(error, faults, onLeftOut)),
}

/** Ends an answer with an error: by its trailers, or, when nothing was sent, by a head that is trailers. */
export function failExchange(exchange: HttpExchange, format: MessageFormat, trailers: string[]): void {
  if (exchange.started) {
    exchange.end(new HttpHeaders(trailers))
    return
  }
  const headers = new HttpHeaders(['content-type', contentTypes[format], ...trailers])
  exchange.start({ status: 200, headers })
  exchange.end()
}
