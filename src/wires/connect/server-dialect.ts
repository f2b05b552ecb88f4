/** Connect's streams on a server. */
import type { HttpExchange, HttpResponseHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { Compression } from '../grpc-family/compression.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import { corsFields } from '../grpc-family/cors.ts'
import type { ServerDialect } from '../grpc-family/server-dialect.ts'
import { streamType } from './content-type.ts'
import { endJson, errorJson } from './error-json.ts'
import { acceptedCodings } from './request-headers.ts'
import { endMessage } from './stream-end.ts'

/**
 * The dialect of answers.
 *
 * @param origin The origin whose pages may read them, or `*`.
 */
export function streamServerDialect(origin: string | undefined): ServerDialect {
  const heads = new Map<string, HttpResponseHead>()

  const head = (format: MessageFormat, coding: Compression | undefined): HttpResponseHead => {
    const key = `${format} ${coding}`
    const known = heads.get(key)
    if (known !== undefined) return known
    const list = ['content-type', streamType(format), 'connect-accept-encoding', acceptedCodings]
    if (coding !== undefined) list.push('connect-content-encoding', coding)
    list.push(...corsFields(origin))
    const made = Object.freeze({ status: 200, headers: new HttpHeaders(list) })
    heads.set(key, made)
    return made
  }

  const end = (exchange: HttpExchange, json: string): void => {
    exchange.write(endMessage(json), true)
  }

  return {
    head,
    succeed: (exchange, trailers) => end(exchange, endJson(undefined, trailers)),
    fail(exchange, format, error, faults) {
      const json = endJson(errorJson(error, faults), error.metadata)
      if (!exchange.started) exchange.start(head(format, undefined))
      end(exchange, json)
    },
  }
}
