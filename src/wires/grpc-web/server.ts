/** The server half: what of a request is decided before there is a call. */
import type { CallError } from '../../call/error.ts'
import type { HttpExchange, HttpRequest } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { BeginningCalls } from '../grpc-family/beginning-calls.ts'
import { type Compression, accepts } from '../grpc-family/compression.ts'
import type { MessageFormat } from '../grpc-family/content-type.ts'
import { Cors } from '../grpc-family/cors.ts'
import { type Methods, methodsOf, unknownPath } from '../grpc-family/methods.ts'
import { malformedBinary, malformedTimeout, unknownEncoding, unknownFormat } from '../grpc-family/refusals.ts'
import { type RequestHeaders, RequestHeaderReader } from '../grpc-family/request-headers.ts'
import { ServerCall } from '../grpc-family/server-call.ts'
import type { ServerDialect } from '../grpc-family/server-dialect.ts'
import { isWebNoise } from '../grpc-family/web-noise.ts'
import type { Host, HttpMount, HttpServer } from '../wire.ts'
import { isText, webFormat } from './content-type.ts'
import { webServerDialect } from './server-dialect.ts'
import { supports } from './supports.ts'
import { TextExchange } from './text-exchange.ts'

export interface GrpcWebServerOptions {
  readonly compression: Compression | undefined
  /** Whose pages may call. */
  readonly origins: readonly string[]
}

/** The server half of the wire. */
export function grpcWebServer(options: GrpcWebServerOptions): HttpServer {
  const cors = new Cors(options.origins, 'POST')
  return { over: 'http', mount: (host) => new GrpcWebMount(host, cors, options.compression) }
}

class GrpcWebMount implements HttpMount {
  readonly #host: Host
  readonly #cors: Cors
  readonly #compression: Compression | undefined
  readonly #methods: Methods
  readonly #reader = new RequestHeaderReader(webFormat, isWebNoise)
  readonly #beginning = new BeginningCalls()
  /** Those of origins that are allowed, and of no origin. */
  readonly #dialects = new Map<string, ServerDialect>()

  constructor(host: Host, cors: Cors, compression: Compression | undefined) {
    this.#host = host
    this.#cors = cors
    this.#compression = compression
    this.#methods = methodsOf(host)
    for (const [path, { operation }] of this.#methods) {
      const reason = supports(operation)
      if (reason === true) continue
      host.log.debug({ operation: operation.id }, `not served over gRPC-Web: ${reason}`)
      this.#methods.delete(path)
    }
  }

  matches({ method, target, headers }: HttpRequest): boolean {
    if (!this.#methods.has(target)) return false
    if (method === 'OPTIONS') return this.#cors.allowed(headers) !== undefined
    return method === 'POST' && webFormat(headers.get('content-type')) !== undefined
  }

  serve(exchange: HttpExchange, last: boolean): boolean {
    const { method, target, headers } = exchange.request
    if (method === 'POST') {
      const contentType = headers.get('content-type')
      const format = webFormat(contentType)
      if (format !== undefined) {
        const text = isText(contentType as string)
        this.#serve(text ? new TextExchange(exchange) : exchange, format, this.#dialect(text, headers))
        return true
      }
    } else if (this.#methods.has(target) && this.#cors.preflight(exchange)) return true

    if (last) exchange.respond(noGrpcWeb, undefined)
    return last
  }

  #dialect(text: boolean, headers: HttpHeaders): ServerDialect {
    const origin = this.#cors.allowed(headers)
    const key = `${text} ${origin}`
    let dialect = this.#dialects.get(key)
    if (dialect === undefined) {
      dialect = webServerDialect(text, origin)
      this.#dialects.set(key, dialect)
    }
    return dialect
  }

  #serve(exchange: HttpExchange, format: MessageFormat | 'unknown', dialect: ServerDialect): void {
    const { request } = exchange
    const method = this.#methods.get(request.target)
    const refuse = (error: CallError, written: MessageFormat) =>
      dialect.fail(exchange, written, error, undefined, () => {})
    if (format === 'unknown') return refuse(unknownFormat('application/grpc-web'), 'proto')
    if (method === undefined) return refuse(unknownPath(this.#methods, request.target), format)

    const headers: RequestHeaders = this.#reader.read(request.headers)
    const { timeout, malformed, coding: requestCoding, acceptEncoding } = headers
    if (timeout !== undefined && Number.isNaN(timeout)) return refuse(malformedTimeout(), format)
    if (malformed !== undefined) return refuse(malformedBinary(malformed), format)
    if (requestCoding === undefined) {
      return refuse(unknownEncoding(request.headers.get('grpc-encoding') as string), format)
    }

    const wanted = this.#compression
    const coding = wanted !== undefined && accepts(acceptEncoding, wanted) ? wanted : undefined
    const { remoteAddress, secure, certificate } = request
    const peer = { address: remoteAddress, wire: 'grpc-web', secure, certificate }
    this.#beginning.begin(new ServerCall(this.#host, dialect, method, exchange, headers, coding, peer))
  }
}

const noGrpcWeb = Object.freeze({
  status: 415,
  headers: new HttpHeaders(['accept-post', 'application/grpc-web, application/grpc-web-text']),
})
