/** The server half: what of a request is decided before there is a call. */
import type { CallError } from '../../call/error.ts'
import type { ContentCoding } from '../../http/content-coding.ts'
import type { HttpExchange, HttpRequest } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { BeginningCalls } from '../grpc-family/beginning-calls.ts'
import { type Compression, compressionNamed } from '../grpc-family/compression.ts'
import { type MessageFormat, messageFormat } from '../grpc-family/content-type.ts'
import { Cors } from '../grpc-family/cors.ts'
import { type Methods, methodsOf, unknownPath } from '../grpc-family/methods.ts'
import { ServerCall } from '../grpc-family/server-call.ts'
import type { ServerDialect } from '../grpc-family/server-dialect.ts'
import type { ServerMethod } from '../grpc-family/server-method.ts'
import type { Host, HttpMount, HttpServer } from '../wire.ts'
import { type CallQuery, parseQuery } from './query.ts'
import {
  malformedBinary,
  malformedQuery,
  malformedTimeout,
  unknownCoding,
  unknownVersion,
} from './refusals.ts'
import { type ConnectHeaders, codings, readConnectHeaders } from './request-headers.ts'
import { streamServerDialect } from './server-dialect.ts'
import { UnaryAnswers } from './unary-answer.ts'
import { UnaryServerCall } from './unary-server-call.ts'

export type ConnectCompression = 'gzip' | 'br'

export interface ConnectServerOptions {
  /** How answers are compressed that a client can read so. */
  readonly compression: ConnectCompression | undefined
  /** Whose pages may call. */
  readonly origins: readonly string[]
}

/** The server half of the wire. */
export function connectServer(options: ConnectServerOptions): HttpServer {
  const cors = new Cors(options.origins, 'GET, POST')
  return { over: 'http', mount: (host) => new ConnectMount(host, cors, options.compression) }
}

/** How answers to pages of one origin are written. */
interface Answers {
  readonly unary: UnaryAnswers
  readonly stream: ServerDialect
}

class ConnectMount implements HttpMount {
  readonly #host: Host
  readonly #cors: Cors
  readonly #compression: ConnectCompression | undefined
  readonly #methods: Methods
  readonly #beginning = new BeginningCalls()
  readonly #answers = new Map<string | undefined, Answers>()

  constructor(host: Host, cors: Cors, compression: ConnectCompression | undefined) {
    this.#host = host
    this.#cors = cors
    this.#compression = compression
    this.#methods = methodsOf(host)
  }

  matches({ method, target, headers }: HttpRequest): boolean {
    const found = this.#methods.get(pathOf(target))
    if (found === undefined) return false
    if (method === 'OPTIONS') return this.#cors.allowed(headers) !== undefined
    if (method === 'GET') return allowsGet(found)
    return method === 'POST' && !isGrpc(headers)
  }

  serve(exchange: HttpExchange, last: boolean): boolean {
    const { method, target, headers } = exchange.request
    const path = pathOf(target)
    const found = this.#methods.get(path)
    if (found === undefined) return this.#unknown(exchange, path, last)
    if (method === 'POST' && !last && isGrpc(headers)) return false
    if (method === 'OPTIONS' && this.#cors.preflight(exchange)) return true

    if (method === 'POST') this.#post(exchange, found)
    else if (method === 'GET' && allowsGet(found)) this.#get(exchange, found, target.slice(path.length + 1))
    else {
      const allow = allowsGet(found) ? 'GET, POST' : 'POST'
      exchange.respond({ status: 405, headers: new HttpHeaders(['allow', allow]) }, undefined)
    }
    return true
  }

  /** Somebody else's path, unless the content type can be nobody else's. */
  #unknown(exchange: HttpExchange, path: string, last: boolean): boolean {
    const { type } = readConnectHeaders(exchange.request.headers)
    if (!last && type?.kind !== 'stream') return false
    const { unary } = this.#answersFor(exchange)
    unary.fail(exchange, unknownPath(this.#methods, path), undefined, 404)
    return true
  }

  #answersFor({ request }: HttpExchange): Answers {
    const origin = this.#cors.allowed(request.headers)
    let answers = this.#answers.get(origin)
    if (answers === undefined) {
      answers = { unary: new UnaryAnswers(origin), stream: streamServerDialect(origin) }
      this.#answers.set(origin, answers)
    }
    return answers
  }

  #post(exchange: HttpExchange, method: ServerMethod): void {
    const headers = readConnectHeaders(exchange.request.headers)
    const { type } = headers
    const isUnary = method.operation.streaming === 'unary'
    if (type === undefined || type.format === 'unknown' || (type.kind === 'unary') !== isUnary) {
      exchange.respond(isUnary ? unaryTypes : streamTypes, undefined)
      return
    }

    const { format } = type
    const { unary, stream } = this.#answersFor(exchange)
    const wrong = wrongHead(headers, exchange.request.headers)
    if (isUnary) {
      if (wrong !== undefined) unary.fail(exchange, wrong, undefined)
      else this.#unary(exchange, method, headers, { format, coding: headers.coding, message: undefined })
    } else if (wrong !== undefined) stream.fail(exchange, format, wrong, undefined, () => {})
    else {
      const { remoteAddress, secure, certificate } = exchange.request
      const peer = { address: remoteAddress, wire: 'connect', secure, certificate }
      const coding = this.#answerCoding(headers)
      this.#beginning.begin(new ServerCall(this.#host, stream, method, exchange, headers, coding, peer))
    }
  }

  #get(exchange: HttpExchange, method: ServerMethod, text: string): void {
    const headers = readConnectHeaders(exchange.request.headers)
    const query = parseQuery(text)
    const { encoding, message } = query
    if (encoding !== 'proto' && encoding !== 'json') {
      exchange.respond(unaryTypes, undefined)
      return
    }

    const { unary } = this.#answersFor(exchange)
    const coding = compressionNamed(query.compression === '' ? undefined : query.compression, codings)
    const wrong = wrongQuery(query) ?? wrongHead({ ...headers, coding }, exchange.request.headers, query)
    if (wrong !== undefined) unary.fail(exchange, wrong, undefined)
    else {
      this.#unary(exchange, method, headers, { format: encoding, coding, message: message as Buffer })
    }
  }

  #unary(
    exchange: HttpExchange,
    method: ServerMethod,
    headers: ConnectHeaders,
    sent: {
      readonly format: MessageFormat
      readonly coding: Compression | 'identity' | undefined
      readonly message: Buffer | undefined
    },
  ): void {
    const { format, coding, message } = sent
    const request = {
      headers,
      format,
      message,
      codings: coding === undefined || coding === 'identity' ? [] : [coding satisfies ContentCoding],
      answerCoding: this.#answerCoding(headers),
    }
    const { unary } = this.#answersFor(exchange)
    new UnaryServerCall(this.#host, method, exchange, request, unary).run()
  }

  #answerCoding({ acceptEncoding }: ConnectHeaders): ConnectCompression | undefined {
    const wanted = this.#compression
    if (wanted === undefined || acceptEncoding === undefined) return undefined
    const named = acceptEncoding.split(',').map((each) => each.trim())
    return named.includes(wanted) ? wanted : undefined
  }
}

/** What is wrong with a request's head; `undefined` when nothing is. */
function wrongHead(
  { timeout, malformed, version, coding }: ConnectHeaders,
  fields: HttpHeaders,
  query?: CallQuery,
): CallError | undefined {
  if (version !== undefined && version !== '1') return unknownVersion(version, 'connect-protocol-version')
  if (timeout !== undefined && Number.isNaN(timeout)) return malformedTimeout()
  if (malformed !== undefined) return malformedBinary(malformed)
  if (coding !== undefined) return undefined
  const given =
    query?.compression ?? fields.get('connect-content-encoding') ?? fields.combined('content-encoding') ?? ''
  return unknownCoding(given)
}

function wrongQuery({ connect, message }: CallQuery): CallError | undefined {
  if (connect !== undefined && connect !== 'v1') return unknownVersion(connect, 'connect')
  if (message === undefined) return malformedQuery("has no 'message'")
  if (message === 'malformed')
    return malformedQuery("has a 'message' that is neither percent-encoded nor base64")
  return undefined
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

/** What another wire of the same paths may answer. */
function isGrpc(headers: HttpHeaders): boolean {
  const contentType = headers.get('content-type')
  return messageFormat(contentType) !== undefined || /^application\/grpc-web/i.test(contentType ?? '')
}

/** Only what changes nothing can be asked for by a link. */
function allowsGet({ operation }: ServerMethod): boolean {
  return operation.idempotency === 'safe' && operation.streaming === 'unary'
}

const unaryTypes = Object.freeze({
  status: 415,
  headers: new HttpHeaders(['accept-post', 'application/json, application/proto']),
})
const streamTypes = Object.freeze({
  status: 415,
  headers: new HttpHeaders(['accept-post', 'application/connect+json, application/connect+proto']),
})
