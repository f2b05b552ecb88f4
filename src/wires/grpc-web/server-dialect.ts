/** gRPC-Web on a server: gRPC, with the trailers as the last message of the body. */
import type { HttpExchange, HttpResponseHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { Compression } from '../grpc-family/compression.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import { corsFields } from '../grpc-family/cors.ts'
import { type ServerDialect, successTrailers } from '../grpc-family/server-dialect.ts'
import { errorTrailers } from '../grpc-family/status.ts'
import { webContentType } from './content-type.ts'
import { trailerMessage } from './trailers.ts'

/**
 * The dialect of answers.
 *
 * @param text Whether bodies are base64.
 * @param origin The origin whose pages may read them, or `*`.
 */
export function webServerDialect(text: boolean, origin: string | undefined): ServerDialect {
  const heads = new Map<string, HttpResponseHead>()

  const head = (format: MessageFormat, coding: Compression | undefined): HttpResponseHead => {
    const key = `${format} ${coding}`
    const known = heads.get(key)
    if (known !== undefined) return known
    const list = ['content-type', webContentType(format, text), ...corsFields(origin)]
    if (coding !== undefined) list.push('grpc-encoding', coding)
    const made = Object.freeze({ status: 200, headers: new HttpHeaders(list) })
    heads.set(key, made)
    return made
  }

  const end = (exchange: HttpExchange, trailers: HttpHeaders): void => {
    exchange.write(trailerMessage(trailers), true)
  }

  return {
    head,
    succeed: (exchange, trailers) => end(exchange, successTrailers(trailers)),
    fail(exchange, format, error, faults, onLeftOut) {
      const trailers = new HttpHeaders(errorTrailers(error, faults, onLeftOut))
      if (!exchange.started) exchange.start(head(format, undefined))
      end(exchange, trailers)
    },
  }
}
