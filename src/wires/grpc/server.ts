/** HOT PATH. The server half: methods by their paths, and what of a request is decided before there is a call. */
import type { CallError } from '../../call/error.ts'
import type { Handler } from '../../call/handler.ts'
import type { Peer } from '../../call/peer.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { HttpExchange, HttpRequest } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { Host, HttpMount, HttpServer } from '../wire.ts'
import { BeginningCalls } from '../grpc-family/beginning-calls.ts'
import { type Compression, acceptedEncodings, accepts } from '../grpc-family/compression.ts'
import { type MessageFormat, messageFormat } from '../grpc-family/content-type.ts'
import { type Methods, methodsOf, unknownPath } from '../grpc-family/methods.ts'
import {
  deadlinePassed,
  malformedBinary,
  malformedTimeout,
  unknownEncoding,
  unknownFormat,
} from '../grpc-family/refusals.ts'
import { type RequestHeaders, RequestHeaderReader } from '../grpc-family/request-headers.ts'
import { ServerCall } from '../grpc-family/server-call.ts'
import { failExchange, grpcServerDialect } from '../grpc-family/server-dialect.ts'
import { ServerMethod } from '../grpc-family/server-method.ts'
import { errorTrailers } from '../grpc-family/status.ts'

/** A service that the wire has itself: its calls, and what answers them. */
export type OwnService = ReadonlyMap<CallOperation, Handler>

/** All of them, and what tells them that the server is being closed. */
export interface OwnServices {
  readonly services: readonly OwnService[]
  drain(): void
}

export interface GrpcServerOptions {
  /** How answers are compressed that a client can read so. */
  readonly compression: Compression | undefined
  /** Services besides the host's. A contract that is served under the same name comes first. */
  readonly services: (host: Host) => OwnServices
}

/** The server half of the wire. */
export function grpcServer(options: GrpcServerOptions): HttpServer {
  return { over: 'http', mount: (host) => new GrpcMount(host, options) }
}

class GrpcMount implements HttpMount {
  readonly #host: Host
  readonly #compression: Compression | undefined
  readonly #methods: Methods
  readonly #own: OwnServices
  readonly #reader = new RequestHeaderReader(messageFormat)
  #peer: Peer | undefined
  #peerOf: HttpRequest | undefined
  readonly #beginning = new BeginningCalls()

  constructor(host: Host, { compression, services }: GrpcServerOptions) {
    this.#host = host
    this.#compression = compression
    this.#methods = methodsOf(host)
    const { depth } = host.limits

    this.#own = services(host)
    for (const service of this.#own.services) {
      for (const [operation, handler] of service) {
        const path = `/${operation.grpc}`
        if (!this.#methods.has(path)) this.#methods.set(path, new ServerMethod(operation, depth, handler))
      }
    }
  }

  drain(): void {
    this.#own.drain()
  }

  matches({ method, target, headers }: HttpRequest): boolean {
    if (method !== 'POST' || !this.#methods.has(target)) return false
    return this.#reader.read(headers).format !== undefined
  }

  serve(exchange: HttpExchange, last: boolean): boolean {
    const { request } = exchange
    const headers = this.#reader.read(request.headers)
    const { format } = headers
    if (format === undefined || request.method !== 'POST') {
      if (last) exchange.respond(noGrpc, undefined)
      return last
    }
    if (request.version !== '2') {
      exchange.respond(needsHttp2, 'gRPC needs HTTP/2.\n')
      return true
    }

    const method = this.#methods.get(request.target)
    if (method === undefined || format === 'unknown') {
      refuse(
        exchange,
        'proto',
        format === 'unknown' ? unknownFormat() : unknownPath(this.#methods, request.target),
      )
    } else this.#call(exchange, method, headers)
    return true
  }

  #call(exchange: HttpExchange, method: ServerMethod, headers: RequestHeaders): void {
    const format = headers.format as MessageFormat
    const { timeout, malformed, acceptEncoding } = headers
    if (timeout !== undefined && Number.isNaN(timeout)) return refuse(exchange, format, malformedTimeout())
    if (timeout === 0) return refuse(exchange, format, deadlinePassed())
    if (malformed !== undefined) return refuse(exchange, format, malformedBinary(malformed))
    if (headers.coding === undefined) {
      const encoding = exchange.request.headers.get('grpc-encoding') as string
      return refuse(exchange, format, unknownEncoding(encoding), ['grpc-accept-encoding', acceptedEncodings])
    }

    const wanted = this.#compression
    const coding = wanted !== undefined && accepts(acceptEncoding, wanted) ? wanted : undefined
    const peer = this.#peerOfRequest(exchange.request)
    const call = new ServerCall(this.#host, grpcServerDialect, method, exchange, headers, coding, peer)
    this.#beginning.begin(call)
  }

  #peerOfRequest(request: HttpRequest): Peer {
    if (request === this.#peerOf) return this.#peer as Peer
    const { remoteAddress, secure, certificate } = request
    this.#peerOf = request
    this.#peer = { address: remoteAddress, wire: 'grpc', secure, certificate }
    return this.#peer
  }
}

const noGrpc = Object.freeze({ status: 415, headers: new HttpHeaders(['accept-post', 'application/grpc']) })
const needsHttp2 = Object.freeze({
  status: 505,
  headers: new HttpHeaders(['content-type', 'text/plain; charset=utf-8']),
})

/** Answers without a call. */
function refuse(
  exchange: HttpExchange,
  format: MessageFormat,
  error: CallError,
  extra: readonly string[] = [],
): void {
  failExchange(exchange, format, [...errorTrailers(error, undefined, () => {}), ...extra])
}
